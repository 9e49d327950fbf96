# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Mean and standard deviation of the 263 features, which networks see normalised."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

from mgpt3_ros.model.atomic_files import whole_file
from mgpt3_ros.model.errors import CheckpointError
from mgpt3_ros.model.kinematics.features import FEATURES, KINDS

Array = TypeVar('Array', np.ndarray, Tensor)


@dataclass(frozen=True, eq=False)
class FeatureStats:
    """``mean`` and ``std`` (263,) float32 of a data set's features."""

    mean: np.ndarray
    std: np.ndarray

    def __post_init__(self) -> None:
        for name in ('mean', 'std'):
            value = np.asarray(getattr(self, name), dtype=np.float32)
            if value.shape != (FEATURES,) or not np.isfinite(value).all():
                raise CheckpointError(
                    f'the {name} of the features must be {FEATURES} finite numbers, '
                    f'got an array of shape {value.shape}'
                )
            object.__setattr__(self, name, value)
        if (self.std <= 0).any():
            raise CheckpointError('the standard deviation of the features must be positive')

    def normalise(self, features: Array) -> Array:
        """Features (..., 263) -> what the networks see."""
        mean, std = self._like(features)
        return (features - mean) / std

    def denormalise(self, features: Array) -> Array:
        """Inverse of :meth:`normalise`."""
        mean, std = self._like(features)
        return features * std + mean

    def batch(self, clips: Sequence[np.ndarray]) -> tuple[Tensor, Tensor]:
        """Normalised features (B, T, 263) float32 of clips (T_b, 263), and their lengths (B,).

        T is the longest; beyond a clip's length stand zeros. Both are on the CPU.
        """
        lengths = torch.tensor([len(clip) for clip in clips])
        padded = np.zeros((len(clips), int(lengths.max()), FEATURES), dtype=np.float32)
        for row, clip in zip(padded, clips, strict=True):
            row[: len(clip)] = self.normalise(clip)
        return torch.from_numpy(padded), lengths

    def _like(self, array: Array) -> tuple[Array, Array]:
        if isinstance(array, Tensor):
            return torch.from_numpy(self.mean).to(array), torch.from_numpy(self.std).to(array)
        return self.mean, self.std

    def save(self, path: str | Path) -> None:
        """Write ``stats.npz``, whole or not at all."""
        with whole_file(Path(path)) as partial, partial.open('wb') as file:
            np.savez(file, mean=self.mean, std=self.std)

    @classmethod
    def load(cls, path: str | Path) -> FeatureStats:
        """Read ``stats.npz``.

        Raises:
            CheckpointError: the file is missing, damaged or of another kind.
        """
        try:
            with np.load(path, allow_pickle=False) as data:
                return cls(data['mean'], data['std'])
        except (OSError, ValueError, KeyError, EOFError) as error:
            raise CheckpointError(f'{path} holds no feature statistics: {error}') from error
        except Exception as error:  # a damaged zip raises zipfile's own errors
            raise CheckpointError(f'{path} is damaged: {error}') from error

    @classmethod
    def of_clips(cls, clips: list[np.ndarray]) -> FeatureStats:
        """Statistics of clips (T, 263); channels of one kind share a deviation, as in HumanML3D.

        So a hand that hardly moves does not weigh as much as one that waves. Channels that never
        move get a deviation of 1 instead of 0.
        """
        # Clip by clip: all frames at once, in double precision, are gigabytes.
        count = sum(len(clip) for clip in clips)
        mean = sum(clip.sum(axis=0, dtype=np.float64) for clip in clips) / count
        std = np.sqrt(sum(np.square(clip - mean).sum(axis=0) for clip in clips) / count)
        for kind in KINDS:
            std[kind] = std[kind].mean()
        std[std < 1e-6] = 1.0
        return cls(mean.astype(np.float32), std.astype(np.float32))
