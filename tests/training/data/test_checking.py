# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Mistakes in a data set, each found and named."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from mgpt3_ros.model.kinematics.plausibility import joint_problems
from mgpt3_ros.model.kinematics.skeleton import JOINT_NAMES, MIRRORED
from mgpt3_ros.model.motion import Motion
from mgpt3_ros.training.data.building import build_dataset
from mgpt3_ros.training.data.checking import check_dataset
from tests.support.captures import write_captures
from tests.support.tiny import swinging_motion
from tests.support.tiny_humanml3d import write_tiny_humanml3d


@pytest.fixture
def captures(tmp_path: Path) -> Path:
    return write_captures(tmp_path / 'captures')


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_tiny_humanml3d(tmp_path / 'data')


def build_skips(folder: Path) -> dict[str, list[str]]:
    return build_dataset(folder, folder.parent / 'built').skipped


def z_up(joints: np.ndarray) -> np.ndarray:
    x, y, z = np.moveaxis(joints, -1, 0)
    return np.stack([x, -z, y], axis=-1)


def arms_swapped(joints: np.ndarray) -> np.ndarray:
    order = list(range(22))
    for index, name in enumerate(JOINT_NAMES):
        if name.endswith(('collar', 'shoulder', 'elbow', 'wrist')):
            order[index] = MIRRORED[index]
    return joints[:, order]


def jumping(joints: np.ndarray) -> np.ndarray:
    joints = joints.copy()
    joints[20:] += 3
    return joints


def shuffled(joints: np.ndarray) -> np.ndarray:
    return joints[:, [0, 1, 2, 3, 16, *range(5, 16), 4, *range(17, 22)]]


@pytest.mark.parametrize(
    ('spoil', 'message'),
    [
        (lambda j: 1000 * j, 'as large as one in metres: probably millimetres'),
        (lambda j: 100 * j, 'probably centimetres'),
        (lambda j: 3.281 * j, 'probably feet'),
        (lambda j: 0.1 * j, 'another unit'),
        (z_up, 'the body stands along +Z: up must be +Y (--up=z turns it)'),
        (
            lambda j: -j[..., [1, 0, 2]],
            'the body stands along -X: up must be +Y (--up=-x turns it)',
        ),
        (lambda j: j * (1, -1, 1), 'the body is upside down: up must be +Y (--up=-y turns it)'),
        (lambda j: j[:, MIRRORED], 'toes point backwards: left and right are swapped'),
        (lambda j: j * (-1, 1, 1), 'or an axis is mirrored'),
        (arms_swapped, 'left and right are swapped in the arms or in the legs'),
        (jumping, 'the pelvis moves at 105 m/s after frame 19'),
        (shuffled, 'the bone to left_ankle is 1.36 long, '),
    ],
)
def test_mistakes_in_joints_are_named(
    spoil: Callable[[np.ndarray], np.ndarray], message: str
) -> None:
    joints = swinging_motion(0, 40)
    assert joint_problems(joints) == []
    assert message in '\n'.join(joint_problems(spoil(joints)))


def test_a_mirrored_motion_with_its_sides_renamed_is_right() -> None:
    assert joint_problems(Motion(swinging_motion(0, 40)).mirror().joints) == []


def spoil_vectors(folder: Path) -> None:
    rows = np.load(folder / 'new_joint_vecs' / '000001.npy')
    rows[3, 5] = np.nan
    np.save(folder / 'new_joint_vecs' / '000001.npy', rows)
    (folder / 'new_joint_vecs' / '000002.npy').write_bytes(b'')


def spoil_units(folder: Path) -> None:
    rows = np.load(folder / 'new_joint_vecs' / '000001.npy')
    rows[:, 3:67] *= 100
    np.save(folder / 'new_joint_vecs' / '000001.npy', rows)


def normalise(folder: Path) -> None:
    rows = np.load(folder / 'new_joint_vecs' / '000001.npy')
    rows = (rows - np.load(folder / 'Mean.npy')) / np.load(folder / 'Std.npy')
    np.save(folder / 'new_joint_vecs' / '000001.npy', rows)


def swap_joints(folder: Path) -> None:
    file = folder / 'new_joints' / '000001.npy'
    np.save(file, np.load(file)[:, MIRRORED])


def cut_joints(folder: Path) -> None:
    file = folder / 'new_joints' / '000001.npy'
    np.save(file, np.load(file)[:50])


def spoil_texts(folder: Path) -> None:
    (folder / 'texts' / '000001.txt').unlink()
    (folder / 'texts' / '000002.txt').write_text('walks\nwalks.#x#90.0#95.0\n')


def lone_text(folder: Path) -> None:
    (folder / 'texts' / '123456.txt').write_text('walks.#x#0.0#0.0\n')


def spoil_lists(folder: Path) -> None:
    (folder / 'val.txt').write_text('000003\n000002\n900000\n')
    (folder / 'test.txt').unlink()


def spoil_stats(folder: Path) -> None:
    (folder / 'Std.npy').unlink()


@pytest.mark.parametrize(
    ('spoil', 'expected'),
    [
        (
            spoil_vectors,
            {
                'new_joint_vecs/000001.npy': 'values that are not finite, first in row 3',
                'new_joint_vecs/000002.npy': 'damaged .npy',
            },
        ),
        (spoil_units, {'new_joint_vecs/000001.npy': 'probably centimetres'}),
        (normalise, {'new_joint_vecs/000001.npy': 'normalised already?'}),
        (swap_joints, {'new_joints/000001.npy': 'left and right are swapped'}),
        (cut_joints, {'new_joints/000001.npy': '50 frames, but the features have 100'}),
        (
            spoil_texts,
            {
                'texts/000001.txt': 'missing: the motion has no caption',
                'texts/000002.txt': 'line 1: 1 fields, not caption#tokens#start#end',
                'new_joint_vecs/000002.npy': 'but a caption speaks of what comes later',
            },
        ),
        (lone_text, {'texts/123456.txt': 'captions without a motion in new_joint_vecs'}),
        (
            spoil_lists,
            {
                'val.txt': '000002 is in train.txt as well',
                'new_joint_vecs/900000.npy': 'missing, but named in val.txt',
                'new_joint_vecs/000004.npy': 'in no split list',
            },
        ),
        (spoil_stats, {'Mean.npy': 'lacks Std.npy'}),
    ],
)
def test_mistakes_in_a_data_set_are_named_by_file(
    spoil: Callable[[Path], None], expected: dict[str, str], folder: Path
) -> None:
    assert check_dataset(folder) == (6, [])
    spoil(folder)
    problems = check_dataset(folder).problems
    for file, what in expected.items():
        assert what in '; '.join(p.what for p in problems if p.file == file), (file, problems)
    # Nothing is said of files that are right.
    assert {p.file for p in problems} <= {*expected, 'new_joints/000001.npy'}


def test_own_motions_are_checked_before_they_are_built(captures: Path) -> None:
    assert check_dataset(captures) == (5, [])
    (captures / 'a.txt').unlink()
    np.save(captures / 'b.npy', z_up(swinging_motion(0, 40)))
    (captures / 'more' / 'd.bvh').write_text('HIERARCHY')
    (captures / 'lone.txt').write_text('a person walks.')
    found = {p.file: p.what for p in check_dataset(captures).problems}
    assert set(found) == {'a.npy', 'b.npy', 'more/d.bvh', 'lone.txt'}
    assert found['lone.txt'] == 'captions without a motion'
    assert build_skips(captures)['captions without a motion'] == ['lone.txt']
    assert found['a.npy'] == 'no caption: write a line or more into a.txt'
    assert found['b.npy'] == 'the body stands along +Z: up must be +Y (--up=z turns it)'
