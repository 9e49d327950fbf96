# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The frame on the floor under a body, and motions led over from one body's place to another's.

Everything is torch over any leading dimensions (B, ...); joints are (..., 22, 3) [m], Y up.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from mgpt3_ros.model.kinematics.heading import heading, rotate_about_y
from mgpt3_ros.model.kinematics.skeleton import PARENTS


@dataclass(frozen=True)
class GroundFrame:
    """A frame whose origin is on y = 0 below the pelvis, whose Z is where the body faces.

    yaw: (B,) [rad] about Y, 0 where the body faces +Z, positive towards +X.
    origin: (B, 3) [m].
    """

    yaw: Tensor
    origin: Tensor

    @classmethod
    def under(cls, pose: Tensor) -> GroundFrame:
        """The frame under a pose (B, 22, 3)."""
        level = torch.tensor([1.0, 0.0, 1.0], device=pose.device, dtype=pose.dtype)
        return cls(heading(pose), pose[..., 0, :] * level)

    def into(self, points: Tensor) -> Tensor:
        """Points of the world (B, ..., 3) in this frame."""
        return turn(points - self._spread(self.origin, points), -self.yaw)

    def out_of(self, points: Tensor) -> Tensor:
        """Points of this frame (B, ..., 3) in the world."""
        return turn(points, self.yaw) + self._spread(self.origin, points)

    @staticmethod
    def _spread(origin: Tensor, points: Tensor) -> Tensor:
        between = points.dim() - origin.dim()
        return origin.reshape(*origin.shape[:-1], *[1] * between, 3)


def turn(points: Tensor, yaw: Tensor) -> Tensor:
    """Turn points (B, ..., 3) by yaw (B,) [rad] about Y; +Z turns towards +X."""
    return rotate_about_y(points, yaw.reshape(*yaw.shape, *[1] * (points.dim() - 1 - yaw.dim())))


def bone_lengths(pose: Tensor) -> Tensor:
    """Lengths (..., 21) [m] of the bones that end at joints 1 to 21 of poses (..., 22, 3)."""
    return (pose[..., 1:, :] - pose[..., PARENTS[1:], :]).norm(dim=-1)


def with_bones(joints: Tensor, lengths: Tensor) -> Tensor:
    """Joints (..., 22, 3) whose bones keep their directions and take ``lengths`` (..., 21)."""
    placed = [joints[..., 0, :]]
    for joint, parent in enumerate(PARENTS[1:], start=1):
        bone = joints[..., joint, :] - joints[..., parent, :]
        scale = lengths[..., joint - 1, None] / bone.norm(dim=-1, keepdim=True).clamp(min=1e-6)
        placed.append(placed[parent] + bone * scale)
    return torch.stack(placed, dim=-2)


def lead_over(before: Tensor, clip: Tensor, frames: Tensor) -> Tensor:
    """Let clips follow on other motions: placed where those end, and what differs fades out.

    The clip is put so that its first frame stands and faces as the last of ``before``. The pose's
    difference then fades over ``frames`` as 1 - 3 s^2 + 2 s^3, that of its velocity as
    t (1 - s)^2, s = t / frames: position and velocity go on without a jump (cubic Hermite).

    Where two poses blend, no joint goes further under the floor than the clip's own, or than what
    is left of how far the last pose was: the body is lifted by as much.

    Args:
        before: (B, 2, 22, 3) [m], the last two frames.
        clip: (B, T, 22, 3) [m]; its first frame is at the time of the last of ``before``.
        frames: (B,) over how many frames the difference fades.

    Returns:
        (B, T, 22, 3) in the world of ``before``; frame 0 is its last one, bones are the clip's
        once the difference is gone.
    """
    here, there = GroundFrame.under(before[:, 1]), GroundFrame.under(clip[:, 0])
    local, last = there.into(clip), here.into(before)
    off = last[:, 1] - local[:, 0]
    speed_off = (last[:, 1] - last[:, 0]) - (local[:, 1] - local[:, 0])
    time = torch.arange(clip.shape[1], device=clip.device, dtype=clip.dtype)
    share = (time / frames[:, None].to(clip.dtype)).clamp(max=1)  # (B, T)
    fade = 1 - share * share * (3 - 2 * share)
    drift = time * (1 - share) ** 2
    # What differs stays with the body: it is turned and moved along with the clip's own frame.
    poses = GroundFrame.under(local)
    own = poses.into(local)
    own = own + fade[..., None, None] * off[:, None] + drift[..., None, None] * speed_off[:, None]
    lengths = bone_lengths(before[:, 1:]) * fade[..., None] + bone_lengths(local) * (
        1 - fade[..., None]
    )
    led = with_bones(poses.out_of(own), lengths)
    sunk = torch.maximum(_under_floor(before[:, 1:]) * fade, _under_floor(clip))
    led[..., 1] += (_under_floor(led) - sunk).clamp(min=0)[..., None]
    return here.out_of(led)


def _under_floor(joints: Tensor) -> Tensor:
    """How far (...,) [m] the lowest joint of poses (..., 22, 3) is under y = 0."""
    return (-joints[..., 1].amin(dim=-1)).clamp(min=0)
