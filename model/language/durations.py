# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How long a motion should last: asked for, stated in the text, predicted, or a default."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from numbers import Real
from typing import Literal

from mgpt3_ros.model.errors import MotionError

DurationSource = Literal['asked', 'text', 'predicted', 'default']


@dataclass(frozen=True)
class Duration:
    """A number of frames, and where it came from."""

    frames: int
    source: DurationSource
    limited: bool = False  # the text asked for more or less than the model can make


def _any(words: Iterable[str]) -> str:
    return f'(?:{"|".join(sorted(words, key=len, reverse=True))})'


# A grammar of quantities: words with their values, and patterns of the patterns before them.
_ONES = ('one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine')
_TEENS = (
    *('ten', 'eleven', 'twelve', 'thirteen', 'fourteen'),
    *('fifteen', 'sixteen', 'seventeen', 'eighteen', 'nineteen'),
)
_TENS = ('twenty', 'thirty', 'forty', 'fifty', 'sixty', 'seventy', 'eighty', 'ninety')
_VALUES = {word: number for number, word in enumerate(['zero', *_ONES, *_TEENS])}
_VALUES |= {word: 10 * number for number, word in enumerate(_TENS, start=2)}
_SCALES = {'hundred': 100, 'thousand': 1000, 'dozen': 12, 'couple': 2}
_PARTS = {'half': 2, 'third': 3, 'quarter': 4, 'fifth': 5, 'eighth': 8, 'tenth': 10}
# Letters and digits of English alone: the long s and the Kelvin sign are no s and no k here.
_FLAGS = re.IGNORECASE | re.ASCII
_UNITS = {  # seconds of each, also with an s behind it; frames at the rate of HumanML3D
    **{'frame': 1 / 20, 'second': 1.0, 'sec': 1.0, 's': 1.0, 'minute': 60.0, 'min': 60.0},
    **{'hour': 3600.0, 'millisecond': 0.001, 'msec': 0.001, 'ms': 0.001},
}
_DIGITS = r'(?:[1-9]\d{0,2}(?:,\d{3})+(?:\.\d+)?|\d+(?:[.,]\d+)?|\.\d+)'
_BELOW_100 = rf'(?:{_any(_TENS)}(?: ?{_any(_ONES)})?|{_any([*_ONES, *_TEENS, "zero"])})'
_CARDINAL = (
    rf'(?:(?:{_BELOW_100} )?(?:hundred|thousand)(?: (?:and )?{_BELOW_100})?|dozen|couple(?: of)?'
    rf'|{_BELOW_100}(?: point(?: {_any([*_ONES, "zero"])})+)?)'
)
_SIGN = r'(?:\d{1,3}/[1-9]\d{0,2}|[¼-¾])'
_PART = rf'(?:(?:an? |{_any(_ONES)} )?{_any(_PARTS)}s?|{_SIGN})'
_NUMBER = (  # "a third of a second" is a part, "the third second" is none
    rf'(?:(?:{_any(_ONES)} )?{_any(_PARTS)}s?(?= of )|half|quarter|{_SIGN}'
    rf'|(?:{_DIGITS}|{_CARDINAL})(?: ?{_SIGN}| and {_PART})?)'
).replace(' ', '[ -]')
_UNIT = rf'(?:{_any(_UNITS)}s?)\b'
_LEAD = (
    r'(?:for|in|of|during|over|within|lasting|taking|(?:that|which) (?:lasts|takes)|duration:?) '
    r'(?:(?:an? |the )?(?:duration|period|length|course|space|span|total) of )?'
)
_DEGREE = (
    r'(?:(?:about|around|approximately|roughly|exactly|almost|nearly|at least|at most|up to|under'
    r'|just|only|(?:(?:no|not) )?(?:more|less) than|another|next|full|whole|entire|good|more) )'
    r'{0,2}'
)
# Words after which a quantity stands alone; before any other, "a second" is an ordinal.
_FUNCTION = (
    r'(?:and|or|but|then|while|as|before|after|until|till|when|that|which|who|with|without|to|at'
    r'|towards?|in|into|on|onto|from|of|off|over|under|around|through|by|for|so|if|because|an?|the'
    r'|his|her|their|its|my|your|this|these|both|all|each|he|she|it|they|we|you|i|someone|somebody'
    r'|later|long|again|there|here|now|\w+ly)\b'
)
_NOUN = rf' (?:(?:and|or)(?: an?| the)? (?:third|fourth|fifth|last)\b|(?!{_FUNCTION})\w)'
# Compiled when a text first names a unit: it takes as long as all other patterns here and more.
_STATED = (
    rf',? ?(?<![\w:/])(?P<lead>{_LEAD})?{_DEGREE}(?:(?P<article>an?|the|this|that|his|her|their'
    rf'|its|your|my) )?(?P<amount>{_DEGREE}(?:(?:(?P<both>between |from )?(?P<low>(?>{_NUMBER}))'
    rf'(?:[ -]?(?P<low_unit>{_UNIT}))? ?(?:to|or|[-\u2013\u2014]|(?(both)and|to)) ?)?'
    rf'(?P<number>{_NUMBER})(?: of)?(?: an?)?[ -]?{_DEGREE})?(?P<unit>{_UNIT}))'
    rf'(?:(?P<more> and {_PART}| or {_NUMBER})(?!{_NOUN}))?'
    rf'(?P<rest>,? (?:and )?(?P<rest_number>{_NUMBER})[ -]?(?P<rest_unit>{_UNIT}))?'
    r'(?:[ -]long\b| or so\b| worth\b| in (?:length|total|all)\b)?(?: of\b)?'
)
_LEADING = re.compile(rf'{_NUMBER}(?![\w.])', _FLAGS)
# Not the length of a motion: a moment, a part of it, or a rate.
_MOMENT_BEFORE = re.compile(r'\b(?:first|last|final|after|every|each|per|at)$', _FLAGS)
_MOMENT_AFTER = re.compile(r' (?:later|ago|earlier|after|apart|per|an? second)\b|/', _FLAGS)
_TIMES_BEFORE = re.compile(rf'\b(?:once|twice|(?:an?|{_NUMBER}) \w+)$', _FLAGS)


def stated_duration(text: str) -> tuple[float | None, str]:
    """Find the first duration that ``text`` states.

    Numbers may be digits ("2.5", "2,5", "1,000", "1 1/2"), words ("twenty-five", "a couple of") or
    parts ("half a", "one and a half"); a range ("2 to 3 seconds") gives its middle. "A second" is
    a duration where no noun follows it. Moments ("after 2 seconds"), parts ("the first 2 seconds")
    and rates ("twice a second") are none.

    Returns:
        The duration in seconds (None where there is none; frames count as 1/20 s, the rate of
        HumanML3D), and the text without the words that state it.
    """
    flat = ' '.join(text.split())
    named_unit = re.search(_UNIT, flat, _FLAGS)  # most texts have none: no need to look on
    for match in re.finditer(_STATED, flat, _FLAGS) if named_unit else ():
        end = match.end()
        smaller = match['rest'] and _unit(match['rest_unit']) < _unit(match['unit'])
        if match['rest'] and not smaller:
            end = match.start('rest')
        alone = match[0].lower().endswith(' of')  # "an hour of walking"
        named = not alone and re.match(_NOUN, flat[end:], _FLAGS) is not None
        if not _is_length(match, end, named):
            continue
        seconds = _seconds(match) + (
            _value(match['rest_number']) * _unit(match['rest_unit']) if smaller else 0.0
        )
        if not 0 < seconds < math.inf:
            continue
        begin = match.start()
        if match['article'] and named:  # "a 3 second wave" is "a wave"
            begin = match.start('amount')
        return seconds, _joined(flat[:begin], flat[end:]) or text
    return None, text


def leading_number(text: str) -> tuple[float, str] | None:
    """The number that a text begins with, in digits, words or parts, and what follows it."""
    match = _LEADING.match(text)
    return (_value(match[0]), text[match.end() :].lstrip()) if match else None


def _is_length(match: re.Match[str], end: int, named: bool) -> bool:
    """Whether a quantity is the length of a motion; ``named``: a noun follows it."""
    article, number, unit = (
        (match[group] or '').lower() for group in ('article', 'number', 'unit')
    )
    before, after = match.string[: match.start()], match.string[end:]
    if _MOMENT_BEFORE.search(before) or (not match['lead'] and _MOMENT_AFTER.match(after)):
        return False
    if not number:  # "a second", but no "second", "a second person", "a frame", "twice a second"
        alone = article in ('a', 'an') and unit in ('second', 'minute', 'hour') and not named
        apart = match['lead'] or match[0].startswith(',')
        return alone and bool(apart or not _TIMES_BEFORE.search(before))
    if number[-1].isalpha() and unit in ('s', 'ms'):
        return False
    # "the twenty-second step"
    ordinal = unit == 'second' and number.endswith(tuple(_TENS)) and named
    return not (ordinal and article not in ('', 'a', 'an'))


def _seconds(match: re.Match[str]) -> float:
    unit, more = _unit(match['unit']), (match['more'] or '').strip().lower()
    high = (_value(match['number']) if match['number'] else 1.0) * unit
    if more.startswith('and'):
        high += _value(more) * unit
    low = high
    if more.startswith('or'):
        high = _value(more) * unit
    elif match['low']:
        low = _value(match['low']) * (_unit(match['low_unit']) if match['low_unit'] else unit)
    return (low + high) / 2


def _unit(word: str) -> float:
    word = word.lower()
    return _UNITS[word] if word in _UNITS else _UNITS[word[:-1]]


def _value(number: str) -> float:
    """The value of a number in digits, words and parts: what "and" joins is added."""
    total = 0.0
    for joined in re.split(r'\band\b', number.lower().replace('-', ' ')):
        whole, _, decimals = joined.partition(' point ')
        value = 0.0
        for word in re.findall(r'[0-9.,/]+|[¼-¾]|[a-z]+', whole):
            if word in _SCALES:
                value = (value or 1.0) * _SCALES[word]
            elif word.removesuffix('s') in _PARTS:
                value = (value or 1.0) / _PARTS[word.removesuffix('s')]
            else:
                value += _VALUES.get(word, 0) if word.isalpha() else _figures(word)
        digits = ''.join(str(_VALUES[word]) for word in decimals.split())
        total += value + float(f'0.{digits}')
    return total


def _figures(digits: str) -> float:
    if not digits.isascii():
        return unicodedata.numeric(digits)
    if '/' in digits:
        above, below = digits.split('/')
        return int(above) / int(below)
    thousands = re.fullmatch(r'[1-9]\d{0,2}(,\d{3})+(\.\d+)?', digits)
    return float(digits.replace(',', '' if thousands else '.'))


def _joined(before: str, after: str) -> str:
    """What is left of a text around the words that were taken out."""
    following = after.strip()
    if re.search(r'\ban?$', before.strip(), re.IGNORECASE) and following[:1].isalpha():
        vowel = following[0].lower() in 'aeiou'
        before = f'{before.strip().rstrip("nN")}{"n" * vowel}'
    text = re.sub(r'\( *\)', '', f'{before} {after}')
    text = re.sub(r' +(?=[,.;:!?)]|$)', '', re.sub(r' +', ' ', text))
    return text.lstrip(' ,.;:\u2013\u2014-').rstrip(' ,;:\u2013\u2014-')


def frames_asked(duration_s: float, fps: float, min_frames: int, max_frames: int) -> int:
    """Frames of a duration that the caller asked for.

    Raises:
        MotionError: it is no finite number, or not within what the model can make.
    """
    number = isinstance(duration_s, Real) and not isinstance(duration_s, bool)
    if not (number and math.isfinite(duration_s)):
        raise MotionError(f'a duration is one finite number of seconds, not {duration_s!r}')
    frames = round(float(duration_s) * fps)
    if not min_frames <= frames <= max_frames:
        raise MotionError(
            f'a duration of {duration_s:g} s is beyond this model: ask for '
            f'{min_frames / fps:g} to {max_frames / fps:g} s'
        )
    return frames
