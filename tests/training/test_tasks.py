# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Batches of the tasks: repeatable, in reading order, and of the frames that they should be of."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from mgpt3_ros.model.errors import ConfigError
from mgpt3_ros.model.language.tokenizer import MotionTokenizer
from mgpt3_ros.model.network.network import MotionGPT3Network
from mgpt3_ros.model.network.sequences import IGNORED
from mgpt3_ros.model.network.vae import MldConfig, VaeConfig
from mgpt3_ros.training.data.dataset import MotionDataset
from mgpt3_ros.training.samples import Split
from mgpt3_ros.training.tasks import TaskBatcher, TaskMix, TaskOptions
from tests.support.batches import (
    CPU,
    changed,
    encoded,
    rows_of,
    rows_of_holders,
    same,
    tensors,
)
from tests.support.tiny import tiny_config

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
