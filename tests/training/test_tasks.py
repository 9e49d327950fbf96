# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Batches of the tasks: repeatable, in reading order, and of the frames that they should be of."""

from __future__ import annotations

import dataclasses
from collections import Counter

import numpy as np
import pytest
import torch
from torch import Tensor

from mgpt3_ros.model.errors import ConfigError
from mgpt3_ros.model.kinematics.features import features_to_joints, joints_to_features
from mgpt3_ros.model.kinematics.skeleton import JOINT_NAMES
from mgpt3_ros.model.language.tokenizer import MotionTokenizer
from mgpt3_ros.model.motiongpt3 import PromptConfig
from mgpt3_ros.model.network.network import MotionGPT3Network
from mgpt3_ros.model.network.sequences import IGNORED
from mgpt3_ros.model.network.vae import MldConfig, VaeConfig
from mgpt3_ros.training.data.clip import Clip
from mgpt3_ros.training.data.dataset import MotionDataset, load_dataset
from mgpt3_ros.training.samples import Split
from mgpt3_ros.training.tasks import FIRST_PLACE, Batch, Row, TaskBatcher, TaskMix, TaskOptions
from tests.support.tiny import SENTENCES, swinging_motion, tiny_config
from tests.support.tiny_pack import write_tiny_pack

CPU = torch.device('cpu')
MIXED = TaskMix(text=1, generate=1, caption=1, predict=1, inbetween=1)
QUIET = TaskOptions(latent_noise=False)
HOLDERS = 2


@pytest.fixture(scope='module')
def data(tmp_path_factory: pytest.TempPathFactory) -> MotionDataset:
    folder = tmp_path_factory.mktemp('data')
    return load_dataset(write_tiny_pack(folder / 'pack'), folder / 'cache')


@pytest.fixture(scope='module')
def tokenizer() -> MotionTokenizer:
    return MotionTokenizer.train(SENTENCES, vocab_size=300)


@pytest.fixture(scope='module')
def network(data: MotionDataset, tokenizer: MotionTokenizer) -> MotionGPT3Network:
    torch.manual_seed(0)
    network = MotionGPT3Network(tiny_config(tokenizer.vocab_size).network)
    network.vae.fit(data.fit_clips(), data.stats)  # type: ignore[operator]
    return network


@pytest.fixture
def batcher(
    data: MotionDataset, network: MotionGPT3Network, tokenizer: MotionTokenizer
) -> TaskBatcher:
    return TaskBatcher(data, network, tokenizer, PromptConfig(), MIXED, QUIET, Split(16, 5))


def changed(batcher: TaskBatcher, **changes: object) -> TaskBatcher:
    """The batcher with other arguments."""
    arguments: dict[str, object] = {
        'dataset': batcher.dataset,
        'network': batcher.network,
        'tokenizer': batcher.tokenizer,
        'prompts': batcher.prompts,
        'mix': MIXED,
        'options': batcher.options,
        'split': batcher.split,
    }
    return TaskBatcher(**{**arguments, **changes})  # type: ignore[arg-type]


def tensors(batch: Batch) -> list[Tensor]:
    tokens, motions, target, durations, generators = batch
    noise = torch.tensor([generator.initial_seed() for generator in generators])
    told = [getattr(motions, field.name) for field in dataclasses.fields(motions)]
    return [tokens.ids, tokens.labels, tokens.mask, *told, target, durations, noise]


def same(one: Batch, other: Batch) -> bool:
    pairs = zip(tensors(one), tensors(other), strict=True)
    return all(a.shape == b.shape and bool((a == b).all()) for a, b in pairs)


# A batch is a function of the seed and the step.


def test_a_batch_depends_on_seed_and_step_alone(batcher: TaskBatcher) -> None:
    noisy = changed(batcher, options=TaskOptions())
    first = noisy(7, 0, CPU)
    noisy(8, 0, CPU)
    torch.manual_seed(1)
    np.random.seed(1)  # noqa: NPY002 - that this changes nothing is what is tested
    assert same(noisy(7, 0, CPU), first)
    assert same(changed(batcher, options=TaskOptions())(7, 0, CPU), first)


def test_another_seed_step_or_process_gives_another_batch(batcher: TaskBatcher) -> None:
    batches = [
        batcher(7, 0, CPU),
        batcher(8, 0, CPU),
        batcher(7, 1, CPU),
        changed(batcher, split=Split(16, 6))(7, 0, CPU),
        changed(batcher, split=Split(16, 5, process=2, processes=3))(7, 0, CPU),
    ]
    for index, batch in enumerate(batches):
        assert not any(same(batch, other) for other in batches[:index])


def test_a_step_has_the_same_samples_however_it_is_split(batcher: TaskBatcher) -> None:
    noisy = changed(batcher, options=TaskOptions(pad_to=96))
    whole = tensors(noisy(7, 0, CPU))
    halves = [
        changed(noisy, split=Split(8, 5, process, processes=2))(7, 0, CPU) for process in (0, 1)
    ]
    micro = [changed(noisy, split=Split(8, 5))(7, part, CPU) for part in (0, 1)]
    for parts in (halves, micro):
        for one, *pieces in zip(whole, *map(tensors, parts), strict=True):
            torch.testing.assert_close(torch.cat(pieces), one, rtol=0, atol=1e-4)


def test_a_batch_knows_its_clips(batcher: TaskBatcher) -> None:
    alone = changed(batcher, mix=TaskMix(generate=1), split=Split(6, 5))
    _, _, _, durations, _ = alone(3, 0, CPU)
    frames = {clip.id: len(clip.joints) - 1 for clip in batcher.dataset.clips}
    assert [frames[name] for name in alone.clip_ids(3, 0)] == durations.tolist()


def test_dropout_does_not_reach_the_latents(data: MotionDataset, batcher: TaskBatcher) -> None:
    config = tiny_config(batcher.tokenizer.vocab_size).network
    mld = MldConfig(latent_dim=16, ff_width=32, layers=3, heads=2, dropout=0.5)
    network = MotionGPT3Network(dataclasses.replace(config, vae=VaeConfig('mld', mld)))
    network.train()  # as the trainer does
    noisy = changed(batcher, network=network, mix=TaskMix(generate=1))
    assert same(noisy(0, 0, CPU), noisy(0, 0, CPU))


# Which row has what.


def rows_of(batcher: TaskBatcher, tasks: str, seed: int = 0) -> list[Row]:
    """Rows of these tasks by their initials, of clips 0, 1, 2, ..."""
    make = {'t': 'text', 'g': 'generate', 'c': 'caption', 'p': 'predict', 'i': 'inbetween'}
    rng = np.random.default_rng(seed)
    return [
        getattr(batcher, f'_{make[task]}')(index % len(batcher.dataset), rng)
        for index, task in enumerate(tasks)
    ]


def rows_of_holders(ids: Tensor, holder: int) -> list[int]:
    """The row that each motion of this kind of holder stands in, in reading order."""
    rows = (ids == holder).nonzero()[:, 0].reshape(-1, HOLDERS)
    assert (rows == rows[:, :1]).all()
    return rows[:, 0].tolist()


def encoded(batcher: TaskBatcher, clip: np.ndarray) -> Tensor:
    normalised = torch.from_numpy(batcher.dataset.stats.normalise(clip))[None]
    mean, _ = batcher.network.vae.encode(normalised, torch.tensor([len(clip)]))
    return batcher.network.whiten(mean)[0]


@pytest.mark.parametrize('tasks', ['gcpit', 'tiicgpgpci', 'iiii', 'tgtgtc', 'pcpc'])
def test_motions_line_up_with_their_holders(batcher: TaskBatcher, tasks: str) -> None:
    rows = rows_of(batcher, tasks)
    tokens, motions, target, durations, _ = batcher.batch(rows, CPU)
    inputs = [(index, clip) for index, row in enumerate(rows) for clip in row.inputs]
    outputs = [(i, row.target) for i, row in enumerate(rows) if row.target is not None]

    assert rows_of_holders(tokens.ids, batcher.tokenizer.input_holder) == [i for i, _ in inputs]
    assert rows_of_holders(tokens.ids, batcher.tokenizer.output_holder) == [i for i, _ in outputs]
    assert len(motions.latents) == len(motions.placements) == len(inputs)
    for (_, clip), latent, frames in zip(inputs, motions.latents, motions.durations, strict=True):
        assert torch.allclose(latent, encoded(batcher, clip), atol=1e-3)
        assert frames == len(clip)
    for (index, clip), latent, frames, told in zip(
        outputs, target, durations, motions.output_durations, strict=True
    ):
        assert torch.allclose(latent, encoded(batcher, clip), atol=1e-3)
        assert frames == len(clip)
        assert told == (len(clip) if rows[index].told else 0)


def test_the_network_takes_every_mixture(batcher: TaskBatcher) -> None:
    for tasks in ('tttt', 'gcpit', 'ct', 'gt'):
        batch = batcher.batch(rows_of(batcher, tasks), CPU)
        terms = batcher.network(*batch)
        assert all(bool(torch.isfinite(term)) for term in terms.values())
        expected = {'text'} if set(tasks) <= {'t', 'c'} else {'text', 'flow', 'regression'}
        assert expected <= set(terms)


def test_only_words_and_marks_are_learned_as_tokens(
    batcher: TaskBatcher, tokenizer: MotionTokenizer
) -> None:
    tokens, *_ = batcher.batch(rows_of(batcher, 'gcpit'), CPU)
    learned = tokens.labels != IGNORED
    assert (tokens.labels[learned] == tokens.ids[learned]).all()
    assert tokens.labels[learned].max() <= tokenizer.start_of_motion
    assert not learned[~tokens.mask].any()


def test_padding_may_be_as_the_authors_have_it(batcher: TaskBatcher) -> None:
    tokens, *_ = changed(batcher, options=TaskOptions(pad_to=90))(0, 0, CPU)
    assert tokens.ids.shape == (16, 90)
    assert (tokens.ids[~tokens.mask] == batcher.tokenizer.eos_id).all()
    assert (tokens.labels[~tokens.mask] == IGNORED).all()
    with pytest.raises(ConfigError, match=r'learn_padding needs .*reference_masking: true'):
        changed(batcher, options=TaskOptions(pad_to=90, learn_padding=True))


# Each task.


def test_tasks_come_by_their_shares(batcher: TaskBatcher) -> None:
    seen: Counter[str] = Counter()
    mixed = changed(batcher, mix=TaskMix(text=1, caption=3), split=Split(500, 5))
    for task in ('text', 'generate', 'caption', 'predict', 'inbetween'):
        make = getattr(mixed, f'_{task}')

        def counted(index: int, rng: np.random.Generator, make=make, task=task) -> Row:
            seen[task] += 1
            return make(index, rng)

        setattr(mixed, f'_{task}', counted)
    mixed(0, 0, CPU)
    assert set(seen) == {'text', 'caption'}
    assert seen['caption'] / 500 == pytest.approx(0.75, abs=0.06)


def test_generation_rows_hold_caption_and_clip(
    batcher: TaskBatcher, tokenizer: MotionTokenizer
) -> None:
    rng = np.random.default_rng(0)
    rows = [batcher._generate(7, rng) for _ in range(400)]
    for row in rows[:20]:
        assert row.inputs == [] == row.places
        assert row.target is batcher.dataset.features[7]
        assert row.sequence.ids.count(tokenizer.output_holder) == HOLDERS
        assert 'left' not in tokenizer.decode(row.sequence.ids)
    # Half of them are told how long the motion is.
    assert np.mean([row.told for row in rows]) == pytest.approx(0.5, abs=0.08)


def test_caption_rows_show_the_clip_or_most_of_it(
    batcher: TaskBatcher, tokenizer: MotionTokenizer
) -> None:
    rng = np.random.default_rng(0)
    whole = batcher.dataset.features[3]
    rows = [batcher._caption(3, rng) for _ in range(300)]
    cropped = 0
    for row in rows:
        (seen,) = row.inputs
        assert row.target is None
        assert (row.places[0] == FIRST_PLACE).all()
        assert len(seen) >= int(0.6 * len(whole))
        starts = range(len(whole) - len(seen) + 1)
        assert any((whole[begin : begin + len(seen)] == seen).all() for begin in starts)
        cropped += len(seen) < len(whole)
        answer = tokenizer.decode(
            row.sequence.ids[row.sequence.ids.index(tokenizer.end_of_motion) :]
        )
        assert any(caption in answer for caption in batcher.dataset.clips[3].captions)
        assert row.sequence.ids[-1] == tokenizer.eos_id
    assert 0.2 < cropped / 300 < 0.4


def position(whole: np.ndarray, part: np.ndarray) -> int:
    """The frame of a clip that a part of it begins with."""
    starts = range(len(whole) - len(part) + 1)
    found = [begin for begin in starts if (whole[begin : begin + len(part)] == part).all()]
    assert len(found) == 1
    return found[0]


def test_a_prediction_begins_at_the_last_frame_that_was_seen(batcher: TaskBatcher) -> None:
    rng = np.random.default_rng(0)
    lengths = set()
    for trial in range(200):
        whole = batcher.dataset.features[trial % 14]
        row = batcher._predict(trial % 14, rng)
        (seen,) = row.inputs
        assert row.target is not None
        assert (row.target[0] == seen[-1]).all()
        assert position(whole, row.target) == position(whole, seen) + len(seen) - 1
        assert len(seen) >= 10
        assert len(row.target) >= 10
        assert row.told
        lengths.add((len(seen), len(row.target)))
    assert len(lengths) > 100


def test_what_is_seen_and_predicted_is_bounded(batcher: TaskBatcher) -> None:
    bounded = changed(batcher, options=TaskOptions(min_part=5, max_part=12))
    rng = np.random.default_rng(0)
    for trial in range(100):
        row = bounded._predict(trial % 14, rng)
        assert row.target is not None
        assert 5 <= len(row.inputs[0]) <= 12
        assert 5 <= len(row.target) <= 12
        row = bounded._inbetween(trial % 14, rng)
        assert row.target is not None
        assert 7 <= len(row.target) <= 14  # both neighbours stand in it
        assert all(5 <= len(clip) <= 12 for clip in row.inputs)


def test_a_gap_holds_both_its_neighbours(batcher: TaskBatcher) -> None:
    rng = np.random.default_rng(0)
    for trial in range(100):
        whole = batcher.dataset.features[trial % 14]
        row = batcher._inbetween(trial % 14, rng)
        before, after = row.inputs
        assert row.target is not None
        assert (row.target[0] == before[-1]).all()
        assert (row.target[-1] == after[0]).all()
        assert len(before) + len(row.target) - 2 + len(after) == len(whole)
        assert (row.places[0] == FIRST_PLACE).all()
        assert row.told


def test_the_shortest_clips_have_every_task(batcher: TaskBatcher) -> None:
    short = joints_to_features(swinging_motion(0, 20).astype(np.float64)).astype(np.float32)
    data = batcher.dataset
    tiny = MotionDataset(data.clips[:1], [short], [], [], '')
    rng = np.random.default_rng(0)
    for _ in range(50):
        for row in rows_of(changed(batcher, dataset=tiny), 'gcpi', int(rng.integers(1000))):
            assert row.target is None or len(row.target) >= 2
            assert all(len(clip) >= 2 for clip in row.inputs)


# Where the end of a gap stands.


def heading_by_hand(joints: np.ndarray) -> float:
    """Where a pose (22, 3) faces: from its left-to-right line, +Z towards +X [rad]."""
    j = {name: joints[index] for index, name in enumerate(JOINT_NAMES)}
    left = j['left_hip'] - j['right_hip'] + j['left_shoulder'] - j['right_shoulder']
    ahead = np.cross(left, [0, 1, 0])
    return float(np.arctan2(ahead[0], ahead[2]))


def place_by_hand(last: np.ndarray, first: np.ndarray) -> np.ndarray:
    yaw = heading_by_hand(last)
    turn = heading_by_hand(first) - yaw
    ahead, left = np.array([np.sin(yaw), np.cos(yaw)]), np.array([np.cos(yaw), -np.sin(yaw)])
    way = (first[0] - last[0])[[0, 2]]
    return np.array([way @ left, way @ ahead, np.sin(turn), np.cos(turn)])


def dataset_of(joints: np.ndarray) -> MotionDataset:
    clip = Clip('one', joints.astype(np.float32), ('a person moves.',), 'train', 'made', None)
    return MotionDataset([clip], [joints_to_features(joints).astype(np.float32)], [], [], 'digest')


def test_the_end_of_a_gap_stands_straight_ahead(batcher: TaskBatcher) -> None:
    # 0.6 m/s along +Z without turning: gap + 1 frames of 0.03 m.
    walk = changed(batcher, dataset=dataset_of(swinging_motion(0, 60, 0.6).astype(np.float64)))
    for seed in range(10):
        row = walk._inbetween(0, np.random.default_rng(seed))
        assert row.target is not None
        ahead = 0.03 * (len(row.target) - 1)
        assert row.places[1] == pytest.approx([0, ahead, 0, 1], abs=2e-3)


def test_the_end_of_a_gap_stands_along_a_circle(batcher: TaskBatcher) -> None:
    # Around a circle of 2 m to the left at 0.5 rad/s: after an angle a, 2 sin a ahead and
    # 2 (1 - cos a) to the left, turned by a.
    pose = swinging_motion(0, 1)[0].astype(np.float64) - (2, 0, 0)
    angle = 0.5 * np.arange(80)[:, None] / 20
    cos, sin = np.cos(angle), np.sin(angle)
    x, y, z = np.broadcast_to(pose, (80, 22, 3)).transpose(2, 0, 1)
    joints = np.stack([x * cos + z * sin, y, z * cos - x * sin], axis=-1)
    circle = changed(batcher, dataset=dataset_of(joints))
    for seed in range(10):
        row = circle._inbetween(0, np.random.default_rng(seed))
        assert row.target is not None
        a = 0.5 * (len(row.target) - 1) / 20
        expected = [2 * (1 - np.cos(a)), 2 * np.sin(a), np.sin(a), np.cos(a)]
        assert row.places[1] == pytest.approx(expected, abs=0.01)


def test_the_end_of_a_gap_stands_where_the_whole_clip_has_it(batcher: TaskBatcher) -> None:
    rng = np.random.default_rng(1)
    for index in range(14):
        whole = features_to_joints(batcher.dataset.features[index])
        row = batcher._inbetween(index, rng)
        assert row.target is not None
        last = len(row.inputs[0]) - 1
        expected = place_by_hand(whole[last], whole[last + len(row.target) - 1])
        assert row.places[1] == pytest.approx(expected, abs=2e-3)
