# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest
import torch

from mgpt3_ros.training.data.clip import Clip, DataError
from mgpt3_ros.training.data.held_out import held_out_takes
from mgpt3_ros.training.data.resting import (
    LASTS_FRAMES,
    STAND,
    at_rest,
    forth_and_back,
    rest_clips,
    rest_pose,
)
from mgpt3_ros.training.data.stream_windows import WindowCutter, WindowOptions
from tests.support.streams import moving, standing


def clip(
    name: str, joints: np.ndarray, action: str | None = None, take: str | None = None
) -> Clip:
    return Clip(name, joints, (f'does {name}.',), 'train', 'made', action, None, take)


def arms_down() -> np.ndarray:
    """A person (22, 3) who stands, the arms hanging."""
    pose = standing().numpy().copy()
    for side, shoulder in ((18, 16), (19, 17)):
        pose[side] = pose[shoulder] - (0, 0.26, 0)
        pose[side + 2] = pose[side] - (0, 0.26, 0)
    return pose


def still(frames: int) -> np.ndarray:
    sway = 0.002 * np.sin(np.arange(frames) / 9)[:, None, None]
    return (arms_down() + sway).astype(np.float32)


CLIPS = [clip(str(n), moving(1, 30 + 9 * n, seed=n)[0].numpy()) for n in range(8)]
CLIPS.append(clip('stands', still(40), STAND))


def test_windows_are_parts_of_their_clips():
    cutter = WindowCutter(CLIPS, 8, WindowOptions(chunks=4, joined=0.0))
    numbers = np.arange(8).repeat(20)
    windows = cutter.cut_and_join(numbers, numbers, np.random.default_rng(0), 3)
    assert windows.frames.shape == (160, 34, 22, 3)
    for row, number in enumerate(numbers):
        own = torch.from_numpy(CLIPS[number].joints)
        count = int(windows.count[row])
        found = (own == windows.frames[row, 0]).all(dim=-1).all(dim=-1).nonzero()[0, 0]
        assert count >= 2 + 8
        assert torch.equal(windows.frames[row, :count], own[found : found + count])
        held = windows.frames[row, count:]
        assert torch.equal(held, own[-1].expand_as(held))
        if windows.left[row]:
            assert int(windows.left[row]) == len(own) - found - 2


def test_joined_windows_show_another_motion_first_and_then_their_own():
    options = WindowOptions(chunks=4, joined=1.0, from_rest=0.0, sunk=0.0, fade=(4, 4))
    cutter = WindowCutter(CLIPS, 8, options)
    numbers, others = np.full(60, 7), np.full(60, 3)
    windows = cutter.cut_and_join(numbers, others, np.random.default_rng(1), 2)
    assert set(windows.told.tolist()) == {0, 1, 2}
    other = torch.from_numpy(CLIPS[3].joints)
    jumps = windows.frames.diff(dim=1).norm(dim=-1).amax(dim=(1, 2))
    assert jumps.max() < 0.5  # a pose fades into another within four frames, and nothing jumps
    for row, told in enumerate(windows.told.tolist()):
        before = windows.frames[row, : 2 + 8 * told]
        matches = (other == before[0]).all(dim=-1).all(dim=-1).nonzero()[:, 0]
        assert torch.equal(before, other[matches[0] : matches[0] + len(before)])


def test_the_same_seed_cuts_the_same_windows():
    cutter = WindowCutter(CLIPS, 8, WindowOptions(chunks=4))
    numbers = np.arange(8)
    one, other = (
        cutter.cut_and_join(numbers, numbers[::-1].copy(), np.random.default_rng(5), 3)
        for _ in range(2)
    )
    assert torch.equal(one.frames, other.frames)
    assert torch.equal(one.told, other.told)


def test_who_stands_is_found_and_lasts():
    walking = moving(1, 40)[0].numpy()
    joints = np.concatenate([walking, still(30)])
    found = rest_clips([clip('a', joints, 'walk', 'take'), clip('b', walking, 'walk')])
    assert [each.action for each in found] == [STAND]
    assert found[0].take == 'take'
    assert len(found[0].joints) == LASTS_FRAMES
    assert at_rest(found[0].joints).mean() > 0.9
    pose = rest_pose(found)
    assert pose.shape == (2, 22, 3)
    assert abs(pose[..., 1].min()) < 1e-6


def test_without_anyone_who_stands_there_is_no_pose_to_begin_from():
    with pytest.raises(DataError, match='nobody stands'):
        rest_pose(CLIPS[:8])


def test_forth_and_back_goes_on_without_a_jump():
    joints = moving(1, 12)[0].numpy()
    lasting = forth_and_back(joints, 50)
    assert len(lasting) == 50
    assert np.array_equal(lasting[:12], joints)
    steps = np.linalg.norm(np.diff(lasting, axis=0), axis=-1).max()
    assert steps == np.linalg.norm(np.diff(joints, axis=0), axis=-1).max()


def test_held_out_takes_are_whole_and_few():
    clips = [
        clip(f'{action}{take}{n}', still(20), action, f'{action}-{take}')
        for action in ('kick', 'box')
        for take in range(6)
        for n in range(3)
    ]
    clips += [clip('x', still(20), 'bow', 'one'), clip('y', still(20), 'bow', 'two')]
    held = held_out_takes(clips, 0.15)
    assert {action for action, _ in held} == {'kick', 'box'}
    assert len(held) == 2
    assert held_out_takes(list(reversed(clips)), 0.15) == held
    assert held_out_takes(clips, 0.0) == set()
