# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""From a robot's joints back to the human's 22: link rotations by forward kinematics."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from mgpt3_ros.model.finishing.leg_pose import LEGS, pose_leg
from mgpt3_ros.model.kinematics.human import BODY_TO_MODEL, JOINT_INDEX, ZERO_OFFSETS
from mgpt3_ros.model.kinematics.joint_angles import positions as joints_of
from mgpt3_ros.robots.config import SIDES
from mgpt3_ros.robots.feet import scale_of
from mgpt3_ros.robots.human import collar_rotation, stand_place, stand_rotation
from mgpt3_ros.robots.kinematics import Poses
from mgpt3_ros.robots.robot import Robot

Array = NDArray[np.float64]


def to_human(robot: Robot, positions: Array, base_pos: Array, base_rot: Array) -> Array:
    """Return the human that does what the robot does.

    The human's links turn as the robot's that follow them; what the robot lacks (a neck, links of
    the spine) goes along with its neighbours. Bones have the human's lengths, and the pelvis
    the robot's way at the human's scale. The legs are bent so that the feet are where the
    robot's are at that scale: a foot that stands stays, though thigh and shank are of another
    proportion.

    Args:
        robot: whose joints they are.
        positions: (T, n) [rad] in the order of ``robot.joint_names``.
        base_pos: (T, 3) [m] of the base link in the world, Z up, floor at 0.
        base_rot: (T, 4) quaternion x, y, z, w of it.

    Returns:
        Joints (T, 22, 3) [m] in the model's frame, Y up.
    """
    follows = robot.config.follows
    base = np.asarray(Rotation.from_quat(base_rot).as_matrix())
    joints = robot.kinematics.needed(follows.values())
    poses = robot.kinematics.forward(np.asarray(positions, float), base, base_pos, joints)
    pelvis = base @ robot.facing.T
    world = np.empty((len(pelvis), len(JOINT_INDEX), 3, 3))

    def turned(name: str, otherwise: Array) -> Array:
        link = follows.get(name)
        if link is None:
            return otherwise
        own = stand_rotation('neck' if name == 'head' else name)
        return poses.rotations[link] @ robot.stand_rotations[link].T @ own

    def put(name: str, rotation: Array) -> Array:
        world[:, JOINT_INDEX[name]] = rotation
        return rotation

    put('pelvis', pelvis)
    chest = put('spine3', turned('spine3', pelvis))
    bend = Rotation.from_matrix(np.swapaxes(pelvis, 1, 2) @ chest).as_rotvec()
    for share, name in ((1 / 3, 'spine1'), (2 / 3, 'spine2')):
        put(name, pelvis @ Rotation.from_rotvec(share * bend).as_matrix())
    put('head', put('neck', turned('head', chest @ stand_rotation('neck'))))
    for side in SIDES:
        put(f'{side}_collar', chest @ collar_rotation(side))
        upper = put(f'{side}_shoulder', turned(f'{side}_shoulder', chest))
        put(f'{side}_wrist', put(f'{side}_elbow', turned(f'{side}_elbow', upper)))
        thigh = put(f'{side}_hip', turned(f'{side}_hip', pelvis))
        shank = put(f'{side}_knee', turned(f'{side}_knee', thigh))
        put(f'{side}_foot', put(f'{side}_ankle', turned(f'{side}_ankle', shank)))
    root = _pelvis_places(robot, np.asarray(base_pos, float), pelvis)
    seen = joints_of(world, root, ZERO_OFFSETS)
    human = seen[..., BODY_TO_MODEL]
    for side, leg in zip(SIDES, LEGS, strict=True) if robot.walks else ():
        foot = world[:, JOINT_INDEX[f'{side}_ankle']] @ stand_rotation(f'{side}_ankle').T
        hip = base_pos + pelvis @ robot.hip(side)
        ankle = seen[:, leg[0]] + _to_ankle(robot, side, poses, hip, foot)
        ball = ankle + world[:, JOINT_INDEX[f'{side}_ankle']] @ ZERO_OFFSETS[leg[3]]
        ends = ankle[:, BODY_TO_MODEL], ball[:, BODY_TO_MODEL]
        human[:, leg[1:]] = pose_leg(human[:, leg], *ends)
    return human


def _to_ankle(robot: Robot, side: str, poses: Poses, hip: Array, foot: Array) -> Array:
    """Return the way from hip (T, 3) to ankle (T, 3) [m] at the human's scale, of feet (T, 3, 3).

    The ankles of the two are not equally high over the sole, which is made up for along the foot.
    """
    scale = scale_of(robot)
    ankle = robot.config.follows[f'{side}_ankle']
    high = robot.stand_places[ankle][2] + robot.base_height
    own = stand_place(f'{side}_ankle')[2] - stand_place(f'{side}_foot')[2]
    way = (poses.places[ankle] - hip) / scale
    return np.asarray(way + (own - high / scale) * foot[:, :, 2])


def _pelvis_places(robot: Robot, base_pos: Array, pelvis: Array) -> Array:
    """Return the human's pelvis (T, 3) [m]: its hips above the robot's, at the human's scale."""
    if not robot.walks:
        stands = np.array([0.0, 0.0, -stand_place('left_foot')[2]])
        return (base_pos - [0.0, 0.0, robot.base_height]) / scale_of(robot) + stands
    hips = [robot.hip(side) for side in SIDES]
    own = 0.5 * (stand_place('left_hip') + stand_place('right_hip'))
    middle = base_pos + pelvis @ (0.5 * (hips[0] + hips[1]))
    return np.asarray(middle / scale_of(robot) - pelvis @ own)
