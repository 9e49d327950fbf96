# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The data set in memory: features and their cache, mirror images, sampling, texts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mgpt3_ros.model.kinematics.features import joints_to_features
from mgpt3_ros.model.motion import Motion
from mgpt3_ros.training.data import dataset as dataset_module
from mgpt3_ros.training.data.clip import Clip, DataError
from mgpt3_ros.training.data.dataset import (
    MotionDataset,
    action_weights,
    load_dataset,
    mirror_clip,
)
from mgpt3_ros.training.data.mirroring import mirror_action, mirror_caption
from tests.support.full_disk import FULL, full_after
from tests.support.tiny_pack import tiny_clips, write_tiny_pack


@pytest.fixture(scope='module')
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_pack(tmp_path_factory.mktemp('pack'))


@pytest.fixture(scope='module')
def data(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> MotionDataset:
    return load_dataset(folder, tmp_path_factory.mktemp('cache'))


# Clips and their mirror images.


def test_train_clips_come_first_and_then_their_mirror_images(data: MotionDataset) -> None:
    assert len(data) == len(data.features) == 14
    assert [clip.id for clip in data.clips[:7]] == [f'clip-{i}' for i in range(7)]
    assert [clip.id for clip in data.clips[7:]] == [f'clip-{i}~mirrored' for i in range(7)]
    assert [clip.id for clip in data.val] == ['clip-7']  # not mirrored


def test_features_are_those_of_the_joints(data: MotionDataset) -> None:
    for features, joints in zip(data.features[:7], tiny_clips()[:7], strict=True):
        assert features.dtype == np.float32
        assert np.abs(features - joints_to_features(joints)).max() < 1e-3
    mirrored = Motion(data.clips[0].joints).mirror().features()
    assert np.abs(data.features[7] - mirrored).max() < 1e-4


def test_a_mirrored_clip_says_what_the_mirror_shows(data: MotionDataset) -> None:
    left, mirrored = data.clips[0], data.clips[7]
    assert (left.action, left.side) == ('wave-left-hand', 'left')
    assert (mirrored.action, mirrored.side) == ('wave-right-hand', 'right')
    assert mirrored.captions[0] == 'a person waves the right hand.'
    for clip, mirror in zip(data.clips[:7], data.clips[7:], strict=True):
        assert mirror.captions == tuple(mirror_caption(caption) for caption in clip.captions)
        assert mirror.action == mirror_action(clip.action)
        assert (mirror.style, mirror.split, mirror.source) == (clip.style, clip.split, clip.source)
        assert (mirror.joints == Motion(clip.joints).mirror().joints).all()


def test_a_mirror_image_of_a_mirror_image_is_the_clip(data: MotionDataset) -> None:
    clip = data.clips[1]
    twice = mirror_clip(mirror_clip(clip))
    assert (twice.joints == clip.joints).all()
    assert (twice.captions, twice.action) == (clip.captions, clip.action)


def test_statistics_are_of_the_train_features(data: MotionDataset) -> None:
    frames = np.concatenate(data.features)
    assert np.abs(data.stats.mean - frames.mean(axis=0)).max() < 1e-4
    assert np.abs(data.stats.normalise(frames).mean(axis=0)).max() < 1e-2
    # A mirror image for each clip: what is across the body averages to nothing.
    assert abs(float(data.stats.mean[1])) < 1e-5


def test_clips_that_are_too_short_or_too_long_are_left_out(tmp_path: Path) -> None:
    frames = (19, 20, 200, 201, 72, 44, 52, 60)
    data = load_dataset(write_tiny_pack(tmp_path / 'pack', frames), tmp_path / 'cache')
    assert [clip.id for clip in data.clips[:5]] == [f'clip-{i}' for i in (1, 2, 4, 5, 6)]
    assert [len(features) for features in data.features[:2]] == [19, 199]


def test_nothing_to_train_on_is_an_error() -> None:
    with pytest.raises(DataError, match='0 clips with 0 features: nothing to train on'):
        MotionDataset([], [], [], [], 'digest')


# The cache.


def count_calls(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    calls: list[int] = []

    def counted(joints: np.ndarray) -> np.ndarray:
        calls.append(len(joints))
        return joints_to_features(joints)

    monkeypatch.setattr(dataset_module, 'joints_to_features', counted)
    return calls


def test_features_are_computed_once(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = count_calls(monkeypatch)
    first = load_dataset(folder, tmp_path)
    assert len(calls) == 14
    second = load_dataset(folder, tmp_path)
    assert len(calls) == 14
    for one, other in zip(first.features, second.features, strict=True):
        assert (one == other).all()
    assert [file.suffix for file in tmp_path.iterdir()] == ['.npy']


def test_another_pack_has_another_cache(
    folder: Path, tmp_path: Path, data: MotionDataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = count_calls(monkeypatch)
    load_dataset(folder, tmp_path / 'cache')
    # The same frames, read in another unit.
    other = write_tiny_pack(tmp_path / 'pack', unit=np.float64(0.0002))
    features = load_dataset(other, tmp_path / 'cache').features[0]
    assert len(calls) == 28
    assert features[0, 3] == pytest.approx(0.8 * data.features[0][0, 3], rel=1e-4)
    assert len(list((tmp_path / 'cache').iterdir())) == 2


@pytest.mark.parametrize('kept', [0, 10, 500, -100])
def test_a_damaged_cache_is_made_anew(
    kept: int, folder: Path, tmp_path: Path, data: MotionDataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    load_dataset(folder, tmp_path)
    (file,) = tmp_path.iterdir()
    file.write_bytes(file.read_bytes()[:kept])
    calls = count_calls(monkeypatch)
    again = load_dataset(folder, tmp_path)
    assert len(calls) == 14
    assert (again.features[3] == data.features[3]).all()
    load_dataset(folder, tmp_path)
    assert len(calls) == 14


def test_a_full_disk_leaves_nothing_behind(folder: Path, tmp_path: Path) -> None:
    with full_after(2000), pytest.raises(OSError, match=FULL):
        load_dataset(folder, tmp_path)
    assert not list(tmp_path.iterdir())


def test_the_cache_lies_in_the_users_cache_folder(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path))
    load_dataset(folder)
    assert len(list((tmp_path / 'mgpt3_ros').glob('features-*.npy'))) == 1


def test_features_that_are_not_finite_name_the_clip(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        dataset_module, 'joints_to_features', lambda joints: np.full((len(joints), 263), np.nan)
    )
    with pytest.raises(DataError, match='clip clip-0 gives features that are not finite'):
        load_dataset(folder, tmp_path)
    assert not list(tmp_path.iterdir())


# Sampling.


def clips_of(*actions: str | None) -> list[Clip]:
    joints = np.zeros((20, 22, 3), np.float32)
    return [Clip(str(i), joints, ('x',), 'train', 'bandai', a) for i, a in enumerate(actions)]


def test_weights_balance_actions() -> None:
    clips = clips_of('walk', 'walk', 'walk', 'walk', 'bow', None)
    assert action_weights(clips, 0.0) == pytest.approx([1 / 6] * 6)
    # All the same in all: four walks share what one bow has.
    assert action_weights(clips, 1.0) == pytest.approx([1 / 12] * 4 + [1 / 3] * 2)
    # Half way: n ** 0.5 in all, so 2, 1 and 1.
    assert action_weights(clips, 0.5) == pytest.approx([1 / 8] * 4 + [1 / 4] * 2)


def test_clips_are_drawn_by_their_weights(data: MotionDataset) -> None:
    drawn = data.sample_indices(np.random.default_rng(0), 20000)
    assert drawn.min() == 0
    assert drawn.max() == 13
    shares = np.bincount(drawn, minlength=14) / 20000
    assert shares == pytest.approx(action_weights(data.clips, 0.5), abs=0.01)
    assert (drawn[:50] == data.sample_indices(np.random.default_rng(0), 50)).all()


def test_captions_are_of_the_clip(data: MotionDataset) -> None:
    rng = np.random.default_rng(0)
    originals = {data.original_caption(7, rng) for _ in range(30)}
    assert originals == {'a person waves the right hand.', 'a person waves the right hand again.'}
    said = {data.caption(7, rng) for _ in range(100)}
    assert len(said) > 10  # in other words as well
    assert not any('left' in text for text in said)


# Texts.


def test_all_texts_are_there_once(data: MotionDataset) -> None:
    texts = list(data.all_texts())
    assert len(texts) == len(set(texts))
    expected = {
        'a man jumps over a box.',  # without motion
        'a person waves the left hand.',  # caption
        'a person waves the right hand.',  # mirrored caption, and one of its own
        'walk forward',  # as a command
    }
    assert expected <= set(texts)
    assert len(texts) > 50  # phrases of the actions
    assert not any('*' in text or '{' in text for text in texts)


def test_sentences_for_the_language_side_come_from_both_kinds(data: MotionDataset) -> None:
    rng = np.random.default_rng(0)
    texts = [data.sample_text(rng) for _ in range(300)]
    without_motion = sum(text in data.text_only for text in texts)
    assert 170 < without_motion < 250  # 0.7 of them


def test_without_texts_alone_captions_serve(folder: Path, data: MotionDataset) -> None:
    bare = MotionDataset(data.clips, data.features, data.val, [], data.digest)
    assert isinstance(bare.sample_text(np.random.default_rng(0)), str)


# Parts to fit components on.


def test_fit_clips_are_whole_clips_and_parts_of_them(data: MotionDataset) -> None:
    found = data.fit_clips(parts=2, seed=3)
    assert len(found) == 42
    assert all((one == other).all() for one, other in zip(found[:14], data.features, strict=True))
    for index, part in enumerate(found[14:]):
        rows = len(data.features[index // 2])
        assert 12 <= len(part) <= rows
        joints = data.clips[index // 2].joints
        windows = [joints[begin : begin + len(part) + 1] for begin in range(rows - len(part) + 1)]
        assert any(np.allclose(Motion(w).features(), part, atol=1e-5) for w in windows)
    assert len({len(part) for part in found[14:]}) > 5
    again = data.fit_clips(parts=2, seed=3)
    assert all((one == other).all() for one, other in zip(found, again, strict=True))


def test_several_data_sets_are_one_and_clips_of_one_name_count_once(
    folder: Path, tmp_path: Path
) -> None:
    alone = load_dataset(folder, tmp_path)
    both = load_dataset([folder, folder], tmp_path)
    assert [clip.id for clip in both.clips] == [clip.id for clip in alone.clips]
    assert [clip.id for clip in both.val] == [clip.id for clip in alone.val]
    assert both.text_only == alone.text_only
    assert both.digest != alone.digest
    np.testing.assert_allclose(both.stats.mean, alone.stats.mean)
