# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A command's words become symbols: the longest phrase that is known, and numbers with units."""

from __future__ import annotations

from mgpt3_ros.body.commands.words import LEXICON, LONGEST, UNITS, Symbol
from mgpt3_ros.model.language.durations import leading_number
from mgpt3_ros.model.language.normalisation import END, PAUSE, words_of

_ARTICLES = ('a', 'an', 'another', 'one more')
_MOST_WORDS = 300  # of a command; more is no command


def symbols_of(text: str) -> list[Symbol]:
    """The symbols of a text, in order.

    Their kinds are those of ``words`` and, besides, quantities (distance [m],
    steps, angle [degrees], count, duration [s], rate [m/s]), ``number`` for one without a unit,
    ``pause``, ``end``, and ``unknown``.
    """
    words = words_of(text)[:_MOST_WORDS]
    found: list[Symbol] = []
    at = 0
    while at < len(words):
        symbol = _at(words, at)
        found.append(symbol)
        at += len(symbol.words.split())
    return found


def _at(words: list[str], at: int) -> Symbol:
    """The symbol that begins at a word."""
    if words[at] in (PAUSE, END):
        return Symbol('pause' if words[at] == PAUSE else 'end', None, words[at])
    quantity = _quantity(words, at)
    known = _longest(LEXICON, words, at)
    if quantity is not None and (known is None or len(quantity.words) > len(known.words)):
        return quantity
    return known or Symbol('unknown', None, words[at])


def _longest(table: dict[str, Symbol], words: list[str], at: int) -> Symbol | None:
    for length in range(min(LONGEST, len(words) - at), 0, -1):
        symbol = table.get(' '.join(words[at : at + length]))
        if symbol is not None:
            return symbol
    return None


def _quantity(words: list[str], at: int) -> Symbol | None:
    """A number, a range of which the middle counts, or a vague number, with its unit."""
    rest = ' '.join(words[at : at + 16])
    vague = _longest(LEXICON, words, at)
    number = leading_number(rest)
    if vague is not None and vague.kind == 'vague':
        number = float(vague.value), rest[len(vague.words) :].lstrip()
    exact = number is not None
    if number is None and words[at] in _ARTICLES:
        number = 1.0, rest.partition(' ')[2]
    if number is None:
        return None
    value, after = number
    to = leading_number(after.removeprefix('to ')) if after.startswith('to ') else None
    if to is not None:
        value, after = (value + to[0]) / 2, to[1]
    behind = after.split()
    skipped = 0
    while skipped < len(behind) and behind[skipped] in ('of', 'a', 'an', 'more', 'full', 'small'):
        skipped += 1
    unit = _longest(UNITS, behind, skipped)
    if unit is None or (unit.words == 'turn' and not exact):
        if not exact:
            return None
        return Symbol('number', value, _front(rest, after))
    left = ' '.join(behind[skipped + len(unit.words.split()) :])
    return Symbol(unit.kind, value * unit.value, _front(rest, left))


def _front(text: str, rest: str) -> str:
    return text[: len(text) - len(rest)].strip()
