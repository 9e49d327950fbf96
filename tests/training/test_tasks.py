# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Batches of the tasks: repeatable, in reading order, and of the frames that they should be of."""

from __future__ import annotations

import dataclasses
from collections import Counter
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from mgpt3_ros.model.errors import Cancelled, ConfigError
from mgpt3_ros.model.kinematics.features import joints_to_features
from mgpt3_ros.model.kinematics.skeleton import JOINT_NAMES
from mgpt3_ros.model.language.tokenizer import MotionTokenizer
from mgpt3_ros.model.motion import Motion
from mgpt3_ros.model.motiongpt3 import MotionGPT3, PromptConfig
from mgpt3_ros.model.network.network import MotionGPT3Network, MotionInputs
from mgpt3_ros.model.network.sequences import IGNORED
from mgpt3_ros.model.network.vae import MldConfig, VaeConfig
from mgpt3_ros.model.tasks import FIRST_PLACE
from mgpt3_ros.training.data.clip import Clip
from mgpt3_ros.training.data.dataset import MotionDataset, Part, load_dataset
from mgpt3_ros.training.samples import Split
from mgpt3_ros.training.tasks import Batch, Row, TaskBatcher, TaskMix, TaskOptions
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
    cut = batcher.dataset.cut
    inputs = [(index, clip) for index, row in enumerate(rows) for clip in cut(row.inputs)]
    outputs = [(i, cut([row.target])[0]) for i, row in enumerate(rows) if row.target is not None]

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
        assert row.target == Part(7)
        assert row.sequence.ids.count(tokenizer.output_holder) == HOLDERS
        assert 'left' not in tokenizer.decode(row.sequence.ids)
    # Half of them are told how long the motion is.
    assert np.mean([row.told for row in rows]) == pytest.approx(0.5, abs=0.08)


def test_caption_rows_show_the_clip_or_most_of_it(
    batcher: TaskBatcher, tokenizer: MotionTokenizer
) -> None:
    rng = np.random.default_rng(0)
    total = len(batcher.dataset.clips[3].joints)
    rows = [batcher._caption(3, rng) for _ in range(300)]
    cropped = 0
    for row in rows:
        (seen,) = row.inputs
        assert row.target is None
        assert (row.places[0] == FIRST_PLACE).all()
        if seen.frames is not None:
            assert 0 <= seen.frames.start < seen.frames.stop <= total
            assert total > seen.frames.stop - seen.frames.start >= int(0.6 * total)
            cropped += 1
        answer = tokenizer.decode(
            row.sequence.ids[row.sequence.ids.index(tokenizer.end_of_motion) :]
        )
        assert any(caption in answer for caption in batcher.dataset.clips[3].captions)
        assert row.sequence.ids[-1] == tokenizer.eos_id
    assert 0.2 < cropped / 300 < 0.4


def frames_of(part: Part | None, index: int) -> slice:
    assert part is not None
    assert part.clip == index
    assert part.frames is not None
    return part.frames


def count(frames: slice) -> int:
    return int(frames.stop - frames.start)


def test_a_prediction_begins_at_the_last_frame_that_was_seen(batcher: TaskBatcher) -> None:
    rng = np.random.default_rng(0)
    lengths = set()
    for trial in range(200):
        index = trial % 14
        row = batcher._predict(index, rng)
        seen, drawn = frames_of(row.inputs[0], index), frames_of(row.target, index)
        assert drawn.start == seen.stop - 1
        assert seen.start >= 0
        assert drawn.stop <= len(batcher.dataset.clips[index].joints)
        assert count(seen) > 10
        assert count(drawn) > 10
        assert row.told
        lengths.add((count(seen), count(drawn)))
    assert len(lengths) > 100


def test_what_is_seen_and_predicted_is_bounded(batcher: TaskBatcher) -> None:
    bounded = changed(batcher, options=TaskOptions(min_part=5, max_part=12))
    rows_of = bounded.dataset.rows
    rng = np.random.default_rng(0)
    for trial in range(100):
        row = bounded._predict(trial % 14, rng)
        assert row.target is not None
        assert 5 <= rows_of(row.inputs[0]) <= 12
        assert 5 <= rows_of(row.target) <= 12
        row = bounded._inbetween(trial % 14, rng)
        assert row.target is not None
        assert 7 <= rows_of(row.target) <= 14  # both neighbours stand in it
        assert all(5 <= rows_of(part) <= 12 for part in row.inputs)


def test_a_gap_holds_both_its_neighbours(batcher: TaskBatcher) -> None:
    rng = np.random.default_rng(0)
    for trial in range(100):
        index = trial % 14
        row = batcher._inbetween(index, rng)
        before, after = (frames_of(part, index) for part in row.inputs)
        drawn = frames_of(row.target, index)
        assert drawn.start == before.stop - 1
        assert drawn.stop - 1 == after.start + 1  # one more, for the last one's velocity
        assert (before.start, after.stop) == (0, len(batcher.dataset.clips[index].joints))
        assert (row.places[0] == FIRST_PLACE).all()
        assert row.told


def test_a_gap_may_be_drawn_with_what_is_around_it(batcher: TaskBatcher) -> None:
    whole = changed(batcher, whole_gaps=True)
    rng = np.random.default_rng(0)
    for index in range(14):
        row = whole._inbetween(index, rng)
        drawn = frames_of(row.target, index)
        assert (drawn.start, drawn.stop) == (1, len(batcher.dataset.clips[index].joints))


def test_the_shortest_clips_have_every_task(batcher: TaskBatcher) -> None:
    tiny = changed(batcher, dataset=dataset_of(swinging_motion(0, 20).astype(np.float64)))
    rng = np.random.default_rng(0)
    for _ in range(50):
        for row in rows_of(tiny, 'gcpi', int(rng.integers(1000))):
            parts = row.inputs if row.target is None else [*row.inputs, row.target]
            assert all(len(clip) >= 2 for clip in tiny.dataset.cut(parts))


# What a row shows is what the model is shown when it is asked.


def asked_of(
    monkeypatch: pytest.MonkeyPatch, model: MotionGPT3, call: str, *arguments: object
) -> tuple[Tensor, MotionInputs]:
    """The tokens and motions that a call puts to the network."""
    found: list[tuple[Tensor, MotionInputs]] = []

    def stop(ids: Tensor, mask: Tensor, motions: MotionInputs, *_: object, **__: object) -> None:
        found.append((ids, motions))
        raise Cancelled('seen enough')

    with monkeypatch.context() as patch:
        patch.setattr(model.network, 'hidden', stop)
        with pytest.raises(Cancelled):
            getattr(model, call)(*arguments)
    return found[0]


@pytest.mark.parametrize('whole', [False, True])
@pytest.mark.parametrize('task', ['caption', 'predict', 'inbetween'])
def test_rows_show_what_is_seen_when_the_model_is_asked(
    task: str,
    whole: bool,
    batcher: TaskBatcher,
    network: MotionGPT3Network,
    tokenizer: MotionTokenizer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # A body that turns ever faster: its heading is smoothed over seconds to either side.
    joints = turning_body()
    data = dataset_of(joints)
    config = dataclasses.replace(
        tiny_config(tokenizer.vocab_size), inbetween_whole=whole, min_frames=2
    )
    model = MotionGPT3(config, network, tokenizer, data.stats)
    options = TaskOptions(latent_noise=False, crop_caption=1.0, min_part=4)
    asked = changed(batcher, dataset=data, options=options, whole_gaps=whole)
    for seed in range(5):
        row = getattr(asked, f'_{task}')(0, np.random.default_rng(seed))
        shown: list[Any] = [Motion(data.clips[0].joints[p.frames]) for p in row.inputs]
        if task != 'caption':
            end = row.inputs[1].frames.start if task == 'inbetween' else row.target.frames.stop - 1
            shown.append((end - row.inputs[0].frames.stop) / 20)
        ids, motions = asked_of(monkeypatch, model, task, *shown)
        tokens, learned, *_ = asked.batch([row], CPU)
        assert tokens.ids[0, : ids.shape[1]].tolist() == ids[0].tolist()
        torch.testing.assert_close(motions.latents, learned.latents, rtol=0, atol=1e-5)
        torch.testing.assert_close(motions.placements, learned.placements, rtol=0, atol=1e-6)
        assert motions.durations.tolist() == learned.durations.tolist()
        assert motions.output_durations.tolist() == learned.output_durations.tolist()


def test_what_follows_changes_nothing_of_what_is_seen() -> None:
    joints = turning_body()
    straight = joints.copy()
    straight[41:] = joints[40]
    seen = Part(0, slice(10, 41))
    one, other = (dataset_of(body).cut([seen])[0] for body in (joints, straight))
    assert (one == other).all()
    assert np.abs(joints_to_features(joints)[10:40, 0] - one[:, 0]).max() > 0.01  # as cut rows


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


def turning_body(frames: int = 80) -> np.ndarray:
    """A body (T, 22, 3) that walks, and turns ever faster."""
    angle = 0.0015 * np.arange(frames)[:, None] ** 2
    x, y, z = swinging_motion(3, frames, 0.6).astype(np.float64).transpose(2, 0, 1)
    cos, sin = np.cos(angle), np.sin(angle)
    return np.stack([x * cos + z * sin, y, z * cos - x * sin], axis=-1)


def test_the_end_of_a_gap_stands_straight_ahead(batcher: TaskBatcher) -> None:
    # 0.6 m/s along +Z without turning: gap + 1 frames of 0.03 m.
    walk = changed(batcher, dataset=dataset_of(swinging_motion(0, 60, 0.6).astype(np.float64)))
    for seed in range(10):
        row = walk._inbetween(0, np.random.default_rng(seed))
        assert row.target is not None
        ahead = 0.03 * (count(frames_of(row.target, 0)) - 2)
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
        a = 0.5 * (count(frames_of(row.target, 0)) - 2) / 20
        expected = [2 * (1 - np.cos(a)), 2 * np.sin(a), np.sin(a), np.cos(a)]
        assert row.places[1] == pytest.approx(expected, abs=0.01)


def test_the_end_of_a_gap_stands_where_the_whole_clip_has_it(batcher: TaskBatcher) -> None:
    rng = np.random.default_rng(1)
    for index in range(14):
        whole = batcher.dataset.clips[index].joints
        row = batcher._inbetween(index, rng)
        before, after = (frames_of(part, index) for part in row.inputs)
        expected = place_by_hand(whole[before.stop - 1], whole[after.start])
        assert row.places[1] == pytest.approx(expected, abs=1e-5)
