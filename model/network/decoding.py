# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Decoding text token by token, with the keys and values of what was read kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from mgpt3_ros.model.errors import GenerationError
from mgpt3_ros.model.network.cache import KeyValueCache
from mgpt3_ros.model.network.code_network import CodeNetwork
from mgpt3_ros.model.network.network import MotionGPT3Network
from mgpt3_ros.model.network.next_word import NextWord
from mgpt3_ros.model.network.stream_network import StreamNetwork
from mgpt3_ros.model.sampling import SamplingOptions

LOOK_EVERY = 8  # tokens between two looks at what a GPU writes: each waits for all before it


@dataclass(frozen=True)
class DecodingConfig:
    """How captions are written: greedily unless ``sample`` asks for more variety.

    ``repetition_penalty`` divides positive logits (multiplies negative ones) of tokens that were
    written before (CTRL, section 4.1); the authors use 1.1.
    """

    max_tokens: int = 40
    repetition_penalty: float = 1.1
    sample: bool = False
    temperature: float = 1.0
    top_k: int = 50


@torch.inference_mode()
def write_text(
    network: MotionGPT3Network | StreamNetwork | CodeNetwork,
    ids: Tensor,
    mask: Tensor,
    motions: Any,
    config: DecodingConfig,
    forbidden: Sequence[int],
    eos_id: int,
    sampling: SamplingOptions | None = None,
    cache: KeyValueCache | None = None,
) -> list[list[int]]:
    """Continue prompts of one batch until each has ended.

    Args:
        network: the model.
        ids: (B, N) token ids, padded on the left.
        mask: (B, S + N) bool, True on tokens, those in the cache first.
        motions: the motions in the prompts, as the network takes them.
        config: decoding options.
        forbidden: token ids that are never written.
        eos_id: the token that ends a text; it is not returned.
        sampling: its generator, of any device, is for ``config.sample``; it is asked at each token
            whether to stop, and told the share of ``max_tokens`` that is written.
        cache: of the S tokens before the prompts; what is read is added to it.

    Raises:
        Cancelled: ``sampling.should_stop`` said so.
        GenerationError: the network gave NaN.
    """
    sampling = sampling or SamplingOptions()
    # A row that has ended leaves; not where the cache is somebody else's.
    texts = _Texts(len(ids), eos_id, may_leave=cache is None)
    cache = network.backbone.new_cache() if cache is None else cache
    read = network.hidden(ids, mask, motions, cache=cache).text[:, -1]
    # Markers are read by the plain way alone.
    vocabulary = network.vocabulary
    markers = {vocabulary.start_of_motion, vocabulary.end_of_motion} <= set(forbidden)
    next_word = NextWord.of(network.backbone) if markers else None
    every = look_every(ids.device)
    banned = torch.tensor(list(forbidden), dtype=torch.long, device=ids.device)
    written = ids.new_empty(len(ids), config.max_tokens)  # eos is no word: see _choose
    chance = _chance(config, sampling.generator, read, network.vocabulary.first_motion)
    broken = torch.zeros((), dtype=torch.bool, device=ids.device)
    for step in range(config.max_tokens):
        sampling.check_stop('the caption was cancelled')
        logits = network.backbone.text_logits(read).float()
        broken = broken | logits.isnan().any()
        logits.index_fill_(1, banned, -torch.inf)
        next_ids = _choose(logits, written[:, :step], config, chance[step : step + 1])
        written[:, step] = next_ids
        last = step + 1 == config.max_tokens
        left = None
        if last or (step + 1) % every == 0:
            left = texts.look(written[:, : step + 1], broken)
        if sampling.on_progress is not None:
            sampling.on_progress((step + 1) / config.max_tokens)
        if last or texts.all_ended:
            break
        if left is not None:
            kept = torch.tensor(left).to(ids.device)
            mask, next_ids, written = mask[kept], next_ids[kept], written[kept]
            chance = chance[:, kept]
            cache.keep(kept)
        mask = torch.cat([mask, mask.new_ones(len(mask), 1)], dim=1)
        if next_word is not None and next_word.fits(mask):
            read = next_word(next_ids, mask, cache)
        else:
            found = network.hidden(next_ids[:, None], mask, None, cache=cache, words_alone=True)
            read = found.text[:, -1]
    return texts.written


def look_every(device: torch.device) -> int:
    """Tokens between two looks at what is written: on a CPU looking costs nothing."""
    return 1 if device.type == 'cpu' else LOOK_EVERY


class _Texts:
    """What has been written so far, as it is known here: on a GPU that is looked at now and then.

    Attributes:
        written: token ids of each text, without the one that ends it.
    """

    def __init__(self, count: int, eos_id: int, may_leave: bool) -> None:
        self.written: list[list[int]] = [[] for _ in range(count)]
        self._eos_id, self._may_leave = eos_id, may_leave
        self._ended: set[int] = set()
        self._rows = list(range(count))  # those that are in the batch
        self._seen = 0  # tokens

    @property
    def all_ended(self) -> bool:
        """Whether nothing is left to be written."""
        return len(self._ended) == len(self.written)

    def look(self, written: Tensor, broken: Tensor) -> list[int] | None:
        """Take note of tokens (R, N) of the rows in the batch, waiting for them once.

        Returns:
            Places of the rows that stay, where some leave.

        Raises:
            GenerationError: ``broken`` is true.
        """
        new = written[:, self._seen :]
        told = torch.cat([new.flatten(), broken[None].to(new)]).tolist()
        if told[-1]:
            raise GenerationError('the model gave NaN, no words: its weights are damaged')
        width, self._seen = new.shape[1], written.shape[1]
        for place, row in enumerate(self._rows):
            for token in told[place * width : (place + 1) * width]:
                if token == self._eos_id:
                    self._ended.add(row)
                if row not in self._ended:
                    self.written[row].append(token)
        if not self._may_leave or self._ended.isdisjoint(self._rows):
            return None
        kept = [place for place, row in enumerate(self._rows) if row not in self._ended]
        self._rows = [self._rows[place] for place in kept]
        return kept


def _chance(
    config: DecodingConfig, generator: torch.Generator | None, like: Tensor, words: int
) -> Tensor:
    """Exponential numbers (max_tokens, B, top_k), drawn where the generator is, all at once.

    Of weights p the largest p / e is at i with probability p_i, if e are such numbers.
    """
    if not config.sample:
        return like.new_empty(config.max_tokens, len(like), 0)
    source = like.device if generator is None else generator.device
    shape = config.max_tokens, len(like), min(config.top_k, words)
    even = torch.rand(*shape, generator=generator, device=source)
    return -even.log().to(like.device)


def _choose(logits: Tensor, written: Tensor, config: DecodingConfig, chance: Tensor) -> Tensor:
    """The next token (B,) by logits (B, V), with the tokens (B, N) that were written made rarer.

    ``chance`` (1, B, k) decides where it is drawn.
    """
    if written.shape[1] and config.repetition_penalty != 1.0:
        scores = logits.gather(1, written)
        factor = torch.where(scores > 0, 1 / config.repetition_penalty, config.repetition_penalty)
        logits.scatter_(1, written, scores * factor)
    if not config.sample:
        return logits.argmax(dim=-1)
    top, tokens_of_top = torch.topk(logits / config.temperature, chance.shape[-1])
    chosen = (top.softmax(dim=-1) / chance[0]).argmax(dim=-1, keepdim=True)
    return tokens_of_top.gather(1, chosen)[:, 0]
