# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What an instruction in free words asks for: a motion or words, and of what kind.

The rules stand in for what a checkpoint was not taught: those that are shipped were trained on
captions, predictions and in-betweens, not on instructions, so that the token which begins a motion
says nothing about what is asked. Where in the prompt a motion stands, ``{motion}`` says.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from mgpt3_ros.model.language.durations import stated_duration

PLACE = '{motion}'
Task = Literal[
    'generate', 'predict', 'inbetween', 'caption', 'choice', 'duration', 'length', 'known', 'talk'
]
MOTION_TASKS: tuple[Task, ...] = ('generate', 'predict', 'inbetween')

_FRAME = re.compile(
    r'^(?:now\s+|please\s+|so\s+|hey\s+|robot,?\s+)*'
    r'(?:(?:can|could|would|will) you\s+(?:please\s+)?(?:mind\s+)?|i (?:want|would like|need)'
    r'(?: you)? to\s+|i\'d like to\s+|let me\s+|let us\s+|let\'s\s+|try to\s+)?(?:please\s+)?'
    r'(?:(?:show|give|make|draw|create|generate|animate|produce|perform|act out|demonstrate|see|'
    r'watch|imagine|picture|have|let|move|turn|render|simulate|display|bring|look at)\b\s*)?'
    r'(?:(?:this|the following|these words) (?:in)?to (?:movement|motion|life)\s*:\s*|'
    r'(?:this|the following|as follows)?\s*:\s*)?'
    r'(?:me\b\s*|us\b\s*)?(?:(?:that|how|what|when|where)\b\s*)?',
    re.IGNORECASE,
)
_CLIP = re.compile(
    r'^(?:an?|the|some|one)?\s*(?:\w+\s+)?(?:motions?|animations?|clips?|movements?|videos?)\s+'
    r'(?:of|in which|where|that shows?|with|to)\s+',
    re.IGNORECASE,
)
_LOOKS = re.compile(
    r'^(?:what (?:would|does|will) it look like (?:if|when)|how (?:would|does) it look (?:if|when)'
    r'|how (?:does|would|do))\s+',
    re.IGNORECASE,
)
_TAIL = re.compile(
    r'(?:\s+look(?:s)? like|\s+for me|\.\s*(?:show|animate|draw) it|,? and animate it|'
    r'\s+look(?:s)?(?=\s+who))[.!?]*',
    re.IGNORECASE,
)
_LOOK_WHO = re.compile(r'\b(?:look(?:s)?)\s+(who|that)\b', re.IGNORECASE)
_LENGTH_OF = re.compile(
    r'^(?:if\b.*,\s*)?(?:for\s+)?(?:how long|how many seconds|how much time|'
    r'what is the (?:usual |typical )?(?:duration|length))\b|\bhow long will (?:that|it) last',
    re.IGNORECASE,
)
_LENGTH_FRAME = re.compile(
    r'(?:for\s+)?(?:how long|how many seconds|how much time|what is the (?:usual |typical )?'
    r'(?:duration|length) of)\b|\bwill (?:that|it) last\b|\b(?:does|do|would|will|should|did)\b|'
    r'\b(?:it|that) takes?\b(?: to)?|\btakes?\b|\blasts?\b|\bif\b|\byou\b',
    re.IGNORECASE,
)
_NEXT = re.compile(
    r'\b(?:next|continu\w*|go(?:es)? on|going|carry on|carries on|extend\w*|predict\w*|'
    r'forecast\w*|follows?|future|after|then|keep|proceed\w*|guess)\b',
    re.IGNORECASE,
)
_BETWEEN = re.compile(
    r'\b(?:between|fill|connect\w*|bridge\w*|join\w*|transition\w*|gap|link\w*|from)\b',
    re.IGNORECASE,
)
_WHAT_CAN_YOU = re.compile(
    r'\b(?:what|which \w+) (?:can|do) you (?:do|know)\b|\bwhat are you able', re.IGNORECASE
)
_ASKS = re.compile(
    r'^(?:who|whom|whose|why|when|where|which|what(?!\s+(?:would|does|will) it look)|'
    r'how (?:many|much|far|old|big|often)|is|are|was|were|did|has|do you|have you)\b'
    r'|^(?:tell|explain)\b|^(?:i|we) think\b|^thank',
    re.IGNORECASE,
)
_SEEN = re.compile(
    r'\b(?:this|that|person|body|figure|he|she|doing|going on|happen\w*|next|continue|go on|'
    r'carry on|predict|am i|have i|was i)\b(?!.*\bwho\b)',
    re.IGNORECASE,
)
_OR = re.compile(r'\bor\b', re.IGNORECASE)
_WORDS = (
    r'(?:tell|explain|say|describe|name)\s+(?:me|us|why|what|where|how|when|who|about|to|if)\b|'
    r'(?:is|are|was|does|do|did|what|where|why|when|who|which|how)\s'
)
_FOR_WORDS = re.compile(rf'(?:(?:please|and|then|also|but)\s+)*(?:{_WORDS})', re.IGNORECASE)
# Where an instruction goes over from motion to words, or to another question.
_NEXT_PART = re.compile(
    rf'(?:\s*[,;]\s*|\s+)(?:(?:and|then|also|but)\s+)+(?={_WORDS})|(?<=[.?!])\s+(?=\w)',
    re.IGNORECASE,
)
_NEXT_SECOND = re.compile(r'\bthe next second\b', re.IGNORECASE)


@dataclass(frozen=True)
class Instruction:
    """What is asked.

    task: of what kind. text: the action that shall be drawn or timed. choices: the alternatives
    of a choice. duration_s: of the motion that is asked for, where that is said.
    """

    task: Task
    text: str = ''
    choices: tuple[str, ...] = ()
    duration_s: float | None = None

    @property
    def kind(self) -> Literal['text', 'motion']:
        """What it is answered by."""
        return 'motion' if self.task in MOTION_TASKS else 'text'


def read_instruction(prompt: str) -> Instruction:
    """Read a prompt, with ``{motion}`` where each of its motions stands."""
    motions = prompt.count(PLACE)
    words = ' '.join(prompt.replace(PLACE, ' ').split()).strip(' :,')
    seconds = _seconds(words)
    if motions >= 2:
        # What is asked of two motions without a word of a gap is what each shows.
        if seconds is not None or _BETWEEN.search(words):
            return Instruction('inbetween', duration_s=seconds)
        return Instruction('caption')
    if motions == 1:
        if _LENGTH_OF.search(words):
            return Instruction('length')
        if _OR.search(words):
            return Instruction('choice', choices=_choices(words))
        if seconds is not None or _NEXT.search(words):
            return Instruction('predict', duration_s=seconds)
        return Instruction('caption')
    if _WHAT_CAN_YOU.search(words):
        return Instruction('known')
    if _LENGTH_OF.search(words):
        return Instruction('duration', text=_bare(_LENGTH_FRAME.sub(' ', words)))
    if _ASKS.search(words) and not _LOOKS.search(words):
        return Instruction('talk')
    stated, _ = stated_duration(words)
    return Instruction('generate', text=action_asked(words), duration_s=stated)


def parts_of(prompt: str) -> list[str]:
    """The parts of an instruction: "show me a bow, then tell me where it is usual" has two.

    A place alone is no part: it stays with the words before it, or with those behind it.
    """
    parts: list[str] = []
    for part in _NEXT_PART.split(prompt):
        bare = not part.replace(PLACE, '').strip(' ,.;:')
        if parts and (bare or not parts[-1].replace(PLACE, '').strip(' ,.;:')):
            parts[-1] = f'{parts[-1]} {part}'
        elif part.strip():
            parts.append(part.strip())
    if len(parts) > 1 and PLACE in parts[-1] and PLACE not in parts[0]:
        # "What is he doing, and is it healthy? {motion}": the motion is what is asked about first.
        count = parts[-1].count(PLACE)
        parts[-1] = ' '.join(parts[-1].replace(PLACE, ' ').split())
        parts[0] = ' '.join([parts[0], *[PLACE] * count])
    return parts


def asks_for_words(part: str) -> bool:
    """Whether a part of an instruction begins as what is answered in words."""
    return bool(_FOR_WORDS.match(part.strip()))


def about_what_is_seen(prompt: str) -> bool:
    """Whether a prompt without a place speaks of a motion that somebody has before them."""
    return bool(_SEEN.search(prompt)) and read_instruction(prompt).task != 'duration'


def action_asked(words: str) -> str:
    """The words of an action without those that only ask to see it."""
    text = _LOOKS.sub('', words)
    text = _LOOK_WHO.sub(r'\1', _TAIL.sub('', text))
    if text == words or len(text) > 3:
        framed = _FRAME.sub('', text, count=1)
        text = framed if len(framed.split()) else text
    return _bare(_CLIP.sub('', text.strip()))


def _bare(text: str) -> str:
    return ' '.join(text.strip(' .,!?;:"').split())


def _choices(words: str) -> tuple[str, ...]:
    """The alternatives on both sides of "or"."""
    before, after = _OR.split(words, maxsplit=1)
    return _bare(before), _bare(after)


def _seconds(words: str) -> float | None:
    """How many seconds are spoken of; None where none are."""
    stated = stated_duration(words)[0]
    return 1.0 if stated is None and _NEXT_SECOND.search(words) else stated
