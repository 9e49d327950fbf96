# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Forecasts that only look at training motion: nearest neighbours, and ridge regression.

Both know what a body did in its last second, as it was seen from its last pose, and what bodies of
the training clips did after such a second. On small data they are hard to beat, and they cost
nothing to train: a model that falls behind them has learned less than a table.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from mgpt3_ros.model.errors import MotionError
from mgpt3_ros.model.kinematics.ground_frame import GroundFrame
from mgpt3_ros.model.kinematics.skeleton import MIRRORED

SEEN = (-20, -14, -9, -5, -3, -2, -1)  # frames of the observed second that are looked at
STRIDE = 6  # frames between training windows
NEIGHBOURS = 10
RIDGE = 0.01  # of the inputs' variance, which is 1


class TrainingWindows:
    """What was seen and what followed, in windows of training clips and their mirror images.

    Args:
        clips: joints (T, 22, 3) [m] each.
        frames: how many follow.
        least: how many of them a window must really have, its last pose being held beyond; None
            for all.
    """

    def __init__(self, clips: Sequence[np.ndarray], frames: int, least: int | None = None) -> None:
        self.frames = frames
        ahead = frames if least is None else least
        both = [
            c for j in clips for c in (j, j[:, MIRRORED] * np.array([-1, 1, 1], dtype=np.float32))
        ]
        self._clips = [torch.from_numpy(np.ascontiguousarray(joints)).float() for joints in both]
        nows = [np.arange(-SEEN[0], len(joints) - ahead + 1, STRIDE) for joints in both]
        self._owner = np.repeat(np.arange(len(both)), [len(each) for each in nows])
        self._now = np.concatenate(nows) if nows else np.zeros(0, dtype=int)
        if not len(self._now):
            raise MotionError(f'no training clip has {ahead - SEEN[0]} frames')
        seen = [
            _seen(joints[now[:, None] + np.array(SEEN)])[1]
            for joints, now in zip(self._clips, nows, strict=True)
            if len(now)
        ]
        self._seen = torch.cat(seen)
        self._mean, self._std = self._seen.mean(dim=0), self._seen.std(dim=0) + 0.02
        self._seen = (self._seen - self._mean) / self._std
        self._map: tuple[Tensor, Tensor] | None = None

    def __len__(self) -> int:
        return len(self._now)

    def nearest(self, observed: np.ndarray) -> np.ndarray:
        """Mean of what followed on the nearest windows (frames, 22, 3) [m]."""
        frame, known = _seen(_last(observed))
        distance = (self._seen - (known - self._mean) / self._std).square().sum(dim=1)
        chosen = distance.topk(min(NEIGHBOURS, len(self)), largest=False).indices.tolist()
        moved = torch.cat([self._followed(self._owner[n], self._now[n : n + 1]) for n in chosen])
        return self._placed(frame, known, moved.mean(dim=0))

    def ridge(self, observed: np.ndarray) -> np.ndarray:
        """What a linear map fitted to all windows says (frames, 22, 3) [m]."""
        frame, known = _seen(_last(observed))
        weights, mean = self._fitted()
        return self._placed(frame, known, mean + ((known - self._mean) / self._std)[0] @ weights)

    def _fitted(self) -> tuple[Tensor, Tensor]:
        """The map (inputs, frames * 66) and the mean of what followed."""
        if self._map is None:
            inputs = self._seen.double()
            product = inputs.new_zeros(inputs.shape[1], self.frames * 66)
            total = inputs.new_zeros(self.frames * 66)
            for clip in np.unique(self._owner):
                rows = np.flatnonzero(self._owner == clip)
                after = self._followed(clip, self._now[rows]).double()
                product += inputs[rows].T @ after
                total += after.sum(dim=0)
            square = inputs.T @ inputs
            square += RIDGE * len(inputs) * torch.eye(len(square), dtype=square.dtype)
            # Inputs have mean zero, so that the mean of the outputs needs no column of its own.
            weights = torch.linalg.solve(square, product)
            self._map = weights.float(), (total / len(inputs)).float()
        return self._map

    def _followed(self, clip: int, now: np.ndarray) -> Tensor:
        """How far joints moved on (n, frames * 66) from the last pose seen, in its frame."""
        joints = self._clips[clip]
        at = np.minimum(now[:, None] + np.arange(self.frames), len(joints) - 1)
        last = joints[now - 1]
        frame = GroundFrame.under(last)
        return (frame.into(joints[at]) - frame.into(last)[:, None]).flatten(1)

    def _placed(self, frame: GroundFrame, known: Tensor, moved: Tensor) -> np.ndarray:
        local = known[:, -66:].view(1, 1, 22, 3) + moved.view(1, self.frames, 22, 3)
        return frame.out_of(local)[0].numpy()


def _last(observed: np.ndarray) -> Tensor:
    """What is looked at of observed joints (1, n, 22, 3).

    Raises:
        MotionError: less than a second was observed.
    """
    if len(observed) < -SEEN[0]:
        raise MotionError(f'{-SEEN[0]} observed frames are needed, got {len(observed)}')
    return torch.from_numpy(np.asarray(observed, dtype=np.float32)[list(SEEN)].copy())[None]


def _seen(joints: Tensor) -> tuple[GroundFrame, Tensor]:
    """The frames under the last poses of (B, n, 22, 3), and all of it in them (B, n * 66)."""
    frame = GroundFrame.under(joints[:, -1])
    return frame, frame.into(joints).flatten(1)
