# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest

from mgpt3_ros.model.finishing.foot_lock import foot_slide
from mgpt3_ros.model.finishing.settling import is_stance, settle, standing_on, standing_pose
from mgpt3_ros.model.kinematics.skeleton import FOOT_JOINTS
from tests.support.walks import FPS, walking


def test_what_a_stance_is():
    pose = standing_pose()
    assert is_stance(pose)
    lifted, apart = pose.copy(), pose.copy()
    lifted[FOOT_JOINTS[:2], 1] += 0.04
    apart[FOOT_JOINTS[:2], 2] += 0.55
    assert not is_stance(lifted)
    assert not is_stance(apart)


def test_a_walk_that_breaks_off_in_mid_stride_ends_on_both_feet():
    walk = walking(6)
    assert not is_stance(walk[-1])
    rest = settle(walk, FPS)
    assert is_stance(rest[-1])
    assert len(rest) <= len(walk) + 20
    assert rest[:, FOOT_JOINTS, 1].min() > -0.01
    np.testing.assert_allclose(rest[: len(walk) - 12], walk[: len(walk) - 12])
    assert foot_slide(rest[-30:], FPS) < 0.1
    jerks = np.linalg.norm(np.diff(rest, 2, axis=0), axis=-1).max(axis=1)
    assert jerks[-25:].max() <= 1.5 * jerks[:-25].max()
    assert np.abs(rest[-1] - rest[-2]).max() < 0.01


def test_what_ends_in_a_stance_stays_as_it_is():
    still = np.repeat(standing_pose()[None], 20, axis=0)
    assert settle(still, FPS) is still


def test_a_body_stands_between_the_feet_of_a_pose():
    pose = standing_pose()
    pose[list(FOOT_JOINTS[2:]), 2] += 0.4
    stand = standing_on(pose)
    np.testing.assert_allclose(stand[list(FOOT_JOINTS)], pose[list(FOOT_JOINTS)], atol=0.01)
    assert stand[0, 2] == pytest.approx(0.2)
    assert stand[0, 1] < pose[0, 1]
