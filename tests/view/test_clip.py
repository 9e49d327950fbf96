# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A motion made ready to be shown."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from mgpt3_ros.body.frames import vectors_to_ros
from mgpt3_ros.model.errors import MotionError
from mgpt3_ros.model.figure.cones import SOLE
from mgpt3_ros.model.kinematics.skeleton import PARENTS
from mgpt3_ros.model.motion import Motion
from mgpt3_ros.view.clip import LONGEST_S, Clip, parts_of
from tests.support.tiny import swinging_motion

MOTION = Motion(swinging_motion(0), 20.0, {'text': 'a person swings'})


def test_joints_are_where_the_motion_has_them_over_the_floor() -> None:
    clip = Clip(MOTION, aside_m=2.0)
    for frame in (0, 7, 59):
        goal = vectors_to_ros(MOTION.joints[frame]) + np.array([0.0, 2.0, SOLE])
        np.testing.assert_allclose(clip.pose(frame / 20).position, goal, atol=1e-4)


def test_rotations_carry_the_bones() -> None:
    clip = Clip(MOTION)
    pose = clip.pose(1.0)
    turns = Rotation.from_quat(pose.wxyz, scalar_first=True)
    for joint, parent in enumerate(PARENTS[1:], start=1):
        bone = turns[parent].apply(vectors_to_ros(clip.offsets[joint]))
        np.testing.assert_allclose(pose.position[joint], pose.position[parent] + bone, atol=1e-4)


def test_between_frames_it_goes_on_and_at_the_ends_it_stays() -> None:
    clip = Clip(MOTION)
    ends = [clip.pose(time).position for time in (0.50, 0.55)]
    np.testing.assert_allclose(clip.pose(0.525).position, np.mean(ends, axis=0), atol=1e-9)
    for outside, end in ((-1.0, 0.0), (99.0, clip.duration_s)):
        np.testing.assert_array_equal(clip.pose(outside).position, clip.pose(end).position)
    assert np.allclose(np.linalg.norm(clip.pose(0.525).wxyz, axis=1), 1.0)


def test_captions_follow_the_parts() -> None:
    parts = [
        {'text': 'walk', 'start_s': 0.0, 'duration_from': 'asked'},
        {'text': 'bow', 'start_s': 1.5, 'duration_from': 'asked'},
    ]
    clip = Clip(MOTION.with_info(parts=parts))
    assert [clip.caption(time) for time in (-1.0, 0.0, 1.49, 1.5, 9.0)] == [
        *('walk', 'walk', 'walk', 'bow', 'bow')
    ]
    assert Clip(MOTION).caption(1.0) == 'a person swings'


@pytest.mark.parametrize('parts', [7, 'x', [{'start_s': 'soon'}], [None], []])
def test_parts_that_make_no_sense_are_none(parts: object) -> None:
    assert parts_of(MOTION.with_info(parts=parts)) == [(0.0, 'a person swings')]  # type: ignore[typeddict-item]


def test_feet_that_stand_are_known() -> None:
    """A body that stands and then lifts its left foot."""
    joints = np.repeat(swinging_motion(0, 2, speed=0.0)[:1], 40, axis=0)
    joints[20:, [4, 7, 10], 1] += 0.3
    clip = Clip(Motion(joints))
    assert clip.standing(0.5) == (True, True)
    assert clip.standing(1.5) == (False, True)


def test_what_is_too_long_is_said() -> None:
    joints = swinging_motion(0, 2)
    long = Motion(np.resize(joints, (round(LONGEST_S) + 2, 22, 3)), 1.0)
    with pytest.raises(MotionError, match='up to 3600 s are shown: cut it'):
        Clip(long)


def test_the_camera_follows_smoothly() -> None:
    clip = Clip(MOTION)
    places = np.array([clip.focus(time) for time in np.linspace(0, clip.duration_s, 100)])
    assert (places[:, 2] == 0).all()
    assert np.abs(np.diff(places, n=2, axis=0)).max() < 0.01
    assert places[-1, 0] - places[0, 0] > 1.5  # it walks along X, ROS's forward
