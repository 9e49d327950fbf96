# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How long a motion should last: asked for, stated in the text, predicted, or a default."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from mgpt3_ros.model.errors import MotionError

DurationSource = Literal['asked', 'text', 'predicted', 'default']

_WORDS = {
    word: number
    for number, word in enumerate(
        [
            'zero',
            'one',
            'two',
            'three',
            'four',
            'five',
            'six',
            'seven',
            'eight',
            'nine',
            'ten',
            'eleven',
            'twelve',
            'thirteen',
            'fourteen',
            'fifteen',
            'sixteen',
            'seventeen',
            'eighteen',
            'nineteen',
            'twenty',
        ]
    )
}
_NUMBER = r'(?P<number>\d+(?:[.,]\d+)?|half an?|an?|' + '|'.join(_WORDS) + ')'
_UNIT = r'(?P<unit>frames?|seconds?|secs?|s|minutes?)'
_STATED = re.compile(
    rf',?\s*\b(?:for |in |during |over |lasting |within )?(?:about |around |exactly )?'
    rf'{_NUMBER}[\s-]*{_UNIT}\b(?: long)?',
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Duration:
    """A number of frames, and where it came from."""

    frames: int
    source: DurationSource
    limited: bool = False  # the text asked for more or less than the model can make


def stated_duration(text: str) -> tuple[float | None, str]:
    """Find a duration that ``text`` states.

    Returns:
        The duration in seconds (None where there is none; frames count as 1/20 s, the rate of
        HumanML3D), and the text without the words that state it.
    """
    for match in _STATED.finditer(text):
        unit = match['unit'].lower()
        number = _number(match['number'].lower())
        if number is None or (unit == 's' and not match['number'][0].isdigit()):
            continue  # "a s..." is no duration
        if unit.startswith('frame') and match['number'].lower() in ('a', 'an'):
            continue  # "a frame" is a thing, not a time
        per_unit = 1 / 20 if unit.startswith('frame') else 60.0 if unit.startswith('m') else 1.0
        rest = re.sub(r'\s+', ' ', text[: match.start()] + text[match.end() :]).strip(' ,')
        return number * per_unit, rest or text
    return None, text


def _number(text: str) -> float | None:
    if text.startswith('half'):
        return 0.5
    if text in ('a', 'an'):
        return 1.0
    if text in _WORDS:
        return float(_WORDS[text])
    value = float(text.replace(',', '.'))
    return value if value > 0 else None


def frames_asked(duration_s: float, fps: float, min_frames: int, max_frames: int) -> int:
    """Frames of a duration that the caller asked for.

    Raises:
        MotionError: it is not within what the model can make.
    """
    frames = round(duration_s * fps)
    if not min_frames <= frames <= max_frames:
        raise MotionError(
            f'a duration of {duration_s:g} s is beyond this model: ask for '
            f'{min_frames / fps:g} to {max_frames / fps:g} s'
        )
    return frames
