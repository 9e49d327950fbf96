# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What sentences mean: those of sentences.yaml, which were written before the rules."""

from __future__ import annotations

from pathlib import Path

import pytest

from mgpt3_ros.body.commands.meaning import described
from mgpt3_ros.body.commands.reading import understand
from mgpt3_ros.model.config import load_yaml
from mgpt3_ros.model.errors import TextError

SENTENCES = load_yaml(Path(__file__).parent / 'sentences.yaml')


def meaning(sentence: str) -> str:
    try:
        return described(understand(sentence))
    except TextError:
        return 'refused'


@pytest.mark.parametrize('kind', SENTENCES)
def test_sentences_mean_what_they_must(kind):
    wrong = {
        said: (meaning(said), wanted)
        for said, wanted in SENTENCES[kind].items()
        if meaning(said) != wanted
    }
    assert wrong == {}
