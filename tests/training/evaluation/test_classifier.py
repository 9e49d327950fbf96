# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The recogniser of actions: what it sees of a clip, and how often it is right on real ones."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from mgpt3_ros.model.kinematics.skeleton import JOINT_NAMES
from mgpt3_ros.model.motion import Motion
from mgpt3_ros.training.data.clip import Clip
from mgpt3_ros.training.data.packs import load_pack
from mgpt3_ros.training.evaluation.classifier import ActionClassifier, summary
from mgpt3_ros.training.evaluation.measures import counted, recognition
from tests.support import mocap
from tests.support.tiny import swinging_motion

J = {name: index for index, name in enumerate(JOINT_NAMES)}


def waving(side: str, seed: int) -> Clip:
    """A figure that stands and moves one hand up and down beside its head."""
    rng = np.random.default_rng(seed)
    joints = swinging_motion(seed, 40, 0.0)
    time = np.arange(40) / 20
    hand = joints[:, J[f'{side}_wrist']]
    hand[:, 1] += 0.4 + rng.uniform(0.1, 0.2) * np.sin(8 * time + rng.uniform(0, 6))
    return Clip(f'{side}{seed}', joints, ('x',), 'train', 'bandai', f'wave-{side}-hand')


def walking(seed: int) -> Clip:
    joints = swinging_motion(seed, 40, 1.0 + 0.02 * seed)
    return Clip(f'walk{seed}', joints, ('x',), 'train', 'bandai', 'walk')


@pytest.fixture(scope='module')
def judge() -> ActionClassifier:
    clips = [waving('left', seed) for seed in range(8)] + [walking(seed) for seed in range(8)]
    uncounted = [dataclasses.replace(walking(9), action=action) for action in ('kick', None)]
    return ActionClassifier(clips + uncounted)


def test_a_summary_does_not_know_place_or_heading() -> None:
    motion = Motion(mocap.clips(1, seed=1)[0])
    moved = motion.transform(2.5, (3.0, 0.0, -7.0))
    assert summary(moved.joints) == pytest.approx(summary(motion.joints), abs=1e-3)
    assert np.abs(summary(motion.mirror().joints) - summary(motion.joints)).max() > 0.05


def test_a_summary_knows_height_speed_and_turning() -> None:
    motion = Motion(swinging_motion(0, 60, 1.0))
    still = Motion(swinging_motion(0, 60, 0.0))
    lower = Motion(motion.joints - np.float32([0, 0.3, 0]))
    turning = np.stack([motion.transform(0.02 * i).joints[i] for i in range(60)])
    for other in (still, lower, Motion(turning)):
        assert np.abs(summary(other.joints) - summary(motion.joints)).max() > 0.2


def test_summaries_of_any_length_have_one_size() -> None:
    sizes = {summary(swinging_motion(0, frames)).shape for frames in (4, 20, 57, 200)}
    assert len(sizes) == 1


def test_the_other_side_is_learned_from_mirror_images(judge: ActionClassifier) -> None:
    assert judge.actions == ['walk', 'wave-left-hand', 'wave-right-hand']
    unseen = [waving('left', 20), waving('right', 21), walking(22)]
    found = judge.predict([clip.joints for clip in unseen])
    assert found == ['wave-left-hand', 'wave-right-hand', 'walk']


def test_actions_that_count_in_no_figure_are_not_learned(judge: ActionClassifier) -> None:
    assert 'kick' not in judge.actions


def test_the_same_clips_make_the_same_judge() -> None:
    clips = [waving('left', seed) for seed in range(4)] + [walking(seed) for seed in range(4)]
    motions = [swinging_motion(seed, 50, 0.3) for seed in range(10)]
    assert ActionClassifier(clips).predict(motions) == ActionClassifier(clips).predict(motions)


@pytest.mark.slow
def test_real_clips_that_were_held_out_are_recognised() -> None:
    if not (mocap.FOLDER / 'motions.npz').exists():
        pytest.skip(f'no motion capture in {mocap.FOLDER}')
    pack = load_pack(mocap.FOLDER)
    val = counted(pack.val)
    judge = ActionClassifier(pack.train)
    found = recognition(
        [str(clip.action) for clip in val], judge.predict([clip.joints for clip in val])
    )
    assert found.action.count >= 180
    assert found.action.value >= 0.95
    assert found.side_wrong.count >= 90
    assert found.side_wrong.value <= 0.02
