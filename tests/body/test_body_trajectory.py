# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest

from mgpt3_ros.body.bounds import Timing
from mgpt3_ros.body.planning import plan
from tests.support.clips import random_clip, random_state, states_match


@pytest.mark.parametrize('elapsed_s', [0.02, 0.3, 1.234])
def test_what_is_still_to_come_goes_the_same_way(elapsed_s):
    state = random_state(4)
    trajectory, _ = plan(random_clip(4), Timing(lead_in_s=0.25), random_state(5), state)
    rest = trajectory.after(elapsed_s)
    states_match(rest.state_at(0.0), trajectory.state_at(elapsed_s))
    assert rest.times[0] >= 0.03
    assert np.all(np.diff(rest.times) > 0)
    for at_s in np.linspace(rest.times[0], rest.end_s, 40):
        states_match(rest.state_at(at_s), trajectory.state_at(at_s + elapsed_s))


def test_of_what_is_over_the_end_is_left():
    trajectory, _ = plan(random_clip(6), Timing())
    rest = trajectory.after(trajectory.end_s + 1.0)
    assert len(rest.times) == 1
    assert rest.end_s > 0
    np.testing.assert_allclose(rest.joints.positions[0], trajectory.joints.positions[-1])
