# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What `mgpt3 train tmr` minimises, and its batches: a text must find its motion in the batch."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - the field's own abbreviation

from mgpt3_ros.model.errors import ConfigError
from mgpt3_ros.model.language.tokenizer import MotionTokenizer
from mgpt3_ros.training.data.dataset import MotionDataset
from mgpt3_ros.training.evaluation.metrics import MetricError
from mgpt3_ros.training.evaluation.metrics.retrieval import ranks_in_groups
from mgpt3_ros.training.evaluation.same_meaning import TextSimilarity, describes
from mgpt3_ros.training.evaluation.tmr import (
    TextMotionEncoder,
    TmrConfig,
    TmrNetwork,
    feature_batch,
    token_batch,
)
from mgpt3_ros.training.optim import OptimConfig
from mgpt3_ros.training.samples import Split
from mgpt3_ros.training.trainer import Trainer

LOSSES = {'contrast': 1.0}


@dataclass(frozen=True)
class TmrStageConfig:
    """The evaluator's training; it is no part of the model, and every preset has it.

    network: sizes of the encoders.
    temperature: of the contrast, as in TMR.
    same_above: pairs whose captions are more alike than this are no negatives of each other, as
        in TMR; nor are those that say the same.
    noise: deviation of the noise on normalised features.
    optim: batches should be large, since they hold the negatives.
    """

    network: TmrConfig = field(default_factory=TmrConfig)
    temperature: float = 0.1
    same_above: float = 0.8
    noise: float = 0.1
    optim: OptimConfig = field(
        default_factory=lambda: OptimConfig(
            steps=800, batch_size=64, ema_decay=0.99, weight_decay=0.01, checkpoint_every=200
        )
    )

    def __post_init__(self) -> None:
        if not self.temperature > 0 or self.noise < 0:
            raise ConfigError('tmr.temperature must be positive, and tmr.noise not negative')


class TmrTask(nn.Module):
    """InfoNCE both ways: each text among the motions of the batch, each motion among the texts.

    Terms: ``contrast``, the loss; ``missed``, the share of texts whose motion is not the nearest,
    for the curves.
    """

    def __init__(self, network: TmrNetwork, temperature: float) -> None:
        super().__init__()
        self.network, self.temperature = network, temperature

    def forward(
        self, ids: Tensor, counts: Tensor, features: Tensor, lengths: Tensor, same: Tensor
    ) -> dict[str, Tensor]:
        """Loss terms of texts, motions, and which (B, B) of them are no negatives."""
        texts = self.network.embed_text(ids, counts)
        motions = self.network.embed_motion(features, lengths)
        scores = texts @ motions.T / self.temperature
        own = torch.eye(len(ids), dtype=torch.bool, device=ids.device)
        scores = scores.masked_fill(same & ~own, -torch.inf)
        target = torch.arange(len(ids), device=ids.device)
        contrast = F.cross_entropy(scores, target) + F.cross_entropy(scores.T, target)
        return {
            'contrast': contrast / 2,
            'missed': (scores.detach().argmax(dim=1) != target).float().mean(),
        }


class TmrBatcher:
    """Batches of captioned clips: a function of the seed and the step.

    Negatives are those of the batch alone: with several processes each has its own.
    """

    def __init__(
        self,
        dataset: MotionDataset,
        tokenizer: MotionTokenizer,
        config: TmrStageConfig,
        split: Split,
    ) -> None:
        self.dataset, self.tokenizer, self.config, self.split = dataset, tokenizer, config, split
        self._alike = TextSimilarity(list(dataset.all_texts()))

    def __call__(self, step: int, micro: int, device: torch.device) -> tuple[Tensor, ...]:
        """Token ids and counts, features and lengths, and which pairs are no negatives."""
        clips, texts, rows = [], [], []
        for rng, _ in self.split.samples(step, micro):
            index = self._draw(rng)
            clip = self.dataset.features[index]
            noise = rng.standard_normal(clip.shape, dtype=np.float32)
            rows.append(clip + self.config.noise * self.dataset.stats.std * noise)
            texts.append(self.dataset.caption(index, rng))
            clips.append(self.dataset.clips[index])
        network = self.config.network
        ids, counts = token_batch(texts, self.tokenizer, network.max_tokens)
        features, lengths = feature_batch(rows, self.dataset.stats, network.max_frames)
        same = describes(texts, clips) | (self._alike(texts) > self.config.same_above)
        tensors = (ids, counts, features, lengths, torch.from_numpy(same))
        return tuple(tensor.to(device) for tensor in tensors)

    def clip_ids(self, step: int, micro: int) -> list[str]:
        """Names of the clips that this batch drew, in its order."""
        drawn = (self._draw(rng) for rng, _ in self.split.samples(step, micro))
        return [self.dataset.clips[index].id for index in drawn]

    def _draw(self, rng: np.random.Generator) -> int:
        return int(self.dataset.sample_indices(rng, 1)[0])


def fresh_encoder(
    config: TmrStageConfig, dataset: MotionDataset, tokenizer: MotionTokenizer
) -> TextMotionEncoder:
    """An untrained encoder for a data set; ``optim.seed`` decides its weights."""
    sizes = replace(config.network, vocab_size=tokenizer.vocab_size)
    torch.manual_seed(config.optim.seed)
    return TextMotionEncoder(sizes, TmrNetwork(sizes), tokenizer, dataset.stats)


def tmr_trainer(
    encoder: TextMotionEncoder,
    config: TmrStageConfig,
    dataset: MotionDataset,
    folder: Path,
    split: Split,
) -> Trainer:
    """The trainer of an encoder, which logs retrieval on the validation clips as it goes."""
    network = encoder.network
    network.requires_grad_(True).train()
    batcher = TmrBatcher(dataset, encoder.tokenizer, config, split)

    def validate() -> dict[str, float]:
        clips = dataset.val
        texts = [clip.captions[0] for clip in clips]
        try:
            ranks, _ = ranks_in_groups(
                encoder.embed_texts(texts),
                encoder.embed_motions([clip.joints for clip in clips]),
                describes(texts, clips),
                np.random.default_rng(0),
            )
        except MetricError:  # fewer clips than one group
            return {}
        return {f'R@{k}': float((ranks <= k).mean()) for k in (1, 3)}

    return Trainer(
        TmrTask(network, config.temperature), batcher, LOSSES, config.optim, folder, validate
    )
