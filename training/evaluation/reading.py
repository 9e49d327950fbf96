# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which action a sentence names, by its words; the card prints how often this reads real captions
right, since no figure about captions can be better than that.
"""

from __future__ import annotations

import re

_RULES: tuple[tuple[str, str], ...] = (
    # the first that fits counts; S stands for the sentence's side
    (r'\bbow|bends? (?:forward|over) at the waist', 'bow'),
    (r'(?:bye|farewell|goodbye).*\b(?:both|two|arms)|bye bye|\bboth.*(?:bye|farewell)', 'wave-both-hands'),
    (r'\bbye\b|goodbye|farewell', 'bye'),
    (r'\b(?:the|which|this) way\b|\bdirects? (?:someone|them|people)|\bguid|\busher', 'guide'),
    (r'\bwav(?:e|es|ing)\b.*\b(?:both|two|arms|hands)\b|\b(?:both|two|arms|hands)\b.*\bwav', 'wave-both-hands'),
    (r'\bwav(?:e|es|ing)\b|\bgreets?\b', 'wave-S-hand'),
    (r'\b(?:rais|lift|hold|put|stretch|reach|extend|throw)\w*\b.*\b(?:both|two|arms|hands)\b', 'raise-up-both-hands'),
    (r'\b(?:rais|lift|hold|put|stretch|reach|extend)\w*\b.*\b(?:hand|arm)\b', 'raise-up-S-hand'),
    (r'\b(?:run|jog|sprint|dash|rush|rac)\w*\b', 'run'),
    (r'\bback(?:s|ward|wards)?\b|\bretreat|\breverse\b', 'walk-back'),
    (r'\b(?:turn|curv|direction|veer|corner)\w*\b', 'walk-turn-S'),
    (r'\bsideways\b|\bside ?steps?\b|\bshuffl\w*|\bsteps? to (?:the|their|your|his|her)\b', 'walk-S'),
    (r'\b(?:walk|stroll|step|pac|go|goes|march|advanc)\w*\b', 'walk'),
)  # fmt: skip
_COMPILED = tuple((re.compile(pattern), action) for pattern, action in _RULES)


def read_action(sentence: str) -> str | None:
    """The action that a sentence names, None where its words fit none."""
    text = sentence.lower()
    sides = [side for side in ('left', 'right') if re.search(rf'\b{side}\b', text)]
    for pattern, action in _COMPILED:
        if pattern.search(text):
            if '-S' not in action:
                return action
            return action.replace('-S', f'-{sides[0]}') if len(sides) == 1 else None
    return None
