# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Numbers of a command that takes over from a body that moves count from there."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter1d

from mgpt3_ros.body.commands import shaping
from mgpt3_ros.body.commands.carrying_out import unmet
from mgpt3_ros.body.commands.meaning import Action, counts_from_there
from mgpt3_ros.body.commands.reading import understand
from mgpt3_ros.model.finishing import way
from mgpt3_ros.model.finishing.settling import is_stance
from mgpt3_ros.model.kinematics.skeleton import FPS
from tests.support.walks import walking

WALK = gaussian_filter1d(walking(60)[::2], 2.0, axis=0)
BODIES = {
    'ahead': WALK[20:40],
    'back': WALK[40:20:-1],
    'fast': gaussian_filter1d(walking(60)[::3], 2.0, axis=0)[15:35],
}


def taken_over(body: str, command: str) -> tuple[np.ndarray, shaping.Taken, Action]:
    (action,) = understand(command)
    assert isinstance(action, Action)
    taken = shaping.Taken(BODIES[body].astype(np.float64), 4)
    joints = shaping.on_foot(WALK, action, False, taken)
    np.testing.assert_allclose(joints[0], taken.joints[4], atol=0.02)
    assert is_stance(joints[-1])
    return joints, taken, action


@pytest.mark.parametrize('body', BODIES)
@pytest.mark.parametrize('metres', [2.0, 5.0])
def test_distances_count_from_where_it_takes_over(body: str, metres: float) -> None:
    joints, _, action = taken_over(body, f'walk {metres:g} meters')
    assert np.hypot(*way.travelled(joints)) == pytest.approx(metres, abs=0.05)
    assert unmet(joints, action) == ()


@pytest.mark.parametrize('body', BODIES)
def test_steps_and_times_do_too(body: str) -> None:
    joints, _, _ = taken_over(body, 'walk four steps')
    assert len(way.landings(joints, FPS)) == 4
    joints, _, _ = taken_over(body, 'walk for 3 seconds')
    assert len(joints) / FPS == pytest.approx(3.0, abs=0.3)


def test_it_goes_on_at_the_speed_of_the_body() -> None:
    joints, taken, _ = taken_over('ahead', 'walk 3 meters')
    here = (taken.joints[4] - taken.joints[3])[0] * FPS
    there = (joints[1] - joints[0])[0] * FPS
    np.testing.assert_allclose(there, here, atol=0.2)


def test_what_cannot_be_met_is_said() -> None:
    joints, _, action = taken_over('fast', 'walk 20 cm')
    (note,) = unmet(joints, action)
    assert 'm, not 0.20 m' in note


def test_a_way_may_be_longer_after_its_beginning() -> None:
    once = WALK[:61]
    whole = float(np.hypot(*way.travelled(once)))
    for metres in (0.7 * whole, 1.3 * whole):
        longer = way.reaching(once, FPS, metres, 10, (0.4, 2.0))
        assert np.hypot(*way.travelled(longer)) == pytest.approx(metres, abs=1e-3)
        np.testing.assert_allclose(longer[:8, 0], once[:8, 0], atol=1e-6)


@pytest.mark.parametrize(
    ('command', 'counts'),
    [
        ('walk two meters', True),
        ('walk three steps', True),
        ('walk for 3 seconds', True),
        ('turn left', True),
        ('walk', False),
        ('bow three times', False),
    ],
)
def test_which_actions_count_from_somewhere(command: str, counts: bool) -> None:
    (action,) = understand(command)
    assert isinstance(action, Action)
    assert counts_from_there(action) == counts
