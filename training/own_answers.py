# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a language model itself answers, as the target that keeps its language what it is.

Its greedy answers to conversations of ours are written once and kept on disk (distillation of a
model into itself, as in Li and Hoiem 2016, Learning without Forgetting).
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from tqdm import tqdm

from mgpt3_ros.model.atomic_files import whole_file
from mgpt3_ros.model.language.chat import chat_ids
from mgpt3_ros.model.language.tokenizer import MotionTokenizer
from mgpt3_ros.model.network.decoding import DecodingConfig, write_text
from mgpt3_ros.model.network.stream_network import StreamNetwork
from mgpt3_ros.training.data.chats import Chat
from mgpt3_ros.training.data.motion_store import cache_folder
from mgpt3_ros.training.text_cache import text_digest

ANSWER_TOKENS = 24  # of a conversation without motion, at most
_VERSION, _TOGETHER = 1, 16
Ids = tuple[int, ...]


@dataclass(frozen=True)
class Answered:
    """A conversation and what answers it, in tokens; ``kind`` as that of the conversation."""

    kind: str
    asked: Ids
    answer: Ids


def answered(
    network: StreamNetwork,
    tokenizer: MotionTokenizer,
    chats: Sequence[Chat],
    folder: Path | None = None,
) -> list[Answered]:
    """Conversations with what is learned after them.

    Where a motion begins that is the token which begins it, elsewhere what the network writes: a
    short answer, or only its first token where something is said of a motion.

    Args:
        network: in evaluation mode for the time being; it must not have been trained on this yet.
        tokenizer: its own.
        chats: the conversations.
        folder: of the file that is kept; None for the user's cache folder.

    Raises:
        CheckpointError: the language model was not taught to talk.
    """
    rows = [(chat.kind, tuple(chat_ids(tokenizer, chat.turns))) for chat in chats]
    told = json.dumps([_VERSION, text_digest(network), rows])
    file = (
        folder or cache_folder()
    ) / f'answers-{hashlib.sha256(told.encode()).hexdigest()[:16]}.json'
    with contextlib.suppress(OSError, ValueError, TypeError):
        kept = json.loads(file.read_text(encoding='utf-8'))
        if len(kept) == len(rows):
            return [Answered(*row, tuple(said)) for row, said in zip(rows, kept, strict=True)]
    found: dict[int, Ids] = {}
    for kind, most in (('looks', 1), ('talks', ANSWER_TOKENS)):
        chosen = sorted(
            (n for n, row in enumerate(rows) if row[0] == kind), key=lambda n: len(rows[n][1])
        )
        for begin in tqdm(range(0, len(chosen), _TOGETHER), desc=f'answers: {kind}', disable=None):
            part = chosen[begin : begin + _TOGETHER]
            said = _written(network, tokenizer, [rows[n][1] for n in part], most)
            found |= dict(zip(part, said, strict=True))
    moves = (tokenizer.start_of_motion,)
    said = [found.get(number, moves) for number in range(len(rows))]
    file.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(file) as partial:
        partial.write_text(json.dumps(said), encoding='utf-8')
    return [Answered(*row, answer) for row, answer in zip(rows, said, strict=True)]


def _written(
    network: StreamNetwork, tokenizer: MotionTokenizer, asked: list[Ids], most: int
) -> list[Ids]:
    """Greedy answers of ``most`` tokens at most; what ends one belongs to it."""
    width, eos = max(map(len, asked)), tokenizer.eos_id
    ids = torch.full((len(asked), width), eos, device=network.rest.device)
    mask = torch.zeros_like(ids, dtype=torch.bool)
    for row, words in enumerate(asked):
        ids[row, -len(words) :], mask[row, -len(words) :] = torch.tensor(words), True
    markers = (tokenizer.start_of_motion, tokenizer.end_of_motion)
    decoding = DecodingConfig(max_tokens=most, repetition_penalty=1.0)
    said = write_text(network, ids, mask, None, decoding, markers, eos)
    return [(*words, eos) if len(words) < most else tuple(words) for words in said]
