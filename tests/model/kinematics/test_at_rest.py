# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest

from mgpt3_ros.model.kinematics.at_rest import STILL_M, reach, resting_caption
from mgpt3_ros.model.kinematics.skeleton import JOINT_NAMES
from mgpt3_ros.model.motion import Motion
from tests.support.mocap import clips
from tests.support.tiny import swinging_motion, tiny_model

WRIST = JOINT_NAMES.index('left_wrist')


def standing(frames: int = 60) -> np.ndarray:
    return np.repeat(swinging_motion(0, 1), frames, axis=0)


def test_the_reach_is_that_of_the_joint_that_moves_most():
    joints = standing(200)
    joints[:, WRIST, 0] += 0.2 * np.sin(np.arange(200) / 20)
    assert reach(joints, 20.0) == pytest.approx(0.4, abs=0.01)


def test_who_sways_and_whose_sensors_are_noisy_stands_still():
    rng = np.random.default_rng(0)
    joints = standing() + rng.normal(0, 0.004, (60, 22, 3))
    joints[..., 0] += 0.015 * np.sin(np.arange(60) / 10)[:, None]
    assert resting_caption(joints, 20.0) == 'a person stands still.'
    assert resting_caption(standing(), 20.0) == 'a person stands still.'


def test_who_lies_there_does_not_stand():
    lying = standing()[..., [0, 2, 1]] * (1, 1, -1)
    assert resting_caption(lying - lying[..., 1].min() * np.array([0, 1, 0]), 20.0) == (
        'a person does not move.'
    )


@pytest.mark.parametrize('amplitude', [0.6 * STILL_M, 0.2])
def test_a_small_movement_of_one_hand_is_a_motion(amplitude):
    joints = standing()
    joints[:, WRIST, 1] += amplitude * np.sin(np.arange(60) / 5)
    assert resting_caption(joints, 20.0) is None


def test_no_captioned_clip_is_at_rest():
    assert [i for i, joints in enumerate(clips(300)) if resting_caption(joints, 20.0)] == []


def test_the_model_is_asked_about_what_moves_alone():
    model = tiny_model()
    moving, still = Motion(swinging_motion(1, 60)), Motion(standing())
    said = model.caption(moving)
    rest = 'a person stands still.'
    assert model.caption([still, moving, still]) == [rest, said, rest]
    assert model.caption(still.resample(30.0)) == 'a person stands still.'
    assert model.pipeline.caption([still]) != ['a person stands still.']
