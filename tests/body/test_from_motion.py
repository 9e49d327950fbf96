# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest

from mgpt3_ros.body.bounds import Timing
from mgpt3_ros.body.frames import vectors_to_ros
from mgpt3_ros.body.from_motion import clip_of
from mgpt3_ros.body.planning import plan
from mgpt3_ros.body.profiles import make_profile
from mgpt3_ros.body.spline import extreme_rates
from mgpt3_ros.body.window import model_joints
from mgpt3_ros.model.kinematics.human import VELOCITY_LIMITS
from mgpt3_ros.model.kinematics.skeleton import JOINT_NAMES
from mgpt3_ros.model.motion import Motion
from tests.support.mocap import clips
from tests.support.tiny import swinging_motion

HUMAN = make_profile('human_full', 'human')


def in_world(trajectory, at: float) -> dict[str, np.ndarray]:
    state = trajectory.state_at(at)
    pose = (values[None] for values in (state.positions, state.base_pos, state.base_rot))
    joints = vectors_to_ros(model_joints(HUMAN, *pose)[0])
    return dict(zip(JOINT_NAMES, joints, strict=True))


def test_who_walks_forward_moves_along_x_with_the_left_on_the_left():
    walk = Motion(swinging_motion(0, frames=60, speed=1.0))
    trajectory, _ = plan(clip_of(walk, HUMAN), Timing())
    begin, end = in_world(trajectory, 0.5), in_world(trajectory, 3.0)
    assert end['pelvis'][0] - begin['pelvis'][0] == pytest.approx(2.5, abs=0.05)
    assert abs(end['pelvis'][1]) < 0.05
    assert begin['left_foot'][1] > begin['right_foot'][1]
    assert begin['left_wrist'][1] > begin['right_wrist'][1]
    assert begin['head'][2] > begin['pelvis'][2] > begin['left_foot'][2]
    assert begin['left_foot'][0] > begin['left_ankle'][0]  # toes point ahead


def test_real_motion_comes_through_as_it_was():
    for joints in clips(12, seed=1):
        if len(joints) < 30:
            continue
        motion = Motion(joints[:100]).canonical()
        trajectory, slower = plan(clip_of(motion, HUMAN), Timing())
        if slower > 1.0:
            continue
        for frame in (0, 10, 20):
            body = in_world(trajectory, 0.5 + frame / 20)
            heights = np.array([body[name][2] for name in JOINT_NAMES])
            np.testing.assert_allclose(heights, motion.joints[frame, :, 1], atol=0.02)


@pytest.mark.parametrize('profile', [HUMAN, make_profile('ros4hri', 'human')])
def test_no_joint_turns_faster_than_the_urdf_says(profile):
    limits = profile.velocity_limits
    if profile is HUMAN:
        np.testing.assert_array_equal(limits, VELOCITY_LIMITS)
    slowed = 0
    for joints in clips(60, seed=5):
        trajectory, slower = plan(
            clip_of(Motion(joints[:120]), profile), Timing(max_velocity=limits)
        )
        path = trajectory.joints
        speed, _ = extreme_rates(path.times, path.positions, path.velocities)
        assert (speed <= limits * 1.001).all()
        slowed += slower > 1.0
    assert slowed <= 2  # spikes are calmed; real motion keeps its speed
