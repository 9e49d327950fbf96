# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""From the human's 22 joints to a robot's joints and base."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from mgpt3_ros.robots.feet import Foot, base_places, foot_ways, lowered, within_reach
from mgpt3_ros.robots.human import ENDS, Human, stand_bone
from mgpt3_ros.robots.robot import Robot
from mgpt3_ros.robots.solver import Bounds, Direction, Effort, Orientation, Place, Task, solve

Array = NDArray[np.float64]

# Weights [1] of directions and rotations. Positions tell no twist: it is followed weakly.
_BONE = {'hip': 1.0, 'knee': 1.0, 'ankle': 0.7, 'shoulder': 1.0, 'elbow': 1.0}
_TURN = {'hip': 0.05, 'shoulder': 0.05, 'ankle': 0.1, 'wrist': 0.05, 'spine3': 1.0, 'head': 0.5}
_PLACED_BONE = 0.3  # of a leg's directions once its foot is placed
_PLACE = 300.0  # [1/m^2] of a sole: 1 cm costs as much as 10 degrees of a bone
_BASE = 20.0  # [1/m^2] of the base, which gives way where a leg cannot
_SOLE = 5.0  # of its rotation

# Haste costs half a degree in the mean at most, and spares Talos and GR1 most of their slowing
# down (`python -m benchmarks.robots`); legs have less of it, since soles leave the floor by more.
_LIMBS = Effort(iterations=12, stiffness=0.12, rest=0.005, haste=20.0)
_LEGS = Effort(iterations=10, stiffness=0.01, rest=0.002, haste=4.0)
_AGAIN = replace(_LEGS, iterations=6)  # from where the legs are already


@dataclass(frozen=True)
class RobotMotion:
    """A robot's motion at a constant rate, in ROS's frames (X forward, Y left, Z up, floor at 0).

    joint_names (n,), positions (T, n) [rad]. base_pos (T, 3) [m] and base_rot (T, 4), quaternion
    x, y, z, w, of the robot's base link in the world. fps frames per second.
    """

    joint_names: tuple[str, ...]
    positions: Array
    base_pos: Array
    base_rot: Array
    fps: float

    @property
    def duration_s(self) -> float:
        """Time from the first to the last frame [s]."""
        return (len(self.positions) - 1) / self.fps


def retarget(
    robot: Robot, joints: NDArray, fps: float, done: RobotMotion | None = None
) -> RobotMotion:
    """Let a robot do what a human does.

    Positions never leave ``robot.position_limits``. Speeds may exceed ``robot.velocity_limits``:
    ``slowdown`` says by how much a motion must be slowed down as a whole.

    Args:
        robot: who does it.
        joints: (T, 22, 3) [m] of the human, in the model's frame, Y up, T >= 2.
        fps: frames per second.
        done: what the robot did in the first of these frames (at the same rate, fewer than T):
            those stay, and the others go on from there.

    Raises:
        MotionError: for a wrong shape, NaN or infinity.
    """
    human = followed(robot, joints, fps)
    base_rot = human.rotation('pelvis') @ robot.facing
    if robot.config.fixed_base:
        base_rot = np.repeat(robot.facing[None], len(joints), axis=0)
    tasks = limb_tasks(robot, human)
    start = np.repeat(robot.stand[None], len(joints), axis=0)
    behind, count = None, 0
    if done is not None:
        count = len(done.positions)
        start[:count], start[count:] = done.positions, done.positions[-1]
        base_rot[:count] = Rotation.from_quat(done.base_rot).as_matrix()
        behind = robot.kinematics.forward(done.positions, base_rot[:count], done.base_pos)
    base = base_places(robot, human)
    if robot.config.fixed_base:
        base[:] = 0.0, 0.0, robot.base_height
    if done is not None:
        base[:count] = done.base_pos
    bounds, kinematics = Bounds(robot.position_limits, robot.velocity_limits), robot.kinematics
    positions, base = solve(
        kinematics, tasks, start, robot.stand, bounds, base_rot, base, _LIMBS, human.fps, count
    )
    if robot.walks:
        feet = foot_ways(robot, human, behind)
        base[count:] = lowered(robot, human, base, feet)[count:]
        positions, base = _stood(robot, human, feet, (positions, base, base_rot), count)
    return RobotMotion(
        robot.joint_names,
        positions,
        base,
        continuous(Rotation.from_matrix(base_rot).as_quat()),
        float(fps),
    )


def _stood(
    robot: Robot, human: Human, feet: list[Foot], state: tuple[Array, Array, Array], count: int
) -> tuple[Array, Array]:
    """Bend the legs so that the soles keep their ways; the first ``count`` frames stay.

    Of the state (joints, places and rotations of the base) return joints and places. A stance that
    is out of a leg's reach moves to where it is not, and the legs are bent once more.
    """
    positions, base, base_rot = state
    kinematics, near = robot.kinematics, base
    bounds = Bounds(robot.position_limits, robot.velocity_limits)

    def bent(ways: list[Foot], effort: Effort) -> tuple[Array, Array]:
        tasks = leg_tasks(robot, human, ways, near)
        at = (positions, robot.stand, bounds, base_rot, base)
        return solve(kinematics, tasks, *at, effort, human.fps, count)

    positions, base = bent(feet, _LEGS)
    links = kinematics.needed(foot.link for foot in feet)
    poses = kinematics.forward(positions, base_rot, base, links)
    reached = within_reach(feet, poses, human.fps, count)
    if all(one is other for one, other in zip(feet, reached, strict=True)):
        return positions, base
    return bent(reached, _AGAIN)


def followed(robot: Robot, joints: NDArray, fps: float) -> Human:
    """Return the human that a robot follows: in its place, where the base is fixed.

    Raises:
        MotionError: for a wrong shape, NaN or infinity.
    """
    human = Human.of(joints, fps)
    return human.in_place() if robot.config.fixed_base else human


def limb_tasks(robot: Robot, human: Human) -> list[Task]:
    """Return what the links of a robot shall do to follow the human's, feet in the air."""
    tasks: list[Task] = []
    for name, link in robot.config.follows.items():
        columns, stand = robot.kinematics.chain(link), robot.stand_rotations[link]
        kind = name.rpartition('_')[2]
        if name in ENDS:
            local = stand.T @ stand_bone(name)
            tasks.append(Direction(link, columns, local, human.bone(name), _BONE[kind]))
        if kind in _TURN:
            turned = human.turned('neck' if name == 'head' else name)
            tasks.append(Orientation(link, columns, turned @ stand, _TURN[kind]))
    return tasks


def leg_tasks(robot: Robot, human: Human, feet: list[Foot], base: Array) -> list[Task]:
    """Return what the links of the legs shall do, soles on their ways, the base (T, 3) near it."""
    kinematics = robot.kinematics
    gives = len(robot.joint_names) + np.arange(3)
    tasks: list[Task] = [Place(robot.base_link, gives, np.zeros(3), base, _BASE)]
    for foot in feet:
        for limb in ('hip', 'knee'):
            name = f'{foot.side}_{limb}'
            link = robot.config.follows[name]
            columns = kinematics.chain(link)
            local = robot.stand_rotations[link].T @ stand_bone(name)
            tasks.append(Direction(link, columns, local, human.bone(name), _PLACED_BONE))
        columns = kinematics.chain(foot.link)
        moved = np.concatenate([columns, gives])
        tasks.append(Place(foot.link, moved, foot.local, foot.places, _PLACE))
        tasks.append(Orientation(foot.link, columns, foot.rotations, _SOLE))
    return tasks


def continuous(quaternions: NDArray) -> Array:
    """Choose the signs of quaternions (T, 4) so that neighbours lie on the same side."""
    flips = np.where(np.sum(quaternions[1:] * quaternions[:-1], axis=1) < 0, -1.0, 1.0)
    return quaternions * np.concatenate([[1.0], np.cumprod(flips)])[:, None]
