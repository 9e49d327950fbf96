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
from mgpt3_ros.model.network.stream_network import StreamNetwork
from mgpt3_ros.model.sampling import SamplingOptions


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
    written: list[list[int]] = [[] for _ in range(len(ids))]
    ended: set[int] = set()
    rows = list(range(len(ids)))  # those that are still being written
    # A row that has ended leaves; but not where chance draws for all rows together.
    may_leave = cache is None and not config.sample
    cache = network.backbone.new_cache() if cache is None else cache
    hidden = network.hidden(ids, mask, motions, cache=cache)
    for step in range(config.max_tokens):
        sampling.check_stop('the caption was cancelled')
        logits = network.backbone.text_logits(hidden.text[:, -1]).float()
        if bool(logits.isnan().any()):
            raise GenerationError('the model gave NaN, no words: its weights are damaged')
        logits[:, list(forbidden)] = -torch.inf
        texts = [written[row] for row in rows]
        next_ids = _choose(logits, texts, config, sampling.generator)
        for place, token in enumerate(next_ids.tolist()):
            if token == eos_id:
                ended.add(rows[place])
            elif rows[place] not in ended:
                texts[place].append(token)
        if sampling.on_progress is not None:
            sampling.on_progress((step + 1) / config.max_tokens)
        if len(ended) == len(ids) or step + 1 == config.max_tokens:
            break
        if may_leave and not ended.isdisjoint(rows):
            kept = torch.tensor([p for p, row in enumerate(rows) if row not in ended]).to(
                mask.device
            )
            rows = [row for row in rows if row not in ended]
            mask, next_ids = mask[kept], next_ids[kept]
            cache.keep(kept)
        mask = torch.cat([mask, mask.new_ones(len(mask), 1)], dim=1)
        hidden = network.hidden(next_ids[:, None], mask, None, cache=hidden.cache)
    return written


def _choose(
    logits: Tensor,
    written: list[list[int]],
    config: DecodingConfig,
    generator: torch.Generator | None,
) -> Tensor:
    for row, tokens in enumerate(written):
        if tokens and config.repetition_penalty != 1.0:
            seen = torch.tensor(sorted(set(tokens)), device=logits.device)
            scores = logits[row, seen]
            factor = torch.where(
                scores > 0, 1 / config.repetition_penalty, config.repetition_penalty
            )
            logits[row, seen] = scores * factor
    if not config.sample:
        return logits.argmax(dim=-1)
    top, tokens_of_top = torch.topk(
        logits / config.temperature, min(config.top_k, logits.shape[1])
    )
    # torch draws with a generator on the generator's own device alone.
    source = logits.device if generator is None else generator.device
    chosen = torch.multinomial(top.softmax(dim=-1).to(source), 1, generator=generator)
    return tokens_of_top.gather(1, chosen.to(logits.device))[:, 0]
