# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A robot does what a human does, within its limits and on its feet; and back."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from mgpt3_ros.model.kinematics.human import JOINT_INDEX
from mgpt3_ros.model.motion import Motion
from mgpt3_ros.robots import Robot, RobotMotion, retarget, slowed, to_human
from mgpt3_ros.robots.config import SIDES
from mgpt3_ros.robots.quality import quality
from tests.support.mocap import clips
from tests.support.robots import known, tin_man, walking

FPS = 20.0


@pytest.fixture(scope='module')
def robot(tmp_path_factory: pytest.TempPathFactory) -> Robot:
    return tin_man(tmp_path_factory.mktemp('tin'))


def test_a_walk_is_walked(robot: Robot):
    joints = walking()
    motion = retarget(robot, joints, FPS)
    found = quality(robot, joints, motion)
    assert found.limit_excess == 0.0
    for limb, most in (('upper arm', 2.0), ('forearm', 2.0), ('thigh', 8.0), ('shank', 8.0)):
        assert found.limbs[limb].mean() < most, limb
    assert len(found.height) > 20
    assert np.percentile(found.height, 95) < 0.005
    assert found.slide.mean() < 0.03
    assert np.percentile(found.change_speed, 95) <= 1.2 * np.percentile(found.swing_speed, 95)
    forward = motion.base_pos[-1, 0] - motion.base_pos[0, 0]
    assert forward > 0.5 * (joints[-1, 0, 2] - joints[0, 0, 2]) > 0.1


def test_a_stance_out_of_reach_is_taken_where_it_is_not(tmp_path: Path):
    """Hips that hardly turn inward, and a person who sways over feet close together."""
    limits = {'left_hip_roll_joint': [-0.04, 0.5], 'right_hip_roll_joint': [-0.5, 0.04]}
    narrow = tin_man(tmp_path, {'limits': {'margin': 0.01, 'position': limits}})
    joints, frames = walking(80), np.arange(80)
    feet = {side: [JOINT_INDEX[f'{side}_{name}'] for name in ('ankle', 'foot')] for side in SIDES}
    above = [index for index in range(22) if index not in feet['left'] + feet['right']]
    joints[:, above, 0] += 0.06 * np.sin(frames / 6)[:, None]
    joints[:, feet['left'], 0] -= 0.03
    joints[:, feet['right'], 0] += 0.03
    found = quality(narrow, joints, retarget(narrow, joints, FPS))
    assert found.limit_excess == 0.0
    assert len(found.slide) > 30
    assert np.percentile(found.slide, 95) < 0.03  # 0.08 where each frame goes as far as it can
    assert np.percentile(found.height, 95) < 0.005


def test_the_way_back_gives_the_human(robot: Robot):
    joints = walking()
    motion = retarget(robot, joints, FPS)
    back = to_human(robot, motion.positions, motion.base_pos, motion.base_rot)
    error = np.linalg.norm((back - back[:, :1]) - (joints - joints[:, :1]), axis=-1)
    assert error.mean() < 0.03
    Motion(back.astype(np.float32))  # a motion as any other


def test_left_stays_left(robot: Robot):
    joints = np.repeat(walking(2)[:1], 30, axis=0)
    from mgpt3_ros.model.kinematics.skeleton import JOINT_NAMES

    raised = joints.copy()
    shoulder = joints[:, JOINT_NAMES.index('left_shoulder')]
    for name, far in (('left_elbow', 0.25), ('left_wrist', 0.5)):
        raised[:, JOINT_NAMES.index(name)] = shoulder + np.array([0.0, far, 0.0])
    motion = retarget(robot, raised, FPS)
    poses = robot.kinematics.forward(motion.positions)
    higher = poses.places['left_hand_yaw'] - poses.places['right_hand_yaw']
    assert (higher[5:, 2] > 0.3).all()
    assert quality(robot, raised, motion).sides.all()


def test_turning_the_human_turns_the_robot_alone(robot: Robot):
    """Joint angles do not know where the person looks; the base does."""
    joints = walking(30)
    turn = Rotation.from_euler('y', 1.0)
    turned = turn.apply(joints.reshape(-1, 3)).reshape(joints.shape)
    first, second = retarget(robot, joints, FPS), retarget(robot, turned, FPS)
    np.testing.assert_allclose(first.positions, second.positions, atol=1e-3)
    seen = Rotation.from_euler('z', 1.0).apply(first.base_pos)
    np.testing.assert_allclose(seen, second.base_pos, atol=1e-3)


def test_a_frame_rate_changes_little(robot: Robot):
    slow = walking(40)
    dense = np.stack(
        [np.interp(np.arange(79) / 2, np.arange(40), track) for track in slow.reshape(40, -1).T],
        axis=1,
    ).reshape(79, 22, 3)
    first, second = retarget(robot, slow, 20.0), retarget(robot, dense, 40.0)
    arms = [i for i, name in enumerate(robot.joint_names) if 'shoulder' in name or 'elbow' in name]
    np.testing.assert_allclose(
        first.positions[:, arms], second.positions[::2][:, arms], atol=np.deg2rad(4)
    )


def test_a_slow_robot_is_slowed_down_as_a_whole(tmp_path: Path):
    robot = tin_man(tmp_path, velocity=0.8)
    joints = walking()
    motion = retarget(robot, joints, FPS)
    slow, factor = slowed(robot, motion)
    speed = np.abs(np.diff(slow.positions, axis=0)) * FPS
    assert (speed <= robot.velocity_limits * (1 + 1e-9)).all()
    assert factor > 1.5
    assert slow.duration_s == pytest.approx(factor * motion.duration_s, abs=0.06)
    lower, upper = robot.position_limits.T
    assert ((slow.positions >= lower) & (slow.positions <= upper)).all()


def test_one_without_legs_moves_its_arms(tmp_path: Path):
    from tests.support.robots import MINE

    follows = {
        human: link
        for human, link in MINE['follows'].items()  # type: ignore[attr-defined]
        if not human.endswith(('hip', 'knee', 'ankle'))
    }
    robot = tin_man(tmp_path, {'follows': follows, 'soles': {}})
    motion = retarget(robot, walking(), FPS)
    moved = np.ptp(motion.positions, axis=0)
    legs = [i for i, name in enumerate(robot.joint_names) if 'hip' in name or 'knee' in name]
    assert not robot.has_legs
    assert moved[robot.joint_names.index('left_shoulder_pitch_joint')] > 0.3
    assert not moved[legs].any()
    assert to_human(robot, motion.positions, motion.base_pos, motion.base_rot).shape[1:] == (22, 3)


@pytest.mark.parametrize('name', ['g1', 'gr1'])
def test_real_motion_on_real_robots(name: str):
    """Limits are kept, and arms are where the human's are, also in acrobatics of mocap."""
    robot = known(name)
    errors: dict[str, list[np.ndarray]] = {'upper arm': [], 'forearm': []}
    for joints in clips(4, seed=3):
        motion = retarget(robot, joints[:100], FPS)
        found = quality(robot, joints[:100], motion)
        assert found.limit_excess == 0.0
        for limb, angles in errors.items():
            angles.append(found.limbs[limb])
    for limb, angles in errors.items():
        assert np.concatenate(angles).mean() < 5.0, limb


def test_pieces_go_on_from_what_was_done(robot: Robot):
    """A motion that comes half a second at a time stays on its feet and does not jump."""
    joints, size = walking(80), 10
    whole = retarget(robot, joints, FPS)
    done = retarget(robot, joints[: 2 * size], FPS)
    for start in range(2 * size, len(joints), size):
        tail = slice(start - 20, start)
        before = RobotMotion(
            robot.joint_names, *(rows[tail] for rows in (done.positions, done.base_pos)),
            done.base_rot[tail], FPS,
        )  # fmt: skip
        more = retarget(robot, joints[start - 20 : start + size], FPS, before)
        np.testing.assert_array_equal(more.positions[:20], before.positions)
        np.testing.assert_array_equal(more.base_pos[:20], before.base_pos)
        done = RobotMotion(
            robot.joint_names,
            *(
                np.concatenate([one, other[20:]])
                for one, other in (
                    (done.positions, more.positions),
                    (done.base_pos, more.base_pos),
                    (done.base_rot, more.base_rot),
                )
            ),
            FPS,
        )
    found, best = quality(robot, joints, done), quality(robot, joints, whole)
    for limb, angles in found.limbs.items():
        assert angles.mean() < best.limbs[limb].mean() + 1.0, limb
    assert np.percentile(found.height, 95) < 0.005
    assert found.slide.mean() < 0.03
    steps = [np.abs(np.diff(motion.positions, axis=0)).max() for motion in (done, whole)]
    assert steps[0] < 1.5 * steps[1]
