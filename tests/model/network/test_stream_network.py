# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch
from torch import Tensor

from mgpt3_ros.model.errors import ConfigError
from mgpt3_ros.model.network.backbone_config import BackboneConfig
from mgpt3_ros.model.network.stream_network import MotionTokens, StreamNetwork, goal_features
from tests.support.streams import WORDS, moving, small_network

CLOSE = {'rtol': 0, 'atol': 1e-5}


def tokens(network: StreamNetwork, count: int, chunks: int, seed: int = 0) -> Tensor:
    """Motion tokens (B, K, M) of random latents and states."""
    random = torch.Generator().manual_seed(seed)
    at = torch.arange(chunks).expand(count, -1)
    return network.embed_motion(
        MotionTokens(
            torch.randn(count, chunks, network.vae.latent_shape[1], generator=random),
            at > 0,
            torch.randn(count, chunks, network.vae.state_size, generator=random),
            at == 0,
        )
    )


def ones(*shape: int) -> Tensor:
    return torch.ones(shape, dtype=torch.bool)


@torch.no_grad()
def test_a_cache_that_forgets_what_is_out_of_sight_changes_nothing():
    network = small_network(look_back=3)
    ids, motion = torch.tensor([[3, 1, WORDS], [5, 2, WORDS]]), tokens(network, 2, 12)
    whole = network.read(ids, ones(2, 15), motion).motion[:, 3:]
    cache = network.backbone.new_cache(8)
    steps = []
    for step in range(12):
        words = ids if step == 0 else None
        if len(cache) >= 3 + 3:
            cache.drop(3, 4)
        known = len(cache) + (3 if step == 0 else 0) + 1
        hidden = network.read(words, ones(2, known), motion[:, step : step + 1], cache)
        steps.append(hidden.motion[:, -1:])
    torch.testing.assert_close(torch.cat(steps, dim=1), whole, **CLOSE)
    assert cache.capacity == 8


@torch.no_grad()
def test_a_cropped_cache_reads_on_as_if_nothing_had_been_read():
    network = small_network()
    ids, motion = torch.tensor([[3, 1, WORDS]]), tokens(network, 1, 2)
    cache = network.backbone.new_cache()
    first = network.read(ids, ones(1, 4), motion[:, :1], cache).motion[:, -1]
    cache.crop(3)
    again = network.read(None, ones(1, 4), motion[:, :1], cache).motion[:, -1]
    torch.testing.assert_close(first, again, **CLOSE)


@torch.no_grad()
def test_rows_and_padding_say_nothing_to_each_other():
    network = small_network()
    motion = tokens(network, 2, 4)
    ids = torch.tensor([[0, 0, 7, WORDS], [4, 5, 6, WORDS]])
    mask = torch.cat([ids > 0, ones(2, 4)], dim=1)
    both = network.read(ids, mask, motion).motion[:, 4:]
    alone = network.read(ids[:1, 2:], ones(1, 6), motion[:1]).motion[:, 2:]
    torch.testing.assert_close(both[:1], alone, **CLOSE)
    without = network.read(None, ones(1, 4), motion[:1]).motion
    none = network.read(ids[:1], torch.cat([ids[:1] < 0, ones(1, 4)], 1), motion[:1]).motion
    torch.testing.assert_close(none[:, 4:], without, **CLOSE)


@torch.no_grad()
def test_motion_sees_nothing_that_comes_later_and_only_so_far_back():
    network = small_network(look_back=3)  # two layers: what is 5 tokens back is out of sight
    motion = tokens(network, 1, 8)
    before = network.read(None, ones(1, 8), motion).motion
    later = motion.clone()
    later[:, 5:] *= -1
    assert torch.equal(network.read(None, ones(1, 8), later).motion[:, :5], before[:, :5])
    earlier = motion.clone()
    earlier[:, 0] *= -1
    changed = network.read(None, ones(1, 8), earlier).motion
    assert not torch.allclose(changed[:, 4], before[:, 4], **CLOSE)
    torch.testing.assert_close(changed[:, 5:], before[:, 5:], **CLOSE)


@torch.no_grad()
def test_words_that_follow_on_motion_read_it_all():
    network = small_network(look_back=3)
    motion = tokens(network, 1, 8)
    ids = torch.tensor([[WORDS + 1, 4]])
    said = network.read(ids, ones(1, 10), motion, motion_first=True).text[:, 8:]
    motion[:, 0] *= -1
    other = network.read(ids, ones(1, 10), motion, motion_first=True).text[:, 8:]
    assert not torch.allclose(said, other, **CLOSE)


def test_the_text_branch_is_that_of_a_backbone_without_look_back():
    network = small_network()
    frozen = {id(p) for p in network.parameter_groups()['text']}
    named = {n for n, p in network.named_parameters() if id(p) in frozen}
    assert 'backbone.motion.distance' not in named
    assert all('.text.' in name for name in named)
    everything = [p for group in network.parameter_groups().values() for p in group]
    assert len({id(p) for p in everything}) == len(list(network.parameters()))


def test_a_goal_is_where_it_is_seen_from():
    motion = moving(1, 12)
    here = goal_features(motion[:, :2], motion[:, 8:10], torch.tensor([7]))
    moved = motion + torch.tensor([4.0, 0.0, 1.0])
    there = goal_features(moved[:, :2], moved[:, 8:10], torch.tensor([7]))
    torch.testing.assert_close(here, there, rtol=0, atol=1e-4)
    assert here[0, -2] == pytest.approx(7 / 20)


@pytest.mark.parametrize('changes', [{'look_back': 0}, {'reference_masking': True}])
def test_a_look_back_that_cannot_be_is_refused(changes: dict[str, object]):
    with pytest.raises(ConfigError, match='look_back'):
        BackboneConfig(WORDS, n_embd=16, n_head=2, n_layer=2, **{'look_back': 3, **changes})  # type: ignore[arg-type]


def test_only_words_run_out_of_positions():
    network = small_network()
    motion = tokens(network, 1, 30)
    network.read(torch.tensor([[3] * 12]), ones(1, 42), motion)
    with pytest.raises(ConfigError, match='13 words'):
        network.read(torch.tensor([[3] * 13]), ones(1, 43), motion)
