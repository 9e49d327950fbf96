# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A made-up robot for tests that need none of the models, and real ones where they are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import yaml

from mgpt3_ros.model.errors import RobotError
from mgpt3_ros.robots import Robot

# Every joint: name, parent, origin [m], axis, limits [rad]. x forward, y left, z up; all zero is
# upright with the arms hanging.
_SIDE = (
    ('hip_yaw', 'pelvis', (0, 0.09, 0), 'z', (-1.0, 1.0)),
    ('hip_roll', 'hip_yaw', (0, 0, 0), 'x', (-0.9, 0.9)),
    ('hip_pitch', 'hip_roll', (0, 0, 0), 'y', (-2.2, 1.2)),
    ('knee', 'hip_pitch', (0, 0, -0.36), 'y', (0.0, 2.5)),
    ('ankle_pitch', 'knee', (0, 0, -0.38), 'y', (-1.2, 1.0)),
    ('ankle_roll', 'ankle_pitch', (0, 0, 0), 'x', (-0.6, 0.6)),
    ('shoulder_pitch', 'chest', (0, 0.17, 0.3), 'y', (-3.1, 2.0)),
    ('shoulder_roll', 'shoulder_pitch', (0, 0, 0), 'x', (-0.5, 3.1)),
    ('shoulder_yaw', 'shoulder_roll', (0, 0, 0), 'z', (-2.5, 2.5)),
    ('elbow', 'shoulder_yaw', (0, 0, -0.25), 'y', (-2.6, 0.0)),
    ('hand_yaw', 'elbow', (0, 0, -0.24), 'z', (-2.0, 2.0)),
)
_TRUNK = (
    ('waist_yaw', 'pelvis', (0, 0, 0.05), 'z', (-1.5, 1.5)),
    ('waist_roll', 'waist_yaw', (0, 0, 0.05), 'x', (-0.6, 0.6)),
    ('chest', 'waist_roll', (0, 0, 0.05), 'y', (-0.5, 1.4)),
    ('head', 'chest', (0, 0, 0.42), 'y', (-0.7, 0.7)),
)
_AXES = {'x': '1 0 0', 'y': '0 1 0', 'z': '0 0 1'}
MINE = {
    'urdf': 'tin.urdf',
    'description': 'a tin man',
    'follows': {
        'spine3': 'chest',
        'head': 'head',
        **{
            f'{side}_{human}': f'{side}_{link}'
            for side in ('left', 'right')
            for human, link in (
                *(('hip', 'hip_pitch'), ('knee', 'knee'), ('ankle', 'ankle_roll')),
                *(('shoulder', 'shoulder_yaw'), ('elbow', 'elbow'), ('wrist', 'hand_yaw')),
            )
        },
    },
    'soles': {
        side: {'link': f'{side}_ankle_roll', 'box': [-0.06, 0.14, -0.04, 0.04, -0.06]}
        for side in ('left', 'right')
    },
    'controllers': {
        'arms': ['*_shoulder_*', '*_elbow_joint', '*_hand_*'],
        'rest': ['*_hip_*', '*_knee_joint', '*_ankle_*', 'waist_*', 'chest_joint', 'head_joint'],
    },
}


def tin_man_urdf(extra: str = '', velocity: float = 25.0) -> str:
    """The URDF of the made-up robot; ``extra`` is put in before its end."""
    links, joints = ['pelvis'], []
    rows = [
        *_TRUNK,
        *(
            (
                f'{side}_{name}',
                parent if parent in ('pelvis', 'chest') else f'{side}_{parent}',
                (x, sign * y, z),
                axis,
                limits if axis == 'y' or side == 'left' else (-limits[1], -limits[0]),
            )
            for side, sign in (('left', 1), ('right', -1))
            for name, parent, (x, y, z), axis, limits in _SIDE
        ),
    ]
    for name, parent, (x, y, z), axis, (lower, upper) in rows:
        links.append(name)
        joints.append(
            f'<joint name="{name}_joint" type="revolute"><parent link="{parent}"/>'
            f'<child link="{name}"/><origin xyz="{x} {y} {z}"/><axis xyz="{_AXES[axis]}"/>'
            f'<limit lower="{lower}" upper="{upper}" velocity="{velocity}" effort="60"/></joint>'
        )
    inertial = (
        '<inertial><mass value="1.5"/><inertia ixx="0.01" iyy="0.01" izz="0.01" ixy="0" ixz="0" '
        'iyz="0"/></inertial>'
    )
    ball = '<geometry><sphere radius="0.03"/></geometry>'
    shape = f'<collision><origin xyz="0 0 -0.1"/>{ball}</collision>'
    drawn = ''.join(f'<link name="{link}">{inertial}{shape}</link>' for link in links)
    return f'<robot name="tin">{drawn}{"".join(joints)}{extra}</robot>'


def write_tin_man(folder: Path, config: dict[str, object] | None = None, **urdf: object) -> Path:
    """Write the robot's URDF and YAML; return the YAML. ``config`` goes over ``MINE``."""
    (folder / 'tin.urdf').write_text(tin_man_urdf(**urdf), encoding='utf-8')  # type: ignore[arg-type]
    path = folder / 'tin.yaml'
    path.write_text(yaml.safe_dump(MINE | (config or {})), encoding='utf-8')
    return path


def tin_man(folder: Path, config: dict[str, object] | None = None, **urdf: object) -> Robot:
    """The same, read."""
    return Robot.from_name_or_file(write_tin_man(folder, config, **urdf))


def known(name: str) -> Robot:
    """A robot that comes with the package; skips where its model is not installed."""
    try:
        return Robot.from_name_or_file(name)
    except RobotError as error:
        pytest.skip(f'{error} (requirements/robots.txt)')


def walking(frames: int = 60) -> np.ndarray:
    """A made-up person (T, 22, 3) [m] who walks on the spot's way forward, arms swinging."""
    from scipy.spatial.transform import Rotation

    from mgpt3_ros.model.kinematics.human import BODY_TO_MODEL, JOINT_INDEX, ZERO_OFFSETS
    from mgpt3_ros.model.kinematics.joint_angles import positions
    from mgpt3_ros.model.kinematics.skeleton import PARENTS
    from mgpt3_ros.robots.human import FLAT_FOOT

    phase = 2 * np.pi * np.arange(frames) / 24
    local = np.tile(np.eye(3), (frames, 22, 1, 1))

    def bend(name: str, axis: str, angle: np.ndarray) -> None:
        local[:, JOINT_INDEX[name]] = Rotation.from_euler(axis, angle[:, None]).as_matrix()

    for side, sign in (('left', 1.0), ('right', -1.0)):
        swing = sign * np.sin(phase)
        lifted = np.maximum(sign * np.cos(phase), 0.0)
        bend(f'{side}_hip', 'y', -0.35 * swing - 0.35 * lifted)
        bend(f'{side}_knee', 'y', 0.08 + 0.8 * lifted)
        bend(f'{side}_ankle', 'y', FLAT_FOOT + 0.35 * swing - 0.45 * lifted - 0.08)
        bend(f'{side}_shoulder', 'y', 0.4 * swing)
        bend(f'{side}_elbow', 'y', -0.4 + 0.2 * swing)
    world = np.empty_like(local)
    world[:, 0] = local[:, 0]
    for joint, parent in enumerate(PARENTS[1:], start=1):
        world[:, joint] = world[:, parent] @ local[:, joint]
    root = np.zeros((frames, 3))
    joints = positions(world, root, ZERO_OFFSETS)
    feet = [JOINT_INDEX['left_foot'], JOINT_INDEX['right_foot']]
    lower = joints[:, feet, 2].argmin(axis=1)
    # The lower foot stands: the body moves over it, and it is on the floor.
    stands = joints[np.arange(frames), np.array(feet)[lower]]
    step = np.where(
        (lower[1:] == lower[:-1])[:, None],
        stands[:-1] - stands[1:],
        joints[np.arange(1, frames) - 1, np.array(feet)[lower[1:]]]
        - joints[np.arange(1, frames), np.array(feet)[lower[1:]]],
    )
    way = np.concatenate([np.zeros((1, 3)), np.cumsum(step, axis=0)]) * [1, 1, 0]
    way[:, 2] = -stands[:, 2]
    return (joints + way[:, None])[..., BODY_TO_MODEL]
