# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Somebody who walks as a picture book shows it: feet that stand still, and step in turn."""

from __future__ import annotations

import numpy as np

from mgpt3_ros.model.finishing.leg_pose import LEGS, pose_leg
from mgpt3_ros.model.finishing.settling import standing_pose

FPS = 20.0
STEP_FRAMES = 10  # of each step: half a second


def walking(steps: int, length: float = 0.6) -> np.ndarray:
    """Joints (T, 22, 3) [m] of a walk along +Z: each step takes half a second and goes ``length``.

    The feet begin side by side, and the last step is cut off when its foot is in the air.
    """
    stand = standing_pose()
    places = np.zeros((2, steps * STEP_FRAMES))
    heights = np.zeros_like(places)
    place = np.zeros(2)
    for step in range(steps):
        foot, frames = step % 2, slice(step * STEP_FRAMES, (step + 1) * STEP_FRAMES)
        share = np.linspace(0.0, 1.0, STEP_FRAMES)
        target = place[1 - foot] + 0.5 * length
        places[1 - foot, frames] = place[1 - foot]
        places[foot, frames] = place[foot] + (target - place[foot]) * share
        heights[foot, frames] = 0.12 * np.sin(np.pi * share)
        place[foot] = target
    joints = np.repeat(stand[None], places.shape[1], axis=0)
    joints[..., 2] += places.mean(axis=0)[:, None]
    joints[..., 1] -= 0.03
    for foot, leg in enumerate(LEGS):
        shift = np.stack([0 * places[foot], heights[foot], places[foot]], axis=1)
        ankle, ball = (stand[joint] + shift for joint in leg[2:])
        joints[:, leg[1:]] = pose_leg(joints[:, leg], ankle, ball)
    return joints[: -STEP_FRAMES // 2]
