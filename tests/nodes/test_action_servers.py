# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The actions, messages and services of mgpt3_interfaces, over DDS."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip('rclpy', reason='rclpy is not installed: nothing can talk over DDS')
pytest.importorskip(
    'mgpt3_interfaces', reason='mgpt3_interfaces is not built: scripts/build_interfaces.py'
)

from mgpt3_interfaces.action import CaptionMotion, GenerateMotion, PredictMotion
from mgpt3_interfaces.msg import CaptionEvent, Command
from mgpt3_interfaces.srv import Ask, ListActions
from rclpy.action import ActionClient
from rclpy.time import Time

from tests.support.listener import Listener

pytestmark = pytest.mark.slow

SUCCEEDED, CANCELED, ABORTED = 4, 5, 6


class Client:
    """A client of one action; goals are sent and awaited through a probe."""

    def __init__(self, probe, kind: type, name: str) -> None:
        self.probe, self.kind, self.feedback = probe, kind, []
        self.client = ActionClient(probe.node, kind, name)
        probe.until(self.client.server_is_ready, f'the server of {name}')

    def send(self, **goal: object):
        sent = self.client.send_goal_async(
            self.kind.Goal(**goal), lambda message: self.feedback.append(message.feedback)
        )
        self.probe.until(sent.done, 'the goal to be answered')
        return sent.result()

    def result(self, handle) -> tuple[int, object]:
        answer = handle.get_result_async()
        self.probe.until(answer.done, 'the result')
        return answer.result().status, answer.result().result


def test_a_command_is_carried_out_to_its_end_replaced_or_cancelled(start, probe, tiny_checkpoint):
    start(checkpoint=str(tiny_checkpoint), device='cpu', seed=0)
    probe.active()
    client = Client(probe, GenerateMotion, 'generate_node/generate_motion')
    handle = client.send(text='a person walks for 2 seconds, then waves for 2 seconds')
    status, result = client.result(handle)
    assert (status, result.success, result.state) == (SUCCEEDED, True, 'finished')
    assert 3.0 < result.duration_s < 9.0
    told = [(f.state, f.action) for f in client.feedback]
    assert [t for t in told if t[0] == 'published'] == [('published', 1), ('published', 2)]
    assert client.feedback[-1].actions == 2
    assert not probe.get('queue_policy') or probe.health()['moving'] == 'false'

    first = client.send(text='a person walks for 9 seconds')
    probe.until(lambda: client.feedback[-1].state == 'published', 'the first')
    second = client.send(text='a person waves for 9 seconds')
    status, result = client.result(first)
    assert (status, result.state) == (ABORTED, 'replaced')
    probe.until(
        lambda: (
            client.feedback[-1].state == 'published'
            and client.feedback[-1].action_text.startswith('a person waves')
        ),
        'the second',
    )
    stopping = second.cancel_goal_async()
    probe.until(stopping.done, 'the cancellation')
    status, result = client.result(second)
    assert (status, result.state) == (CANCELED, 'cancelled')
    assert probe.trajectory(len(probe.heard['joint_trajectory'])).points[-1].velocities[0] == 0.0

    status, result = client.result(client.send(text='   '))
    assert (status, result.state, result.message) == (ABORTED, 'refused', 'the text is empty')
    late = client.send(text='a person waves', expires=Time(seconds=1).to_msg())
    assert client.result(late)[1].message == 'it has expired'
    probe.enable(False)
    assert not client.send(text='a person waves').accepted


def test_commands_with_a_stamp_and_questions(start, probe, tiny_checkpoint):
    start(checkpoint=str(tiny_checkpoint), device='cpu')
    probe.active()
    publisher = probe.node.create_publisher(Command, 'generate_node/stamped_command', 10)
    probe.until(publisher.get_subscription_count, 'the subscription')
    now = probe.node.get_clock().now().nanoseconds
    message = Command(id='old', text='a person waves')
    message.header.stamp = Time(nanoseconds=now - 60 * 10**9).to_msg()
    publisher.publish(message)
    refused = probe.status('refused')
    assert (refused['sender_id'], 'max_command_age_s' in refused['reason']) == ('old', True)
    message = Command(id='new', text='a person waves')
    message.header.stamp = probe.node.get_clock().now().to_msg()
    publisher.publish(message)
    assert probe.status('published')['sender_id'] == 'new'

    asked = probe.call(Ask, 'generate_node/ask', Ask.Request(text='walk forward, then wave'))
    assert (asked.accepted, list(asked.actions)) == (True, ['walk forward', 'wave'])
    asked = probe.call(Ask, 'generate_node/ask', Ask.Request(text=''))
    assert (asked.accepted, asked.reason) == (False, 'the text is empty')
    assert len(probe.messages('queued')) == 1  # to ask moves nothing


@pytest.fixture
def labelled(tiny_checkpoint: Path, default_checkpoint: Path, tmp_path: Path) -> Path:
    """The tiny model with the recogniser of the shipped one."""
    folder = tmp_path / 'labelled'
    shutil.copytree(tiny_checkpoint, folder)
    shutil.copy(default_checkpoint / 'actions.npz', folder)
    return folder


def test_captions_are_events_with_a_label(start, domain, labelled):
    with Listener(domain) as listener:
        start('caption_node', checkpoint=str(labelled), device='cpu', window_s=2.5)
        listener.ready('caption_node')
        listener.listen('event', CaptionEvent, 'caption_node/event')
        from std_msgs.msg import String

        listener.listen('json', String, 'caption_node/caption_event')
        client = Client(listener, CaptionMotion, 'caption_node/caption_motion')
        labels = listener.call(ListActions, 'caption_node/list_actions', ListActions.Request())
        assert 'stand' in labels.labels
        assert len(labels.labels) == len(labels.sentences)
        handle = client.send(duration_s=0.0)
        status, result = client.result(handle)
        assert (status, result.success) == (ABORTED, False)
        assert 'nothing was seen' in result.message
        listener.play(4.0, lambda at: np.zeros(63))
        listener.until(lambda: listener.heard['json'], 'the first event')
        said = json.loads(listener.heard['json'][0].data)
        assert (said['label'], said['is_over']) == ('stand', False)
        assert 0.0 < said['confidence'] <= 1.0
        assert said['sentence'] == labels.sentences[labels.labels.index('stand')]
        event = listener.until(lambda: listener.heard['event'], 'the message')[0]
        assert (event.label, event.body_id) == ('stand', 'human')
        assert event.start.sec + event.start.nanosec * 1e-9 == pytest.approx(said['start_s'])
        status, result = client.result(client.send(duration_s=0.0))
        assert (status, [e.label for e in result.events]) == (SUCCEEDED, ['stand'])
        assert listener.trigger('caption_node/reset')[0]
        listener.until(
            lambda: json.loads(listener.heard['json'][-1].data)['is_over'], 'the end of it'
        )


def test_a_forecast_on_request(start, domain, tiny_checkpoint):
    with Listener(domain) as listener:
        start('predict_node', checkpoint=str(tiny_checkpoint), device='cpu')
        listener.ready('predict_node')
        client = Client(listener, PredictMotion, 'predict_node/predict_motion')
        status, result = client.result(client.send())
        assert (status, result.message) == (ABORTED, 'no current joint states are heard')
        listener.play(1.5)
        status, result = client.result(client.send(horizon_s=1.0, num_hypotheses=2))
        assert (status, result.success) == (SUCCEEDED, True)
        assert len(result.joints) == len(result.bases) == 2
        assert result.joints[0].points[-1].time_from_start.sec == 1
