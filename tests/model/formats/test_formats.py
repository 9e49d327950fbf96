# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A motion is the same after a save and a load; the suffix says the format."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mgpt3_ros.model.errors import MotionError
from mgpt3_ros.model.formats import FORMATS, WRITERS
from mgpt3_ros.model.kinematics.features import joints_to_features
from mgpt3_ros.model.motion import Motion
from tests.support.tiny import swinging_motion


@pytest.fixture
def motion() -> Motion:
    return Motion(swinging_motion(0), 20, {'text': 'a person swings', 'seam_error_m': 0.01})


def test_npz_keeps_everything(motion: Motion, tmp_path: Path) -> None:
    thirty = Motion(motion.joints, 30, {'text': 'größer', 'list': [1, 2], 'none': None})
    thirty.save(tmp_path / 'motion.npz')
    found = Motion.load(tmp_path / 'motion.npz')
    assert (found.joints == thirty.joints).all()
    assert (found.fps, dict(found.info)) == (30, dict(thirty.info))


def test_info_may_hold_numbers_of_numpy(motion: Motion, tmp_path: Path) -> None:
    motion.with_info(error=np.float32(0.5), path=np.arange(3)).save(tmp_path / 'motion.npz')
    found = Motion.load(tmp_path / 'motion.npz').info
    assert (found['error'], found['path']) == (0.5, [0, 1, 2])


def test_npy_keeps_the_joints(motion: Motion, tmp_path: Path) -> None:
    motion.save(tmp_path / 'motion.npy')
    assert np.load(tmp_path / 'motion.npy').shape == (60, 22, 3)
    assert (Motion.load(tmp_path / 'motion.npy').joints == motion.joints).all()
    assert Motion.load(tmp_path / 'motion.npy').fps == 20
    assert Motion.load(tmp_path / 'motion.npy', fps=30).fps == 30


def test_bvh_keeps_joints_and_rate(motion: Motion, tmp_path: Path) -> None:
    Motion(motion.joints, 25).save(tmp_path / 'motion.bvh')
    found = Motion.load(str(tmp_path / 'motion.bvh'))
    assert np.abs(found.joints - motion.joints).max() < 1e-4
    assert found.fps == 25


def test_npy_files_of_humanml3d_are_read(motion: Motion, tmp_path: Path) -> None:
    np.save(tmp_path / 'flat.npy', motion.joints.reshape(60, 66))
    assert (Motion.load(tmp_path / 'flat.npy').joints == motion.joints).all()
    features = joints_to_features(motion.joints.astype(np.float64))
    np.save(tmp_path / 'features.npy', features)
    found = Motion.load(tmp_path / 'features.npy')
    assert np.abs(found.joints - motion.canonical().joints[:59]).max() < 1e-4


def test_an_npz_of_joints_alone_is_read(motion: Motion, tmp_path: Path) -> None:
    np.savez(tmp_path / 'bare.npz', joints=motion.joints)
    found = Motion.load(tmp_path / 'bare.npz', fps=25)
    assert (found.fps, dict(found.info)) == (25, {})


@pytest.mark.parametrize('suffix', FORMATS)
def test_a_save_that_fails_leaves_the_old_file_and_nothing_else(
    suffix: str, motion: Motion, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / f'motion{suffix}'
    motion.save(path)
    before = path.read_bytes()
    write = WRITERS[suffix]

    def half(target: Path, motion: Motion) -> None:
        write(target, motion)
        target.write_bytes(target.read_bytes()[:100])
        raise OSError('no space left on device')

    monkeypatch.setitem(WRITERS, suffix, half)
    with pytest.raises(OSError, match='no space'):
        motion.mirror().save(path)
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_info_that_cannot_be_saved_is_named(motion: Motion, tmp_path: Path) -> None:
    with pytest.raises(MotionError, match='info holds a set, which cannot be saved'):
        motion.with_info(labels={'walk'}).save(tmp_path / 'motion.npz')
    assert not list(tmp_path.iterdir())


def test_unknown_suffixes_are_refused(motion: Motion, tmp_path: Path) -> None:
    with pytest.raises(MotionError, match=r'motion.fbx: motions are saved as .npy, .npz, .bvh'):
        motion.save(tmp_path / 'motion.fbx')
    (tmp_path / 'motion.fbx').write_text('x')
    with pytest.raises(MotionError, match=r'motion.fbx: motions are read from .npy, .npz, .bvh'):
        Motion.load(tmp_path / 'motion.fbx')


@pytest.mark.parametrize('suffix', ['.NPY', '.NPZ', '.Npz', '.BVH'])
def test_suffixes_may_be_in_capitals(suffix: str, motion: Motion, tmp_path: Path) -> None:
    motion.save(tmp_path / f'motion{suffix}')
    found = Motion.load(tmp_path / f'motion{suffix}')
    assert [path.name for path in tmp_path.iterdir()] == [f'motion{suffix}']
    assert np.abs(found.joints - motion.joints).max() < 1e-3


def test_missing_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(MotionError, match=r'no motion file at .*walk\.npz'):
        Motion.load(tmp_path / 'walk.npz')
    with pytest.raises(MotionError, match='no motion file at'):
        Motion.load(tmp_path)


@pytest.mark.parametrize('suffix', FORMATS)
def test_damaged_files_are_named(suffix: str, motion: Motion, tmp_path: Path) -> None:
    path = tmp_path / f'motion{suffix}'
    motion.save(path)
    whole = path.read_bytes()
    rng = np.random.default_rng(0)
    messages = []
    for trial in range(60):
        data = bytearray(whole)
        if trial % 2:
            del data[int(rng.integers(len(data) - 3)) :]
        else:
            for place in rng.integers(0, min(len(data), 4000), 3):
                data[place] = rng.integers(256)
        path.write_bytes(bytes(data))
        try:
            Motion.load(path)  # a changed bit of a number is another number
        except MotionError as error:
            messages.append(str(error))
    assert len(messages) >= 30
    assert all(str(path) in message for message in messages)


@pytest.mark.parametrize(
    ('arrays', 'message'),
    [
        ({'fps': 20}, 'joints is not a file in the archive'),
        ({'joints': np.zeros((5, 24, 3))}, r'must be \(T, 22, 3\)'),
        ({'joints': swinging_motion(0), 'fps': -1}, 'fps must be positive'),
        ({'joints': swinging_motion(0), 'fps': [20, 30]}, 'cannot be read as a motion'),
        ({'joints': swinging_motion(0), 'info': '[1, 2]'}, 'cannot be read as a motion'),
        ({'joints': swinging_motion(0), 'info': '{'}, 'cannot be read as a motion'),
    ],
)
def test_an_npz_that_holds_no_motion_is_refused(
    arrays: dict[str, object], message: str, tmp_path: Path
) -> None:
    np.savez(tmp_path / 'motion.npz', **arrays)  # type: ignore[arg-type]
    with pytest.raises(MotionError, match=message) as caught:
        Motion.load(tmp_path / 'motion.npz')
    assert str(tmp_path / 'motion.npz') in str(caught.value)


def test_pickles_are_not_opened(tmp_path: Path) -> None:
    np.save(tmp_path / 'motion.npy', np.array([{'joints': 1}], dtype=object))
    with pytest.raises(MotionError, match=r'cannot be read as a motion: .*pickle'):
        Motion.load(tmp_path / 'motion.npy')
