# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest

from benchmarks import commands, switch_overs
from mgpt3_ros.body.from_motion import clip_of
from mgpt3_ros.body.planning import plan
from mgpt3_ros.model.kinematics.skeleton import JOINT_NAMES
from mgpt3_ros.model.motion import Motion
from tests.support.walks import walking


def test_what_a_walk_measures():
    ahead, left, turn, speed, steps, stance, depth = commands.measures(Motion(walking(9)))
    assert ahead == pytest.approx(2.38, abs=0.01)
    assert (left, turn) == pytest.approx((0.0, 0.0), abs=1e-6)
    assert speed == pytest.approx(0.56, abs=0.06)
    assert (steps, stance) == (7.0, 0.0)  # it breaks off in mid stride
    assert depth == pytest.approx(0.0, abs=1e-6)


def test_a_foot_under_the_floor_is_deep():
    joints = walking(4)
    joints[10, JOINT_NAMES.index('left_foot'), 1] = -0.05
    assert commands.measures(Motion(joints))[-1] == pytest.approx(5.0, abs=1e-4)


def test_a_row_tells_the_median_and_the_extremes():
    rows = [commands.measures(Motion(walking(count))) for count in (4, 6, 9)]
    line = commands.row('walk', rows)
    assert line.startswith('| walk | 1.48 [0.88, 2.38] |')
    assert '| 0/3 |' in line


def test_prompts_are_counted_that_are_not_understood(tmp_path):
    for name in ('paraphrases.yaml', 'blind_prompts.yaml'):
        (tmp_path / name).write_text('bow:\n  - take a bow\n  - sit down\n  - wave\n')
    assert commands.coverage(tmp_path)[0].startswith('paraphrases.yaml: 3 prompts, 1 refused, 1 ')


def test_feet_slide_less_where_a_motion_is_met_than_where_angles_are_blended():
    walk = Motion(walking(10))
    before, _ = plan(clip_of(walk, switch_overs.PROFILE), switch_overs.TIMING)
    back = Motion(walk.joints[::-1])
    rows = [
        switch_overs.measures(switch_overs.taken_over(before, back, 1.6, met))
        for met in (False, True)
    ]
    plain, met = np.array(rows)
    assert met[0] < plain[0]
    assert met[2] > -1.0
