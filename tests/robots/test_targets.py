# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a robot that has a human's joints must reach on motions that the shipped model draws."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.robots import actions, draw, joined
from mgpt3_ros.model.motion import Motion
from mgpt3_ros.model.motiongpt3 import MotionGPT3
from mgpt3_ros.robots import retarget, slowed
from mgpt3_ros.robots.quality import quality
from tests.support.robots import known

pytestmark = pytest.mark.slow


@pytest.fixture(scope='module')
def motions() -> list[Motion]:
    """One of each action of the default list."""
    return draw(MotionGPT3.from_pretrained(device='cpu'), len(actions()), seed=5)


@pytest.mark.parametrize('name', ['g1', 'gr1'])
def test_all_actions_are_followed(name: str, motions: list[Motion]):
    robot = known(name)
    found = []
    for motion in motions:
        moved = retarget(robot, motion.joints, motion.fps)
        found.append(quality(robot, motion.joints, moved))
        slow, _ = slowed(robot, moved)
        speed = np.abs(np.diff(slow.positions, axis=0)).max(axis=0) * slow.fps
        assert (speed <= robot.velocity_limits * (1 + 1e-9)).all()
    whole = joined(found)
    assert whole.limit_excess == 0.0
    for limb in ('upper arm', 'forearm'):
        assert whole.limbs[limb].mean() <= 2.0, limb
        assert np.percentile(whole.limbs[limb], 95) <= 6.0, limb
    assert np.percentile(whole.height, 95) <= 0.005
    assert np.percentile(whole.slide, 95) <= 0.03
    for rate in ('speed', 'jerk'):
        change, swing = (getattr(whole, f'{when}_{rate}') for when in ('change', 'swing'))
        assert np.percentile(change, 95) <= np.percentile(swing, 95), rate
    assert whole.sides.mean() > 0.99
