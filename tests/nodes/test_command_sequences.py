# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Commands of several actions, over real DDS: one after another, and what comes in between."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip('rclpy', reason='rclpy is not installed: nothing can talk over DDS')

from mgpt3_ros.body.body_trajectory import BodyTrajectory
from mgpt3_ros.body.profiles import make_profile
from mgpt3_ros.nodes.messages import base_path, joint_path
from tests.support.jtc_rules import time_s, violations

HUMAN = make_profile('human_full', 'human').names
THREE = 'walk for 2.5 seconds, then wave for 2.5 seconds; bow for 1 second'


@pytest.fixture
def probe(spoken_to):
    return spoken_to


def heard(probe, count: int) -> BodyTrajectory:
    """The ``count``-th trajectory as arrays."""
    message = probe.trajectory(count)
    return BodyTrajectory(
        tuple(message.joint_names), joint_path(message), base_path(probe.base(count))
    )


def rested(probe) -> None:
    """Wait until the feet of what was stopped before are closed: that would be stopped again."""
    probe.until(lambda: probe.health()['moving'] == 'false', 'the feet to close')
    probe.forget()


def test_each_action_goes_on_from_the_one_before(probe):
    probe.say(THREE)
    probe.status('published', 3)
    paths = [heard(probe, count) for count in (1, 2, 3)]
    assert violations(probe.trajectory(1), HUMAN, lead_in_s=0.5) == []
    begun = probe.times['joint_trajectory']
    for number in (1, 2):
        assert violations(probe.trajectory(number + 1), HUMAN, lead_in_s=0.1) == []
        before, after = paths[number - 1], paths[number]
        first = after.state_at(after.times[0])
        # The clocks of the node and of the probe are off by the way of a message, or more.
        shifts = begun[number] - begun[number - 1] + after.times[0] + np.arange(-0.2, 0.2, 0.001)
        states = [before.state_at(at) for at in shifts]
        gaps = [np.abs(first.positions - state.positions).max() for state in states]
        meeting = states[int(np.argmin(gaps))]
        assert min(gaps) < 0.02
        np.testing.assert_allclose(first.base_pos, meeting.base_pos, atol=0.02)
        np.testing.assert_allclose(first.velocities, meeting.velocities, rtol=0.05, atol=0.3)
        assert begun[number] - begun[number - 1] < before.end_s  # and it did not stop between
    said = [
        (status['message'], status['action'], status['actions'], status['action_text'])
        for status in probe.messages()
    ]
    first, second, third = 'walk for 2.5 seconds', 'wave for 2.5 seconds', 'bow for one second'
    assert said == [
        ('queued', '', '3', ''),
        ('generating', '1', '3', first),
        ('published', '1', '3', first),
        ('generating', '2', '3', second),
        ('published', '2', '3', second),
        ('generating', '3', '3', third),
        ('published', '3', '3', third),
    ]
    assert {status['text'] for status in probe.messages()} == {THREE}


def test_a_cancel_in_between_ends_all_of_it_and_says_so_once(probe):
    probe.say(THREE)
    probe.status('generating', 2)
    assert probe.cancel() in [f'cancelled command {n} (playing action 1 of 3)' for n in range(99)]
    probe.trajectory(2)
    probe.spin_for(3.0)  # in which the second action would have come
    assert len(probe.heard['joint_trajectory']) <= 3  # the stop, and the feet together
    assert np.abs(probe.trajectory(2).points[-1].velocities).max() == 0
    (cancelled,) = probe.messages('cancelled')
    assert 'while playing action 1 of 3' in cancelled['reason']
    assert probe.cancel() == 'nothing to cancel'


def test_a_newer_command_takes_the_place_of_what_is_left(probe):
    probe.say(THREE)
    probe.status('generating', 2)
    probe.say('run for 1 seconds')
    published = probe.status('published', 2)
    assert (published['text'], published['actions']) == ('run for 1 seconds', '1')
    (dropped,) = probe.messages('dropped')
    assert dropped['text'] == THREE
    assert dropped['reason'] == 'a newer command replaced it before action 2 of 3'
    probe.trajectory(2)
    probe.spin_for(3.0)  # in which the second action would have come
    assert len(probe.heard['joint_trajectory']) == 2


def test_stop_after_this_keeps_what_is_done_and_drops_the_rest(probe):
    rested(probe)
    probe.say('walk for 1.5 seconds, then wave for 1 second, then bow for 1 second')
    probe.status('published')
    probe.say('stop after this')
    assert 'ends by itself' in probe.status('stopped')['reason']
    dropped = probe.status('dropped')
    assert (dropped['id'], dropped['action']) == (probe.messages('published')[0]['id'], '2')
    probe.until(lambda: probe.health()['moving'] == 'false', 'its end')
    assert len(probe.messages('published')) == len(probe.heard['joint_trajectory']) == 1


def test_under_fifo_the_next_command_waits_for_the_last_action(probe):
    assert probe.set(queue_policy='fifo') == (True, '')
    probe.say('walk for 1 seconds, then wave for 1 seconds')
    probe.say('bow for 1 seconds')
    probe.trajectory(3)
    probe.status('published', 3)
    texts = [status['action_text'] for status in probe.messages('published')]
    assert texts == ['walk for one seconds', 'wave for one seconds', 'bow for one seconds']
    begun = probe.times['joint_trajectory']
    assert begun[2] - begun[1] >= time_s(probe.trajectory(2), -1) - 0.05


def test_under_reject_the_node_is_busy_between_the_actions(probe):
    probe.until(lambda: probe.health()['moving'] == 'false', 'the end of what played before')
    assert probe.set(queue_policy='reject') == (True, '')
    probe.say('walk for 1 seconds, then wave for 1 seconds')
    probe.status('generating', 2)
    probe.say('bow')
    assert 'busy' in probe.status('refused')['reason']
    probe.status('published', 2)
    assert not probe.messages('dropped')


def test_one_motion_for_the_whole_text_on_request(probe):
    assert probe.set(split_actions=False) == (True, '')
    probe.say('walk, then wave for 1 seconds')
    assert probe.status('published')['actions'] == '1'
    assert probe.set(split_actions=True) == (True, '')


@pytest.mark.parametrize('said', ['Stop!', "don't walk", 'please stop', 'stop walking'])
def test_stop_is_no_motion(probe, said):
    rested(probe)
    probe.say(said)
    assert probe.status('stopped')['reason'] == 'nothing moves'
    assert not probe.heard['joint_trajectory']


def test_stop_brings_a_moving_body_to_rest_as_a_cancel_does(probe):
    probe.under_way('walk for 5 seconds')
    first = heard(probe, 1)
    probe.say('stop walking')
    assert 'playing' in probe.status('stopped')['reason']
    halted = heard(probe, 2)
    assert halted.end_s <= 0.6 < first.end_s
    assert np.abs(probe.trajectory(2).points[-1].velocities).max() == 0
    assert probe.messages('cancelled')[0]['text'] == 'walk for 5 seconds'


def test_a_hold_keeps_what_follows_waiting(probe):
    rested(probe)
    probe.say('stand still for 1.5 seconds, then bow for 1 second')
    probe.status('published', 2)
    resting, bowing = probe.messages('published')
    assert (resting['action_text'], resting['duration_s']) == ('stop for 1.5 seconds', '1.50')
    assert bowing['action_text'] == 'bow for one second'
    probe.trajectory(1)
    assert len(probe.heard['joint_trajectory']) == 1


@pytest.mark.parametrize('said', ['the weather is nice today', 'sit down', 'asdf qwer'])
def test_what_is_not_understood_moves_nothing_and_is_told(probe, said):
    probe.say(said)
    assert 'I do not know how to' in probe.status('refused')['reason']
    assert not probe.heard['joint_trajectory']


def test_what_is_not_understood_moves_where_that_is_wanted(probe):
    assert probe.set(refuse_unknown=False) == (True, '')
    probe.say('sit down for 1 second')
    assert probe.status('published')['action_text'] == 'sit down for 1 second'
    assert probe.set(refuse_unknown=True) == (True, '')


def test_a_command_that_repeats_what_is_done_goes_on_when_that_ends(probe):
    probe.say('turn left')
    first = heard(probe, 1)
    probe.say('turn left')
    heard(probe, 2)
    begun = probe.times['joint_trajectory']
    assert begun[1] - begun[0] >= first.end_s - 0.2


def test_again_and_the_other_way_speak_of_the_command_before(probe):
    probe.say('wave your left hand for 1 second')
    probe.status('published')
    probe.say('the other side')
    assert probe.status('published', 2)['action_text'] == 'wave-right-hand 1 s'
