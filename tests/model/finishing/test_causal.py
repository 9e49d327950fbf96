# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from mgpt3_ros.model.finishing.causal import AIRBORNE_FRAMES, CausalFinish
from mgpt3_ros.model.kinematics.ground_frame import bone_lengths
from tests.support.streams import moving, standing

BALLS = [10, 11]


def finished(motion: Tensor, chunk: int = 8) -> Tensor:
    """A motion (B, T, 22, 3) finished chunk by chunk, each from what was finished before."""
    finish = CausalFinish(len(motion))
    whole = motion[:, :2]
    for begin in range(2, motion.shape[1], chunk):
        # As drawn: what the motion does from here, from where the finished body is.
        moved = motion[:, begin : begin + chunk] - motion[:, begin - 1 : begin]
        whole = torch.cat([whole, finish(whole[:, -1:] + moved, whole[:, -2:])], dim=1)
    return whole


def bent(frames: int) -> Tensor:
    """A person (1, T, 22, 3) who stands with bent knees, so that feet can be reached."""
    pose = standing()
    pose[[4, 5], 2] += 0.10
    upper = [j for j in range(22) if j not in (4, 5, 7, 8, 10, 11)]
    pose[upper, 1] -= 0.03
    return pose.expand(1, frames, -1, -1).clone()


def test_a_planted_foot_stays_and_bones_keep_their_lengths():
    slipping = bent(42)
    slipping[:, :, [7, 10], 0] += 0.004 * torch.arange(42)[:, None]  # 8 cm/s
    held = finished(slipping)
    slip = held[0, 10:, 10, [0, 2]].diff(dim=0).norm(dim=-1)
    assert slip.max() < 1e-4
    lengths = bone_lengths(held)
    raw = bone_lengths(slipping)
    legs = [3, 4, 6, 7, 9, 10]  # bones that end at knees, ankles, feet
    assert (lengths[..., legs] - raw[..., legs]).abs().max() < 0.03


def test_a_foot_that_lifts_is_free_again():
    stepping = bent(34)
    way = torch.linspace(0, 1, 16)
    stepping[:, 10:26, [7, 10], 1] += 0.15 * torch.sin(torch.pi * way)[:, None]
    stepping[:, 10:26, [7, 10], 2] += 0.25 * way[:, None]
    stepping[:, 26:, [7, 10], 2] += 0.25
    held = finished(stepping)
    moved = held[0, -1, 10, 2] - held[0, 0, 10, 2]
    assert 0.15 < moved < 0.30
    still = held[0, :, 11, [0, 2]]
    assert (still - still[0]).norm(dim=-1).max() < 1e-4


def test_no_joint_stays_under_the_floor_and_nothing_jumps():
    sinking = moving(3, 50, seed=4)
    sinking[..., 1] -= 0.004 * torch.arange(50)[None, :, None]  # 8 cm/s
    held = finished(sinking)
    assert held[:, 10:, :, 1].min() > -1e-3
    raw = sinking.diff(dim=1).norm(dim=-1).amax()
    assert held.diff(dim=1).norm(dim=-1).amax() < raw + 0.05


def test_who_hovers_comes_down_and_who_leaps_does_not():
    hovering = bent(80)
    hovering[:, 4:, :, 1] += 0.08
    held = finished(hovering)
    assert held[0, -1, :, 1].min() < 0.03
    leaping = bent(30)
    up = torch.sin(torch.linspace(0, torch.pi, AIRBORNE_FRAMES - 2))
    leaping[:, 8 : 6 + AIRBORNE_FRAMES, :, 1] += 0.3 * up[:, None]
    held = finished(leaping)
    np.testing.assert_allclose(held[0, :, 0, 1], leaping[0, :, 0, 1], atol=0.01)


def test_who_walks_on_air_comes_down_in_less_time_than_a_leap_takes():
    hovering = bent(40)
    hovering[:, 8:, :, 1] += 0.05 + 0.01 * torch.sin(torch.arange(32.0))[:, None]  # as one walks
    lowest = np.asarray(finished(hovering))[0, :, :, 1].min(axis=1)
    assert lowest[8] > 0.04
    assert lowest[8 + AIRBORNE_FRAMES :].max() < 0.03
    assert np.abs(np.diff(lowest[9:])).max() < 0.02


def test_bodies_do_not_know_of_each_other_and_can_be_put_elsewhere():
    both = moving(2, 18, seed=6)
    together = finished(both)
    alone = torch.cat([finished(both[:1]), finished(both[1:])])
    torch.testing.assert_close(together, alone, rtol=0, atol=1e-6)
    finish = CausalFinish(1)
    frames = bent(10)
    finish(frames[:, 2:], frames[:, :2])
    assert finish.planted.all()
    finish.forget()
    assert not finish.planted.any()
