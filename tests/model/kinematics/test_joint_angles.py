# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Angles: what zero and single angles look like, round trips, continuity, real motion."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from mgpt3_ros.model.errors import MotionError
from mgpt3_ros.model.kinematics import joint_angles
from mgpt3_ros.model.kinematics.euler import (
    continuous_euler,
    ease_gimbal_lock,
    euler_from_matrix,
    matrix_from_euler,
    nearest_branch,
)
from mgpt3_ros.model.kinematics.human import ANGLE_LIMITS, ANGLE_NAMES, VELOCITY_LIMITS
from mgpt3_ros.model.kinematics.joint_angles import (
    BodyAngles,
    angles_to_joints,
    angles_to_rotations,
    joints_to_angles,
)
from mgpt3_ros.model.kinematics.skeleton import FPS, JOINT_NAMES, MIRRORED, PARENTS, REST_OFFSETS
from tests.support import mocap

J = {name: i for i, name in enumerate(JOINT_NAMES)}
A = {name: i for i, name in enumerate(ANGLE_NAMES)}
ORDERS = ('xyz', 'xzy', 'yxz', 'yzx', 'zxy', 'zyx')


def body(frames=1, **angles):
    values = np.zeros((frames, 63))
    for name, value in angles.items():
        values[:, A[name]] = value
    return BodyAngles(
        np.tile([0, 0.9, 0], (frames, 1)), np.tile([0, 0, 0, 1.0], (frames, 1)), values
    )


def direction(joints, parent, child):
    bone = joints[0, J[child]] - joints[0, J[parent]]
    return bone / np.linalg.norm(bone)


def walk_like(frames=80):
    """A made-up everyday motion within a comfortable range, turning around itself."""
    t = np.arange(frames)[:, None] / FPS
    rng = np.random.default_rng(5)
    swing = np.sin(t * rng.uniform(2, 6, 63) + rng.uniform(0, 6, 63))
    values = np.zeros((frames, 63))
    for name, amplitude, mean in (
        ('hip_y', 0.5, -0.3),
        ('hip_x', 0.1, 0.0),
        ('hip_z', 0.1, 0.0),
        ('knee_y', 0.4, 0.9),
        ('ankle_y', 0.2, 0.0),
        ('shoulder_y', 0.6, -0.2),
        ('shoulder_x', 0.1, 0.2),
        ('shoulder_z', 0.1, -0.2),
        ('elbow_y', 0.4, -0.9),
    ):
        for side, sign in (('left', 1), ('right', 1 if name.endswith('y') else -1)):
            k = A[f'{side}_{name}']
            values[:, k] = sign * mean + amplitude * swing[:, k]
    turn = Rotation.from_euler('y', t * 3.0).as_quat()
    return BodyAngles(np.concatenate([t, 0.9 + 0 * t, t], 1), turn, values)


# --- what the angles mean --------------------------------------------------------------------


def test_names_are_three_axes_of_each_joint_in_skeleton_order():
    assert len(ANGLE_NAMES) == len(set(ANGLE_NAMES)) == 63
    assert ANGLE_NAMES[:4] == ('left_hip_x', 'left_hip_y', 'left_hip_z', 'right_hip_x')
    assert ANGLE_LIMITS.shape == (63, 2)
    assert (ANGLE_LIMITS[:, 0] < 0).all()
    assert (ANGLE_LIMITS[:, 1] > 0).all()
    assert VELOCITY_LIMITS.shape == (63,)


def test_zero_is_a_person_upright_with_hanging_arms_facing_z():
    joints = angles_to_joints(body())
    for side in ('left', 'right'):
        for bone in (
            ('hip', 'knee'),
            ('knee', 'ankle'),
            ('shoulder', 'elbow'),
            ('elbow', 'wrist'),
        ):
            np.testing.assert_allclose(
                direction(joints, *(f'{side}_{name}' for name in bone)), [0, -1, 0], atol=1e-9
            )
        assert direction(joints, f'{side}_ankle', f'{side}_foot')[2] > 0.8  # toes forward
    assert joints[0, J['left_hip'], 0] > joints[0, J['right_hip'], 0]  # left is +X
    assert joints[0, J['head'], 1] > joints[0, J['neck'], 1] > joints[0, J['pelvis'], 1]


@pytest.mark.parametrize(
    ('angle', 'value', 'bone', 'expected'),
    [
        ('left_shoulder_x', np.pi / 2, ('left_shoulder', 'left_elbow'), [1, 0, 0]),
        ('right_shoulder_x', -np.pi / 2, ('right_shoulder', 'right_elbow'), [-1, 0, 0]),
        ('left_shoulder_y', -np.pi / 2, ('left_shoulder', 'left_wrist'), [0, 0, 1]),
        ('right_elbow_y', -np.pi / 2, ('right_elbow', 'right_wrist'), [0, 0, 1]),
        ('left_hip_y', -np.pi / 2, ('left_hip', 'left_ankle'), [0, 0, 1]),
        ('right_knee_y', np.pi / 2, ('right_knee', 'right_ankle'), [0, 0, -1]),
        ('left_hip_x', np.pi / 2, ('left_hip', 'left_knee'), [1, 0, 0]),
    ],
)
def test_single_angles_move_the_bone_that_a_reader_expects(angle, value, bone, expected):
    np.testing.assert_allclose(
        direction(angles_to_joints(body(**{angle: value})), *bone), expected, atol=1e-9
    )


def test_bones_keep_the_skeletons_lengths():
    rng = np.random.default_rng(0)
    joints = angles_to_joints(
        BodyAngles(np.zeros((4, 3)), np.tile([0, 0, 0, 1.0], (4, 1)), rng.normal(size=(4, 63)))
    )
    lengths = np.linalg.norm(joints[:, 1:] - joints[:, PARENTS[1:]], axis=-1)
    expected = np.linalg.norm(REST_OFFSETS[1:], axis=-1)
    np.testing.assert_allclose(lengths, np.tile(expected, (4, 1)), atol=1e-9)


# --- round trips -----------------------------------------------------------------------------


def test_everyday_angles_come_back_as_they_were():
    motion = walk_like()
    back = joints_to_angles(angles_to_joints(motion))
    np.testing.assert_allclose(back.root_pos, motion.root_pos, atol=1e-9)
    same = np.abs(np.sum(back.root_rot * motion.root_rot, axis=1))
    np.testing.assert_allclose(same, 1.0, atol=1e-9)
    shown = [A[f'{s}_{n}'] for s in ('left', 'right') for n in ('knee_y', 'elbow_y')]
    np.testing.assert_allclose(back.angles[:, shown], motion.angles[:, shown], atol=0.02)
    np.testing.assert_allclose(back.angles, motion.angles, atol=0.15)  # twists are smoothed


def test_positions_come_back_whatever_the_pose():
    rng = np.random.default_rng(1)
    pose = np.cumsum(rng.normal(scale=0.02, size=(40, 63)), axis=0) + 0.3 * rng.normal(size=63)
    for side in ('left', 'right'):  # limbs fold as people's do
        pose[:, A[f'{side}_knee_y']] = np.abs(pose[:, A[f'{side}_knee_y']]) + 0.2
        pose[:, A[f'{side}_elbow_y']] = -np.abs(pose[:, A[f'{side}_elbow_y']]) - 0.2
    joints = angles_to_joints(BodyAngles(np.zeros((40, 3)), walk_like(40).root_rot, pose))
    np.testing.assert_allclose(angles_to_joints(joints_to_angles(joints)), joints, atol=1e-7)


def test_what_positions_do_not_show_is_zero():
    angles = joints_to_angles(angles_to_joints(walk_like())).angles
    for joint in ('head', 'left_wrist', 'right_wrist', 'left_foot', 'right_foot'):
        assert not np.abs(angles[:, [A[f'{joint}_{axis}'] for axis in 'xyz']]).max() > 1e-9
    for joint in ('left_knee', 'right_elbow'):
        assert not np.abs(angles[:, A[f'{joint}_z']]).max() > 1e-9


def test_turning_and_moving_a_person_changes_the_base_only():
    joints = angles_to_joints(walk_like())
    turn = Rotation.from_euler('y', 2.0).as_matrix()
    moved = joints_to_angles(joints @ turn.T + [1, 0, 2])
    still = joints_to_angles(joints)
    np.testing.assert_allclose(moved.angles, still.angles, atol=1e-8)
    np.testing.assert_allclose(moved.root_pos, still.root_pos @ turn.T + [1, 0, 2], atol=1e-9)


def test_a_mirrored_person_has_mirrored_angles():
    joints = angles_to_joints(walk_like())
    mirrored = joints_to_angles(joints[:, MIRRORED] * [-1, 1, 1]).angles.reshape(-1, 21, 3)
    expected = joints_to_angles(joints).angles.reshape(-1, 21, 3)
    swapped = expected[:, [i - 1 for i in MIRRORED[1:]]] * [-1, 1, -1]
    # The default body is not quite symmetric: hips and collars fit a little differently.
    np.testing.assert_allclose(mirrored, swapped, atol=0.12)


# --- continuity ------------------------------------------------------------------------------


def test_a_straight_arm_that_swings_about_gives_no_jump():
    """An arm without any bend has no plane: its twist must come from the rules, smoothly."""
    t = np.linspace(0, 2 * np.pi, 120)
    joints = np.repeat(angles_to_joints(body()), 120, axis=0)
    shoulder, elbow, wrist = (J[f'left_{name}'] for name in ('shoulder', 'elbow', 'wrist'))
    wave = np.stack([0.9 + 0.1 * np.cos(t), np.sin(t), 0.6 + 0.5 * np.cos(2 * t)], -1)
    wave /= np.linalg.norm(wave, axis=1, keepdims=True)
    joints[:, elbow] = joints[:, shoulder] + 0.2568 * wave
    joints[:, wrist] = joints[:, elbow] + 0.2660 * wave
    rng = np.random.default_rng(2)
    joints[:, wrist] += rng.normal(scale=0.0005, size=(120, 3))  # noise that points anywhere
    angles = joints_to_angles(joints).angles
    assert np.abs(np.diff(angles, axis=0)).max() < 0.35
    assert np.abs(angles[:, A['left_elbow_y']]).max() < 0.05


def test_angles_wind_on_instead_of_jumping_by_a_turn():
    motion = body(50, left_shoulder_y=np.linspace(0, -3 * np.pi, 50), left_elbow_y=-0.8)
    angles = joints_to_angles(angles_to_joints(motion)).angles
    assert np.abs(np.diff(angles, axis=0)).max() < 0.6
    assert np.ptp(angles[:, A['left_shoulder_y']]) == pytest.approx(3 * np.pi, abs=0.2)


@pytest.mark.parametrize('order', ORDERS)
def test_euler_round_trip_and_rotation_order(order):
    angles = np.random.default_rng(4).uniform(-1.5, 1.5, (20, 3))
    matrix = matrix_from_euler(angles, order)
    np.testing.assert_allclose(euler_from_matrix(matrix, order), angles, atol=1e-9)
    expected = np.eye(3)
    for axis in order:
        expected = expected @ Rotation.from_euler(axis, angles[0, 'xyz'.index(axis)]).as_matrix()
    np.testing.assert_allclose(matrix[0], expected, atol=1e-12)


@pytest.mark.parametrize('order', ORDERS)
def test_continuous_euler_passes_straight_through_the_lock(order):
    track = np.zeros((60, 3))
    track[:, 'xyz'.index(order[1])] = np.linspace(-3, 3, 60)
    track[:, 'xyz'.index(order[0])] = 0.3
    found = continuous_euler(matrix_from_euler(track, order), order)
    assert np.abs(np.diff(found, axis=0)).max() < 0.11
    np.testing.assert_allclose(nearest_branch(found, order, np.zeros(3))[30], track[30], atol=1e-6)


def test_easing_halves_speeds_near_the_lock_and_leaves_the_rest():
    t = np.linspace(-1.5, 1.5, 60)
    swing = Rotation.from_euler('YXZ', np.stack([t, 1.5 + 0 * t, 0 * t], -1)).as_matrix()
    pass_by = Rotation.from_rotvec(np.array([0, 0, 1.0]) * t[:, None]).as_matrix() @ swing[30]
    exact = continuous_euler(pass_by, 'yxz')
    eased = ease_gimbal_lock(exact, 'yxz')
    assert np.abs(np.diff(eased, axis=0)).max() < 0.6 * np.abs(np.diff(exact, axis=0)).max()
    error = Rotation.from_matrix(
        np.swapaxes(matrix_from_euler(eased, 'yxz'), 1, 2) @ pass_by
    ).magnitude()
    assert error.max() < 0.2
    clear = exact * 0.3
    assert ease_gimbal_lock(clear, 'yxz') is clear


# --- interface -------------------------------------------------------------------------------


def test_a_single_frame_works_and_unusable_input_is_named():
    assert joints_to_angles(angles_to_joints(body())).angles.shape == (1, 63)
    assert angles_to_rotations(np.zeros((2, 63))).shape == (2, 21, 3, 3)
    with pytest.raises(MotionError, match=r'\(T, 22, 3\)'):
        joints_to_angles(np.zeros((4, 21, 3)))
    with pytest.raises(MotionError, match='NaN'):
        joints_to_angles(np.full((4, 22, 3), np.nan))


# --- real motion -----------------------------------------------------------------------------


def test_real_motion_comes_back_within_5_mm_at_sane_speeds():
    errors, speeds, beyond = [], [], []
    for joints in mocap.clips(60):
        found = joints_to_angles(joints)
        errors.append(np.linalg.norm(angles_to_joints(found) - joints, axis=-1).mean())
        speeds.append(np.abs(np.diff(found.angles, axis=0)) * FPS)
        low, high = ANGLE_LIMITS.T
        beyond.append((found.angles < low - 1e-6) | (found.angles > high + 1e-6))
    assert np.mean(errors) < 0.001  # 0.15 mm over all 3,251 clips
    assert np.max(errors) < 0.0055  # a mirrored body's bone lengths
    assert np.percentile(np.concatenate(speeds), 99.9) < 10
    assert np.max(np.concatenate(speeds)) < 40
    assert np.concatenate(beyond).mean() < 0.001


def plain_upper_limb(number, parent, upper, lower, foot):
    """One limb (T, 3, 3) alone, its mathematics written out."""
    favoured, favoured_rotation = (
        array[number, 0] for array in (joint_angles._FAVOURED_DIRECTIONS, joint_angles._HABITS)
    )
    seen = np.einsum('tij,ti->tj', parent, upper)
    swing = [
        Rotation.from_quat([*np.cross(favoured, one), 1 + favoured @ one]).as_matrix()
        for one in seen
    ]
    habit = np.stack(swing) @ favoured_rotation
    fold = np.einsum('tij,ti->tj', parent @ habit, lower)
    across = (fold[:, 0] + 1j * fold[:, 1]) * (1 if foot is None else -1)
    evidence = np.abs(across) ** 2 + joint_angles._HABIT_EVIDENCE
    pointer = across * np.abs(across) + joint_angles._HABIT_EVIDENCE
    if foot is not None:
        toes = np.einsum('tij,ti->tj', parent @ habit, foot)
        ahead = toes[:, 0] + 1j * toes[:, 1]
        evidence += joint_angles._FOOT_EVIDENCE * np.abs(ahead) ** 2
        pointer += joint_angles._FOOT_EVIDENCE * ahead * np.abs(ahead)
    steps = np.diff(np.eye(len(evidence)), axis=0) * np.sqrt(joint_angles._TWIST_STIFFNESS)
    smooth = np.linalg.solve(np.diag(evidence) + steps.T @ steps, pointer)
    trust = np.abs(smooth) ** 2
    wanted = trust * np.unwrap(np.angle(smooth))
    twist = np.linalg.solve(np.diag(trust + 1e-6) + steps.T @ steps, wanted)
    return habit @ Rotation.from_euler('z', twist[:, None]).as_matrix()


@pytest.mark.parametrize('begins', [(), (30,), (1, 50)])
def test_limbs_side_by_side_are_each_alone(begins):
    joints = angles_to_joints(walk_like())
    joints += np.random.default_rng(0).normal(0, 0.01, joints.shape)
    body = joints[..., joint_angles.MODEL_TO_BODY]
    world = joint_angles._world_rotations(body - body[:, PARENTS], eased=False, begins=begins)
    bones = body - body[:, PARENTS]
    bones /= np.maximum(np.linalg.norm(bones, axis=-1, keepdims=True), 1e-9)
    for number, limb in enumerate(joint_angles._LIMBS):
        upper, middle, end = (J[name] for name in limb)
        toes = J[limb[2].replace('ankle', 'foot')] if 'hip' in limb[0] else None
        for part in np.split(np.arange(len(body)), begins):
            parent = world[part, PARENTS[upper]]
            foot = None if toes is None else bones[part, toes]
            alone = plain_upper_limb(number, parent, bones[part, middle], bones[part, end], foot)
            assert world[part, upper] == pytest.approx(parent @ alone, abs=1e-9)
