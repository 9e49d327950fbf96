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
from mgpt3_ros.model.network.word_steps import WordSteps
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
    every = look_every(ids.device)
    # A row that has ended leaves; not where the cache is somebody else's, or shapes must stay.
    texts = _Texts(len(ids), eos_id, may_leave=cache is None and every == 1)
    cache = network.backbone.new_cache() if cache is None else cache
    hidden = network.hidden(ids, mask, motions, cache=cache).text[:, -1]
    banned = torch.tensor(list(forbidden), dtype=torch.long, device=ids.device)
    written = ids.new_empty(len(ids), config.max_tokens)
    chance = _chance(config, sampling.generator, hidden, network.vocabulary.first_motion)
    broken = torch.zeros((), dtype=torch.bool, device=ids.device)
    steps: _GrowingSteps | WordSteps
    if every > 1:
        steps = WordSteps(network.backbone, cache, mask, config.max_tokens)
    else:
        steps = _GrowingSteps(network, cache, mask, forbidden)
    try:
        for step in range(config.max_tokens):
            sampling.check_stop('the caption was cancelled')
            logits = network.backbone.text_logits(hidden).float()
            broken = broken | logits.isnan().any()
            logits.index_fill_(1, banned, -torch.inf)
            next_ids = _choose(logits, written if step else None, config, chance[step : step + 1])
            # Places that are still free hold words that are no news: shapes stay as they are.
            written[:, step:] = next_ids[:, None]
            last = step + 1 == config.max_tokens
            left = None
            if last or (step + 1) % every == 0:
                left = texts.look(written[:, : step + 1], broken)
            if sampling.on_progress is not None:
                sampling.on_progress((step + 1) / config.max_tokens)
            if last or texts.all_ended:
                break
            if left is not None:
                assert isinstance(steps, _GrowingSteps)
                kept = torch.tensor(left).to(ids.device)
                next_ids, written, chance = next_ids[kept], written[kept], chance[:, kept]
                steps.keep(kept)
            hidden = steps(next_ids)
    finally:
        steps.hand_back()
    return texts.written


def look_every(device: torch.device) -> int:
    """Tokens between two looks at what is written: on a CPU looking costs nothing."""
    return 1 if device.type == 'cpu' else LOOK_EVERY


class _GrowingSteps:
    """Reads words one by one into a cache that grows; otherwise as :class:`WordSteps`."""

    def __init__(
        self, network: Any, cache: KeyValueCache, mask: Tensor, forbidden: Sequence[int]
    ) -> None:
        self._network, self._cache, self._mask = network, cache, mask
        # Markers are read by the plain way alone.
        vocabulary = network.vocabulary
        markers = {vocabulary.start_of_motion, vocabulary.end_of_motion} <= set(forbidden)
        self._next = NextWord.of(network.backbone) if markers else None

    def __call__(self, ids: Tensor) -> Tensor:
        """Read the next word (B,) of each; return its hidden states (B, D)."""
        more = self._mask.new_ones(len(self._mask), 1)
        self._mask = torch.cat([self._mask, more], dim=1)
        words, mask, cache = ids[:, None], self._mask, self._cache
        if self._next is not None and self._next.fits(mask):
            return self._next(ids, mask, cache)
        return self._network.hidden(words, mask, None, cache=cache, words_alone=True).text[:, -1]

    def keep(self, rows: Tensor) -> None:
        """Forget all sequences but those at ``rows`` (R,)."""
        self._mask = self._mask[rows]
        self._cache.keep(rows)

    def hand_back(self) -> None:
        """The cache has all words already."""


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


def _choose(
    logits: Tensor, written: Tensor | None, config: DecodingConfig, chance: Tensor
) -> Tensor:
    """The next token (B,) by logits (B, V), with the tokens (B, N) that were written made rarer.

    ``chance`` (1, B, k) decides where it is drawn.
    """
    if written is not None and config.repetition_penalty != 1.0:
        scores = logits.gather(1, written)
        factor = torch.where(scores > 0, 1 / config.repetition_penalty, config.repetition_penalty)
        logits.scatter_(1, written, scores * factor)
    if not config.sample:
        return logits.argmax(dim=-1)
    top, tokens_of_top = torch.topk(logits / config.temperature, chance.shape[-1])
    chosen = (top.softmax(dim=-1) / chance[0]).argmax(dim=-1, keepdim=True)
    return tokens_of_top.gather(1, chosen)[:, 0]
