# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""``mgpt3 data``: data sets of own motions, and mistakes that are found in them."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from itertools import chain
from pathlib import Path

import numpy as np
import pytest

from mgpt3_ros.cli import main as cli
from mgpt3_ros.model.kinematics.plausibility import joint_problems
from mgpt3_ros.model.kinematics.skeleton import JOINT_NAMES, MIRRORED, PARENTS, REST_OFFSETS
from mgpt3_ros.model.motion import Motion
from mgpt3_ros.training.data.building import BuildOptions, build_dataset, split_names
from mgpt3_ros.training.data.checking import check_dataset
from mgpt3_ros.training.data.clip import DataError
from mgpt3_ros.training.data.dataset import load_dataset
from mgpt3_ros.training.data.humanml3d import load_humanml3d
from tests.support.full_disk import FULL, full_after
from tests.support.tiny import swinging_motion
from tests.support.tiny_humanml3d import write_tiny_humanml3d


def write_captures(folder: Path) -> Path:
    """Five usable motions, one of each kind of file."""
    (folder / 'more').mkdir(parents=True)
    np.save(folder / 'a.npy', swinging_motion(0, 40))
    np.save(folder / 'b.npy', swinging_motion(1, 44).reshape(44, 66))
    Motion(swinging_motion(2, 90), fps=30.0, info={'text': 'someone waits.'}).save(
        folder / 'c.npz'
    )
    Motion(swinging_motion(3, 48)).save(folder / 'more' / 'd.bvh')
    np.save(folder / 'more' / 'e.npy', 1.2 * swinging_motion(4, 60))
    (folder / 'a.txt').write_text('a person walks forward.\nwalk ahead\n')
    (folder / 'b.txt').write_text('swings the arms.\n\n')
    (folder / 'more' / 'd.txt').write_text('a person glides.\n')
    (folder / 'more' / 'e.txt').write_text('glides.\nswings the left arm.#x#0.5#2.0\n')
    return folder


@pytest.fixture
def captures(tmp_path: Path) -> Path:
    return write_captures(tmp_path / 'captures')


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_tiny_humanml3d(tmp_path / 'data')


# Building.


def test_what_is_built_is_a_data_set_without_mistakes(captures: Path, tmp_path: Path) -> None:
    report = build_dataset(captures, tmp_path / 'out')
    assert report.skipped == {}
    assert {split: len(names) for split, names in report.splits.items()} == {
        'train': 3,
        'val': 1,
        'test': 1,
    }
    assert sorted(chain(*report.splits.values())) == ['a', 'b', 'c', 'more_d', 'more_e']
    assert check_dataset(tmp_path / 'out') == (5, [])
    data = load_dataset(tmp_path / 'out')
    assert data.skipped == {}
    assert (data.stats.mean == np.load(tmp_path / 'out' / 'Mean.npy')).all()
    assert abs(float(data.stats.mean[1])) < 1e-5  # sides balance
    assert not list(tmp_path.glob('.out*'))  # nothing is left of the way there


def test_motions_come_at_20_fps_on_one_body(captures: Path, tmp_path: Path) -> None:
    build_dataset(captures, tmp_path / 'out')
    assert len(np.load(tmp_path / 'out' / 'new_joint_vecs' / 'c.npy')) == 59  # 90 frames at 30
    tall = np.load(tmp_path / 'out' / 'new_joints' / 'more_e.npy')
    lengths = np.linalg.norm(tall - tall[:, list(PARENTS)], axis=-1)[:, 1:]
    assert np.abs(lengths - np.linalg.norm(REST_OFFSETS, axis=-1)[1:]).max() < 1e-4
    build_dataset(captures, tmp_path / 'own', BuildOptions(own_bones=True))
    own = np.load(tmp_path / 'own' / 'new_joints' / 'more_e.npy')
    knee = np.linalg.norm(own[:, 4] - own[:, 1], axis=-1)
    assert knee == pytest.approx(1.2 * 0.3936, rel=1e-3)


def test_directions_of_bones_are_kept(captures: Path, tmp_path: Path) -> None:
    build_dataset(captures, tmp_path / 'out')
    built = np.load(tmp_path / 'out' / 'new_joints' / 'a.npy')
    given = Motion(swinging_motion(0, 40)).canonical().joints[:-1]
    assert np.abs(built - given).max() < 0.01


def test_captions_are_written_as_the_authors_do(captures: Path, tmp_path: Path) -> None:
    build_dataset(captures, tmp_path / 'out')
    texts = tmp_path / 'out' / 'texts'
    assert (texts / 'a.txt').read_text().splitlines() == [
        'a person walks forward.#a/OTHER person/OTHER walks/OTHER forward/OTHER#0.0#0.0',
        'walk ahead#walk/OTHER ahead/OTHER#0.0#0.0',
    ]
    assert (texts / 'c.txt').read_text().startswith('someone waits.#')
    assert (texts / 'more_e.txt').read_text().endswith('arm/OTHER#0.5#2.0\n')


def test_joints_with_z_up_are_turned(captures: Path, tmp_path: Path) -> None:
    x, y, z = np.moveaxis(swinging_motion(0, 40), -1, 0)
    np.save(captures / 'a.npy', np.stack([x, -z, y], axis=-1))
    skipped = build_dataset(captures, tmp_path / 'left').skipped
    assert skipped == {'the body stands along +Z: up must be +Y (--up=z turns it)': ['a.npy']}
    for name in ('b.npy', 'c.npz', 'more/e.npy'):
        (captures / name).unlink()
    build_dataset(captures, tmp_path / 'out', BuildOptions(up='z'))
    built = np.load(tmp_path / 'out' / 'new_joints' / 'a.npy')
    assert np.abs(built - Motion(swinging_motion(0, 40)).canonical().joints[:-1]).max() < 0.01


def test_the_split_is_seeded_and_keeps_mirrored_copies_together() -> None:
    names = [f'{i:06}' for i in range(100)] + [f'M{i:06}' for i in range(50)]
    splits = split_names(names, BuildOptions())
    assert [len({n.lstrip('M') for n in splits[s]}) for s in ('train', 'val', 'test')] == [
        80,
        5,
        15,
    ]
    for split in splits.values():
        for name in split:
            assert f'M{name}' not in names or f'M{name}' in split
    assert split_names(names, BuildOptions()) == splits
    assert split_names(names, BuildOptions(seed=1)) != splits
    assert sorted(chain(*splits.values())) == sorted(names)


def test_what_cannot_be_used_is_left_out_and_named(captures: Path, tmp_path: Path) -> None:
    (captures / 'a.txt').unlink()
    np.save(captures / 'short.npy', swinging_motion(0, 20))
    np.save(captures / 'long.npy', swinging_motion(0, 300))
    np.save(captures / 'part.npy', swinging_motion(0, 300))
    np.save(captures / 'nan.npy', np.full((40, 22, 3), np.nan))
    np.save(captures / 'more_d.npy', swinging_motion(0, 40))
    np.save(captures / 'millimetres.npy', 1000 * swinging_motion(0, 40))
    (captures / 'damaged.npz').write_bytes(b'PK\x03\x04')
    for name in ('short', 'long', 'nan', 'damaged', 'more_d', 'millimetres'):
        (captures / f'{name}.txt').write_text('a person walks.\n')
    (captures / 'part.txt').write_text('walks.#x#2.0#5.0\n')
    report = build_dataset(captures, tmp_path / 'out')
    reasons = {name: why for why, names in report.skipped.items() for name in names}
    assert set(reasons) == {
        *('a.npy', 'short.npy', 'long.npy', 'nan.npy', 'damaged.npz', 'millimetres.npy'),
        'more_d.npy',
    }
    assert reasons['a.npy'] == 'no caption: write a line or more into a.txt'
    assert reasons['short.npy'] == 'shorter than 21 frames at 20 fps'
    assert reasons['long.npy'].startswith('longer than 200 frames at 20 fps: cut it, or write')
    assert 'not finite' in reasons['nan.npy']
    assert 'cannot be read' in reasons['damaged.npz']
    assert 'millimetres' in reasons['millimetres.npy']
    assert reasons['more_d.npy'] == 'another file gives the same name'
    assert 'part' in chain(*report.splits.values())


@pytest.mark.parametrize(
    ('kept', 'message'),
    [
        (
            (),
            r'has no motion file \(\.npy, \.npz, \.bvh, \.glb, .*, or the folder of a rosb',
        ),
        (('a',), r'^1 usable motion: a data set needs two at least'),
    ],
)
def test_too_few_motions_are_an_error(kept: tuple[str, ...], message: str, tmp_path: Path) -> None:
    (tmp_path / 'in').mkdir()
    for name in kept:
        np.save(tmp_path / 'in' / f'{name}.npy', swinging_motion(0, 40))
        (tmp_path / 'in' / f'{name}.txt').write_text('a person walks.\n')
    with pytest.raises(DataError, match=message):
        build_dataset(tmp_path / 'in', tmp_path / 'out')
    assert [path.name for path in tmp_path.iterdir()] == ['in']


def test_nothing_usable_is_an_error_that_says_why(captures: Path, tmp_path: Path) -> None:
    for file in [*captures.rglob('*.txt'), captures / 'c.npz']:
        file.unlink()
    with pytest.raises(DataError, match=r'no motion in .* can be used: a\.npy: no caption: write'):
        build_dataset(captures, tmp_path / 'out')
    assert not (tmp_path / 'out').exists()


def test_an_existing_folder_is_not_written_over(captures: Path, tmp_path: Path) -> None:
    (tmp_path / 'out').mkdir()
    with pytest.raises(DataError, match='out exists already: give a new name'):
        build_dataset(captures, tmp_path / 'out')


def test_a_full_disk_leaves_nothing(
    captures: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    with full_after(45_000):  # the features of the first motion can be written
        assert cli.main(['data', 'build', str(captures), '-o', str(tmp_path / 'out')]) == 2
    assert re.search(rf'out.*b\.npy: ({FULL})', capsys.readouterr().err)
    assert [path.name for path in tmp_path.iterdir()] == ['captures']


def build_skips(folder: Path) -> dict[str, list[str]]:
    return build_dataset(folder, folder.parent / 'built').skipped


# Checking.


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


# The command.


def test_the_command_builds_and_checks(
    captures: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    out = str(tmp_path / 'out')
    (captures / 'b.txt').unlink()
    assert cli.main(['data', 'build', str(captures), '-o', out, '--val', '0.2']) == 0
    said = capsys.readouterr()
    assert said.out == f'{out}: 2 train, 1 val, 1 test; 1 left out\n'
    assert 'left out b.npy: no caption: write a line or more into b.txt\n' in said.err
    assert cli.main(['data', 'check', out]) == 0
    assert capsys.readouterr().out == f'{out}: 4 motions, 0 problems in 0 files\n'
    (train,) = load_humanml3d(out, splits=('train',)).clips
    assert train == 'train'
    (Path(out) / 'texts' / 'a.txt').unlink()
    assert cli.main(['data', 'check', out]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines == [
        'texts/a.txt: missing: the motion has no caption',
        f'{out}: 4 motions, 1 problems in 1 files',
    ]


def test_wrong_requests_are_refused(
    captures: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    assert cli.main(['data', 'check', str(tmp_path / 'nowhere')]) == 2
    assert 'there is no folder' in capsys.readouterr().err
    shutil.rmtree(captures)
    captures.mkdir()
    assert cli.main(['data', 'build', str(captures), '-o', str(tmp_path / 'out')]) == 2
    assert 'has no motion file' in capsys.readouterr().err
    with pytest.raises(SystemExit):
        cli.main(['data', 'build', str(captures), '-o', 'out', '--val', '0.9'])
