# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""From the model's motions to a body's joints and base, in ROS frames."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from mgpt3_ros.body import quaternions as quat
from mgpt3_ros.body.body_trajectory import BodyTrajectory
from mgpt3_ros.body.profiles.base import UNLIMITED, JointProfile, whole_turns_near
from mgpt3_ros.body.quaternions import Array
from mgpt3_ros.body.window import Observed
from mgpt3_ros.model.finishing.blending import inertialise
from mgpt3_ros.model.kinematics.skeleton import FPS

if TYPE_CHECKING:
    from mgpt3_ros.model.motion import Motion

_TAIL = 20  # observed frames whose angles are found together with the predicted ones
_BLEND_S = 0.4  # in which angles that positions do not tell go from observed to predicted


@dataclass(frozen=True)
class BodyClip:
    """Body angles at a constant rate, in ROS frames, as the model made them.

    positions (T, J) [rad], base_pos (T, 3) [m], base_rot (T, 4) xyzw, fps [1/s]; T >= 2.
    near: writes positions (T, J) as other angles of the same poses, starting close to a goal (J,).
    limits: (J, 2) [rad], lowest and highest that the body's joints can reach.
    standing: (J,) [rad] and standing_rot (4,) xyzw of the body that stands upright and faces X.
    goes_on: it begins at the velocity that the body has there; else that is told by its frames.
    """

    names: tuple[str, ...]
    positions: Array
    base_pos: Array
    base_rot: Array
    fps: float
    near: Callable[[Array, Array], Array] = whole_turns_near
    limits: Array = field(default_factory=lambda: UNLIMITED)
    standing: Array | float = 0.0
    standing_rot: Array = field(default_factory=lambda: quat.IDENTITY)
    goes_on: bool = False

    @property
    def duration_s(self) -> float:
        """Time from the first to the last frame [s]."""
        return (len(self.positions) - 1) / self.fps


def clip_of(
    motion: Motion,
    profile: JointProfile,
    done: tuple[Array, Array, Array] | None = None,
    goes_on: bool = False,
) -> BodyClip:
    """Turn a motion into joint angles without spikes and a moving base, in ROS frames.

    ``done``: positions, base places and rotations of its first frames, which lie behind.
    ``goes_on``: it was joined to what the body does.
    """
    positions, base_pos, base_rot = profile.from_joints(motion.joints, motion.fps, done)
    return BodyClip(
        names=profile.names,
        positions=positions,
        base_pos=base_pos,
        base_rot=base_rot,
        fps=float(motion.fps),
        near=profile.near,
        limits=profile.position_limits,
        standing=profile.standing,
        standing_rot=profile.standing_base[3:],
        goes_on=goes_on,
    )


def following(
    observed: Observed, seen: Motion, predicted: Motion, profile: JointProfile
) -> BodyTrajectory:
    """Return the trajectory of ``predicted``, whose time 0 is the last observed frame.

    Its angles go on from those that were observed, in value and velocity: what positions do not
    tell, such as the turn of a straight arm, dies away from there.

    Args:
        observed: in the joints of ``profile``.
        seen: the same as a motion of the model.
        predicted: the frames that follow.
        profile: of the joints.
    """
    tail = seen.joints[-_TAIL:]
    last = len(tail) - 1
    joints = np.concatenate([tail, predicted.joints])
    angles, base_pos, base_rot = profile.from_joints(joints, FPS)
    here, rate = observed.positions[-1], (observed.positions[-1] - observed.positions[-2]) * FPS
    angles = inertialise(profile.near(angles[last:], here), FPS, here, rate, _BLEND_S)
    times = np.arange(-1, len(predicted.joints) + 1) / FPS
    whole = BodyTrajectory.through(
        profile.names,
        times,
        np.concatenate([observed.positions[-2:-1], angles]),
        np.concatenate([observed.base_pos[-2:], base_pos[last + 1 :]]),
        np.concatenate([observed.base_rot[-2:], base_rot[last + 1 :]]),
        ends_at_rest=False,
    )
    return whole.without(2)
