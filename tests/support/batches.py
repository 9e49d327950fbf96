# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Batches of every task from a tiny data set, and what stands in them."""

from __future__ import annotations

import dataclasses

import numpy as np
import torch
from torch import Tensor

from mgpt3_ros.model.kinematics.features import joints_to_features
from mgpt3_ros.training.data.clip import Clip
from mgpt3_ros.training.data.dataset import MotionDataset, Part
from mgpt3_ros.training.tasks import Batch, Row, TaskBatcher, TaskMix, TaskOptions
from tests.support.tiny import swinging_motion

CPU = torch.device('cpu')
MIXED = TaskMix(text=1, generate=1, caption=1, predict=1, inbetween=1)
QUIET = TaskOptions(latent_noise=False)
HOLDERS = 2


def changed(batcher: TaskBatcher, **changes: object) -> TaskBatcher:
    """The batcher with other arguments."""
    arguments: dict[str, object] = {
        'dataset': batcher.dataset,
        'network': batcher.network,
        'tokenizer': batcher.tokenizer,
        'prompts': batcher.prompts,
        'mix': MIXED,
        'options': batcher.options,
        'split': batcher.split,
    }
    return TaskBatcher(**{**arguments, **changes})  # type: ignore[arg-type]


def tensors(batch: Batch) -> list[Tensor]:
    """All numbers of a batch, its seeds of noise among them."""
    tokens, motions, target, durations, generators = batch
    noise = torch.tensor([generator.initial_seed() for generator in generators])
    told = [getattr(motions, field.name) for field in dataclasses.fields(motions)]
    return [tokens.ids, tokens.labels, tokens.mask, *told, target, durations, noise]


def same(one: Batch, other: Batch) -> bool:
    """Whether two batches are equal to the bit."""
    pairs = zip(tensors(one), tensors(other), strict=True)
    return all(a.shape == b.shape and bool((a == b).all()) for a, b in pairs)


def rows_of(batcher: TaskBatcher, tasks: str, seed: int = 0) -> list[Row]:
    """Rows of these tasks by their initials, of clips 0, 1, 2, ..."""
    make = {'t': 'text', 'g': 'generate', 'c': 'caption', 'p': 'predict', 'i': 'inbetween'}
    rng = np.random.default_rng(seed)
    return [
        getattr(batcher, f'_{make[task]}')(index % len(batcher.dataset), rng)
        for index, task in enumerate(tasks)
    ]


def rows_of_holders(ids: Tensor, holder: int) -> list[int]:
    """The row that each motion of this kind of holder stands in, in reading order."""
    rows = (ids == holder).nonzero()[:, 0].reshape(-1, HOLDERS)
    assert (rows == rows[:, :1]).all()
    return rows[:, 0].tolist()


def encoded(batcher: TaskBatcher, clip: np.ndarray) -> Tensor:
    """The whitened latent of features (T, 263)."""
    normalised = torch.from_numpy(batcher.dataset.stats.normalise(clip))[None]
    mean, _ = batcher.network.vae.encode(normalised, torch.tensor([len(clip)]))
    return batcher.network.whiten(mean)[0]


def frames_of(part: Part | None, index: int) -> slice:
    """The frames that a part has of the clip of this index."""
    assert part is not None
    assert part.clip == index
    assert part.frames is not None
    return part.frames


def count(frames: slice) -> int:
    """How many frames."""
    return int(frames.stop - frames.start)


def dataset_of(joints: np.ndarray) -> MotionDataset:
    """A data set of one clip (T, 22, 3)."""
    clip = Clip('one', joints.astype(np.float32), ('a person moves.',), 'train', 'made', None)
    return MotionDataset([clip], [joints_to_features(joints).astype(np.float32)], [], [], 'digest')


def turning_body(frames: int = 80) -> np.ndarray:
    """A body (T, 22, 3) that walks, and turns ever faster."""
    angle = 0.0015 * np.arange(frames)[:, None] ** 2
    x, y, z = swinging_motion(3, frames, 0.6).astype(np.float64).transpose(2, 0, 1)
    cos, sin = np.cos(angle), np.sin(angle)
    return np.stack([x * cos + z * sin, y, z * cos - x * sin], axis=-1)
