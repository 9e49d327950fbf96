# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a mirror does to words: left and right, and senses of turning, swapped."""

from __future__ import annotations

import re

# Words of one side, with the endings that captions join to them: leftwards, righthanded.
_SIDED = re.compile(r'\b(left|right)(?=(?:s|wards?|sides?|hand|handed|most)?\b)', re.IGNORECASE)
# HumanML3D writes "counter clockwise", "anti-clockwise", "clock wise" and more.
_TURNING = re.compile(
    r'\b((?:(?:counter|conter|anti)[ -]*)*)(clock[ -]*w(?:ai|i)se)\b', re.IGNORECASE
)
_AGAINST = re.compile('counter|conter|anti', re.IGNORECASE)
# "right away" names no side. "Right before" does so after words like these ("to the right before
# stopping", "turns right after that"), and does not after others ("stops right before the wall").
_AT_ONCE = re.compile(r'right (?:away|now)\b', re.IGNORECASE)
_JUST = re.compile(r'right (?:before|after|in front)\b', re.IGNORECASE)
_SIDE_FOLLOWS = re.compile(
    r'\b(?:the|his|her|their|its|your|to|from|and|or|left|(?:turn|veer|step|lean|look)\w*) $',
    re.IGNORECASE,
)


def mirror_caption(text: str) -> str:
    """The caption of the mirrored motion: left and right, and senses of turning, swapped."""

    def swap(match: re.Match[str]) -> str:
        word = match[0]
        if _AT_ONCE.match(text, match.start()):
            return word
        if _JUST.match(text, match.start()) and not _SIDE_FOLLOWS.search(text[: match.start()]):
            return word
        return _cased('right' if word.lower() == 'left' else 'left', word)

    def reverse(match: re.Match[str]) -> str:
        # Each "counter" turns the sense round; its mirror image is the other one.
        clockwise = len(_AGAINST.findall(match[1])) % 2 == 0
        return _cased('counterclockwise' if clockwise else 'clockwise', match[0])

    # Sides first: what reverse() writes holds none of their words.
    return _TURNING.sub(reverse, _SIDED.sub(swap, text))


def _cased(word: str, like: str) -> str:
    return word.capitalize() if like[0].isupper() else word


def mirror_action(action: str | None) -> str | None:
    """The action that the mirrored motion shows."""
    return None if action is None else mirror_caption(action.replace('-', ' ')).replace(' ', '-')
