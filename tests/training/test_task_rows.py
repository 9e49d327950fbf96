# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a row of each task shows and asks, and that inference sees the same."""

from __future__ import annotations

import dataclasses
from collections import Counter
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from mgpt3_ros.model.errors import Cancelled
from mgpt3_ros.model.kinematics.features import joints_to_features
from mgpt3_ros.model.kinematics.skeleton import JOINT_NAMES
from mgpt3_ros.model.language.tokenizer import MotionTokenizer
from mgpt3_ros.model.motion import Motion
from mgpt3_ros.model.motiongpt3 import MotionGPT3
from mgpt3_ros.model.network.network import MotionGPT3Network, MotionInputs
from mgpt3_ros.model.pipelines.tasks import FIRST_PLACE
from mgpt3_ros.training.data.dataset import Part
from mgpt3_ros.training.samples import Split
from mgpt3_ros.training.tasks import Row, TaskBatcher, TaskMix, TaskOptions
from tests.support.batches import (
    CPU,
    HOLDERS,
    changed,
    count,
    dataset_of,
    frames_of,
    rows_of,
    turning_body,
)
from tests.support.tiny import swinging_motion, tiny_config


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
