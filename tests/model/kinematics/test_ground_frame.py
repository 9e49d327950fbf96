# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math

import torch

from mgpt3_ros.model.kinematics.ground_frame import (
    GroundFrame,
    bone_lengths,
    lead_over,
    turn,
    with_bones,
)
from tests.support.streams import moving, standing


def test_into_a_frame_and_out_again():
    motion = moving(3, 5)
    frame = GroundFrame.under(motion[:, 2])
    there = frame.into(motion)
    torch.testing.assert_close(frame.out_of(there), motion, rtol=0, atol=1e-5)
    # Under the body, facing Z: the pelvis above the origin, left at +X.
    assert there[:, 2, 0, [0, 2]].abs().max() < 1e-5
    assert (there[:, 2, 1, 0] > there[:, 2, 2, 0]).all()


def test_a_quarter_turn_takes_z_to_x():
    turned = turn(torch.tensor([[0.0, 2.0, 1.0]]), torch.tensor([math.pi / 2]))
    torch.testing.assert_close(turned, torch.tensor([[1.0, 2.0, 0.0]]), rtol=0, atol=1e-6)


def test_bones_take_the_lengths_that_are_asked():
    pose = moving(1, 1)[0, 0]
    lengths = bone_lengths(standing()) * 1.1
    fitted = with_bones(pose, lengths)
    torch.testing.assert_close(bone_lengths(fitted), lengths, rtol=0, atol=1e-5)
    torch.testing.assert_close(fitted[0], pose[0])


def test_a_clip_that_is_led_over_goes_on_without_a_jump_and_ends_as_itself():
    before, clip = moving(4, 2, seed=1), moving(4, 40, seed=2)
    led = lead_over(before, clip, torch.full((4,), 10))
    torch.testing.assert_close(led[:, 0], before[:, 1], rtol=0, atol=1e-4)
    step = (before[:, 1] - before[:, 0]).norm(dim=-1)
    first = (led[:, 1] - led[:, 0]).norm(dim=-1)
    # Within a frame the velocity changes as much as the clip's own and the fade's, no more.
    assert (first - step).abs().max() < 0.06
    # Afterwards it is the clip, moved and turned as a whole.
    own, other = GroundFrame.under(clip[:, 20]), GroundFrame.under(led[:, 20])
    torch.testing.assert_close(other.into(led[:, 20:]), own.into(clip[:, 20:]), rtol=0, atol=1e-4)


def test_no_blend_goes_under_the_floor():
    before, clip = moving(4, 2, seed=3), moving(4, 30, seed=4)
    before[..., 1] -= before[:, 1, :, 1].amin(dim=1)[:, None, None] + 0.05  # the body has sunk
    led = lead_over(before, clip, torch.full((4,), 12))
    lowest = led[..., 1].amin(dim=-1)
    assert (lowest[:, 0] < -0.04).all()
    assert (lowest[:, 13:] > -1e-4).all()
    assert (lowest >= -0.0501).all()
