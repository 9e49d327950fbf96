# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the VAE stage minimises, and its batches."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - the field's own abbreviation

from mgpt3_ros.model.kinematics.features import CONTACTS, POSITIONS
from mgpt3_ros.model.kinematics.heading import rotate_about_y
from mgpt3_ros.model.kinematics.stats import FeatureStats
from mgpt3_ros.model.network.vae.base import MotionAutoencoder, frame_mask
from mgpt3_ros.model.sampling import noise_source
from mgpt3_ros.training.data.dataset import MotionDataset, Part
from mgpt3_ros.training.samples import Split, draw_seed

COMPARED = ('features', 'positions', 'motion', 'jerk', 'slide')  # loss terms of every VAE


class VaeTask(nn.Module):
    """Has the VAE reconstruct, and compares.

    Terms: ``features`` smooth L1 over all channels (MLD), ``positions`` the same over the joint
    positions, ``motion`` and ``jerk`` the mean error of the positions' first and third differences
    [m per frame], ``slide`` the speed of feet whose contact flag is set [m per frame], and the
    VAE's own, such as ``kl``.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, vae: MotionAutoencoder, stats: FeatureStats) -> None:
        super().__init__()
        self.vae = vae
        self.loss_terms = (*COMPARED, *vae.loss_terms)
        self.register_buffer('mean', torch.from_numpy(stats.mean), persistent=False)
        self.register_buffer('std', torch.from_numpy(stats.std), persistent=False)

    def forward(
        self, features: Tensor, lengths: Tensor, noise: list[torch.Generator]
    ) -> dict[str, Tensor]:
        """Loss terms of normalised features (B, T, 263), each with a source of noise."""
        decoded, own_terms = self.vae.reconstruct(features, lengths, noise)
        mask = frame_mask(lengths, features.shape[1])
        smooth = F.smooth_l1_loss(decoded, features, reduction='none')
        own = (decoded * self.std + self.mean)[..., POSITIONS]
        true = (features * self.std + self.mean)[..., POSITIONS]
        error = own - true
        return {
            'features': _masked(smooth, mask),
            'positions': _masked(smooth[..., POSITIONS], mask),
            'motion': _masked(error.diff(dim=1).abs(), mask[:, 1:]),
            'jerk': _masked(error.diff(n=3, dim=1).abs(), mask[:, 3:]),
            'slide': self._slide(decoded, self._contact(features), mask),
            **own_terms,
        }

    def counts(
        self, features: Tensor, lengths: Tensor, noise: list[torch.Generator]
    ) -> dict[str, int]:
        """Over how many items each term is the mean; see :meth:`MotionGPT3Network.counts`."""
        mask = frame_mask(lengths, features.shape[1])
        frames = {'features': mask, 'positions': mask, 'motion': mask[:, 1:], 'jerk': mask[:, 3:]}
        held = self._contact(features)[:, :-1] & mask[:, 1:, None]
        return {
            **dict.fromkeys(self.vae.loss_terms, len(features)),
            'slide': int(held.sum()),
            **{name: int(kept.sum()) for name, kept in frames.items()},
        }

    def _contact(self, features: Tensor) -> Tensor:
        return (features * self.std + self.mean)[..., CONTACTS] > 0.5

    def _slide(self, decoded: Tensor, contact: Tensor, mask: Tensor) -> Tensor:
        """Mean speed of ankles and feet (joints 7, 10, 8, 11) in contact, per frame."""
        raw = decoded * self.std + self.mean
        positions = raw[..., POSITIONS].unflatten(-1, (21, 3))[..., [6, 9, 7, 10], :]
        turn = -2.0 * raw[..., 0]
        step = torch.stack([raw[..., 1], torch.zeros_like(turn), raw[..., 2]], dim=-1)
        # Both frames in the heading of the later one: the earlier positions are turned back.
        earlier = rotate_about_y(positions[:, :-1], -turn[:, :-1, None])
        speed = (positions[:, 1:] - earlier + step[:, :-1, None]).norm(dim=-1)
        held = contact[:, :-1] & mask[:, 1:, None]
        return (speed * held).sum() / held.sum().clamp(min=1)


def _masked(values: Tensor, mask: Tensor) -> Tensor:
    return (values * mask[..., None]).sum() / (mask.sum() * values.shape[-1]).clamp(min=1)


class VaeBatcher:
    """Batches of whole clips and random parts of them: a function of the seed and the step."""

    def __init__(self, dataset: MotionDataset, split: Split) -> None:
        self.dataset, self.split = dataset, split

    def __call__(
        self, step: int, micro: int, device: torch.device
    ) -> tuple[Tensor, Tensor, list[torch.Generator]]:
        """Normalised features (B, T, 263), lengths (B,) and each clip's source of noise."""
        parts, noise = [], []
        for rng, number in self.split.samples(step, micro):
            index = self._draw(rng, number)
            cut = rng.random() < 0.5
            parts.append(self.dataset.random_part(index, 10, rng) if cut else Part(index))
            noise.append(noise_source(draw_seed(rng)))
        features, lengths = self.dataset.stats.batch(self.dataset.cut(parts, device))
        return features.to(device), lengths.to(device), noise

    def clip_ids(self, step: int, micro: int) -> list[str]:
        """Names of the clips that this batch drew, in its order."""
        drawn = (self._draw(*sample) for sample in self.split.samples(step, micro))
        return [self.dataset.clips[index].id for index in drawn]

    def _draw(self, rng: np.random.Generator, number: int) -> int:
        return self.dataset.draw(rng, number, self.split.seed)
