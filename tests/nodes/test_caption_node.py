# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""caption_node as a process, over real DDS: what it says, when it says it, and faults of input."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip('rclpy', reason='rclpy is not installed: nothing can talk over DDS')

from diagnostic_msgs.msg import DiagnosticStatus
from std_msgs.msg import String
from trajectory_msgs.msg import JointTrajectory

from mgpt3_ros.body.profiles import make_profile
from mgpt3_ros.nodes.caption_node import PARAMETER_NAMES
from mgpt3_ros.nodes.lifecycle import MODEL_PARAMETERS
from mgpt3_ros.nodes.listening_node import LISTENING_PARAMETERS
from mgpt3_ros.nodes.messages import seconds
from tests.support.listener import LATCHED, NAMES, Listener, swing

NODE = 'caption_node'


@pytest.fixture(scope='module')
def shared(shared_listener: tuple, default_checkpoint: Path) -> Listener:
    make, body = shared_listener
    make(NODE, checkpoint=str(default_checkpoint), device='cpu', caption_period_s=0.1)
    body.ready(NODE)
    return body


@pytest.fixture
def body(shared: Listener) -> Iterator[Listener]:
    shared.clock_s += 100.0
    shared.forget()
    yield shared
    shared.enable_of(NODE, True)
    assert shared.set_of(NODE, repeat_unchanged=False, min_joint_coverage=0.6)[0]
    shared.trigger(f'{NODE}/reset')


def counts(body: Listener) -> dict[str, int]:
    values = body.values(NODE)
    words = [pair.rsplit(' ', 1) for pair in values['dropped_because'].split(', ') if pair]
    kept = {name: int(values[name]) for name in ('joint_states', 'gaps', 'time_jumps')}
    return {**kept, **{word: int(number) for word, number in words}}


def grown(body: Listener, before: dict[str, int]) -> dict[str, int]:
    now = counts(body)
    return {name: n - before.get(name, 0) for name, n in now.items() if n > before.get(name, 0)}


def test_a_moving_body_gets_a_caption_and_a_marker_that_carries_the_stamp(body):
    body.play(3.0)
    caption = body.until(lambda: body.heard['caption'], 'a caption')[0].data
    assert len(caption.split()) >= 2
    marker = body.until(lambda: body.heard['caption_marker'], 'a marker')[-1]
    assert marker.text
    assert marker.header.frame_id == 'map'
    sent = {round(body.clock_s - 0.02 * step, 6) for step in range(150)}
    assert round(seconds(marker.header.stamp), 6) in sent
    assert 1.5 < marker.pose.position.z < 2.5


def test_a_late_listener_hears_the_last_caption(body):
    body.play(1.5)
    body.until(lambda: body.heard['caption'], 'a caption')
    late: list[String] = []
    body.node.create_subscription(String, 'caption', late.append, LATCHED)
    body.until(lambda: late, 'the latched caption')


def test_an_unchanged_caption_is_not_repeated_unless_that_is_asked_for(body):
    def still(_: float) -> np.ndarray:
        return np.zeros(len(NAMES))

    body.play(4.0, still)
    markers = len(body.heard['caption_marker'])
    texts = [message.data for message in body.heard['caption']]
    assert markers >= 3
    assert texts[-1] == 'a person stands still.'
    assert all(one != other for one, other in itertools.pairwise(texts))
    assert len(texts) < markers
    assert body.set_of(NODE, repeat_unchanged=True) == (True, '')
    body.forget()
    body.play(2.0, still)
    assert len(body.heard['caption']) >= 2
    assert abs(len(body.heard['caption']) - len(body.heard['caption_marker'])) <= 1


def test_caption_now_answers_and_says_why_not(body):
    silent = (False, 'no current joint states are heard')  # soon after those of the test before
    body.until(lambda: body.trigger(f'{NODE}/caption_now') == silent, 'silence to be noticed')
    body.play(0.5)
    success, message = body.trigger(f'{NODE}/caption_now')
    assert not success
    assert 'observed, 1.00 are needed' in message
    body.play(1.0)
    success, message = body.trigger(f'{NODE}/caption_now')
    assert success
    assert len(message.split()) >= 2


def test_instructions_are_answered_about_the_body_that_is_seen(body):
    ask = body.node.create_publisher(String, f'{NODE}/ask', 10)
    heard: list[String] = []
    moved: list[JointTrajectory] = []
    body.node.create_subscription(String, f'{NODE}/answer', heard.append, 10)
    body.node.create_subscription(JointTrajectory, f'{NODE}/answer_trajectory', moved.append, 10)
    body.until(ask.get_subscription_count, 'the door')
    body.until(lambda: body.node.count_publishers(f'{NODE}/answer'), 'the answers')
    body.play(1.5)
    ask.publish(String(data='What is this person doing?'))
    said = json.loads(body.until(lambda: heard, 'an answer')[0].data)
    assert (said['kind'], said['task'], said['reason']) == ('text', 'caption', '')
    assert said['decided_by'] == 'rules'
    assert len(said['text'].split()) >= 2
    body.play(1.5)
    ask.publish(String(data='What comes next, for two seconds?'))
    body.until(lambda: moved, 'a motion that answers')
    assert seconds(moved[0].points[-1].time_from_start) == pytest.approx(2.0, abs=0.06)
    assert list(moved[0].joint_names) == list(NAMES)
    ask.publish(String(data='Show me a bow'))
    body.until(lambda: len(moved) == 2, 'another')
    ask.publish(String(data='  '))
    body.until(lambda: len(heard) == 4, 'a refusal')
    assert 'empty' in json.loads(heard[3].data)['reason']
    ask.publish(String(data='New conversation.'))
    body.until(lambda: len(heard) == 5, 'a new conversation')
    assert json.loads(heard[4].data)['text'] == 'a new conversation'


def test_disabled_reset_and_inactive(body):
    body.play(1.5)
    assert body.trigger(f'{NODE}/reset') == (True, 'what was observed is forgotten')
    assert float(body.values(NODE)['observed_s']) == 0
    assert 'disabled' in body.enable_of(NODE, False)
    body.forget()
    body.play(1.5)
    assert body.trigger(f'{NODE}/caption_now') == (False, 'the node is disabled')
    assert not body.heard['caption_marker']
    body.enable_of(NODE, True)
    assert body.change_of(NODE, 'deactivate')
    assert body.trigger(f'{NODE}/caption_now') == (False, 'the node is inactive')
    before = body.values(NODE)['joint_states']
    body.play(0.5)
    assert body.values(NODE)['joint_states'] == before
    assert body.change_of(NODE, 'cleanup')
    assert body.state_of(NODE) == 'unconfigured'
    assert body.change_of(NODE, 'configure')
    assert body.change_of(NODE, 'activate')
    body.play(1.5)
    body.until(lambda: body.heard['caption'], 'a caption after the round')


def test_faulty_joint_states_are_dropped_and_counted(body):
    body.play(1.0)
    before = counts(body)
    nan = np.full(len(NAMES), np.nan)
    for _ in range(3):
        body.send(nan, base=False)
    body.send([0.0] * 62, base=False)
    body.send([0.0] * 63, names=[NAMES[0]] * 63, base=False)
    body.send([0.0] * 63, base=False)  # a stamp for the second time
    body.send([0.0], names=['gripper'], base=False)
    body.until(lambda: grown(body, before).get('coverage'), 'the drops')
    expected = {'number': 3, 'lengths': 1, 'names': 1, 'old': 1, 'coverage': 1}
    assert grown(body, before) == expected
    body.play(1.0)
    assert body.trigger(f'{NODE}/caption_now')[0]


def test_ten_nan_in_a_row_are_an_error_that_goes_away(body):
    for _ in range(12):
        body.clock_s += 0.02
        body.send([np.nan] * 63, base=False)
    error = body.until(
        lambda: values if (values := body.values(NODE))['level'] == b'\x02' else None, 'ERROR'
    )
    assert '10 joint states in a row' in error['message']
    body.play(0.2)
    body.until(lambda: body.values(NODE)['level'] == DiagnosticStatus.OK, 'OK again')


def test_missing_and_extra_joints_in_any_order(body):
    order = np.random.default_rng(0).permutation(48)
    names = [NAMES[i] for i in order] + ['gripper']

    def pose(at: float) -> list[float]:
        return [*swing(at)[order], 0.5]

    body.play(1.5, pose, names=names)
    assert body.trigger(f'{NODE}/caption_now')[0]
    assert body.values(NODE)['joint_coverage'] == '0.76'
    assert body.set_of(NODE, min_joint_coverage=0.9) == (True, '')
    body.trigger(f'{NODE}/reset')
    body.play(0.2, pose, names=names)
    assert body.trigger(f'{NODE}/caption_now') == (False, 'no current joint states are heard')


def test_a_gap_and_a_jump_back_begin_anew(body):
    body.play(2.0)
    before = counts(body)
    body.clock_s += 0.7
    body.play(0.5)
    values = body.values(NODE)
    assert float(values['observed_s']) == pytest.approx(0.48, abs=0.05)
    assert grown(body, before)['gaps'] >= 1
    body.clock_s -= 50.0
    body.play(1.3)
    assert body.trigger(f'{NODE}/caption_now')[0]
    values = body.values(NODE)
    assert float(values['observed_s']) == pytest.approx(1.28, abs=0.05)
    assert int(values['time_jumps']) > before['time_jumps']


def test_without_odometry_the_diagnostics_say_so(body):
    body.play(1.5, base=False)
    assert body.trigger(f'{NODE}/caption_now')[0]
    assert body.values(NODE)['base'] == 'none: upright at rest'
    body.play(1.5)
    assert body.values(NODE)['base'] == 'odom'


def test_every_parameter_is_described(body):
    described = body.describe(NODE)
    names = {*MODEL_PARAMETERS, *LISTENING_PARAMETERS, *PARAMETER_NAMES}
    assert names <= set(described)
    for name in names:
        assert len(described[name].description) > 15, name
    assert not body.set_of(NODE, window_s=100.0)[0]
    assert not body.set_of(NODE, reliability='reliable')[0]


def test_joint_states_of_ros4hri_are_understood(start, domain, default_checkpoint):
    names = make_profile('ros4hri', '7').names
    start(NODE, checkpoint=str(default_checkpoint), joint_profile='ros4hri', body_id='7')
    with Listener(domain) as body:
        body.ready(NODE)
        body.play(1.5, lambda at: 0.2 * np.sin(4 * at + np.arange(len(names))), names=names)
        assert body.trigger(f'{NODE}/caption_now')[0]
        body.until(lambda: body.heard['caption_marker'], 'a marker')
        assert body.heard['caption_marker'][-1].ns == '7/caption'


def test_sim_time_without_a_clock_blocks_nothing(start, domain, default_checkpoint):
    node = start(NODE, checkpoint=str(default_checkpoint), use_sim_time=True, min_window_s=0.3)
    with Listener(domain) as body:
        body.ready(NODE)
        body.play(2.0, stamped=False)  # half a second by the clock on the wall
        body.until(lambda: body.heard['caption'], 'a caption')
    assert node.output.count('no /clock is heard') == 1
