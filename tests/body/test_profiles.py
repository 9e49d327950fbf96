# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from mgpt3_ros.body.profiles import PROFILES, STANDING_HEIGHT_M, base_frame_of, make_profile
from mgpt3_ros.body.profiles.angles import calm
from mgpt3_ros.model.kinematics.euler import matrix_from_euler
from mgpt3_ros.model.kinematics.human import ANGLE_LIMITS, ANGLE_NAMES, axis_order
from mgpt3_ros.model.kinematics.skeleton import JOINT_NAMES
from tests.support.clips import random_clip

RNG = np.random.default_rng(0)


def angles(**values) -> np.ndarray:
    track = np.zeros((3, 63))
    for name, value in values.items():
        track[:, ANGLE_NAMES.index(name)] = value
    return track


def joint(name: str, track: np.ndarray) -> float:
    profile = make_profile('ros4hri', 'anna')
    return float(profile.from_angles(track)[0, profile.names.index(f'{name}_anna')])


def test_sizes_and_names():
    assert [len(make_profile(name, 'x').names) for name in PROFILES] == [63, 20]
    assert 'left_hip_x' in make_profile('human_full', 'x').names
    assert 'l_p_shoulder_anna' in make_profile('ros4hri', 'anna').names
    assert 0.8 < STANDING_HEIGHT_M < 1.1


def test_standing_is_zero_in_both():
    for name in PROFILES:
        assert not make_profile(name, 'x').from_angles(np.zeros((2, 63))).any()


@pytest.mark.parametrize(
    ('name', 'track', 'value'),
    [
        ('waist', angles(spine1_y=0.4), 0.4),  # bowing is positive, as in human_description
        ('l_p_shoulder', angles(left_shoulder_x=0.7), 0.7),  # both arms are opened by a
        ('r_p_shoulder', angles(right_shoulder_x=-0.7), 0.7),  # positive angle
        ('l_elbow', angles(left_elbow_y=-1.0), 1.0),
        ('r_knee', angles(right_knee_y=1.0), -1.0),
        ('l_r_hip', angles(left_hip_y=-0.5), 0.5),
        ('y_head', angles(neck_z=0.3), 0.3),
        ('p_head', angles(head_y=-0.2), 0.2),
    ],
)
def test_ros4hri_axes_mean_what_rep_155_says(name, track, value):
    assert joint(name, track) == pytest.approx(value, abs=1e-9)


def test_ros4hri_there_and_back():
    profile = make_profile('ros4hri', 'x')
    positions = np.repeat(RNG.uniform(-0.3, 0.3, (1, 20)), 5, axis=0)
    positions[:, [5, 13]] = 0.6  # arms away from the body, where all three axes count
    again = profile.from_angles(profile.to_angles(positions))
    np.testing.assert_allclose(again, positions, atol=1e-3)


def test_ros4hri_arms_that_hang_do_not_spin():
    still = np.zeros((60, 63))
    tremor = 0.02 * RNG.normal(size=(60, 2))
    still[:, [ANGLE_NAMES.index(f'left_shoulder_{axis}') for axis in 'xy']] = tremor
    profile = make_profile('ros4hri', 'x')
    steps = np.diff(profile.from_angles(still), axis=0)
    assert np.abs(steps).max() < 0.6  # the plain z-x-z angles turn by up to half a turn


def test_near_writes_the_same_pose_close_to_the_goal():
    profile = make_profile('human_full', 'x')
    profile.position_limits = np.tile([-20.0, 20.0], (63, 1))
    track = RNG.uniform(-1, 1, (4, 63)) * 0.1 + RNG.uniform(-1, 1, 63)
    goal = track[0] + 2 * np.pi * RNG.integers(-1, 2, 63)
    goal[3:6] = track[0, 3:6] + np.pi  # the other triple of the same rotation, spelled out below
    middle = 3 + 'xyz'.index(axis_order(JOINT_NAMES[2])[1])
    goal[middle] = np.pi - track[0, middle]
    written = profile.near(track, goal)
    np.testing.assert_allclose(written[0], goal, atol=1e-9)
    for index, name in enumerate(JOINT_NAMES[1:]):
        part = slice(3 * index, 3 * index + 3)
        np.testing.assert_allclose(
            matrix_from_euler(written[:, part], axis_order(name)),
            matrix_from_euler(track[:, part], axis_order(name)),
            atol=1e-9,
        )


@pytest.mark.parametrize(
    ('name', 'joint'), [('human_full', 'left_knee_y'), ('ros4hri', 'l_elbow_x')]
)
def test_near_takes_the_longer_way_where_the_shorter_leads_beyond_the_limits(name, joint):
    profile = make_profile(name, 'x')
    column = profile.names.index(joint)
    low, high = profile.position_limits[column]
    track = np.zeros((4, len(profile.names)))
    track[:, column] = [high - 0.1, 0.8, 0.4, high - 0.2]
    goal = np.zeros(len(profile.names))
    goal[column] = low - 0.5  # nearer to the same pose a turn lower
    np.testing.assert_array_equal(profile.near(track, goal), track)
    track[:, column] += 2 * np.pi
    np.testing.assert_allclose(profile.near(track, goal)[0, column], high - 0.1)


def test_limits_are_those_of_the_urdf_and_of_ros4hri_where_the_axes_are_the_same():
    human, ros4hri = (make_profile(name, 'x') for name in PROFILES)
    np.testing.assert_array_equal(human.position_limits, ANGLE_LIMITS)
    ends = np.repeat(ANGLE_LIMITS.T[:, None], 3, axis=1)  # lowest and highest, three frames each
    for name in ('l_elbow_x', 'r_elbow_x', 'l_knee_x', 'r_knee_x'):
        column = ros4hri.names.index(name)
        side, part = {'l': 'left', 'r': 'right'}[name[0]], name.split('_')[1]
        reached = []
        for end in ends:
            track = np.zeros((3, 63))
            bent = ANGLE_NAMES.index(f'{side}_{part}_y')
            track[:, bent] = end[:, bent]
            reached.append(ros4hri.from_angles(track)[0, column])
        np.testing.assert_allclose(sorted(reached), ros4hri.position_limits[column])


@pytest.mark.parametrize(
    ('base_frame', 'profile', 'frame'),
    [
        ('base_link', 'human_full', 'base_link'),
        ('base_link', 'ros4hri', 'body_anna'),
        ('', 'human_full', 'body_anna'),
        ('torso', 'ros4hri', 'torso'),
    ],
)
def test_the_pelvis_frame_of_ros4hri_is_that_of_rep_155(base_frame, profile, frame):
    assert base_frame_of(base_frame, profile, 'anna') == frame


def test_calming_takes_spikes_out_and_leaves_the_rest_alone():
    clip = random_clip(8, frames=80)
    limits = np.full(5, 20.0)
    np.testing.assert_array_equal(calm(clip.positions, 20.0, limits), clip.positions)
    spiked = clip.positions.copy()
    spiked[40:42, 2] += 2.5
    calmed = calm(spiked, 20.0, limits)
    assert np.abs(np.diff(calmed, axis=0)).max() * 20.0 <= 20.0
    untouched = np.r_[0:30, 52:80]
    np.testing.assert_array_equal(calmed[untouched], spiked[untouched])
    np.testing.assert_array_equal(calmed[:, [0, 1, 3, 4]], spiked[:, [0, 1, 3, 4]])
