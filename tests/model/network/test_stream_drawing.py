# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch
from torch import Tensor

from mgpt3_ros.model.network.stream_drawing import ChunkDrawer, ChunkDrawing, Goal
from tests.support.streams import WORDS, moving, small_network

PLAIN = ChunkDrawing(guidance_scale=1.0, num_inference_steps=2)
GUIDED = ChunkDrawing(guidance_scale=2.0, guidance_rescale=0.5, num_inference_steps=2)
IDS = torch.tensor([[3, 1, WORDS], [0, 5, WORDS]])
MASK = torch.tensor([[True, True, True], [False, True, True]])


def sources(*seeds: int) -> list[torch.Generator]:
    return [torch.Generator().manual_seed(seed) for seed in seeds]


def drawer(drawing: ChunkDrawing, rows: list[int], history: int = 2) -> ChunkDrawer:
    made = ChunkDrawer(small_network(), drawing)
    made.start(moving(2, history, seed=8)[rows], IDS[rows], MASK[rows])
    return made


def drawn(made: ChunkDrawer, noise: list[torch.Generator], chunks: int) -> Tensor:
    return torch.cat([made.draw(noise) for _ in range(chunks)], dim=1)


@pytest.mark.parametrize('drawing', [PLAIN, GUIDED])
def test_a_body_moves_alike_alone_and_among_others(drawing: ChunkDrawing):
    both = drawn(drawer(drawing, [0, 1]), sources(1, 2), 6)
    for row in (0, 1):
        alone = drawn(drawer(drawing, [row]), sources(row + 1), 6)
        torch.testing.assert_close(both[row : row + 1], alone, rtol=0, atol=1e-4)


@pytest.mark.parametrize('drawing', [PLAIN, GUIDED])
def test_reading_on_equals_reading_anew_while_all_is_in_sight(drawing: ChunkDrawing):
    # Three tokens are looked back at: the start and two chunks.
    made, other = drawer(drawing, [0, 1]), drawer(drawing, [0, 1])
    one, two = sources(1, 2), sources(1, 2)
    for _ in range(2):
        ahead = made.draw(one)
        again = other.draw(two)
        torch.testing.assert_close(ahead, again, rtol=0, atol=1e-5)
        other._read_anew()
    assert made._hidden is not None
    assert other._hidden is not None
    torch.testing.assert_close(made._hidden, other._hidden, rtol=0, atol=1e-5)


def test_memory_does_not_grow():
    made = drawer(GUIDED, [0])
    noise = sources(1)
    drawn(made, noise, 4)
    assert made._cache is not None
    size, room = len(made._cache), made._cache.capacity
    drawn(made, noise, 12)
    assert (len(made._cache), made._cache.capacity) == (size, room)
    assert made.frames.shape[1] == 2 + 8 * 2


def test_other_words_change_what_comes_and_nothing_before():
    made, other = drawer(PLAIN, [0]), drawer(PLAIN, [0])
    one, two = sources(1), sources(1)
    assert torch.equal(drawn(made, one, 3), drawn(other, two, 3))
    other.tell(torch.tensor([[9, 4, WORDS]]), torch.ones(1, 3, dtype=torch.bool))
    assert torch.equal(made.frames, other.frames)
    assert not torch.allclose(made.draw(one), other.draw(two), atol=1e-4)


def test_what_is_observed_is_gone_on_from():
    made = drawer(PLAIN, [0])
    drawn(made, sources(1), 3)
    seen = moving(1, 30, seed=11) + torch.tensor([5.0, 0.0, 0.0])
    made.observe(seen)
    assert torch.equal(made.frames, seen[:, -18:])
    ahead = made.draw(sources(2))
    assert (ahead[:, 0, 0] - seen[:, -1, 0]).norm() < 1.0


def test_frames_are_finished_before_they_are_the_past():
    made = ChunkDrawer(small_network(), PLAIN, lambda drawn, previous: drawn + 0.5)
    made.start(moving(1, 2), IDS[:1], MASK[:1])
    ahead = made.draw(sources(1))
    assert torch.equal(made.frames[:, 2:], ahead)


def test_a_goal_is_told_to_every_token_and_comes_nearer():
    made = drawer(PLAIN, [0], history=10)
    free = drawn(drawer(PLAIN, [0], history=10), sources(1), 2)
    made.goal = Goal(moving(1, 2, seed=12), 16)
    led = drawn(made, sources(1), 2)
    assert made.goal.frames_left == 0
    assert not torch.allclose(free, led, atol=1e-4)
