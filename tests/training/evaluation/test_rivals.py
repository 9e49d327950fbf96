# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest

from mgpt3_ros.model.errors import MotionError
from mgpt3_ros.training.evaluation.rivals import TrainingWindows
from tests.support.streams import moving

CLIPS = [moving(1, 70, seed)[0].numpy() for seed in range(6)]


def test_who_did_the_same_before_does_the_same_again():
    windows = TrainingWindows(CLIPS, 20)
    windows_alone = TrainingWindows(CLIPS[:1], 20)
    assert len(windows) == 6 * len(windows_alone)
    clip = CLIPS[2] + np.float32([3, 0, 1])  # elsewhere in the world
    now = 20 + 6 * 3
    made = windows.nearest(clip[:now])
    assert made.shape == (20, 22, 3)
    still = np.repeat(clip[now - 1 : now], 20, axis=0)
    real = clip[now : now + 20]

    def error(forecast: np.ndarray) -> float:
        return float(np.linalg.norm(forecast - real, axis=-1).mean())

    assert error(made) < error(still)
    assert error(windows.ridge(clip[:now])) < error(still)


def test_a_mirror_image_is_known_too():
    windows = TrainingWindows(CLIPS[:1], 10)
    mirrored = TrainingWindows([windows._clips[1].numpy()], 10)
    assert len(windows) == len(mirrored)
    np.testing.assert_allclose(
        windows.nearest(CLIPS[0][:30]), mirrored.nearest(CLIPS[0][:30]), atol=1e-4
    )


def test_a_window_may_be_shorter_and_then_holds_its_last_pose():
    assert len(TrainingWindows(CLIPS[:1], 60, least=10)) > len(TrainingWindows(CLIPS[:1], 40))
    with pytest.raises(MotionError, match='no training clip'):
        TrainingWindows(CLIPS[:1], 60)


def test_less_than_a_second_is_too_little():
    with pytest.raises(MotionError, match='20 observed frames'):
        TrainingWindows(CLIPS[:1], 10).nearest(CLIPS[0][:19])
