# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A data set of own captures: what is built, what is left out, and that it is whole."""

from __future__ import annotations

import re
from itertools import chain
from pathlib import Path

import numpy as np
import pytest

from mgpt3_ros.cli import main as cli
from mgpt3_ros.model.kinematics.skeleton import PARENTS, REST_OFFSETS
from mgpt3_ros.model.motion import Motion
from mgpt3_ros.training.data.building import BuildOptions, build_dataset, split_names
from mgpt3_ros.training.data.checking import check_dataset
from mgpt3_ros.training.data.clip import DataError
from mgpt3_ros.training.data.dataset import load_dataset
from tests.support.captures import write_captures
from tests.support.full_disk import FULL, full_after
from tests.support.tiny import swinging_motion


@pytest.fixture
def captures(tmp_path: Path) -> Path:
    return write_captures(tmp_path / 'captures')


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
