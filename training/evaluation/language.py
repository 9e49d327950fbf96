# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Whether a language model kept its language: loss on English text, and answers to questions.

The text is that of the descriptions of data sets in scikit-learn, which is installed wherever
models are trained; so its version is part of the figure. The questions are ours, none of them on
motion (``questions.yaml``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import metadata, resources
from pathlib import Path

import torch
from torch.nn import functional as F  # noqa: N812 - the field's own abbreviation
from tqdm import tqdm

from mgpt3_ros.model.config import load_yaml
from mgpt3_ros.model.extras import extra
from mgpt3_ros.model.language.chat import Turn, chat_ids
from mgpt3_ros.model.motiongpt3 import MotionGPT3
from mgpt3_ros.model.network.decoding import DecodingConfig, write_text

WINDOW = 256  # tokens that are read at once; the first of them is not predicted
ANSWER_TOKENS = 24
TEXT = 'scikit-learn'


@dataclass(frozen=True)
class LanguageFigures:
    """Of one model.

    loss: mean negative log likelihood [nats] of ``tokens`` tokens of ``text``.
    answers: token ids of the greedy answer to each question.
    """

    loss: float
    tokens: int
    text: str
    answers: list[list[int]]

    def same_answers(self, other: LanguageFigures) -> int:
        """How many answers are the same, token for token."""
        return sum(a == b for a, b in zip(self.answers, other.answers, strict=True))


def questions() -> list[str]:
    """The shipped questions."""
    found: list[str] = load_yaml(Path(__file__).with_name('questions.yaml'))['questions']
    return found


def english_text() -> tuple[str, str]:
    """Name with version of the package, and its English text.

    Raises:
        MissingExtraError: the extra ``eval`` is not installed.
    """
    with extra('eval'):
        from sklearn import datasets

    folder = resources.files(datasets) / 'descr'
    files = sorted(
        (file for file in folder.iterdir() if file.name.endswith('.rst')), key=lambda f: f.name
    )
    text = '\n'.join(file.read_text(encoding='utf-8') for file in files)
    return f'{TEXT} {metadata.version(TEXT)}', text


def measure_language(
    model: MotionGPT3, asked: Sequence[str] | None = None, windows: int | None = None
) -> LanguageFigures:
    """Loss and answers of a model; ``asked`` and ``windows`` None for all that there is."""
    name, text = english_text()
    loss, tokens = text_loss(model, text, windows)
    return LanguageFigures(loss, tokens, name, answers(model, asked or questions()))


@torch.inference_mode()
def text_loss(model: MotionGPT3, text: str, windows: int | None = None) -> tuple[float, int]:
    """Mean negative log likelihood [nats] of a text's tokens, and how many they are.

    The text is cut into windows, of which at most ``windows`` are read; the first token of each is
    given.
    """
    backbone, ids = model.network.backbone, model.tokenizer.encode(text)
    width = min(WINDOW, model.config.network.backbone.n_positions)
    total, count = 0.0, 0
    begins = range(0, len(ids) - 1, width)[:windows]
    for begin in tqdm(begins, desc='text', disable=None):
        row = torch.tensor([ids[begin : begin + width]], device=model.device)
        hidden = backbone(*backbone.embed(row)).text
        logits = backbone.text_logits(hidden[0, :-1]).float()
        total += float(F.cross_entropy(logits, row[0, 1:], reduction='sum'))
        count += row.shape[1] - 1
    return total / count, count


def answers(model: MotionGPT3, asked: Sequence[str]) -> list[list[int]]:
    """Token ids of the greedy answer to each question, of ``ANSWER_TOKENS`` at most.

    Also tokens that begin a motion may be chosen: a model that moves has not answered.

    Raises:
        CheckpointError: the model was not taught to talk.
    """
    decoding = DecodingConfig(max_tokens=ANSWER_TOKENS, repetition_penalty=1.0)
    said = []
    for question in tqdm(asked, desc='questions', disable=None):
        told = chat_ids(model.tokenizer, [Turn('user', question)])
        ids = torch.tensor([told], device=model.device)
        mask = torch.ones_like(ids, dtype=torch.bool)
        eos = model.tokenizer.eos_id
        said += write_text(model.network, ids, mask, None, decoding, (), eos)
    return said
