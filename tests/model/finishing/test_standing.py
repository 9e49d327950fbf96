# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import torch
from torch import Tensor

from mgpt3_ros.model.finishing.standing import Standing
from mgpt3_ros.model.kinematics.ground_frame import bone_lengths, turn
from tests.support.streams import standing

CHUNK = 8


def wandering(chunks: int, body: Tensor, asked: bool = True, step: float = 0.001) -> Tensor:
    """A body (T, 22, 3) that would drift by ``step`` [m] and lean a little with each frame."""
    finish = Standing(standing(), 1)
    finish.ask([asked])
    whole = body[None, None].repeat(1, 2, 1, 1)
    drift = step * torch.arange(1, CHUNK + 1)[:, None] * (1 + body[:, 1])  # (F, 22): the head most
    for _ in range(chunks):
        drawn = whole[:, -1:].repeat(1, CHUNK, 1, 1)
        drawn[..., 0] += drift
        whole = torch.cat([whole, finish(drawn, whole[:, -2:])], dim=1)
    return whole[0]


def test_who_stands_stays_there_and_upright():
    body = turn(standing()[None], torch.tensor([1.0]))[0] + torch.tensor([3.0, 0.0, -2.0])
    stood = wandering(100, body)
    far = (stood[-1] - body).norm(dim=-1).max()
    free = (wandering(100, body, asked=False)[-1] - body).norm(dim=-1).max()
    assert far < 0.25
    assert free > 1.0


def test_one_step_leads_a_share_of_the_way_and_nothing_jumps():
    body = standing()
    finish = Standing(body, 1)
    finish.ask([True])
    still = body[None, None].repeat(1, CHUNK, 1, 1)
    finish(still, still[:, :2])
    off = still + torch.tensor([0.1, 0.0, 0.0])
    off[..., 2] += 0.1 * off[..., 1]  # it leans
    led = finish(off, off[:, :2])
    torch.testing.assert_close(bone_lengths(led), bone_lengths(off))
    gone = (off - led)[0, :, 0, 0]
    torch.testing.assert_close(gone[-1], torch.tensor(0.01))
    assert (gone.diff() > 0).all()
    assert gone[0] < 0.002


def test_who_moves_or_sits_is_left_alone():
    walking = wandering(10, standing(), step=0.05)
    free = wandering(10, standing(), asked=False, step=0.05)
    assert torch.equal(walking, free)
    sitting = standing().clone()
    sitting[[joint for joint in range(22) if joint not in (7, 8, 10, 11)], 1] -= 0.45
    sitting[[4, 5], 1:] += torch.tensor([0.45, 0.4])
    assert torch.equal(wandering(5, sitting), wandering(5, sitting, asked=False))
