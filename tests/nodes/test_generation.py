# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the worker draws for a node, without one."""

from __future__ import annotations

import pytest

pytest.importorskip('trajectory_msgs', reason='no messages of ROS 2 are installed')

from mgpt3_ros.body.commands.meaning import Action
from mgpt3_ros.body.profiles import make_profile
from mgpt3_ros.model.pipelines.together import draw_alone
from mgpt3_ros.model.worker import Job
from mgpt3_ros.nodes.generation import UNCOUNTED, Generated, Sampling, carried_out
from tests.support.tiny import tiny_model


@pytest.mark.parametrize(
    ('action', 'at_rest', 'said'),
    [
        (Action('walk', distance_m=1.0), False, True),
        (Action('walk', distance_m=1.0), True, False),
        (Action('wave-left-hand'), False, False),
    ],
)
def test_numbers_that_do_not_count_from_a_moving_body_are_said(
    action: Action, at_rest: bool, said: bool
) -> None:
    model, profile = tiny_model(finishing=True), make_profile('human_full', 'human')
    job: Job[Generated] = Job(lambda job: None)  # it is only polled
    work = carried_out(model, job, action, 0.0, Sampling(seed=0), profile, None, at_rest)
    drawn = draw_alone(model.pipeline, work)
    assert (UNCOUNTED in drawn.notes) == said
    assert (drawn.clip is None) == (not at_rest)  # where it will be joined is not known yet
