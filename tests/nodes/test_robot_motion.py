# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What of a motion a robot can do, and what is said of the rest."""

from __future__ import annotations

import numpy as np
import pytest

from mgpt3_ros.body.from_motion import clip_of
from mgpt3_ros.model.motion import Motion
from mgpt3_ros.nodes.robot_motion import RobotMotions, lacking
from mgpt3_ros.robots import RobotProfile
from tests.support.robots import MINE, tin_man, walking

ARMS = {
    'follows': {k: v for k, v in MINE['follows'].items() if 'left_elbow' in k or 'shoulder' in k},
    'soles': {},
}


@pytest.fixture
def walk() -> Motion:
    return Motion(walking(60).astype(np.float32), 20)


def test_a_walk_needs_legs_and_a_base_that_goes(walk, tmp_path):
    notes = lacking(tin_man(tmp_path, ARMS), walk)
    away = np.linalg.norm((walk.joints[:, 0] - walk.joints[0, 0])[:, [0, 2]], axis=1).max()
    assert any(f'it goes {away:.1f} m' in note for note in notes)
    assert all('tin has no legs that follow' in note for note in notes)


def test_who_stands_needs_none(walk, tmp_path):
    standing = Motion(np.repeat(walk.joints[:1], 40, axis=0), 20)
    assert lacking(tin_man(tmp_path, ARMS), standing) == ()


def test_a_turn_on_the_spot_is_said_in_degrees(walk, tmp_path):
    angle = np.linspace(0.0, np.pi / 2, 40)
    cosine, sine = np.cos(angle)[:, None], np.sin(angle)[:, None]
    pose = walk.joints[0] - walk.joints[0, 0] * [1, 0, 1]
    x, y, z = (np.repeat(pose[None, :, axis], 40, axis=0) for axis in range(3))
    turned = np.stack([cosine * x + sine * z, y, cosine * z - sine * x], axis=-1)
    (note,) = lacking(tin_man(tmp_path, ARMS), Motion(turned.astype(np.float32), 20))
    assert 'it turns 90 degrees' in note


def test_a_robot_with_legs_lacks_nothing(walk, tmp_path):
    assert lacking(tin_man(tmp_path), walk) == ()


def test_arms_that_collide_are_refused_or_swing_less(walk, tmp_path):
    pytest.importorskip('mujoco', reason='MuJoCo is not installed: pip install "mgpt3_ros[sim]"')
    from mgpt3_ros.model.errors import RobotError

    robot = tin_man(tmp_path)
    profile, motions = RobotProfile(robot), RobotMotions(robot)
    clip = clip_of(walk, profile)
    kept, notes = motions.fit(walk, clip, 'refuse')
    assert notes == ()
    assert np.array_equal(kept.positions, clip.positions)
    crossed = clip.positions.copy()
    for side, sign in (('left', 1.0), ('right', -1.0)):  # both hands to the same place in front
        for joint, angle in (('shoulder_pitch', -0.7), ('shoulder_yaw', -0.6 * sign)):
            crossed[20:40, profile.names.index(f'{side}_{joint}_joint')] = angle
        crossed[20:40, profile.names.index(f'{side}_elbow_joint')] = -1.2
    together = type(clip)(clip.names, crossed, clip.base_pos, clip.base_rot, clip.fps)
    with pytest.raises(RobotError, match='collide'):
        motions.fit(walk, together, 'refuse')
    smaller, notes = motions.fit(walk, together, 'shrink')
    assert 'arms swing' in notes[0]
    assert np.abs(smaller.positions).max() < np.abs(crossed).max()
