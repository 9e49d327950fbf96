# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How well a robot does what a human did: angles between limbs, limits, feet and speeds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from mgpt3_ros.robots.config import SIDES
from mgpt3_ros.robots.feet import Foot, foot_ways
from mgpt3_ros.robots.human import ENDS, Human, stand_bone
from mgpt3_ros.robots.kinematics import Poses
from mgpt3_ros.robots.retargeting import RobotMotion, followed
from mgpt3_ros.robots.robot import Robot

Array = NDArray[np.float64]

LIMBS = {
    'upper arm': 'shoulder',
    'forearm': 'elbow',
    'thigh': 'hip',
    'shank': 'knee',
    'foot': 'ankle',
}
_NEAR_CHANGE = 2  # frames to each side of one in which a foot comes down or leaves
_FEWEST = 8  # frames that say anything of steps
_APART = 0.10  # [m] between the hands' heights, from which one is the higher


@dataclass(frozen=True)
class Quality:
    """What was measured of one motion, or of several put together.

    limbs: [deg] between robot link and human bone, all frames and both sides, by name; also
    'chest' (its upward axis) and 'head'.
    limit_excess: [rad] beyond position limits, largest; 0 where they are kept.
    height: (S,) [m], the sole corner farthest from the floor, in frames in which a foot stands.
    slide: (S,) [m/s], level speed of the sole's middle in the same.
    change_speed, swing_speed: [rad/s], the leg's fastest joint in frames near a change of contact
    of its foot, and in its swing. change_jerk, swing_jerk: [rad/s^3] the same.
    sides: in frames in which one human hand is clearly higher, whether the robot's same is.
    """

    limbs: dict[str, Array]
    limit_excess: float
    height: Array
    slide: Array
    change_speed: Array
    swing_speed: Array
    change_jerk: Array
    swing_jerk: Array
    sides: NDArray[np.bool_]


def quality(robot: Robot, joints: NDArray, motion: RobotMotion) -> Quality:
    """Measure ``motion``, which follows the human's joints (T, 22, 3) [m], Y up, at its fps."""
    human = followed(robot, joints, motion.fps)
    base = np.asarray(Rotation.from_quat(motion.base_rot).as_matrix())
    poses = robot.kinematics.forward(motion.positions, base, motion.base_pos)
    lower, upper = robot.position_limits.T
    excess = np.maximum(lower - motion.positions, motion.positions - upper).max()
    feet = _Feet(robot, human, motion, poses)
    return Quality(
        limbs=limb_errors(robot, human, poses),
        limit_excess=max(0.0, float(excess)),
        height=feet.height,
        slide=feet.slide,
        change_speed=feet.change_speed,
        swing_speed=feet.swing_speed,
        change_jerk=feet.change_jerk,
        swing_jerk=feet.swing_jerk,
        sides=_sides(robot, human, poses),
    )


def limb_errors(robot: Robot, human: Human, poses: Poses) -> dict[str, Array]:
    """Return the angles [deg] between the robot's links and the human's bones, by limb."""
    errors = {}
    for limb, joint in LIMBS.items():
        names = [f'{side}_{joint}' for side in SIDES if f'{side}_{joint}' in robot.config.follows]
        turned = [_angle(_pointing(robot, poses, name), human.bone(name)) for name in names]
        if turned:
            errors[limb] = np.concatenate(turned)
    for part, name in (('chest', 'spine3'), ('head', 'head')):
        if name not in robot.config.follows:
            continue
        link = robot.config.follows[name]
        up = poses.rotations[link] @ robot.stand_rotations[link].T[:, 2]
        wanted = human.turned('neck' if name == 'head' else name)[:, :, 2]
        errors[part] = _angle(up, wanted)
    return errors


def _pointing(robot: Robot, poses: Poses, name: str) -> Array:
    assert name in ENDS
    link = robot.config.follows[name]
    return poses.rotations[link] @ (robot.stand_rotations[link].T @ stand_bone(name))


def _angle(a: Array, b: Array) -> Array:
    across = np.linalg.norm(np.cross(a, b), axis=-1)
    return np.degrees(np.arctan2(across, np.sum(a * b, axis=-1)))


class _Feet:
    """Heights, slide and speeds of the feet, each leg's own; empty of a robot without legs."""

    def __init__(self, robot: Robot, human: Human, motion: RobotMotion, poses: Poses) -> None:
        self._heights: list[Array] = []
        self._slides: list[Array] = []
        self._near: list[Array] = []
        self._swing: list[Array] = []
        if robot.walks and len(motion.positions) > _FEWEST:
            for foot in foot_ways(robot, human):
                self._stance(robot, foot, poses, motion.fps)
                self._change(robot, foot, motion)
        self.height, self.slide = _joined(self._heights), _joined(self._slides)
        near, swing = _joined(self._near, 2), _joined(self._swing, 2)
        self.change_speed, self.change_jerk = near.T
        self.swing_speed, self.swing_jerk = swing.T

    def _stance(self, robot: Robot, foot: Foot, poses: Poses, fps: float) -> None:
        points = robot.sole_points(foot.side) @ np.swapaxes(poses.rotations[foot.link], 1, 2)
        corners = poses.places[foot.link][:, None] + points
        step = np.diff(corners.mean(axis=1)[:, :2], axis=0)
        stands = foot.flat[1:] & foot.flat[:-1]
        self._heights.append(np.abs(corners[..., 2]).max(axis=1)[1:][stands])
        self._slides.append(np.linalg.norm(step, axis=1)[stands] * fps)

    def _change(self, robot: Robot, foot: Foot, motion: RobotMotion) -> None:
        """Take a leg's fastest joint where its foot comes down or leaves, and in its swing."""
        leg = motion.positions[:, robot.kinematics.chain(foot.link)]
        speed = np.abs(np.gradient(leg, axis=0)).max(axis=1) * motion.fps
        jerk = np.zeros(len(leg))
        jerk[2:-1] = np.abs(np.diff(leg, 3, axis=0)).max(axis=1) * motion.fps**3
        near = np.zeros(len(leg), dtype=bool)
        for frame in np.flatnonzero(np.diff(foot.planted.astype(int))):
            near[max(0, frame - _NEAR_CHANGE + 1) : frame + _NEAR_CHANGE + 1] = True
        swing = ~foot.planted & ~near
        rates = np.stack([speed, jerk], axis=1)
        self._near.append(rates[near])
        self._swing.append(rates[swing])


def _joined(parts: list[Array], width: int = 0) -> Array:
    return np.concatenate(parts) if parts else np.zeros((0, width) if width else 0)


def _sides(robot: Robot, human: Human, poses: Poses) -> NDArray[np.bool_]:
    wrists = [robot.config.follows.get(f'{side}_wrist') for side in SIDES]
    if None in wrists:
        return np.zeros(0, dtype=bool)
    ours = np.subtract(*(poses.places[str(link)][:, 2] for link in wrists))
    theirs = np.subtract(*(human.joint(f'{side}_wrist')[:, 2] for side in SIDES))
    clear = np.abs(theirs) > _APART
    return np.sign(ours[clear]) == np.sign(theirs[clear])


def sentences(found: Quality) -> list[str]:
    """Say what was measured, a line for each topic."""
    limbs = ', '.join(
        f'{name} {np.mean(angles):.1f} ({np.percentile(angles, 95):.1f})'
        for name, angles in found.limbs.items()
    )
    lines = [f'degrees off the human, mean (and 95th percentile): {limbs}']
    lines.append(
        'no position limit is broken'
        if not found.limit_excess
        else f'position limits are broken by up to {found.limit_excess:.3f} rad'
    )
    if len(found.height):
        lines.append(
            f'standing soles within {1000 * np.percentile(found.height, 95):.1f} mm of the floor '
            f'in 95 % of the frames, sliding {100 * found.slide.mean():.1f} cm/s in the mean'
        )
    return lines
