# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""``python -m mgpt3_ros.training.data.known_sentences``: writes the sentences of each action.

They are drawn from the wordings that training draws from, so that the model was taught each of
them; ``model.language.understanding`` reads the file.
"""

from __future__ import annotations

import json

import numpy as np

from mgpt3_ros.model.atomic_files import whole_file
from mgpt3_ros.model.language.understanding import FILE
from mgpt3_ros.training.data.phrases import KINDS, SENTENCES, draw_phrase, statement, wordings

MOST = 40  # of each action at most
_DRAWS = 400


def known_sentences() -> dict[str, list[str]]:
    """Sentences of each action that has wordings, the same at every call."""
    return {label: _of(label) for label in _labels(*KINDS)}


def taught() -> list[str]:
    """The actions of which training reads what all kinds of people would say."""
    return _labels(SENTENCES)


def _labels(*kinds: str) -> list[str]:
    general = {name for kind in kinds for name in wordings()[kind]}
    return sorted({name.replace('SIDE', side) for name in general for side in ('left', 'right')})


def _of(label: str) -> list[str]:
    """Of one action, half of them composed and half whole, as far as there are both."""
    rng, found = np.random.default_rng(0), dict[str, None]()
    for number in range(_DRAWS):
        phrase = draw_phrase(label, rng, KINDS[number % 2])
        if phrase is not None:
            found[statement(phrase, 'a person')] = None
        if len(found) == MOST:
            break
    return list(found)


def content() -> str:
    """The file's content."""
    table = {'taught': taught(), 'sentences': known_sentences()}
    return json.dumps(table, indent=0, ensure_ascii=False) + '\n'


if __name__ == '__main__':
    with whole_file(FILE) as partial:
        partial.write_text(content(), encoding='utf-8')
