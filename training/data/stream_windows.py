# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Windows of motion for the stream form: parts of clips, many led over from another motion.

A body that is told something new is in the middle of something else. So in a part of the windows
the last frames of another clip, or of a person who stands, lead over into the clip whose caption
is told. All windows of a batch are cut and joined together, in tensors.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from mgpt3_ros.model.kinematics.ground_frame import lead_over
from mgpt3_ros.training.data.clip import Clip
from mgpt3_ros.training.data.resting import STAND


@dataclass(frozen=True)
class WindowOptions:
    """How windows are cut and joined.

    chunks: K, the most that a window holds.
    from_start: share of the windows that begin with their clip (within a chunk); the others begin
        anywhere in it.
    joined: share of the windows that are led over from another motion; ``from_rest`` of them from
        a person who stands, the others from any other clip.
    history: the most chunks of the other motion that stand before the join.
    fade: over how many frames the difference fades, from and to.
    sunk: share of the joined windows whose other motion is shifted up or down by up to
        ``sunk_m``, so that a body that is not on the floor is led back to it.
    """

    chunks: int = 12
    from_start: float = 0.5
    joined: float = 0.5
    from_rest: float = 0.4
    history: int = 6
    fade: tuple[int, ...] = (8, 20)
    sunk: float = 0.4
    sunk_m: float = 0.06


@dataclass(frozen=True)
class Windows:
    """B windows of W = 2 + F K frames.

    clips: (B,) numbers of the clips whose captions are told.
    frames: (B, W, 22, 3) [m]; the last frame is held where a clip is over.
    count: (B,) frames that the motion really has.
    told: (B,) the chunk from which on the clip is the one that is told.
    left: (B,) frames from that chunk to the clip's end, beyond the window too; 0 where the window
        does not begin with its clip.
    """

    clips: np.ndarray
    frames: Tensor
    count: Tensor
    told: Tensor
    left: Tensor


class WindowCutter:
    """Cuts windows from clips, which it holds as one tensor of frames.

    Args:
        clips: all clips, mirrored ones included.
        chunk_frames: F.
        options: how windows are cut.
    """

    def __init__(self, clips: list[Clip], chunk_frames: int, options: WindowOptions) -> None:
        self.chunk_frames, self.options = chunk_frames, options
        self.lengths = np.array([len(clip.joints) for clip in clips])
        self.starts = np.concatenate([[0], np.cumsum(self.lengths)[:-1]])
        self.frames = torch.from_numpy(np.concatenate([clip.joints for clip in clips]))
        self.standing = np.array([n for n, clip in enumerate(clips) if clip.action == STAND])

    def cut(self, clips: np.ndarray, rng: np.random.Generator, chunks: int) -> Windows:
        """Cut a window of up to ``chunks`` of each clip (B,), none of them joined."""
        size = 2 + self.chunk_frames * chunks
        at_start = rng.random(len(clips)) < self.options.from_start
        early = rng.integers(0, self.chunk_frames, len(clips))
        # Where it begins anywhere, two chunks of the clip are left.
        latest = np.maximum(self.lengths[clips] - 2 - 2 * self.chunk_frames, 1)
        offset = np.where(at_start, early, (rng.random(len(clips)) * latest).astype(int))
        offset = np.minimum(offset, self.lengths[clips] - 2 - self.chunk_frames)
        left = self.lengths[clips] - offset
        frames = self.at(clips, offset[:, None] + np.arange(size))
        return Windows(
            clips,
            frames,
            torch.from_numpy(np.minimum(left, size)),
            torch.zeros(len(clips), dtype=torch.long),
            torch.from_numpy(np.where(at_start, left - 2, 0)),
        )

    def cut_and_join(
        self, clips: np.ndarray, others: np.ndarray, rng: np.random.Generator, history: int
    ) -> Windows:
        """Cut a window of each clip (B,), a share of them led over from ``others`` (B,).

        At most ``history`` chunks of the other motion stand before the join.
        """
        options, chunk = self.options, self.chunk_frames
        windows = self.cut(clips, rng, options.chunks)
        rows = np.flatnonzero(rng.random(len(clips)) < options.joined)
        if not len(rows):
            return windows
        before, known = self._others(others[rows], rng, history)
        lifted = rng.uniform(-options.sunk_m, options.sunk_m, len(rows))
        lifted *= rng.random(len(rows)) < options.sunk
        before[..., 1] += torch.from_numpy(lifted).float()[:, None, None]
        low, high = options.fade
        fade = torch.from_numpy(rng.integers(low, high + 1, len(rows)))
        seam = 2 + chunk * known  # frames before the clip that is told
        at = torch.arange(len(rows))
        ends = torch.stack([before[at, seam - 2], before[at, seam - 1]], dim=1)
        led = lead_over(ends, windows.frames[rows], fade)
        size = led.shape[1]
        time = torch.arange(size)[None]
        after = (time - seam[:, None] + 1).clamp(0, size - 1)
        earlier = time.clamp(max=before.shape[1] - 1).expand(len(rows), -1)
        is_before = (time < seam[:, None])[..., None, None]
        joined = torch.where(is_before, before[at[:, None], earlier], led[at[:, None], after])
        windows.frames[rows] = joined
        windows.count[rows] = (windows.count[rows] + seam - 1).clamp(max=size)
        windows.told[rows] = known
        return windows

    def _others(
        self, clips: np.ndarray, rng: np.random.Generator, history: int
    ) -> tuple[Tensor, Tensor]:
        """Frames (b, 2 + F history, 22, 3) of other motions, and the chunks (b,) they hold."""
        rest = rng.random(len(clips)) < self.options.from_rest
        if len(self.standing):
            standing = self.standing[rng.integers(0, len(self.standing), len(clips))]
            clips = np.where(rest, standing, clips)
        lengths = self.lengths[clips]
        ends = np.where(rng.random(len(clips)) < 0.5, lengths, rng.integers(2, lengths + 1))
        known = rng.integers(0, history + 1, len(clips)) * (rng.random(len(clips)) < 0.6)
        known = np.minimum(known, (ends - 2) // self.chunk_frames)
        begin = ends - 2 - self.chunk_frames * known
        at = begin[:, None] + np.arange(2 + self.chunk_frames * history)
        return self.at(clips, at), torch.from_numpy(known)

    def at(self, clips: np.ndarray, at: np.ndarray) -> Tensor:
        """Frames (B, T, 22, 3) of clips (B,) at (B, T), the last one held."""
        at = np.clip(at, 0, self.lengths[clips][:, None] - 1)
        return self.frames[torch.from_numpy(self.starts[clips][:, None] + at)]
