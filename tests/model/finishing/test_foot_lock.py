# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The foot lock: less slide, same bones, nothing above the hips, nothing without contact."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter1d

from mgpt3_ros.model.errors import MotionError
from mgpt3_ros.model.finishing.foot_lock import contacts, foot_slide, lock_feet
from mgpt3_ros.model.kinematics.joint_angles import BodyAngles, angles_to_joints
from mgpt3_ros.model.kinematics.skeleton import FOOT_JOINTS, JOINT_NAMES, PARENTS
from tests.support import mocap

FPS = 20.0
J = {name: i for i, name in enumerate(JOINT_NAMES)}
FEET = list(FOOT_JOINTS)
LEGS = [J[f'{s}_{part}'] for s in ('left', 'right') for part in ('knee', 'ankle', 'foot')]
ELSE = [i for i in range(22) if i not in LEGS]


def standing(frames=60):
    """A person with slightly bent knees, feet flat on y = 0."""
    angles = np.zeros((frames, 63))
    names = [f'{n}_{a}' for n in JOINT_NAMES[1:] for a in 'xyz']
    for side in ('left', 'right'):
        for name, value in (('hip_y', -0.3), ('knee_y', 0.6), ('ankle_y', -0.3)):
            angles[:, names.index(f'{side}_{name}')] = value
    upright = np.tile([0, 0, 0, 1.0], (frames, 1))
    joints = angles_to_joints(BodyAngles(np.zeros((frames, 3)), upright, angles))
    return joints - [0, joints[..., 1].min(), 0]


def stepping(frames=80):
    """Feet that step forward in turn while the body moves on; between steps they stand still."""
    joints = standing(frames)
    t = np.arange(frames) / FPS
    joints[..., 2] += 0.5 * t[:, None]
    for side, phase in (('left', 0.0), ('right', 0.5)):
        cycle = t + phase
        swing = np.clip((cycle % 1.0 - 0.6) / 0.4, 0, 1)  # 0.6 s on the floor, 0.4 s in the air
        place = 0.5 * (np.floor(cycle) + swing * swing * (3 - 2 * swing)) - 0.5 * phase
        feet = [J[f'{side}_ankle'], J[f'{side}_foot']]
        joints[:, feet, 2] = joints[0, feet, 2] + (place - place[0])[:, None]
        joints[:, feet, 1] += 0.15 * np.sin(np.pi * swing)[:, None]
    return joints


def lengths(joints):
    return np.linalg.norm(joints[:, 1:] - joints[:, PARENTS[1:]], axis=-1)


def with_sliding_feet(joints, amplitude=0.02, seed=0):
    """Smooth wandering of each foot as a whole, as decoders produce."""
    wander = np.random.default_rng(seed).normal(size=(len(joints), 2, 1, 3))
    wander = gaussian_filter1d(wander, 3, axis=0)
    wander *= amplitude / wander.std()
    wander[..., 1] *= 0.3
    slid = joints.copy()
    slid[:, FEET] += np.repeat(wander, 2, axis=2).reshape(len(joints), 4, 3)
    return slid


def test_a_sliding_person_who_stands_no_longer_slides():
    slid = with_sliding_feet(standing())
    locked = lock_feet(slid, FPS)
    assert foot_slide(slid, FPS) > 0.05
    assert foot_slide(locked, FPS) < 0.1 * foot_slide(slid, FPS)


def test_steps_are_kept_and_their_slide_goes():
    clean = stepping()
    slid = with_sliding_feet(clean)
    locked = lock_feet(slid, FPS)
    assert foot_slide(locked, FPS) < 0.5 * foot_slide(slid, FPS)
    np.testing.assert_allclose(locked[:, FEET], clean[:, FEET], atol=0.1)
    travelled = locked[-1, FEET, 2] - locked[0, FEET, 2]
    assert (travelled > 1.2).all()  # the feet still walk 1.5 to 2 m


def test_bones_keep_their_lengths_and_nothing_above_the_legs_moves():
    slid = with_sliding_feet(stepping())
    locked = lock_feet(slid, FPS)
    np.testing.assert_allclose(lengths(locked), lengths(slid), atol=1e-9)
    np.testing.assert_array_equal(locked[:, ELSE], slid[:, ELSE])


def test_knees_keep_bending_forward():
    locked = lock_feet(with_sliding_feet(standing(), 0.03), FPS)
    for side in ('left', 'right'):
        hip, knee, ankle = (locked[:, J[f'{side}_{n}']] for n in ('hip', 'knee', 'ankle'))
        assert ((knee - (hip + ankle) / 2)[:, 2] > 0).all()


def test_feet_under_the_floor_are_lifted_onto_it():
    sunk = standing() - [0, 0.03, 0]
    assert lock_feet(sunk, FPS)[:, FEET, 1].min() > -1e-9


def test_a_flight_through_the_air_is_left_as_it_is():
    t = np.arange(30)[:, None, None] / FPS
    flying = standing(30) + t * [0.3, 0, 2.0] + [0, 0.4, 0]
    np.testing.assert_array_equal(lock_feet(flying, FPS), flying)
    assert foot_slide(flying, FPS) == 0.0


def test_feet_that_stand_still_are_left_where_they_are():
    still = standing()
    np.testing.assert_allclose(lock_feet(still, FPS), still, atol=1e-6)


def test_a_foot_out_of_reach_gives_way_along_the_floor():
    joints = standing(40)
    joints[20:, ELSE, 2] += 1.5  # the body leaves its feet behind
    joints[20:, LEGS[:1] + LEGS[3:4], 2] += 0.75
    joints[20:, FEET] += np.random.default_rng(0).normal(scale=0.003, size=(20, 4, 3))
    locked = lock_feet(joints, FPS)
    assert np.isfinite(locked).all()
    np.testing.assert_allclose(lengths(locked), lengths(joints), atol=1e-6)


def test_held_frames_stay_and_the_foot_keeps_its_place_in_them():
    slid = with_sliding_feet(standing())
    locked = lock_feet(slid, FPS, hold_first=True)
    np.testing.assert_array_equal(locked[0], slid[0])
    foot = J['left_foot']
    np.testing.assert_allclose(locked[:, foot], np.tile(slid[0, foot], (60, 1)), atol=0.01)
    both = lock_feet(with_sliding_feet(stepping()), FPS, hold_first=True, hold_last=True)
    np.testing.assert_array_equal(both[[0, -1]], with_sliding_feet(stepping())[[0, -1]])


def test_contacts_close_gaps_and_drop_touches():
    point = np.zeros((60, 3))
    point[20:40, 1] = 0.3  # in the air
    point[10, 1] = 0.12  # one frame of noise
    point[30, 1] = 0.0  # one frame of touch
    runs = contacts(point, 0.05, FPS)
    assert len(runs) == 2
    assert runs[0].start == 0
    assert runs[1].stop == 60


def test_slide_of_a_foot_at_constant_speed_is_its_speed():
    joints = standing(30)
    joints[..., 0] += 0.3 * np.arange(30)[:, None] / FPS
    assert foot_slide(joints, FPS) == pytest.approx(0.3)
    assert foot_slide(joints * [1, 1, 1] + [0, 0.1, 0], FPS) == 0.0  # above the floor
    fast = standing(30)
    fast[..., 0] += 2.0 * np.arange(30)[:, None] / FPS
    assert foot_slide(fast, FPS) == 0.0
    assert foot_slide(fast, FPS, swing_speed=np.inf) == pytest.approx(2.0)


def test_short_clips_and_other_types_pass_and_bad_input_is_named():
    two = standing(2).astype(np.float32)
    assert lock_feet(two, FPS).dtype == np.float32
    with pytest.raises(MotionError, match=r'\(T, 22, 3\)'):
        lock_feet(np.zeros((4, 263)), FPS)
    with pytest.raises(MotionError, match='NaN'):
        lock_feet(np.full((4, 22, 3), np.nan), FPS)
    with pytest.raises(MotionError, match='fps'):
        foot_slide(standing(), 0)


def test_real_motion_hardly_changes_and_its_noise_goes():
    before, after, change, noisy_change = [], [], [], []
    for joints in mocap.clips(40, seed=2):
        slid = with_sliding_feet(joints, 0.01)
        locked = lock_feet(slid, FPS)
        before.append(foot_slide(slid, FPS))
        after.append(foot_slide(locked, FPS))
        change.append(np.linalg.norm(lock_feet(joints, FPS) - joints, axis=-1).mean())
        noisy_change.append(np.linalg.norm(locked - joints, axis=-1).mean())
    assert np.mean(change) < 0.003
    assert np.mean(after) < 0.7 * np.mean(before)
    assert np.mean(noisy_change) < 0.008
