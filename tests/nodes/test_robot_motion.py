# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What of a motion a robot can do, and what is said of the rest."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from mgpt3_ros.body.from_motion import BodyClip, clip_of
from mgpt3_ros.model.errors import RobotError
from mgpt3_ros.model.motion import Motion
from mgpt3_ros.nodes.robot_motion import LiveRobotMotions, RobotMotions
from mgpt3_ros.robots import Robot, RobotMotion, RobotProfile, retarget, to_human
from mgpt3_ros.robots.lacking import lacking
from tests.support.robots import MINE, tin_man, walking

if TYPE_CHECKING:
    from mgpt3_ros.robots.physics_report import Collision

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


def test_a_fixed_base_stays_and_says_so(walk, tmp_path):
    """With legs or without: nothing moves the base, and the arms do as they would beside it."""
    for config in ({}, ARMS):
        robot = tin_man(tmp_path, config | {'fixed_base': True})
        (note,) = [note for note in lacking(robot, walk) if 'fixed base' in note]
        assert note.startswith('tin has a fixed base: it goes ')
        assert note.endswith('and the robot stays')
        moved = retarget(robot, walk.joints, 20)
        assert not np.ptp(moved.base_pos, axis=0).any()
        assert not np.ptp(moved.base_rot, axis=0).any()
        free = retarget(tin_man(tmp_path, config), walk.joints, 20)
        arms = [i for i, name in enumerate(robot.joint_names) if 'shoulder_pitch' in name]
        assert np.ptp(moved.positions[:, arms], axis=0).min() > 0.3
        assert np.abs(moved.positions - free.positions)[:, arms].mean() < 0.1
        seen = to_human(robot, moved.positions, moved.base_pos, moved.base_rot)
        assert np.abs(seen[:, 0] - [0, seen[0, 0, 1], 0]).max() < 1e-9
        assert 0.9 < seen[0, 0, 1] < 1.1  # the pelvis of one who stands


def crossed(clip: BodyClip, profile: RobotProfile) -> BodyClip:
    """The clip with both hands in the same place in front, for a second in its middle."""
    positions = clip.positions.copy()
    for side, sign in (('left', 1.0), ('right', -1.0)):
        for joint, angle in (
            *(('shoulder_pitch', -0.7), ('shoulder_yaw', -0.6 * sign)),
            ('elbow', -1.2),
        ):
            column = profile.names.index(f'{side}_{joint}_joint')
            share = np.interp(np.arange(len(positions)), [12, 22, 38, 48], [0, 1, 1, 0])
            positions[:, column] += share * (angle - positions[:, column])
    return replace(clip, positions=positions)


def test_arms_that_collide_are_refused_or_swing_less(walk, tmp_path):
    pytest.importorskip('mujoco', reason='MuJoCo is not installed: pip install "mgpt3_ros[sim]"')
    robot = tin_man(tmp_path)
    profile, motions = RobotProfile(robot), RobotMotions(robot)
    clip = clip_of(walk, profile)
    kept, notes = motions.fit(walk, clip, 'refuse')
    assert notes == ()
    assert np.array_equal(kept.positions, clip.positions)
    together = crossed(clip, profile)
    with pytest.raises(RobotError, match='collide'):
        motions.fit(walk, together, 'refuse')
    smaller, notes = motions.fit(walk, together, 'shrink')
    assert 'arms swing' in notes[0]
    assert np.abs(smaller.positions).max() < np.abs(together.positions).max()


def in_pieces(
    robot: Robot, walk: Motion, clip: BodyClip, avoid: str
) -> tuple[BodyClip, list[str]]:
    """The clip as it is fitted half a second at a time, and what is said."""
    live, size, said = LiveRobotMotions(robot), 10, []
    done = clip.positions[:size]
    for start in range(size, len(clip.positions), size):
        rows = slice(start - size, start + size)
        behind = live.followed(start - 1, done[-size:])
        np.testing.assert_allclose(behind, clip.positions[start - size : start], atol=1e-12)
        base = {name: getattr(clip, name)[rows] for name in ('base_pos', 'base_rot')}
        piece = replace(clip, positions=clip.positions[rows], **base)
        fitted, notes = live.fit(walk, piece, avoid, start - 1, done[-size:])
        np.testing.assert_array_equal(fitted.positions[:size], done[-size:])
        done = np.concatenate([done, fitted.positions[size:]])
        said += notes
    return replace(clip, positions=done), said


def test_pieces_of_a_stream_keep_the_arms_clear_too(walk, tmp_path):
    pytest.importorskip('mujoco', reason='MuJoCo is not installed: pip install "mgpt3_ros[sim]"')
    from mgpt3_ros.robots.physics import Physics

    robot = tin_man(tmp_path)
    profile, physics = RobotProfile(robot), Physics(robot)
    clip = clip_of(walk, profile)
    together = crossed(clip, profile)

    def collisions(one: BodyClip) -> tuple[Collision, ...]:
        return physics.collisions(
            RobotMotion(one.names, one.positions, one.base_pos, one.base_rot, one.fps)
        )

    assert collisions(together)
    with pytest.raises(RobotError, match=r'refused: .* collide'):
        in_pieces(robot, walk, together, 'refuse')
    apart, said = in_pieces(robot, walk, together, 'shrink')
    assert 'arms swing' in said[0]
    assert not collisions(apart)
    steps = [np.abs(np.diff(one.positions, axis=0)).max() for one in (apart, together)]
    assert steps[0] < 2 * steps[1]  # smaller swings go over into larger ones
    np.testing.assert_array_equal(apart.positions[:10], clip.positions[:10])
    alone, said = in_pieces(robot, walk, clip, 'shrink')
    assert said == []
    np.testing.assert_allclose(alone.positions, clip.positions, atol=1e-12)
