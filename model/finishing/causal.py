# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Finishing as the body moves: chunk by chunk, with no look at what comes after the chunk.

A ball of the foot that comes down low and slow is planted, and held at the place where it came
down until it lifts or is pulled away; the legs bend to reach it. A body that would go under the
floor is lifted as far as its lowest joint needs. One that is above it and neither rises nor falls,
as in a leap it would, hovers, and comes down slowly. What was finished is what the next chunk goes
on from, so nothing adds up. Who is asked to stand is kept there (``standing``).

Whole clips are finished by the other modules of this folder, which look both ways.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from mgpt3_ros.model.finishing.leg_pose import LEGS, pose_leg
from mgpt3_ros.model.finishing.standing import Standing
from mgpt3_ros.model.kinematics.skeleton import FPS

# A foot is planted when it is lower and slower than these, and stays so until it is higher, faster
# or further away than those: between the two, what it was before counts.
PLANT_HEIGHT, LIFT_HEIGHT = 0.05, 0.07  # [m]
PLANT_SPEED, LIFT_SPEED = 0.5, 1.2  # [m/s]
LARGEST_HOLD = 0.10  # [m]
FADE_FRAMES = 4  # over which a lifted foot comes back to where it was drawn
FLOOR = 0.0  # [m], of the lowest joint
HOVER = 0.02  # [m]: a joint that is lower stands; feet of standing people are at 0 to 2 cm
AIRBORNE_FRAMES = 14  # 0.7 s: no leap is longer
# In a leap the pelvis is faster than this up or down, or falls more strongly: arcs are drawn flat.
LEAP_SPEED, LEAP_FALL = 0.8, 6.0  # [m/s], [m/s^2]
HOVER_FRAMES = 3  # of a body above the floor that does neither: it hovers
SINK = 0.006  # [m] per frame at most, at which a body that hovers comes down
APPROACH = 0.25  # of what is left, per frame

_BALLS = [leg[-1] for leg in LEGS]


class CausalFinish:
    """Sets drawn chunks of B bodies right; what it keeps between them is where feet stand.

    Args:
        bodies: how many.
        stance: (22, 3) [m] of a person who stands; None where nobody is kept standing.
    """

    def __init__(self, bodies: int, stance: Tensor | None = None) -> None:
        self.standing = None if stance is None else Standing(stance, bodies)
        self.planted = np.zeros((bodies, 2), dtype=bool)
        self.anchor = np.zeros((bodies, 2, 2))
        self.airborne = np.zeros(bodies)  # frames, those of a leap counted less

    def forget(self) -> None:
        """The bodies are somewhere else now: no foot is planted."""
        self.planted[:] = False
        self.airborne[:] = 0
        if self.standing is not None:
            self.standing.forget()

    def stand(self, asked: Sequence[bool]) -> None:
        """From now on these of the bodies are asked to stand, the others to do something else."""
        if self.standing is not None:
            self.standing.ask(asked)

    def __call__(self, drawn: Tensor, previous: Tensor) -> Tensor:
        """Chunks (B, F, 22, 3) [m] set right, given the two frames (B, 2, 22, 3) before them."""
        if self.standing is not None:
            drawn = self.standing(drawn, previous)
        frames = drawn.detach().cpu().numpy().astype(np.float64)
        last = previous[:, -1].detach().cpu().numpy().astype(np.float64)
        pelvis = np.concatenate([previous[:, :, 0, 1].cpu().numpy(), frames[:, :, 0, 1]], axis=1)
        speed = np.diff(pelvis, axis=1) * FPS
        leaps = np.abs(speed[:, 1:]) > LEAP_SPEED
        leaps |= np.diff(speed, axis=1) * FPS < -LEAP_FALL
        frames[..., 1] += self._lift(frames, leaps)[..., None]
        balls = frames[:, :, _BALLS]  # (B, F, 2, 3)
        targets = self._hold(balls, last[:, _BALLS])
        for side, leg in enumerate(LEGS):
            shift = targets[:, :, side] - balls[:, :, side]
            moved = np.abs(shift).max(axis=-1) > 1e-6
            if moved.any():
                own = frames[:, :, leg][moved]
                frames[:, :, leg[1:]] = _placed(
                    frames[:, :, leg[1:]],
                    moved,
                    pose_leg(own, own[:, 2] + shift[moved], own[:, 3] + shift[moved]),
                )
        return torch.from_numpy(frames).to(drawn)

    def _lift(self, frames: np.ndarray, leaps: np.ndarray) -> np.ndarray:
        """How far (B, F) [m] bodies go up to the floor, or down to it; leaps: (B, F)."""
        lowest = frames[..., 1].min(axis=2)
        count = frames.shape[1]
        need = np.maximum(FLOOR - lowest, 0.0)
        # Evenly towards what the chunk's end needs, so that nothing jumps.
        lift = np.maximum(need, need[:, -1:] * np.arange(1, count + 1) / count)
        sunk = np.zeros(len(frames))
        for frame in range(count):
            height = lowest[:, frame] + lift[:, frame] - sunk
            counts = np.where(leaps[:, frame], HOVER_FRAMES / AIRBORNE_FRAMES, 1.0)
            self.airborne = np.where(height < HOVER, 0.0, self.airborne + counts)
            hovers = self.airborne > HOVER_FRAMES
            sunk += np.where(hovers, np.clip(APPROACH * (height - HOVER / 2), 0.0, SINK), 0.0)
            lift[:, frame] -= sunk
        return lift

    def _hold(self, balls: np.ndarray, last: np.ndarray) -> np.ndarray:
        """Where balls of the feet (B, F, 2, 3) shall be."""
        targets = balls.copy()
        residual = np.zeros_like(self.anchor)
        before = last
        for frame in range(balls.shape[1]):
            ball = balls[:, frame]
            level = ball[..., [0, 2]]
            speed = np.linalg.norm((ball - before)[..., [0, 2]], axis=-1) * FPS
            away = np.linalg.norm(level - self.anchor, axis=-1)
            stays = self.planted & (ball[..., 1] < LIFT_HEIGHT)
            stays &= (speed < LIFT_SPEED) & (away < LARGEST_HOLD)
            comes = ~self.planted & (ball[..., 1] < PLANT_HEIGHT) & (speed < PLANT_SPEED)
            residual *= 1 - 1 / FADE_FRAMES
            self.anchor = np.where(comes[..., None], level + residual, self.anchor)
            self.planted = stays | comes
            residual = np.where(self.planted[..., None], self.anchor - level, residual)
            targets[:, frame][..., [0, 2]] = level + residual
            before = ball
        targets[..., 1] = np.maximum(targets[..., 1], 0.0)
        return targets


def _placed(joints: np.ndarray, rows: np.ndarray, values: np.ndarray) -> np.ndarray:
    joints = joints.copy()
    joints[rows] = values
    return joints
