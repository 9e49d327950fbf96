# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What is taken of a data set and in which order, by named options; data of next to nothing."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch

from mgpt3_ros.model.language.prompts import PromptConfig
from mgpt3_ros.model.language.tokenizer import MotionTokenizer
from mgpt3_ros.model.network.network import MotionGPT3Network
from mgpt3_ros.training.data.captions import CaptionOptions
from mgpt3_ros.training.data.clip import Clip, DataError
from mgpt3_ros.training.data.dataset import MotionDataset, load_dataset
from mgpt3_ros.training.data.humanml3d import HumanML3DOptions
from mgpt3_ros.training.data.packs import PackOptions
from mgpt3_ros.training.run_config import load_run_config
from mgpt3_ros.training.samples import Split
from mgpt3_ros.training.tasks import TaskBatcher, TaskMix, TaskOptions
from mgpt3_ros.training.vae_training import VaeBatcher
from tests.support.tiny import SENTENCES, tiny_config
from tests.support.tiny_humanml3d import write_tiny_humanml3d
from tests.support.tiny_pack import tiny_clips, tiny_entries, write_tiny_pack
from tests.support.tiny_runs import write_preset


@pytest.fixture(scope='module')
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_humanml3d(tmp_path_factory.mktemp('tree') / 'data')


@pytest.fixture(scope='module')
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp('cache')


# Epochs.


@pytest.fixture(scope='module')
def in_epochs(tree: Path, cache: Path) -> MotionDataset:
    return load_dataset(tree, cache)


def test_an_epoch_has_every_clip_once_in_an_order_of_its_own(in_epochs: MotionDataset) -> None:
    size = len(in_epochs)
    batcher = VaeBatcher(in_epochs, Split(1, 3))
    orders = [
        [batcher.clip_ids(epoch * size + place, 0)[0] for place in range(size)]
        for epoch in range(4)
    ]
    for order in orders:
        assert sorted(order) == sorted(clip.id for clip in in_epochs.clips)
    assert len({tuple(order) for order in orders}) == 4
    other = VaeBatcher(in_epochs, Split(1, 4))
    assert [other.clip_ids(place, 0)[0] for place in range(size)] != orders[0]


def test_epochs_are_dealt_out_to_processes_and_micro_batches(in_epochs: MotionDataset) -> None:
    size = len(in_epochs)
    alone = VaeBatcher(in_epochs, Split(2 * size, 3)).clip_ids(1, 0)
    whole = Counter({clip.id: 2 for clip in in_epochs.clips})
    assert Counter(alone) == whole  # a step of two epochs
    parts = [
        clip
        for process in (0, 1)
        for micro in (0, 1)
        for clip in VaeBatcher(
            in_epochs, Split(size // 2, 3, process, processes=2, accumulate=2)
        ).clip_ids(1, micro)
    ]
    if size % 2 == 0:
        assert Counter(parts) == whole
    assert len(set(parts)) > size // 2


def test_a_batch_in_the_middle_of_an_epoch_needs_none_before_it(
    in_epochs: MotionDataset,
) -> None:
    tokenizer = MotionTokenizer.train(SENTENCES, vocab_size=300)
    network = MotionGPT3Network(tiny_config(tokenizer.vocab_size).network)
    network.vae.fit(in_epochs.fit_clips(), in_epochs.stats)  # type: ignore[operator]

    def fresh() -> TaskBatcher:
        mix, options = TaskMix(generate=1, caption=1), TaskOptions()
        prompts, split = PromptConfig(), Split(3, 8)
        return TaskBatcher(in_epochs, network, tokenizer, prompts, mix, options, split)

    unbroken = fresh()
    for step in range(12):
        tokens, _, target, *_ = unbroken(step, 0, torch.device('cpu'))
        if step in (1, 7, 11):
            again, _, same, *_ = fresh()(step, 0, torch.device('cpu'))
            assert torch.equal(tokens.ids, again.ids)
            assert torch.equal(target, same)


def test_a_clip_has_another_caption_each_time(in_epochs: MotionDataset) -> None:
    (index,) = [i for i, clip in enumerate(in_epochs.clips) if clip.id == '000000']
    rng = np.random.default_rng(0)
    seen = {in_epochs.original_caption(index, rng) for _ in range(30)}
    assert seen == {'a person waves the left hand.', 'left arm up.'}


# Options.


def test_a_pack_is_taken_as_its_options_say(pack: Path, cache: Path) -> None:
    usual = load_dataset(pack, cache)
    assert (len(usual), usual.epochs, usual.skipped) == (14, False, {})
    plain = load_dataset(pack, cache, pack_options=PackOptions(mirror=False, epochs=True))
    assert [clip.id for clip in plain.clips] == [clip.id for clip in usual.clips[:7]]
    assert plain.epochs
    some = load_dataset(pack, cache, pack_options=PackOptions(min_frames=50, max_frames=64))
    assert [len(clip.joints) for clip in some.clips[:3]] == [56, 64, 52]
    assert some.skipped == {
        'shorter than 50 frames': ['clip-0', 'clip-1', 'clip-5'],
        'longer than 64 frames': ['clip-4'],
    }
    # Each choice has a file of its own in the cache: the first is as it was.
    for one, other in zip(load_dataset(pack, cache).features, usual.features, strict=True):
        assert np.array_equal(one, other)


def test_captions_are_those_of_the_data_if_so_wished(pack: Path, tree: Path, cache: Path) -> None:
    rng = np.random.default_rng(0)
    written, plain, commands = (load_dataset(folder, cache) for folder in (pack, tree, tree))
    written.describe_by(CaptionOptions(rewritten=0.0, sentences=0.0, borrowed=0.0, commanded=0.0))
    for index in range(7):
        for _ in range(10):
            assert written.caption(index, rng) in written.clips[index].captions
    plain.describe_by(CaptionOptions(commanded=0.0))
    said = [plain.caption(index, rng) for index in range(len(plain)) for _ in range(10)]
    assert {text for clip in plain.clips for text in clip.captions} >= set(said)
    commands.describe_by(CaptionOptions(commanded=1.0))
    (index,) = [i for i, clip in enumerate(commands.clips) if clip.id == '000002']
    assert commands.caption(index, rng) == 'walk forward'


def test_actions_are_balanced_as_far_as_asked(pack: Path, cache: Path) -> None:
    def share_of_walking(balance: float) -> float:
        data = load_dataset(pack, cache)
        data.balance(balance)
        drawn = data.sample_indices(np.random.default_rng(0), 4000)
        return float(np.mean([data.clips[index].action == 'walk' for index in drawn]))

    assert share_of_walking(0.0) == pytest.approx(4 / 14, abs=0.03)
    assert share_of_walking(1.0) < 0.22


def test_options_stand_in_the_preset(tmp_path: Path) -> None:
    overrides = ('mocap22.mirror=false', 'mocap22.max_frames=100', 'humanml3d.epochs=false')
    config = load_run_config(write_preset(tmp_path), overrides)
    assert config.mocap22 == PackOptions(mirror=False, max_frames=100)
    assert config.humanml3d == HumanML3DOptions(epochs=False)
    for name in ('paper', 'reference'):
        assert load_run_config(name).captions.commanded == 0


def test_a_few_frames_are_trimmed_off(in_epochs: MotionDataset) -> None:
    tokenizer = MotionTokenizer.train(SENTENCES, vocab_size=300)
    network = MotionGPT3Network(tiny_config(tokenizer.vocab_size).network)
    options = TaskOptions(trim=0.5, max_trim=7)
    batcher = TaskBatcher(
        in_epochs, network, tokenizer, PromptConfig(), TaskMix(generate=1), options, Split(1, 0)
    )
    whole = len(in_epochs.features[0])
    lengths = Counter()
    for number in range(200):
        row = batcher._generate(0, np.random.default_rng(number))
        assert row.target is not None
        assert (row.target.frames is None) == (in_epochs.rows(row.target) == whole)
        lengths[whole - in_epochs.rows(row.target)] += 1
        assert len(in_epochs.cut([row.target])[0]) == in_epochs.rows(row.target)
    assert 60 < lengths[0] < 140
    assert set(lengths) == set(range(8))


def test_a_clip_whose_only_caption_is_held_out_is_drawn_all_the_same() -> None:
    # 'take a bow' is kept for measuring (wordings.yaml), but another data set may have it.
    rows = np.zeros((30, 263), np.float32)
    clip = Clip('1', np.zeros((30, 22, 3)), ('to take a bow',), 'train', 'humanml3d', None)
    data = MotionDataset([clip], [rows], [], [], '')
    assert data.caption(0, np.random.default_rng(0)) == 'to take a bow'


# Next to nothing.


def test_a_data_set_of_one_clip_trains(tmp_path: Path) -> None:
    folder = write_tiny_humanml3d(tmp_path / 'data')
    (folder / 'train.txt').write_text('000002\n')
    data = load_dataset(folder, tmp_path / 'cache', HumanML3DOptions(mirror=False))
    assert [clip.id for clip in data.clips] == ['000002']
    features, lengths, _ = VaeBatcher(data, Split(4, 0))(0, 0, torch.device('cpu'))
    assert len(features) == 4
    assert int(lengths.max()) <= len(data.features[0])


def test_a_split_without_clips_is_an_error(tmp_path: Path) -> None:
    entries = [{**entry, 'split': 'val'} for entry in tiny_entries(tiny_clips())]
    folder = write_tiny_pack(tmp_path / 'pack', entries=entries)
    with pytest.raises(DataError, match=r'nothing usable in the train split \(it has no clip\)'):
        load_dataset(folder, tmp_path / 'cache')
    folder = write_tiny_pack(tmp_path / 'other')
    with pytest.raises(DataError, match=r'train split \(7 left out, shorter than 90 frames: clip'):
        load_dataset(folder, tmp_path / 'cache', pack_options=PackOptions(min_frames=90))
