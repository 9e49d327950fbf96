# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A step with what text says kept on disk is the same step."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from mgpt3_ros.model.errors import ConfigError
from mgpt3_ros.model.network.stream_network import StreamNetwork
from mgpt3_ros.training.data.stream_windows import WindowOptions
from mgpt3_ros.training.stages import freeze_all_but
from mgpt3_ros.training.stream_batches import StreamBatch, StreamOptions
from mgpt3_ros.training.stream_task import StreamTask
from mgpt3_ros.training.text_cache import TextCache
from tests.support.streams import small_network
from tests.support.tiny_llama import LLAMA, SIZES
from tests.training.test_stream_task import batcher

CPU = torch.device('cpu')
OPTIONS = StreamOptions(windows=WindowOptions(chunks=4, history=2), most_words=6, caption_chunks=3)
FORMS: list[dict[str, Any]] = [
    {},
    {**SIZES, 'llama': LLAMA, 'motion_width': 8},
    {**SIZES, 'llama': LLAMA, 'motion_width': 8, 'shared_layers': (0, 2)},
    {**SIZES, 'llama': LLAMA, 'motion_width': 8, 'motion_layers': (0, 2)},
]
SHARES = {'generate': 0.5, 'predict': 0.2, 'inbetween': 0.2, 'caption': 0.1}


def network_of(form: dict[str, Any], trained: tuple[str, ...] = ()) -> StreamNetwork:
    base = small_network()
    sizes = dataclasses.replace(base.config.backbone, vocab_size=300, **form)
    torch.manual_seed(3)
    network = StreamNetwork(dataclasses.replace(base.config, backbone=sizes))
    network.vae.load_state_dict(base.vae.state_dict())
    torch.nn.init.normal_(network.words_in.weight, std=0.3)
    freeze_all_but(network, ('motion', 'tokens', 'duration', 'head', *trained))
    return network


def batches(own_draws: bool) -> list[StreamBatch]:
    options = dataclasses.replace(
        OPTIONS, own_draws=float(own_draws), own_draws_after=0.0, most_own_draws=2
    )
    made = batcher(SHARES, options, rows=20)
    return [made(step, 0, CPU)[0] for step in (0, 1)]


def step(task: StreamTask, batch: StreamBatch) -> tuple[dict[str, Tensor], list[Tensor]]:
    """Loss terms of a batch and the gradients that they give."""
    task.network.zero_grad()
    terms = task(batch)
    sum(terms.values()).backward()
    grads = [p.grad for p in task.network.parameters() if p.grad is not None]
    return {name: term.detach() for name, term in terms.items()}, [g.clone() for g in grads]


@pytest.mark.parametrize('form', FORMS)
@pytest.mark.parametrize('own_draws', [False, True])
def test_a_step_is_the_same_step(form: dict[str, Any], own_draws: bool, tmp_path: Path) -> None:
    network = network_of(form)
    plain = StreamTask(network, OPTIONS)
    for attempt in ('computed', 'read from disk'):
        kept = StreamTask(network, OPTIONS, TextCache(network, 'float32', tmp_path))
        for batch in batches(own_draws):
            assert bool(batch.mask.any(dim=1).any())
            assert not bool(batch.mask.any(dim=1).all())  # rows without words, too
            terms, grads = step(plain, batch)
            same, same_grads = step(kept, batch)
            assert terms.keys() == same.keys()
            for name, term in terms.items():
                torch.testing.assert_close(same[name], term, rtol=1e-5, atol=1e-5, msg=attempt)
            assert len(grads) == len(same_grads)
            for one, other in zip(grads, same_grads, strict=True):
                torch.testing.assert_close(other, one, rtol=1e-3, atol=1e-5)


def test_half_precision_is_near(tmp_path: Path) -> None:
    network = network_of(FORMS[2])
    plain, half = StreamTask(network, OPTIONS), TextCache(network, 'float16', tmp_path)
    (batch, _) = batches(False)
    terms, _ = step(plain, batch)
    near, _ = step(StreamTask(network, OPTIONS, half), batch)
    for name, term in terms.items():
        assert float(near[name]) == pytest.approx(float(term), rel=2e-2)


def test_a_caption_is_computed_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    network = network_of(FORMS[1])
    (batch, _) = batches(False)
    TextCache(network, 'float32', tmp_path).read(batch.ids, batch.mask, 2)
    files = sorted(tmp_path.rglob('*.npy'))
    told = {tuple(row[seen].tolist()) for row, seen in zip(batch.ids, batch.mask, strict=True)}
    assert len(files) == len(told - {()})
    again = TextCache(network, 'float32', tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(again, '_computed', lambda _: pytest.fail('it is computed again'))
        again.read(batch.ids, batch.mask, 2)
    np.save(files[0], np.zeros(3, np.float32))  # damaged: made anew
    again.read(batch.ids, batch.mask, 2)
    assert len(np.load(files[0])) > 3


def test_another_text_branch_has_a_folder_of_its_own() -> None:
    one, other = network_of(FORMS[0]), network_of(FORMS[0])
    assert TextCache(one, 'float32').folder == TextCache(other, 'float32').folder
    assert TextCache(one, 'float32').folder != TextCache(one, 'float16').folder
    with torch.no_grad():
        other.backbone.layers[0].text.down.weight[0, 0] += 1
    assert TextCache(one, 'float32').folder != TextCache(other, 'float32').folder
    added, again = network_of({'text_rank': 2}), network_of({'text_rank': 2})
    with torch.no_grad():
        added.backbone.layers[0].additions.up.weight[0, 0] += 1
    assert TextCache(added, 'float32').folder != TextCache(again, 'float32').folder


@pytest.mark.parametrize('group', ['text', 'text[1:]', 'additions', 'markers'])
def test_text_that_is_trained_is_not_kept(group: str, tmp_path: Path) -> None:
    network = network_of({'text_rank': 2}, (group,))
    with pytest.raises(ConfigError, match=f"'{group.partition('[')[0]}' is trained: leave it o"):
        TextCache(network, 'float32', tmp_path)


def test_dropout_and_other_types_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match='it has a text_dropout'):
        TextCache(network_of({'text_dropout': 0.1}), 'float32', tmp_path)
    with pytest.raises(ConfigError, match="'int8': float16 or float32"):
        TextCache(network_of(FORMS[0]), 'int8', tmp_path)
