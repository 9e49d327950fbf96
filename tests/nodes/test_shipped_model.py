# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""generate_node with the shipped checkpoint, over real DDS."""

from __future__ import annotations

import json

import numpy as np
import pytest

pytest.importorskip('rclpy', reason='rclpy is not installed: nothing can talk over DDS')

from rclpy.qos import DurabilityPolicy, QoSProfile
from std_msgs.msg import String

from mgpt3_ros.body.profiles import make_profile
from mgpt3_ros.nodes.messages import base_path, seconds
from tests.support.jtc_rules import violations

pytestmark = pytest.mark.slow

LATCHED = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
HUMAN = make_profile('human_full', 'human').names


def test_the_shipped_model_walks_forward_when_told_to(start, probe, default_checkpoint):
    start(seed=1)
    probe.active()
    probe.say('a person walks forward.')
    published = probe.status('published')
    assert published['duration_from'] == 'predicted'
    assert violations(probe.trajectory(), HUMAN, lead_in_s=0.5) == []
    base = base_path(probe.base())
    assert base.pos[-1, 0] > 0.5
    assert abs(base.pos[-1, 1]) < base.pos[-1, 0]
    assert (np.abs(base.pos[:, 2] - 0.9) < 0.25).all()
    # What it can do is still to be had by who comes late.
    told: list[String] = []
    probe.node.create_subscription(String, 'generate_node/known_actions', told.append, LATCHED)
    probe.until(lambda: told, 'the actions that are known')
    known = {action['label']: action for action in json.loads(told[-1].data)}
    assert known['walk']['examples'][0] == 'a person walks forward.'
    assert 0 < known['walk']['shown'] <= 1


def test_numbers_count_from_where_a_command_takes_over(start, probe, default_checkpoint):
    start(seed=3, stamp_mode='now')  # so that both ways are told by one clock
    probe.active()
    probe.under_way('walk 15 meters')
    probe.say('walk two meters')
    assert probe.status('published', 2)['reason'] == ''
    messages = probe.base(1), probe.base(2)
    before, after = (base_path(message) for message in messages)
    begun_s, taken_s = (seconds(message.header.stamp) for message in messages)
    apart = np.linalg.norm(before.sample(taken_s - begun_s + after.times)[0] - after.pos, axis=1)
    assert apart[0] < 0.002  # it begins with what is left of the way before
    taken = int(np.argmax(apart > 0.002)) - 1  # the last knot of that
    went = np.linalg.norm((after.pos[-1] - after.pos[taken])[:2])
    assert went == pytest.approx(2.0, abs=0.01)


def test_how_sure_a_motion_is_stands_on_the_status(start, probe, default_checkpoint):
    start(seed=1, unknown_text='warn')
    probe.active()
    probe.say('bow for 2 seconds')
    told = probe.status('published')
    assert float(told['confidence']) > 0.9
    assert told['shown'] == ''  # no trajectory waits for that
    probe.say('sit down for 1 second')  # it is drawn before anything is looked at
    told = probe.status('judged')
    assert (told['id'], told['text']) == ('1', 'bow for 2 seconds')
    assert told['shown'] in ('true', 'false')
    assert ('the model sees' in told['reason']) == (told['shown'] == 'false')
    told = probe.status('published', 2)
    assert float(told['confidence']) < 0.5
    assert 'it knows: ' in told['reason']
    probe.say('what time is it')
    told = probe.status('refused')
    assert float(told['confidence']) < 0.5
    assert 'it knows: ' in told['reason']


def test_a_stream_is_judged_when_an_action_is_over(start, probe, default_checkpoint):
    start(seed=1, checkpoint='stream', mode='stream', num_threads=1)
    probe.active()
    probe.say('walk forward')
    probe.trajectory(6)
    assert probe.messages('judged') == []  # it is not over
    probe.say('bow for 3 seconds')
    for count, text in enumerate(('walk forward', 'bow for 3 seconds'), start=1):
        told = probe.status('judged', count)
        assert (told['id'], told['text']) == (str(count), text)
        assert told['shown'] in ('true', 'false')
        assert ('the model sees' in told['reason']) == (told['shown'] == 'false')
    assert {status['shown'] for status in probe.messages('published')} == {''}
    probe.say('walk forward')
    probe.status('published', 3)
    probe.cancel()
    probe.status('cancelled')
    probe.spin_for(1.0)
    assert len(probe.messages('judged')) == 2
