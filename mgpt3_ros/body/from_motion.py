# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""From the model's motions to a body's joints and base, in ROS frames."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from mgpt3_ros.body.body_trajectory import BodyTrajectory
from mgpt3_ros.body.frames import quaternions_to_ros, vectors_to_ros
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
    """

    names: tuple[str, ...]
    positions: Array
    base_pos: Array
    base_rot: Array
    fps: float
    near: Callable[[Array, Array], Array] = whole_turns_near
    limits: Array = field(default_factory=lambda: UNLIMITED)

    @property
    def duration_s(self) -> float:
        """Time from the first to the last frame [s]."""
        return (len(self.positions) - 1) / self.fps


def clip_of(motion: Motion, profile: JointProfile) -> BodyClip:
    """Turn a motion into joint angles without spikes and a moving base, in ROS frames."""
    from mgpt3_ros.model.kinematics.joint_angles import joints_to_angles

    body = joints_to_angles(motion.joints)
    return BodyClip(
        names=profile.names,
        positions=calm(profile.from_angles(body.angles), motion.fps, profile.velocity_limits),
        base_pos=vectors_to_ros(body.root_pos),
        base_rot=quaternions_to_ros(body.root_rot),
        fps=float(motion.fps),
        near=profile.near,
        limits=profile.position_limits,
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
    from mgpt3_ros.model.kinematics.joint_angles import joints_to_angles

    tail = seen.joints[-_TAIL:]
    last = len(tail) - 1
    body = joints_to_angles(np.concatenate([tail, predicted.joints]))
    angles = calm(profile.from_angles(body.angles), FPS, profile.velocity_limits)
    here, rate = observed.positions[-1], (observed.positions[-1] - observed.positions[-2]) * FPS
    angles = inertialise(profile.near(angles[last:], here), FPS, here, rate, _BLEND_S)
    base_pos, base_rot = vectors_to_ros(body.root_pos), quaternions_to_ros(body.root_rot)
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


def calm(positions: Array, fps: float, limits: Array) -> Array:
    """Take the spikes out of joint angles: where one turns faster than it can, it is smoothed.

    Angles of limbs that are nearly straight, or near gimbal lock, can jump though the body hardly
    moves. Slowing the whole motion down for that would be wrong; only the jump is spread in time.

    Args:
        positions: (T, J) [rad] at ``fps``.
        fps: frames per second.
        limits: (J,) [rad/s].

    Returns:
        (T, J), the first and the last frame unchanged.
    """
    calmed = np.array(positions, dtype=np.float64)
    largest_step = _CALM_MARGIN * limits / fps
    for _ in range(_CALM_PASSES):
        too_fast = np.abs(np.diff(calmed, axis=0)) > largest_step
        if not too_fast.any():
            break
        # A frame is moved towards its neighbours if a step near it is too large.
        near = np.zeros_like(calmed, dtype=bool)
        for shift in range(-_CALM_REACH, _CALM_REACH + 1):
            rows = np.clip(np.arange(len(calmed)) + shift, 0, len(too_fast) - 1)
            near |= too_fast[rows]
        near[[0, -1]] = False
        bend = np.zeros_like(calmed)
        bend[1:-1] = calmed[:-2] - 2 * calmed[1:-1] + calmed[2:]
        calmed += 0.25 * near * bend
    return calmed


_CALM_PASSES = 100
_CALM_REACH = 3  # frames
_CALM_MARGIN = 0.8  # between two frames a spline is faster than the straight line
