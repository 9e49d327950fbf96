# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import torch

from mgpt3_ros.model.network.cache import KeyValueCache


def filled(count: int, capacity: int) -> tuple[KeyValueCache, torch.Tensor]:
    cache = KeyValueCache(capacity)
    keys = torch.arange(count * 2.0).view(1, 1, count, 2)
    for layer in range(2):
        cache.extend(layer, keys, -keys)
    flags = torch.zeros(1, count, dtype=torch.bool)
    cache.advance(flags, torch.arange(count)[None])
    return cache, keys


def read(cache: KeyValueCache) -> torch.Tensor:
    nothing = torch.zeros(1, 1, 0, 2)
    keys, values = cache.extend(1, nothing, nothing)
    assert torch.equal(keys, -values)
    return keys


def test_room_is_made_once_and_doubles_when_it_runs_out():
    cache, keys = filled(4, 4)
    assert cache.capacity == 4
    cache.extend(0, keys, -keys)
    assert cache.capacity == 8


def test_crop_forgets_the_newest():
    cache, keys = filled(5, 8)
    cache.crop(3)
    assert len(cache) == 3
    assert torch.equal(read(cache), keys[:, :, :3])


def test_drop_forgets_a_span_and_keeps_the_count():
    cache, keys = filled(5, 8)
    cache.drop(1, 3)
    assert torch.equal(read(cache), keys[:, :, [0, 3, 4]])
    assert cache.order is not None
    assert cache.order.tolist() == [[0, 3, 4]]
