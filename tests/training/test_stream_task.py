# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch

from mgpt3_ros.model.language.tokenizer import MotionTokenizer
from mgpt3_ros.model.network.stream_network import StreamNetwork
from mgpt3_ros.training.data.clip import Clip
from mgpt3_ros.training.data.dataset import MotionDataset
from mgpt3_ros.training.data.stream_windows import WindowOptions
from mgpt3_ros.training.samples import Split
from mgpt3_ros.training.stream_batches import NO_GOAL, StreamBatch, StreamBatcher, StreamOptions
from mgpt3_ros.training.stream_task import StreamTask, window_tokens
from mgpt3_ros.training.trainer import OptimConfig, Trainer
from tests.support.streams import moving, small_network

CPU = torch.device('cpu')
OPTIONS = StreamOptions(
    windows=WindowOptions(chunks=4, history=2), own_draws=0.0, most_words=6, caption_chunks=3
)
ALL = {'generate': 0.4, 'predict': 0.2, 'inbetween': 0.2, 'caption': 0.1, 'text': 0.1}


def dataset() -> MotionDataset:
    clips = [
        Clip(
            f'{n}',
            moving(1, 40 + n, seed=n)[0].numpy(),
            (f'says {chr(97 + n)}word',),
            'train',
            'made',
            None,
        )
        for n in range(12)
    ]
    empty = [np.zeros((2, 263), np.float32) for _ in clips]
    return MotionDataset(clips, empty, [], ['a text alone'], 'digest')


def batcher(
    shares: dict[str, float] | None = None, options: StreamOptions = OPTIONS, rows: int = 40
) -> StreamBatcher:
    data = dataset()
    tokenizer = MotionTokenizer.train(data.all_texts(), 300)
    return StreamBatcher(data, tokenizer, 8, shares or ALL, options, Split(rows, 7), 100)


def network(vocabulary: int) -> StreamNetwork:
    made = small_network()
    config = made.config
    backbone = dataclasses.replace(config.backbone, vocab_size=vocabulary)
    torch.manual_seed(1)
    other = StreamNetwork(dataclasses.replace(config, backbone=backbone))
    other.vae.load_state_dict(made.vae.state_dict())
    return other


def task(options: StreamOptions = OPTIONS) -> tuple[StreamTask, StreamBatcher]:
    made = batcher(options=options)
    return StreamTask(network(made.tokenizer.vocab_size), options), made


def test_a_batch_is_a_function_of_seed_and_step():
    made = batcher()
    (one,), (again,), (other,) = (made(step, 0, CPU) for step in (3, 3, 4))
    assert torch.equal(one.frames, again.frames)
    assert torch.equal(one.ids, again.ids)
    assert one.seed == again.seed
    assert not torch.equal(one.frames, other.frames)


def test_rows_are_of_the_tasks_that_are_asked():
    (batch,) = batcher()(0, 0, CPU)
    assert batch.captions is not None
    assert batch.texts is not None
    assert len(batch.captions[0]) == len(batch.texts[0]) == 4
    assert len(batch.frames) == 32
    (batch,) = batcher({'predict': 1.0})(0, 0, CPU)
    assert batch.captions is None
    assert batch.texts is None
    assert not batch.mask.any()  # no words, and no token that says they were told
    assert not batch.show_told.any()
    (batch,) = batcher({'inbetween': 1.0})(0, 0, CPU)
    assert (batch.goal > 2).all()
    assert (batch.goal + 1 < batch.frames.shape[1]).all()
    (batch,) = batcher({'generate': 1.0})(0, 0, CPU)
    assert (batch.goal == NO_GOAL).all()
    assert batch.show_told.all()
    assert 0 < (~batch.mask.any(dim=1)).sum() < 15  # a tenth is dropped


def test_prompts_end_with_the_marker_of_motion():
    made = batcher()
    ids, mask = made.prompts(['says bword', None, 'says'])
    assert (ids[:, -1][mask[:, -1]] == made.tokenizer.start_of_motion).all()
    assert not mask[1].any()
    assert made.tokenizer.decode(ids[0][mask[0]].tolist()) == 'says bword'


@pytest.mark.parametrize('own_draws', [0, 2])
def test_all_terms_are_finite_and_reach_all_parameters(own_draws: int):
    options = dataclasses.replace(
        OPTIONS, own_draws=float(own_draws > 0), own_draws_after=0.0, most_own_draws=2
    )
    made, batches = task(options)
    (batch,) = batches(0, 0, CPU)
    assert (batch.own_draws > 0) == (own_draws > 0)
    terms = made(batch)
    assert set(terms) == {'flow', 'regression', 'duration', 'caption', 'text'}
    assert all(torch.isfinite(term) for term in terms.values())
    sum(terms.values()).backward()
    without = [n for n, p in made.network.named_parameters() if p.grad is None]
    # A goal is told in no step with own draws; rows of the motion vocabulary serve the clip form.
    assert [n for n in without if not n.startswith(('backbone.motion.wte', 'goal_in'))] == []


def test_own_draws_stand_where_the_truth_began_and_the_truth_follows_on():
    options = dataclasses.replace(OPTIONS, own_draws=1.0, own_draws_after=0.0, most_own_draws=2)
    made, batches = task(options)
    (batch,) = batches(0, 0, CPU)
    noise = torch.Generator().manual_seed(0)
    frames = made._with_own_draws(batch, noise)
    assert frames.shape == batch.frames.shape
    assert torch.equal(frames[:, :2], batch.frames[:, :2])
    assert not torch.allclose(frames[:, 2:10], batch.frames[:, 2:10], atol=1e-3)
    seam = 1 + 8 * batch.own_draws
    step = (frames[:, seam + 1] - frames[:, seam]).norm(dim=-1).mean()
    usual = frames[:, seam - 3 : seam + 1].diff(dim=1).norm(dim=-1).mean()
    assert step < 3 * usual + 0.05


def test_chunks_before_the_words_and_beyond_the_clip_are_not_learned():
    made, batches = task()
    (batch,) = batches(1, 0, CPU)
    rows = (batch.told > 0).nonzero()[:, 0]
    assert len(rows)
    changed = batch.frames.clone()
    for row in range(len(changed)):
        changed[row, int(batch.count[row]) :] += 1.0
    one = made._next_chunks(batch, batch.frames, torch.Generator().manual_seed(1))
    two = made._next_chunks(batch, changed, torch.Generator().manual_seed(1))
    torch.testing.assert_close(one['regression'], two['regression'], rtol=0, atol=1e-4)


def test_tokens_of_a_window_are_its_chunks():
    made = small_network()
    frames = moving(3, 2 + 8 * 4, seed=3)
    latents, states = window_tokens(made, frames)
    assert latents.shape == (3, 4, 6)
    torch.testing.assert_close(
        latents[:, 2], made.vae.encode(frames[:, 18:26], frames[:, 16:18])[:, 0]
    )
    torch.testing.assert_close(states[:, 3], made.vae.state(frames[:, 24:26]))


def test_it_learns_and_goes_on_where_it_was_stopped(tmp_path: Path):
    weights = {'flow': 1.0, 'regression': 1.0, 'caption': 0.2, 'text': 0.2, 'duration': 0.1}

    def trainer(folder: Path, steps: int) -> Trainer:
        made, batches = task(
            dataclasses.replace(OPTIONS, own_draws=0.5, own_draws_after=0.5, most_own_draws=2)
        )
        config = OptimConfig(steps=8, batch_size=40, checkpoint_every=4, log_every=4)
        whole = Trainer(made, batches, weights, config, folder)
        whole.config = dataclasses.replace(config, steps=steps)
        return whole

    one = trainer(tmp_path / 'one', 8)
    one.run()
    trainer(tmp_path / 'two', 5).run()
    other = trainer(tmp_path / 'two', 8)
    other.run()
    for name, value in one.trained.items():
        torch.testing.assert_close(other.trained[name], value, rtol=0, atol=0, msg=name)


def test_moving_a_batch_moves_all_of_it():
    (batch,) = batcher()(0, 0, CPU)
    moved = batch.to(torch.device('meta'))
    for field in dataclasses.fields(StreamBatch):
        value = getattr(moved, field.name)
        for part in value if isinstance(value, tuple) else (value,):
            assert not isinstance(part, torch.Tensor) or part.device.type == 'meta'


def test_tasks_in_words_are_asked_before_or_after_the_motion():
    options = dataclasses.replace(OPTIONS, instructions='shipped', instructed=1.0, most_words=30)
    made = batcher(options=options, rows=80)
    (batch,) = made(0, 0, CPU)
    assert batch.asked.any()
    start, end = made.tokenizer.start_of_motion, made.tokenizer.end_of_motion
    assert (batch.ids[batch.asked, -1] == start).all()
    assert batch.captions is not None
    _, _, ids, mask, learned = batch.captions
    assert (ids[:, 0] == end).all()
    assert not (learned & ~mask).any()
    prompts = (mask & ~learned).sum(dim=1)
    assert (prompts > 1).all()  # a question follows on the motion, and is not learned itself
    moves_on = (ids * learned == start).any(dim=1)
    assert 0 < moves_on.sum() < len(ids)
    assert (learned[moves_on].sum(dim=1) == 1).all()


def test_instructions_teach_when_to_begin_a_motion():
    options = dataclasses.replace(OPTIONS, instructions='shipped', instructed=1.0, most_words=9)
    task_of, made = task(options)
    (batch,) = made(0, 0, CPU)
    marker = task_of(batch)['marker']
    marker.backward()
    words = task_of.network.backbone.parameter_groups()['text']
    assert float(marker.detach()) > 1.0  # untrained: any token may follow
    assert any(p.grad is not None and p.grad.abs().sum() > 0 for p in words)


def test_without_instructions_no_marker_is_learned():
    task_of, made = task()
    (batch,) = made(0, 0, CPU)
    assert not batch.asked.any()
    assert 'marker' not in task_of(batch)


def test_what_a_term_counts_is_what_it_is_the_mean_over(monkeypatch):
    options = dataclasses.replace(OPTIONS, instructions='shipped', instructed=0.5, most_words=9)
    task_of, made = task(options)
    (batch,) = made(1, 0, CPU)
    counts, targets = task_of.counts(batch), []
    head = task_of.network.head
    loss = head.loss

    def seen(target, *rest):
        targets.append(len(target))
        return loss(target, *rest)

    monkeypatch.setattr(head, 'loss', seen)
    terms = task_of(batch)
    assert set(terms) == set(counts)
    assert targets == [counts['flow']]
    assert batch.captions is not None
    assert batch.texts is not None
    assert counts['caption'] == int(batch.captions[4].sum())  # the first is never learned
    assert counts['text'] == int(batch.texts[1].sum()) - len(batch.texts[1])
