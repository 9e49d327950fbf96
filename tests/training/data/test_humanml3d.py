# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""HumanML3D's folder layout: what is read, what is left out, and that every stage takes it."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import numpy as np
import pytest
import yaml

from mgpt3_ros.model.motion import Motion
from mgpt3_ros.model.motiongpt3 import MotionGPT3
from mgpt3_ros.training.data import motion_store
from mgpt3_ros.training.data.clip import DataError
from mgpt3_ros.training.data.dataset import MotionDataset, load_dataset
from mgpt3_ros.training.data.humanml3d import (
    HumanML3DOptions,
    load_humanml3d,
    parse_caption_line,
)
from mgpt3_ros.training.train import main
from tests.support.full_disk import FULL, full_after
from tests.support.tiny_humanml3d import write_tiny_humanml3d
from tests.support.tiny_runs import PRESET

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep what is read out of the user's cache folder."""
    folder = tmp_path_factory.mktemp('cache')
    monkeypatch.setenv('XDG_CACHE_HOME', str(folder))
    return folder / 'mgpt3_ros'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_tiny_humanml3d(tmp_path / 'data')


def ids(data: MotionDataset) -> list[str]:
    return [clip.id for clip in data.clips]


# What is read.


def test_motions_parts_and_mirror_images_are_the_train_clips(folder: Path) -> None:
    data = load_dataset(folder)
    assert ids(data) == [
        '000000',
        'M000000',
        '000001',
        '000001#20-60',
        '000002',
        # 000000 has its copy already, and M000000 is one.
        '000001~mirrored',
        '000001~mirrored#20-60',
        '000002~mirrored',
    ]
    assert [clip.id for clip in data.val] == ['000003']
    assert [len(rows) for rows in data.features] == [60, 60, 100, 40, 80, 100, 40, 80]
    assert all(len(c.joints) == len(f) for c, f in zip(data.clips, data.features, strict=True))
    assert data.skipped == {}


def test_captions_are_of_the_motion_or_of_its_part(folder: Path) -> None:
    by_id = {clip.id: clip.captions for clip in load_dataset(folder).clips}
    assert by_id['000000'] == ('a person waves the left hand.', 'left arm up.')
    assert by_id['000001'] == ('a person turns clockwise.',)
    assert by_id['000001#20-60'] == ('walks to the left.', 'stops.')
    assert by_id['000001~mirrored'] == ('a person turns counterclockwise.',)
    assert by_id['000001~mirrored#20-60'] == ('walks to the right.', 'stops.')


def test_features_are_those_of_the_files(folder: Path) -> None:
    data = load_dataset(folder)
    stored = np.load(folder / 'new_joint_vecs' / '000001.npy')
    assert (data.features[2] == stored).all()
    assert (data.features[3] == stored[20:60]).all()
    joints = np.load(folder / 'new_joints' / '000001.npy')
    assert (data.clips[3].joints == joints[20:60]).all()


def test_mirror_images_are_those_of_the_joints(folder: Path) -> None:
    data = load_dataset(folder)
    mirrored = Motion(np.load(folder / 'new_joints' / '000002.npy')).mirror()
    assert np.abs(data.features[7][:-1] - mirrored.features()).max() < 1e-4
    # Of the last row, the place is known and the velocity is nearly that of the row before.
    last, stored = data.features[7][-1], np.load(folder / 'new_joint_vecs' / '000002.npy')[-1]
    assert last[3] == pytest.approx(stored[3], abs=1e-5)
    assert abs(last[2] - stored[2]) < 0.01


def test_mirroring_twice_gives_the_features_back(folder: Path) -> None:
    # What the authors' own mirrored copy has, and what is made of the motion.
    (folder / 'train.txt').write_text('000000\n')
    made = load_dataset(folder).features[1]
    copy = np.load(folder / 'new_joint_vecs' / 'M000000.npy')
    assert np.abs(made[:-1] - copy[:-1]).max() < 1e-3


def test_mean_and_std_are_used_or_made(folder: Path) -> None:
    np.save(folder / 'Mean.npy', np.full(263, 0.25, np.float32))
    assert (load_dataset(folder).stats.mean == 0.25).all()
    (folder / 'Mean.npy').unlink()
    with pytest.raises(DataError, match=r'lacks Mean\.npy'):
        load_dataset(folder)
    (folder / 'Std.npy').unlink()
    made = load_dataset(folder)
    assert np.abs(made.stats.mean - np.concatenate(made.features).mean(axis=0)).max() < 1e-4


def test_without_new_joints_they_come_from_the_features(folder: Path) -> None:
    before = load_dataset(folder).clips[2].joints
    (folder / 'new_joints' / '000001.npy').unlink()
    assert np.abs(load_dataset(folder).clips[2].joints - before).max() < 1e-5


def test_the_digest_is_of_the_content(folder: Path) -> None:
    first = load_dataset(folder).digest
    assert load_dataset(folder).digest == first
    text = folder / 'texts' / '000002.txt'
    text.write_text(text.read_text().replace('walks', 'marches'))
    assert load_dataset(folder).digest != first


def test_the_test_split_is_read_when_asked_for(folder: Path) -> None:
    pack = load_humanml3d(folder, splits=('test',))
    assert [clip.id for clip in pack.clips['test']] == ['000004']
    assert len(pack.features['test'][0]) == 57


# Options.


def test_length_limits_and_cropping(folder: Path) -> None:
    data = load_dataset(folder, options=HumanML3DOptions(min_frames=50, max_frames=79))
    assert ids(data) == ['000000', 'M000000']
    assert data.skipped == {
        'shorter than 50 frames': ['000001#20-60'],
        'longer than 79 frames': ['000001', '000002'],
    }
    cropped = load_dataset(folder, options=HumanML3DOptions(max_frames=70, crop_long=True))
    assert [len(rows) for rows in cropped.features] == [60, 60, 70, 40, 70, 70, 40, 70]
    with pytest.raises(DataError, match='min_frames 30 to max_frames 20 leaves no clip'):
        load_dataset(folder, options=HumanML3DOptions(min_frames=30, max_frames=20))


def test_parts_and_mirror_images_can_be_left_out(folder: Path) -> None:
    data = load_dataset(folder, options=HumanML3DOptions(sub_clips=False, mirror=False))
    assert ids(data) == ['000000', 'M000000', '000001', '000002']
    (folder / 'texts' / '000002.txt').write_text('walks.#x#1.0#3.0\n')
    data = load_dataset(folder, options=HumanML3DOptions(sub_clips=False, mirror=False))
    assert data.skipped == {'no caption of the whole, and sub_clips is off': ['000002']}


# What is left out is counted and said.


def spoil_shape(folder: Path) -> None:
    np.save(folder / 'new_joint_vecs' / '000002.npy', np.zeros((80, 262), np.float32))


def spoil_frames(folder: Path) -> None:
    np.save(folder / 'new_joint_vecs' / '000002.npy', np.zeros((0, 263), np.float32))


def spoil_nan(folder: Path) -> None:
    rows = np.load(folder / 'new_joint_vecs' / '000002.npy')
    rows[7, 100] = np.nan
    np.save(folder / 'new_joint_vecs' / '000002.npy', rows)


def spoil_file(folder: Path) -> None:
    file = folder / 'new_joint_vecs' / '000002.npy'
    file.write_bytes(file.read_bytes()[:500])


def spoil_empty(folder: Path) -> None:
    (folder / 'new_joint_vecs' / '000002.npy').write_bytes(b'')


def spoil_pickle(folder: Path) -> None:
    np.save(folder / 'new_joint_vecs' / '000002.npy', np.array([{}]), allow_pickle=True)


def spoil_joints(folder: Path) -> None:
    np.save(folder / 'new_joints' / '000002.npy', np.zeros((9, 22, 3), np.float32))


def spoil_bytes(folder: Path) -> None:
    (folder / 'texts' / '000002.txt').write_bytes(b'\xff\xfe\x00walk')


def spoil_caption(folder: Path) -> None:
    (folder / 'texts' / '000002.txt').write_text('\n\n')


def lose_motion(folder: Path) -> None:
    (folder / 'new_joint_vecs' / '000002.npy').unlink()


def lose_text(folder: Path) -> None:
    (folder / 'texts' / '000002.txt').unlink()


@pytest.mark.parametrize(
    ('spoil', 'reason'),
    [
        (spoil_frames, 'new_joint_vecs unusable (no frames)'),
        (spoil_shape, 'new_joint_vecs unusable (an array of shape (80, 262), not (T, 263))'),
        (spoil_nan, 'new_joint_vecs unusable (values that are not finite)'),
        (spoil_file, 'new_joint_vecs unusable (damaged .npy)'),
        (spoil_empty, 'new_joint_vecs unusable (damaged .npy)'),
        (spoil_pickle, 'new_joint_vecs unusable (damaged .npy)'),
        (spoil_joints, 'new_joints shorter than new_joint_vecs'),
        (spoil_bytes, 'unreadable file in texts'),
        (spoil_caption, 'no caption'),
        (lose_motion, 'motion missing in new_joint_vecs'),
        (lose_text, 'captions missing in texts'),
    ],
)
def test_a_motion_that_cannot_be_used_is_counted(
    spoil: object, reason: str, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert callable(spoil)
    spoil(folder)
    with caplog.at_level(logging.WARNING):
        data = load_dataset(folder)
    assert data.skipped == {reason: ['000002']}
    assert f'1 left out, {reason}: 000002' in caplog.text
    assert len(data) == 6  # the others are there


def test_captions_that_cannot_be_used_are_counted(folder: Path) -> None:
    lines = ['walks.#x/VERB#0.0#0.0', 'a#b', 'walks.#x#3.0#1.0', 'late.#x#50.0#60.0', '#x#0#0']
    (folder / 'texts' / '000002.txt').write_text('\n'.join(lines))
    data = load_dataset(folder)
    assert data.skipped == {
        'captions that are not caption#tokens#start#end': ['000002:2', '000002:3', '000002:5'],
        'captions of a part that the motion does not have': ['000002#1000-80'],
    }
    assert '000002' in ids(data)


@pytest.mark.parametrize(
    'line', ['a#b#0', 'a#b#c#0', ' #b#0#0', 'a#b#2#1', 'a#b#-1#1', 'a#b#0#inf', 'a#b#1#1']
)
def test_lines_of_another_form_are_refused(line: str) -> None:
    with pytest.raises(ValueError, match=r'.'):
        parse_caption_line(line)


# The cache.


def test_what_was_read_is_mapped_the_next_time(
    folder: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = load_dataset(folder)
    assert sorted(file.suffix for file in cache.iterdir()) == sorted(
        2 * ['.features', '.joints', '.json']
    )
    with monkeypatch.context() as patch:
        patch.setattr(motion_store, 'load_array', None)  # not needed again
        again = load_dataset(folder)
    assert again.digest == first.digest
    for one, other in zip(first.features, again.features, strict=True):
        assert (one == other).all()
    assert not any(np.asarray(rows).flags.owndata for rows in again.features)


def test_a_change_in_the_folder_is_noticed(folder: Path) -> None:
    first = load_dataset(folder)
    rows = np.load(folder / 'new_joint_vecs' / '000001.npy')
    np.save(folder / 'new_joint_vecs' / '000001.npy', rows[:-5])
    again = load_dataset(folder)
    assert len(again.features[2]) == 95
    assert again.digest != first.digest


@pytest.mark.parametrize('kind', ['features', 'joints', 'json'])
def test_a_damaged_cache_is_made_anew(kind: str, folder: Path, cache: Path) -> None:
    first = load_dataset(folder)
    for file in cache.glob(f'*.{kind}'):
        begin = file.read_bytes()[:100]
        file.unlink()  # the first data set still maps it
        file.write_bytes(begin)
    again = load_dataset(folder)
    for one, other in zip(first.features, again.features, strict=True):
        assert (one == other).all()


def test_a_full_disk_leaves_no_part_of_a_cache(folder: Path, cache: Path) -> None:
    with full_after(20_000), pytest.raises(OSError, match=FULL):
        load_dataset(folder)
    assert not list(cache.parent.rglob('motions-*'))


# What is an error.


def test_an_empty_or_missing_list_is_an_error(folder: Path) -> None:
    (folder / 'val.txt').write_text('\n')
    with pytest.raises(DataError, match=r'split list .*val\.txt is empty: write one ID'):
        load_dataset(folder)
    (folder / 'val.txt').unlink()
    with pytest.raises(DataError, match=r'cannot read the split list .*val\.txt'):
        load_dataset(folder)


def test_a_split_with_nothing_usable_is_an_error_that_says_why(folder: Path) -> None:
    (folder / 'val.txt').write_text('900001\n900002\n')
    message = r'nothing usable in val\.txt \(2 left out, motion missing in .*: 900001, 900002\)'
    with pytest.raises(DataError, match=message):
        load_dataset(folder)


@pytest.mark.parametrize('mean', [np.zeros(262), np.full(263, np.nan)])
def test_statistics_of_another_kind_are_an_error(mean: np.ndarray, folder: Path) -> None:
    np.save(folder / 'Mean.npy', mean)
    with pytest.raises(DataError, match='are no statistics: the mean of the features must be 263'):
        load_dataset(folder)


def test_a_folder_of_neither_layout_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r'is no pack of motions: .* no folder new_joint_vecs'):
        load_dataset(tmp_path)


# Training.


def test_every_stage_takes_it(folder: Path, tmp_path: Path) -> None:
    config, run = tmp_path / 'tiny.yaml', tmp_path / 'run'
    config.write_text(yaml.safe_dump(PRESET, sort_keys=False))
    options = ['--config', str(config), '--device', 'cpu']
    arguments = ['all', '--data', str(folder), '--output', str(run), *options]
    changes = [
        'humanml3d.min_frames=30',
        # What the VAE's residual learns in a test is less than what its samples differ by.
        'stages.vae.optim.steps=2',
        # Align begins where t2m stopped: smaller batches differ by more than is left to learn.
        'stages.align.optim.batch_size=32',
    ]
    assert main([*arguments, *changes]) == 0
    for stage, steps in {'vae': 2, 'text': 40, 't2m': 40, 'align': 40}.items():
        log = (run / stage / 'log.jsonl').read_text().splitlines()
        loss = [json.loads(line)['loss'] for line in log]
        assert len(loss) == steps
        assert np.isfinite(loss).all()
        assert stage == 'vae' or np.mean(loss[-10:]) < 0.95 * np.mean(loss[:10])
    record = json.loads((run / 'align' / 'run.json').read_text())
    assert record['humanml3d']['min_frames'] == 30
    model = MotionGPT3.from_pretrained(run / 'align', device='cpu')
    assert (model.stats.mean == np.load(folder / 'Mean.npy')).all()
    assert model.generate('a person walks', duration_s=2.0).num_frames == 40
