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

from tqdm import tqdm

from mgpt3_ros.model.atomic_files import whole_file
from mgpt3_ros.model.checkpoints.language_weights import digest_of
from mgpt3_ros.model.language.chat import chat_ids
from mgpt3_ros.model.language.tokenizer import MotionTokenizer
from mgpt3_ros.model.network.decoding import DecodingConfig, write_text
from mgpt3_ros.model.network.stream_network import StreamNetwork
from mgpt3_ros.model.network.text.branch import LowRank
from mgpt3_ros.training.data.chats import Chat
from mgpt3_ros.training.data.motion_store import cache_folder
from mgpt3_ros.training.text_cache import begun_alike, text_digest

ANSWER_TOKENS = 24  # of a conversation without motion, at most
_MOST = {
    'looks': 1,
    'plain': 1,
    'talks': ANSWER_TOKENS,
}  # tokens of what the network answers, by kind
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
    short answer, or only its first token.

    Args:
        network: in evaluation mode for the time being; it must not have been trained on this yet.
        tokenizer: its own.
        chats: the conversations.
        folder: of the file that is kept; None for the user's cache folder.

    Raises:
        CheckpointError: the language model was not taught to talk.
    """
    rows = [(chat.kind, tuple(chat_ids(tokenizer, chat.turns))) for chat in chats]
    file = (folder or cache_folder()) / f'answers-{_VERSION}-{_digest(network)[:16]}.json'
    known: dict[str, list[int]] = {}
    with contextlib.suppress(OSError, ValueError):
        known = json.loads(file.read_text(encoding='utf-8'))
    for kind, most in _MOST.items():
        left = [asked for named, asked in rows if named == kind and _key(kind, asked) not in known]
        left.sort(key=len)
        for begin in tqdm(range(0, len(left), _TOGETHER), desc=f'answers: {kind}', disable=None):
            part = left[begin : begin + _TOGETHER]
            for asked, said in zip(part, _written(network, tokenizer, part, most), strict=True):
                known[_key(kind, asked)] = said
            _keep(known, file)
    found = [known.get(_key(*row), [tokenizer.start_of_motion]) for row in rows]
    return [Answered(*row, tuple(answer)) for row, answer in zip(rows, found, strict=True)]


def _digest(network: StreamNetwork) -> str:
    """A hash of what words are written with; of additions that add nothing it knows nothing."""
    backbone = network.backbone
    added = [module for module in backbone.modules() if isinstance(module, LowRank)]
    adds = any(bool(addition.up.weight.any()) for addition in added)
    return text_digest(network) if adds else digest_of(backbone.text_state())


def _key(kind: str, asked: Ids) -> str:
    return hashlib.sha256(json.dumps([kind, asked]).encode()).hexdigest()[:32]


def _keep(known: dict[str, list[int]], file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(file) as partial:
        partial.write_text(json.dumps(known), encoding='utf-8')


def _written(
    network: StreamNetwork, tokenizer: MotionTokenizer, asked: list[Ids], most: int
) -> list[list[int]]:
    """Greedy answers of ``most`` tokens at most; what ends one belongs to it."""
    eos = tokenizer.eos_id
    ids, mask, cache = begun_alike(network, asked, min(map(len, asked)) - 1)
    markers = (tokenizer.start_of_motion, tokenizer.end_of_motion)
    decoding = DecodingConfig(max_tokens=most, repetition_penalty=1.0)
    said = write_text(network, ids, mask, None, decoding, markers, eos, cache=cache)
    return [[*words, eos] if len(words) < most else words for words in said]
