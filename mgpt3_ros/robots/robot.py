# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A robot: its joints with their limits, and how it stands beside the human that it follows."""

from __future__ import annotations

from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mgpt3_ros.model.errors import RobotError
from mgpt3_ros.robots.config import SIDES, RobotConfig, load_robot_config
from mgpt3_ros.robots.kinematics import Kinematics, Poses
from mgpt3_ros.robots.packages import config_file, resolve
from mgpt3_ros.robots.urdf import Joint, Urdf, read_urdf, rotation_of

Array = NDArray[np.float64]

FASTEST = 100.0  # [rad/s]: no robot's joint is faster, a URDF that says so knows nothing
_SLACK = 1e-3  # weight of a link's origin against the axes of its joints
_ALL = 'joint_trajectory_controller'  # the one controller where none is named


class Robot:
    """A robot as its YAML and URDF tell it.

    Attributes:
        name: of its YAML.
        config: the YAML.
        urdf: the tree below its base link.
        kinematics: forward kinematics of the n joints that are commanded.
        joint_names: (n,) of them, parents before children.
        position_limits: (n, 2) [rad], a margin inside the URDF's; infinite of continuous joints.
        velocity_limits: (n,) [rad/s].
        effort_limits: (n,) [N m]; infinite where the URDF has none.
        stand: (n,) [rad], the pose of the human's zero, within the limits.
        controllers: joint names by the controller that moves them; every joint is in one.
        base_link: the link whose pose is the robot's.
        base_height: [m] of its frame above the floor when the robot stands.
        facing: (3, 3) rotation of the base link when the robot stands and looks along X.
    """

    def __init__(self, config: RobotConfig, name: str = 'robot', folder: Path = Path()) -> None:
        """Read the URDF that ``config`` names; relative paths start at ``folder``.

        Raises:
            RobotError: the URDF is missing or unusable, the YAML names joints or links that it
                does not have, or a joint has no usable limits.
        """
        self.name = name
        path = resolve(config.urdf, folder, config.models)
        self.urdf: Urdf = read_urdf(path, config.base_link)
        self.config = replace(config, hold=self._by_joint(config.hold, 'hold'))
        self.kinematics = Kinematics(self.urdf, self.config.hold)
        self.base_link = self.urdf.base_link
        self.joint_names = self.kinematics.joint_names
        if not self.joint_names:
            raise RobotError(f'{path.name}: no joint is left to move below {self.base_link!r}')
        self._check_links()
        self._joints = {joint.name: joint for joint in self.urdf.joints}
        self._read_limits()
        x, y = config.faces[:2]
        self.facing = rotation_of(0.0, 0.0, -float(np.arctan2(y, x)))
        upright = self._upright()
        poses = self.kinematics.forward(upright[None], self.facing[None])
        # How the links stand beside the human's at zero, where limits do not count.
        self.stand_rotations = {link: rot[0] for link, rot in poses.rotations.items()}
        self.stand_places = {link: place[0] for link, place in poses.places.items()}
        self._hips = {
            side: self._hip(config.follows[f'{side}_hip'], poses)
            for side in SIDES
            if f'{side}_hip' in config.follows
        }
        self.stand = np.clip(upright, *self.position_limits.T)
        soles = [self.sole_corners(side) for side in SIDES if side in config.soles]
        floor = min((corners[:, 2].min() for corners in soles), default=None)
        self.base_height = -float(
            min(place[2] for place in self.stand_places.values()) if floor is None else floor
        )
        self.controllers = self._controllers()

    @classmethod
    def from_name_or_file(cls, name_or_path: str | Path) -> Robot:
        """Return the robot of that name in config/robots, or of a YAML's path.

        Raises:
            RobotError, ConfigError: see :class:`Robot` and ``load_robot_config``.
        """
        path = config_file(name_or_path)
        try:
            return cls(load_robot_config(path), path.stem, path.parent)
        except RobotError as error:
            raise RobotError(f'{path.name}: {error}') from error

    @property
    def has_legs(self) -> bool:
        """Whether both of the human's legs are followed, on soles."""
        needed = {f'{side}_{limb}' for side in SIDES for limb in ('hip', 'knee', 'ankle')}
        return needed <= set(self.config.follows) and set(self.config.soles) == set(SIDES)

    @property
    def walks(self) -> bool:
        """Whether its feet are placed on the floor: it has legs, and a base that moves."""
        return self.has_legs and not self.config.fixed_base

    def joint(self, name: str) -> Joint:
        """Return what the URDF says of a joint."""
        return self._joints[name]

    def hip(self, side: str) -> Array:
        """Return where a thigh turns (3,) [m] from the base, as the robot stands facing X.

        The point nearest to the axes of the hip's joints: its links begin elsewhere. With o_k on
        axis a_k it minimises sum |(1 - a_k a_k^T) (p - o_k)|^2.
        """
        return self._hips[side]

    def sole_points(self, side: str) -> Array:
        """Return the corners (4, 3) [m] of a sole in the frame of its link."""
        sole = self.config.soles[side]
        x0, x1, y0, y1, z = sole.box
        corners = np.array([(x, y, z) for x in (x0, x1) for y in (y0, y1)])
        return corners @ self.stand_rotations[sole.link]  # the box is in the body's axes

    def sole_corners(self, side: str) -> Array:
        """Return the same (4, 3) [m] from the base's origin, as the robot stands facing X."""
        link = self.config.soles[side].link
        points = self.sole_points(side)
        return self.stand_places[link] + points @ self.stand_rotations[link].T

    def _by_joint(self, values: dict[str, float], what: str) -> dict[str, float]:
        """Spell patterns of joint names out."""
        names = [joint.name for joint in self.urdf.joints if joint.type != 'fixed']
        spelt: dict[str, float] = {}
        for pattern, value in values.items():
            found = [name for name in names if fnmatchcase(name, pattern)]
            if not found:
                raise RobotError(f'{what}: there is no joint {pattern!r} in {self.urdf.path.name}')
            spelt |= dict.fromkeys(found, value)
        return spelt

    def _check_links(self) -> None:
        known = set(self.kinematics.links)
        for human, link in self.config.follows.items():
            if link not in known:
                raise RobotError(f'follows.{human}: there is no link {link!r}')
        for side, sole in self.config.soles.items():
            if sole.link not in known:
                raise RobotError(f'soles.{side}: there is no link {sole.link!r}')

    def _read_limits(self) -> None:
        limits = self.config.limits
        position = {
            name: pair
            for pattern, pair in limits.position.items()
            for name in self._by_joint({pattern: 0.0}, 'limits.position')
        }
        velocity = self._by_joint(limits.velocity, 'limits.velocity')
        effort = self._by_joint(limits.effort, 'limits.effort')
        bounds, speeds, efforts = [], [], []
        for name in self.joint_names:
            joint = self._joints[name]
            bounds.append(self._bounds(joint, position.get(name)))
            speeds.append(self._speed(joint, velocity.get(name)))
            torque = effort.get(name, joint.effort or 0.0)
            efforts.append(torque if torque > 0 else np.inf)
        self.position_limits = np.array(bounds)
        self.velocity_limits = np.array(speeds)
        self.effort_limits = np.array(efforts)

    def _bounds(self, joint: Joint, given: tuple[float, ...] | None) -> tuple[float, float]:
        if joint.type == 'continuous' and given is None:
            return -np.inf, np.inf
        lower, upper = given or joint.limits or (0.0, 0.0)
        if lower >= upper:
            raise RobotError(
                f'{joint.name}: its limits are [{lower:g}, {upper:g}] rad in the URDF: state '
                f'limits: position: {{{joint.name}: [lower, upper]}}, or hold it'
            )
        margin = min(self.config.limits.margin, 0.25 * (upper - lower))
        return lower + margin, upper - margin

    def _speed(self, joint: Joint, given: float | None) -> float:
        speed = joint.velocity if given is None else given
        if speed is None or not 0 < speed <= FASTEST:
            said = 'none' if speed is None else f'{speed:g} rad/s'
            raise RobotError(
                f'{joint.name}: its velocity limit is {said} in the URDF, which no motor has: '
                f'state limits: velocity: {{{joint.name}: rad/s}}'
            )
        return float(speed)

    def _hip(self, link: str, poses: Poses) -> Array:
        start = poses.places[link][0]
        matrix, right = _SLACK * np.eye(3), _SLACK * start  # fewer than two axes leave a choice
        for column in self.kinematics.chain(link):
            axis, point = poses.axes[0, column], poses.pivots[0, column]
            across = np.eye(3) - np.outer(axis, axis)
            matrix, right = matrix + across, right + across @ point
        return np.asarray(np.linalg.solve(matrix, right))

    def _upright(self) -> Array:
        """Return the stand pose (n,) [rad] as the YAML has it."""
        upright = np.zeros(len(self.joint_names))
        for name, value in self._by_joint(self.config.stand, 'stand').items():
            if name in self.config.hold:
                continue
            if name not in self.joint_names:
                raise RobotError(f'stand: {name!r} is no joint that can be commanded')
            upright[self.joint_names.index(name)] = value
        return upright

    def _controllers(self) -> dict[str, list[str]]:
        """Return the joints by controller, patterns spelt out."""
        if not self.config.controllers:
            return {_ALL: list(self.joint_names)}
        controllers = {}
        for controller, patterns in self.config.controllers.items():
            names = [
                name
                for pattern in patterns
                for name in self._by_joint({pattern: 0.0}, f'controllers.{controller}')
            ]
            controllers[controller] = [name for name in self.joint_names if name in names]
            missing = sorted(set(names) - set(self.joint_names))
            if missing:
                raise RobotError(
                    f'controllers.{controller}: {missing[0]!r} is held or follows another joint: '
                    'a controller that needs it cannot be served; take it out of `hold`'
                )
        count = dict.fromkeys(self.joint_names, 0)
        for names in controllers.values():
            for name in names:
                count[name] += 1
        for name, times in count.items():
            if times != 1:
                said = 'no controller' if not times else f'{times} controllers'
                raise RobotError(f'controllers: {name!r} is in {said}; each joint needs one')
        return controllers
