# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One form for all ways to write the same sentence, for training and use alike.

"Walk forward.", "WALK FORWARD!!!", "please walk forward" and "um, walk forwards" are one command,
typed or heard by a machine. The normal form has small letters, no punctuation but within numbers,
contractions written out, units and whole numbers up to twenty in words, and none of the words that
only ask, call or fill a pause.
"""

from __future__ import annotations

import re
import unicodedata

PAUSE, END = ',', '.'  # marks of :func:`words_of`

_NUMBER_WORDS = (
    *('zero', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine', 'ten'),
    *('eleven', 'twelve', 'thirteen', 'fourteen', 'fifteen', 'sixteen', 'seventeen', 'eighteen'),
    *('nineteen', 'twenty'),
)

# Words and what is written for them; of several words that fit the most are taken.
_SPELLINGS = {
    **{"don't": 'do not', 'dont': 'do not', "doesn't": 'does not', "didn't": 'did not'},
    **{"can't": 'can not', 'cannot': 'can not', "won't": 'will not', "mustn't": 'must not'},
    **{"shouldn't": 'should not', "isn't": 'is not', "aren't": 'are not', "wasn't": 'was not'},
    **{"that's": 'that is', 'thats': 'that is', "it's": 'it is', "let's": 'let us'},
    **{'lets': 'let us', "i'm": 'i am', "i'd": 'i would', "i'll": 'i will', "i've": 'i have'},
    **{"you're": 'you are', "he's": 'he is', "she's": 'she is', "they're": 'they are'},
    **{'gonna': 'going to', 'wanna': 'want to', 'gotta': 'have to', 'okay': 'ok', 'k': 'ok'},
    **{'metre': 'meter', 'metres': 'meters', 'kilometre': 'kilometer', 'cm': 'centimeters'},
    **{'centimetre': 'centimeter', 'centimetres': 'centimeters', 'kilometres': 'kilometers'},
    **{'ft': 'feet', 'm': 'meters', 'deg': 'degrees', 'km/h': 'kilometers per hour'},
    **{'kph': 'kilometers per hour', 'mph': 'miles per hour', 'm/s': 'meters per second'},
    **{'sec': 'seconds', 'secs': 'seconds', 's': 'seconds', 'min': 'minutes', 'rad': 'radians'},
    **{'nevermind': 'never mind', 'e stop': 'emergency stop', 'estop': 'emergency stop'},
    **{'side step': 'sidestep', 'side steps': 'sidesteps', 'side stepping': 'sidestepping'},
    **{'back wards': 'backwards', 'for wards': 'forwards', 'forwards': 'forward'},
    **{'backwards': 'backward', 'rearwards': 'backward', 'towards': 'toward', 'u turn': 'uturn'},
    **{'good bye': 'goodbye', 'leftwards': 'leftward', 'rightwards': 'rightward'},
}
_UNITS_OF_A_LETTER = ('m', 's', 'k')  # only behind a number, and "k" only without one

# Words that only ask, call or fill; those of the second row only where a sentence begins.
_FILLERS = ('please', 'kindly', 'um', 'umm', 'uh', 'uhm', 'er', 'erm', 'hmm', 'thanks', 'pls')
_OPENINGS = (
    *('ok', 'alright', 'all right', 'right then', 'well', 'so', 'now', 'hey', 'hi', 'robot'),
    *('hey robot', 'hello robot', 'just', 'can you', 'could you', 'would you', 'will you', 'you'),
    *('can you just', 'could you just', 'i want you to', 'i would like you to', 'i need you to'),
    *('i am going to need you to', 'going to need you to', 'need you to', 'want you to'),
    *('would you mind', 'let us', 'try to', 'try and', 'you should', 'you must', 'you can'),
    *('i said', 'i told you to', 'go and', 'go ahead and', 'feel free to'),
)
_CLOSINGS = ('thank you', 'right now', 'now', 'immediately', 'at once', 'for me', 'will you', 'ok')

_TOKENS = re.compile(
    r'(?P<number>\d+(?:,\d{3})+(?:\.\d+)?|\d*\.\d+|\d+,\d+|\d+)'
    r"|(?P<rate>\b(?:m/s|km/h)\b)|(?P<word>[^\W\d_]+(?:'[^\W\d_]+)*)"
    r'|(?P<end>[.!?;\n]+(?=\s|$))|(?P<pause>[,:\u2013\u2014]|--)|(?P<range>(?<=\d)-(?=\d))'
)
_FRACTION = re.compile(
    r'(?:(?<![\d.])(?P<whole>\d{1,3}) ?)?'
    r'(?:(?P<sign>[¼-¾])|(?<!\d)(?P<above>\d)/(?P<below>[1-9])(?!\d))'
)


def normalised(text: str) -> str:
    """Return the normal form of a sentence: words with one blank between, and no marks."""
    return ' '.join(word for word in words_of(text) if word not in (PAUSE, END))


def words_of(text: str) -> list[str]:
    """Return the words of a text in normal form, with ``PAUSE`` and ``END`` for its marks.

    Where nothing but a request is left ("ok", "please") it stays.
    """
    words = _spelled(_tokens(text))
    plain = _without_fillers(words)
    return plain if any(word not in (PAUSE, END) for word in plain) else words


def _tokens(text: str) -> list[str]:
    whole = _FRACTION.sub(lambda match: f' {_fraction(match):.10g} ', text)
    flat = unicodedata.normalize('NFKC', whole.replace('°', ' degrees ')).casefold()
    flat = flat.replace('\u2019', "'").replace('\u2018', "'").replace('`', "'")
    found: list[str] = []
    for match in _TOKENS.finditer(flat):
        kind, word = str(match.lastgroup), match[0]
        if kind == 'number':
            word = _number(word)
        elif kind in ('end', 'pause'):
            word = END if kind == 'end' else PAUSE
        elif kind == 'range':
            word = 'to'
        behind_number = bool(found) and (found[-1][0].isdigit() or found[-1] in _NUMBER_WORDS)
        if word in _UNITS_OF_A_LETTER and behind_number == (word == 'k'):
            word = f'{word}\0'  # a letter, no unit
        found.append(word)
    return found


def _fraction(match: re.Match[str]) -> float:
    """The value of "1/2", "1 1/2" or "1½"."""
    if match['sign']:
        part = unicodedata.numeric(match['sign'])
    else:
        part = int(match['above']) / int(match['below'])
    return int(match['whole'] or 0) + part


def _number(digits: str) -> str:
    if re.fullmatch(r'\d+,\d{1,2}', digits):
        digits = digits.replace(',', '.')  # a decimal comma
    value = float(digits.replace(',', ''))
    if value.is_integer() and value < len(_NUMBER_WORDS):
        return _NUMBER_WORDS[int(value)]
    return f'{value:.10g}'


def _spelled(tokens: list[str]) -> list[str]:
    spelled: list[str] = []
    at = 0
    while at < len(tokens):
        for length in (2, 1):
            piece = ' '.join(tokens[at : at + length])
            if len(tokens[at : at + length]) == length and (length == 1 or piece in _SPELLINGS):
                break
        spelled += _SPELLINGS.get(piece, piece.rstrip('\0')).split()
        at += length
    return spelled


def _without_fillers(words: list[str]) -> list[str]:
    kept = [word for word in words if word not in _FILLERS]
    changed = True
    while changed:
        before = kept
        while kept and kept[0] in (PAUSE, END):
            kept = kept[1:]
        while kept and kept[-1] in (PAUSE, END):
            kept = kept[:-1]
        opening = max((len(o.split()) for o in _OPENINGS if _begins(kept, o)), default=0)
        kept = kept[opening:]
        closing = max((len(c.split()) for c in _CLOSINGS if _begins(kept[::-1], c, -1)), default=0)
        kept = kept[: len(kept) - closing]
        changed = kept != before
    return kept


def _begins(words: list[str], phrase: str, step: int = 1) -> bool:
    """Whether words begin with a phrase; with ``step`` -1 both are read from their ends."""
    part = phrase.split()[::step]
    return words[: len(part)] == part
