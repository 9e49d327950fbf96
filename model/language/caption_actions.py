# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which action a sentence names, by its words.

The card prints how often this reads real captions right, since no figure about captions can be
better than that.
"""

from __future__ import annotations

import re

_BOTH = r'\b(?:both|two|arms|hands)\b'
_ONE = r'\b(?:hand|arm)\b'
_WAVE = r'\bwav(?:e|es|ing)\b'
_RAISE = r'\b(?:rais|lift|hold|put|stretch|reach|extend|throw)\w*\b'
_BYE = r'\b(?:bye|goodbye|farewell)\b'

# The first that fits counts; S stands for the side that the sentence names.
_RULES: tuple[tuple[str, str], ...] = (
    (r'\bbow|bends? (?:forward|over) at the waist', 'bow'),
    (rf'{_BYE}.*{_BOTH}|bye bye|{_BOTH}.*{_BYE}', 'wave-both-hands'),
    (_BYE, 'bye'),
    (r'\b(?:the|which|this) way\b|\bdirects? (?:someone|them)|\bguid|\busher', 'guide'),
    (rf'{_WAVE}.*{_BOTH}|{_BOTH}.*{_WAVE}', 'wave-both-hands'),
    (rf'{_WAVE}|\bgreets?\b', 'wave-S-hand'),
    (rf'{_RAISE}.*{_BOTH}', 'raise-up-both-hands'),
    (rf'{_RAISE}.*{_ONE}', 'raise-up-S-hand'),
    (r'\b(?:run|jog|sprint|dash|rush|rac)\w*\b', 'run'),
    (r'\bback(?:s|ward|wards)?\b|\bretreat|\breverse\b', 'walk-back'),
    (r'\b(?:turn|curv|direction|veer|corner)\w*\b', 'walk-turn-S'),
    (r'\bsideways\b|\bside ?steps?\b|\bshuffl\w*', 'walk-S'),
    (r'\bsteps? to (?:the|their|your|his|her)\b', 'walk-S'),
    (r'\b(?:walk|stroll|step|pac|go|goes|march|advanc)\w*\b', 'walk'),
)
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
