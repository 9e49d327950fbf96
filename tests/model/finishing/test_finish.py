# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest

from mgpt3_ros.model.finishing.continuation import continue_from
from mgpt3_ros.model.finishing.finish import finish, finish_all, finish_joined
from mgpt3_ros.model.finishing.foot_lock import foot_slide
from mgpt3_ros.model.finishing.joining import join
from mgpt3_ros.model.kinematics.skeleton import FPS, PARENTS, REST_OFFSETS
from tests.model.finishing.test_body_fit import stretched
from tests.model.finishing.test_foot_lock import stepping, with_sliding_feet
from tests.support.tiny import tiny_model

BONES = np.linalg.norm(REST_OFFSETS[1:], axis=-1)


def decoded(height: float = 0.08) -> np.ndarray:
    """A walk as decoders draw it: bones that stretch, feet that slide, above the floor."""
    return stretched(with_sliding_feet(stepping())) + np.array([0.0, height, 0.0])


def stretch(joints: np.ndarray) -> float:
    """Largest error of a bone's length [m]."""
    return np.abs(np.linalg.norm(joints[:, 1:] - joints[:, PARENTS[1:]], axis=-1) - BONES).max()


def test_a_decoded_clip_gets_bones_floor_and_standing_feet():
    clip = decoded()
    joints, info = finish(clip, FPS)
    assert info == {}
    assert stretch(clip) > 0.02
    assert stretch(joints) < 1e-6
    assert clip[..., 1].min(axis=1).mean() > 0.07
    assert joints[..., 1].min(axis=1).mean() < 0.03
    assert foot_slide(joints, FPS) < 0.3 * foot_slide(clip - [0, 0.08, 0], FPS)


def test_a_clip_that_follows_is_placed_and_its_feet_are_locked_after_that():
    seen = finish(decoded(), FPS)[0] + np.array([3.0, 0.0, -1.0])
    before = seen[:50]
    joints, info = finish(decoded(), FPS, before, frames=20)
    placed, same = finish(decoded(), FPS, before, frames=20, corrected=False)
    assert joints.shape == placed.shape == (20, 22, 3)
    assert info.keys() == same.keys() == {'seam_error_m'}
    assert np.linalg.norm(joints[0, 0] - before[-1, 0]) < 0.1
    assert foot_slide(joints, FPS) < 0.5 * foot_slide(placed - [0, 0.08, 0], FPS)
    np.testing.assert_array_equal(placed, continue_from(before, decoded(), FPS)[0][:20])


def test_a_clip_between_two_motions_fills_the_gap_that_is_asked_for():
    seen = finish(decoded(), FPS)[0]
    before, after = seen[:30], seen[50:]
    joints, info = finish(decoded(), FPS, before, after, begin=29, frames=20)
    assert joints.shape == (20, 22, 3)
    assert info.keys() == {'seam_error_m', 'end_seam_error_m'}
    steps = np.linalg.norm(np.diff([before[-1], *joints, after[0]], axis=0), axis=-1)
    assert steps.max() < 1.2 * np.linalg.norm(np.diff(seen, axis=0), axis=-1).max()


def test_a_joined_clip_gets_its_bones_back_and_leaves_the_first_frame():
    before, after = (finish(decoded(h), FPS)[0] for h in (0.02, 0.08))
    _, blended = join(before, after * [1, 1, -1] * [-1, 1, 1], FPS)
    joints = finish_joined(blended, FPS)
    assert stretch(blended[1:]) > 1e-3
    assert stretch(joints[1:]) < 1e-6
    np.testing.assert_array_equal(joints[0], blended[0])


@pytest.mark.parametrize('finishing', [True, False])
def test_a_checkpoint_says_whether_its_motions_are_finished(finishing: bool):
    made = tiny_model(finishing=finishing).generate('walk', 3.0)
    assert (stretch(made.joints) < 1e-5) == finishing


@pytest.mark.parametrize('corrected', [True, False])
def test_many_clips_at_once_are_each_as_alone(corrected):
    clips = [decoded(0.02 * number)[: 80 - 11 * number] for number in range(4)]
    together = finish_all(clips, FPS, corrected)
    for ours, clip in zip(together, clips, strict=True):
        np.testing.assert_allclose(ours, finish(clip, FPS, corrected=corrected)[0], atol=1e-10)
    assert finish_all([], FPS) == []
