# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The part of a card that a program writes by itself, between two comments."""

from __future__ import annotations

BEGIN, END = '<!-- two lists: measured -->', '<!-- end of two lists -->'


def placed(card: str, block: str) -> str:
    """A card with the block between its comments, or at its end."""
    block = f'{BEGIN}\n{block.strip()}\n{END}'
    if BEGIN not in card:
        return f'{card.rstrip()}\n\n{block}\n'
    before, _, rest = card.partition(BEGIN)
    return f'{before}{block}{rest.partition(END)[2]}'


def block_of(card: str) -> str:
    """What stands between the comments of a card; '' where it has none."""
    return card.partition(BEGIN)[2].partition(END)[0].strip()
