# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Motion: immutable, strict about what a body is, and the same after a copy or a pickle."""

from __future__ import annotations

import copy
import dataclasses
import multiprocessing
import pickle
from collections.abc import Callable

import numpy as np
import pytest

from mgpt3_ros.model.errors import MotionError
from mgpt3_ros.model.kinematics.skeleton import JOINT_NAMES, MIRRORED
from mgpt3_ros.model.motion import Motion
from tests.support.tiny import swinging_motion

J = {name: index for index, name in enumerate(JOINT_NAMES)}


@pytest.fixture
def motion() -> Motion:
    return Motion(swinging_motion(0), 20, {'text': 'a person swings', 'seam_error_m': 0.01})


# What a motion is.


def test_a_motion_says_what_it_holds(motion: Motion) -> None:
    assert (motion.num_frames, motion.fps, motion.duration_s) == (60, 20.0, 3.0)
    assert motion.joints.dtype == np.float32
    assert motion.info['text'] == 'a person swings'


def test_nothing_of_a_motion_can_be_changed(motion: Motion) -> None:
    with pytest.raises(ValueError, match='read-only'):
        motion.joints[0, 0, 0] = 1
    with pytest.raises(TypeError):
        motion.info['text'] = 'another'  # type: ignore[index]
    with pytest.raises(dataclasses.FrozenInstanceError):
        motion.fps = 30  # type: ignore[misc]


def test_a_motion_keeps_its_own_copy() -> None:
    joints, info = swinging_motion(0), {'text': 'before'}
    motion = Motion(joints, info=info)
    joints[:] = 0
    info['text'] = 'after'
    assert motion.joints.max() > 1
    assert motion.info['text'] == 'before'


def test_nested_info_is_a_copy_too(motion: Motion) -> None:
    parts = [{'text': 'walk', 'start_s': 0.0, 'duration_from': 'asked'}]
    said = motion.with_info(parts=parts)
    parts[0]['text'] = 'wave'
    said.crop(0, 9).info['parts'].clear()
    assert said.info['parts'] == [{'text': 'walk', 'start_s': 0.0, 'duration_from': 'asked'}]


def same(found: Motion, motion: Motion) -> bool:
    assert not found.joints.flags.writeable
    with pytest.raises(TypeError):
        found.info['text'] = 'another'
    unchanged = (found.joints == motion.joints).all() and found.info == motion.info
    return bool(unchanged and found.fps == motion.fps)


def test_a_motion_can_be_copied_and_pickled(motion: Motion) -> None:
    for found in (copy.copy(motion), copy.deepcopy(motion), pickle.loads(pickle.dumps(motion))):
        assert same(found, motion)


def mirrored(motion: Motion) -> Motion:
    return motion.mirror()


@pytest.mark.slow
def test_a_motion_goes_to_another_process_and_back(motion: Motion) -> None:
    with multiprocessing.get_context('spawn').Pool(1) as pool:
        (found,) = pool.map(mirrored, [motion])
    assert same(found, motion.mirror())


def test_more_can_be_said_about_it(motion: Motion) -> None:
    found = motion.with_info(text='new', duration_from='asked')
    assert dict(found.info) == {'text': 'new', 'seam_error_m': 0.01, 'duration_from': 'asked'}
    assert motion.info['text'] == 'a person swings'
    assert (found.joints == motion.joints).all()


def broken(value: float) -> np.ndarray:
    joints = swinging_motion(0)
    joints[7, 3, 1] = value
    return joints


@pytest.mark.parametrize(
    ('make', 'message'),
    [
        (lambda: Motion(np.zeros((60, 66))), r'must be \(T, 22, 3\), got .* shape \(60, 66\)'),
        (lambda: Motion(np.zeros((60, 24, 3))), r'shape \(60, 24, 3\)'),
        (lambda: Motion(swinging_motion(0)[:1]), r'2 frames at least, got 1'),
        (lambda: Motion(broken(np.nan)), r'frame 7 holds values that are not finite'),
        (lambda: Motion(broken(np.inf)), r'frame 7 holds values that are not finite'),
        (lambda: Motion(swinging_motion(0), 0), r'fps must be positive, got 0'),
        (lambda: Motion(swinging_motion(0), np.nan), r'fps must be positive, got nan'),
        (lambda: Motion([[1, 2], [3]]), r'must be numbers in an array \(T, 22, 3\)'),
        (lambda: Motion('walk'), r'must be numbers'),
        (lambda: Motion(1000 * swinging_motion(0)), r'body is 1.62e\+03 m .* millimetres or cent'),
        (lambda: Motion(100 * swinging_motion(0)), r'body is 162 m .* centimetres; scale them'),
        (lambda: Motion(0.01 * swinging_motion(0)), r'body is 0.0162 m .* in another unit'),
        (lambda: Motion(np.zeros((5, 22, 3))), r'body is 0 m'),
        (lambda: Motion(swinging_motion(0)).resample(0), r'fps must be positive, got 0'),
        (lambda: Motion(swinging_motion(0)).resample(np.nan), r'fps must be positive, got nan'),
        (lambda: Motion(swinging_motion(0)).crop(59), r'2 frames at least, got 1'),
        (lambda: Motion(swinging_motion(0)).crop(70), r'2 frames at least, got 0'),
        (lambda: Motion.from_features(np.zeros((2, 60, 263))), r'must be \(T, 263\), got .*60'),
        (lambda: Motion.from_features(np.zeros((60, 251))), r'263.*\(60, 251\)'),
        (lambda: Motion.from_features(np.full((9, 263), np.nan)), r'not finite'),
    ],
)  # fmt: skip
def test_what_is_no_motion_is_refused(make: Callable[[], Motion], message: str) -> None:
    with pytest.raises(MotionError, match=message):
        make()


# Other motions of one.


@pytest.mark.parametrize('fps', [10.0, 15.0, 24.0, 29.97, 30.0, 60.0, 100.0])
def test_resampling_keeps_places_at_their_times(motion: Motion, fps: float) -> None:
    # A joint that moves in a straight line is where it was at every time.
    time = np.arange(60) / 20
    straight = Motion(swinging_motion(0)[:1] + time[:, None, None] * (1.0, 0.0, 2.0))
    found = straight.resample(fps)
    times = np.arange(found.num_frames) / fps
    expected = straight.joints[0] + times[:, None, None] * (1.0, 0.0, 2.0)
    assert np.abs(found.joints - expected).max() < 1e-5
    # The last frame is the last that the motion has: none is made up, none is left out.
    assert times[-1] <= time[-1] + 1e-6 < times[-1] + 1 / fps
    assert abs(found.duration_s - straight.duration_s) < max(1 / fps, 1 / 20)
    assert found.info == straight.info


def test_resampling_by_whole_numbers_keeps_the_frames(motion: Motion) -> None:
    twice = motion.resample(40)
    assert twice.num_frames == 119
    assert (twice.joints[::2] == motion.joints).all()
    back = twice.resample(20)
    assert back.num_frames == 60
    assert np.abs(back.joints - motion.joints).max() < 1e-6
    assert motion.resample(20) is motion


@pytest.mark.parametrize('fps', [24, 30, 50, 60, 120])
@pytest.mark.parametrize('frames', [60, 61, 64])
def test_resampling_keeps_the_last_frame_on_request(fps: float, frames: int) -> None:
    time = np.arange(frames) / fps
    straight = Motion(swinging_motion(0)[:1] + time[:, None, None] * (1.0, 0.0, 2.0), fps)
    found = straight.resample(20, keep='last')
    assert np.array_equal(found.joints[-1], straight.joints[-1])
    ages = (np.arange(found.num_frames)[::-1] / 20)[:, None, None]
    expected = straight.joints[-1] - ages * (1.0, 0.0, 2.0)
    assert np.abs(found.joints - expected).max() < 1e-5
    assert found.num_frames == straight.resample(20).num_frames


def test_resampling_to_a_crawl_leaves_a_motion(motion: Motion) -> None:
    assert motion.resample(0.1).num_frames == 2


def test_a_mirror_swaps_left_and_right(motion: Motion) -> None:
    found = motion.mirror()
    for name, index in J.items():
        other = J[JOINT_NAMES[MIRRORED[index]]]
        swapped = name.replace('left', 'x').replace('right', 'left').replace('x', 'right')
        assert JOINT_NAMES[other] == swapped
        assert (found.joints[:, index] == motion.joints[:, other] * (-1, 1, 1)).all()


def test_a_mirror_of_a_mirror_shows_the_motion(motion: Motion) -> None:
    assert (motion.mirror().mirror().joints == motion.joints).all()
    assert not np.allclose(motion.mirror().joints, motion.joints)


def test_a_crop_counts_frames_as_slices_do(motion: Motion) -> None:
    assert (motion.crop(10, 30).joints == motion.joints[10:30]).all()
    assert (motion.crop(-20).joints == motion.joints[40:]).all()
    assert motion.crop(10, 30).duration_s == 1.0
    assert motion.crop(10, 30).info == motion.info


def test_the_canonical_motion_stands_on_the_floor_and_faces_z(motion: Motion) -> None:
    found = motion.transform(1.0, (3.0, 0.5, -2.0)).canonical()
    assert found.joints[..., 1].min() == pytest.approx(0, abs=1e-6)
    assert found.joints[0, 0, [0, 2]] == pytest.approx([0, 0], abs=1e-6)
    across = found.joints[0, J['left_shoulder']] - found.joints[0, J['right_shoulder']]
    assert across[0] > 0.3
    assert across[2] == pytest.approx(0, abs=0.02)
    again = found.canonical()
    assert np.abs(again.joints - found.joints).max() < 1e-5


def test_a_turn_goes_from_z_towards_x(motion: Motion) -> None:
    found = motion.transform(np.pi / 2, (0, 1, 0))
    x, y, z = np.moveaxis(motion.joints, -1, 0)
    assert np.abs(found.joints - np.stack([z, y + 1, -x], axis=-1)).max() < 1e-5


def test_features_do_not_know_where_a_motion_is(motion: Motion) -> None:
    moved = motion.transform(2.2, (5.0, 0.3, -4.0))
    assert motion.features().shape == (59, 263)
    assert np.abs(moved.features() - motion.features()).max() < 1e-3


def test_features_give_back_the_canonical_motion(motion: Motion) -> None:
    found = Motion.from_features(motion.features(), info={'text': 'again'})
    assert np.abs(found.joints - motion.canonical().joints[:59]).max() < 1e-4
    assert (found.num_frames, found.fps, found.info['text']) == (59, 20, 'again')
