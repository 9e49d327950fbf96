# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Legs that are posed anew: knees stay over their feet, and stretch no further than is good."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter1d

from mgpt3_ros.model.finishing.body_fit import fit_body
from mgpt3_ros.model.finishing.foot_lock import lock_feet
from mgpt3_ros.model.finishing.leg_pose import LARGEST_LOWERING, LEGS, STRAIGHT, lowering, pose_leg
from mgpt3_ros.model.kinematics.human import ANGLE_NAMES
from mgpt3_ros.model.kinematics.joint_angles import (
    BodyAngles,
    angles_to_joints,
    joints_to_angles,
)
from mgpt3_ros.model.kinematics.skeleton import JOINT_NAMES
from tests.support import mocap

FPS = 20.0
J = {name: i for i, name in enumerate(JOINT_NAMES)}
KNEE_ASIDE = [ANGLE_NAMES.index(f'{side}_knee_x') for side in ('left', 'right')]


def straight(frames=60, bend=0.1):
    """A person who stands with nearly straight legs, feet flat on y = 0."""
    angles = np.zeros((frames, 63))
    for side in ('left', 'right'):
        for name, value in (('hip_y', -bend / 2), ('knee_y', bend), ('ankle_y', -bend / 2)):
            angles[:, ANGLE_NAMES.index(f'{side}_{name}')] = value
    upright = np.tile([0, 0, 0, 1.0], (frames, 1))
    joints = angles_to_joints(BodyAngles(np.zeros((frames, 3)), upright, angles))
    return joints - [0, joints[..., 1].min(), 0]


def noisy(joints, amplitude=0.02, seed=0):
    """Every joint wanders by itself, so that bones stretch and knees bend backward or aside."""
    wander = gaussian_filter1d(np.random.default_rng(seed).normal(size=joints.shape), 3, axis=0)
    return joints + wander * amplitude / wander.std()


def reach(joints, leg):
    hip, knee, ankle = (joints[:, joint] for joint in leg[:3])
    full = np.linalg.norm(knee - hip, axis=-1) + np.linalg.norm(ankle - knee, axis=-1)
    return np.linalg.norm(ankle - hip, axis=-1) / full


@pytest.mark.parametrize('seed', range(3))
def test_knees_of_straight_legs_do_not_swing_aside(seed):
    locked = lock_feet(fit_body(noisy(straight(), seed=seed)), FPS)
    aside = joints_to_angles(locked).angles[:, KNEE_ASIDE]
    assert np.abs(aside).max() < 0.2
    assert np.abs(np.diff(aside, axis=0)).max() * FPS < 3.0  # sides found anew: 7 to 11 rad/s


def test_knees_bend_forward_where_they_were_seen_bent_backward():
    backward = straight(bend=-0.08)
    for leg in LEGS:
        raised = backward[:, leg] + [0, 0.03, 0]
        knee = pose_leg(backward[:, leg], raised[:, 2], raised[:, 3])[:, 0]
        assert (backward[:, leg[1], 2] < backward[:, leg[0], 2]).all()
        assert (knee[:, 2] > backward[:, leg[0], 2] + 0.05).all()


def test_a_leg_slows_towards_its_longest_reach():
    joints = straight(80, bend=0.6)
    for leg in LEGS:
        down = np.linspace(0, 0.10, 80)[:, None] * [0, -1, 0]
        posed = joints.copy()
        posed[:, leg[1:]] = pose_leg(joints[:, leg], *(joints[:, j] + down for j in leg[2:]))
        stretched = reach(posed, leg)
        assert 0.99 < stretched.max() <= STRAIGHT + 1e-9
        knee_speed = np.linalg.norm(np.diff(posed[:, leg[1]], axis=0), axis=-1) * FPS
        assert np.abs(np.diff(knee_speed)).max() < 0.1  # no kink: .9 m/s at the most
        np.testing.assert_allclose(posed[:, leg[3]], joints[:, leg[3]] + down, atol=0.01)


def test_legs_that_were_longer_lower_the_pelvis_and_keep_the_feet():
    seen = straight(bend=0.3)
    rise = 0.04 * np.clip(np.sin(np.linspace(-2, 5, 60)), 0, 1)
    feet = [J[f'{side}_{part}'] for side in ('left', 'right') for part in ('ankle', 'foot')]
    others = [joint for joint in range(22) if joint not in feet]
    seen[:, others] += rise[:, None, None] * [0, 1, 0]  # shanks become longer by up to 4 cm
    fitted = fit_body(seen)
    np.testing.assert_allclose(fitted[:, feet], seen[:, feet], atol=0.015)
    assert max(reach(fitted, leg).max() for leg in LEGS) < 0.9975
    assert 0.005 < (seen[:, 0, 1] - fitted[:, 0, 1]).max() < 0.07
    assert np.abs(np.diff(fitted[:, 0, 1], n=2)).max() * FPS**2 < 4.0


def test_only_feet_on_the_floor_lower_the_pelvis():
    legs = straight()[:, LEGS]
    below = legs[:, :, 2] - [0, 0.03, 0]
    assert lowering(legs, below, FPS).min() > 0.02
    far = legs[:, :, 2] - [0, 0.5, 0]
    np.testing.assert_allclose(lowering(legs, far, FPS), LARGEST_LOWERING)
    up = [0, 0.4, 0]
    assert lowering(legs + up, below + up, FPS).max() == 0.0
    assert lowering(legs, legs[:, :, 2], FPS).max() == 0.0


def test_a_leg_whose_foot_is_there_stays():
    joints = straight(10)
    leg = joints[:, LEGS[0]]
    np.testing.assert_array_equal(pose_leg(leg, leg[:, 2], leg[:, 3]), leg[:, 1:])


def test_knees_of_real_motion_stay_where_they_bend():
    aside = []
    for joints in mocap.clips(20, seed=5):
        locked = lock_feet(fit_body(joints), FPS)
        aside.append(np.abs(joints_to_angles(locked).angles[:, KNEE_ASIDE]))
        knees = [J['left_knee'], J['right_knee']]
        assert np.linalg.norm(locked - joints, axis=-1)[:, knees].mean() < 0.03
    assert np.percentile(np.concatenate(aside), 99) < 0.06
