# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""view_node as a process over real DDS: what ROS tells is on the page, what is typed goes out."""

from __future__ import annotations

import json
import re
import signal
import socket
from collections.abc import Iterator

import numpy as np
import pytest

pytest.importorskip('rclpy', reason='rclpy is not installed: nothing can talk over DDS')
pytest.importorskip('viser', reason='the extra view is not installed')

from diagnostic_msgs.msg import DiagnosticStatus, KeyValue
from nav_msgs.msg import Odometry
from sensor_msgs.msg import JointState
from std_msgs.msg import String
from std_srvs.srv import Trigger

from mgpt3_ros.body.profiles import make_profile
from tests.support.browser import Browser, Page
from tests.support.robots import write_tin_man

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
NAMES = make_profile('human_full', 'human').names


@pytest.fixture
def node(start, probe):
    """The node, and where its page is."""
    process = start('view_node', forked=False, port=0)
    probe.until(lambda: 'the page: ' in process.output, 'the page')
    found = re.search(r'the page: (http://\S+)', process.output)
    assert found
    return process, found[1]


@pytest.fixture
def page(node) -> Iterator[Page]:
    with Browser() as browser:
        opened = browser.open(node[1])
        opened.wait_for_text('Command')
        yield opened


def test_the_page_shows_what_ros_tells_and_sends_what_is_typed(node, page, probe) -> None:
    process, _ = node
    probe.listen('commands', String, 'command')
    states = probe.node.create_publisher(JointState, 'joint_states', 10)
    bases = probe.node.create_publisher(Odometry, 'odom', 10)
    captions = probe.node.create_publisher(String, 'caption', 10)
    statuses = probe.node.create_publisher(DiagnosticStatus, 'generate_node/status', 10)
    asked: list[str] = []

    def cancel(_: Trigger.Request, answer: Trigger.Response) -> Trigger.Response:
        asked.append('cancel')
        answer.success, answer.message = True, 'one motion was stopped'
        return answer

    probe.node.create_service(Trigger, 'generate_node/cancel', cancel)
    probe.until(lambda: captions.get_subscription_count() == 1, 'the node')
    caption = 'a person <b>bows</b> *deeply*'
    shown = f'document.body.innerText.includes({json.dumps(caption)})'

    def tell() -> bool:
        state = JointState(name=list(NAMES), position=np.full(63, 0.1).tolist())
        states.publish(state)
        states.publish(JointState(name=['x', 'x'], position=[float('nan')] * 2))
        odometry = Odometry()
        odometry.pose.pose.position.z, odometry.pose.pose.orientation.w = 0.9, 1.0
        bases.publish(odometry)
        captions.publish(String(data=caption))
        told = DiagnosticStatus(message='refused', values=[KeyValue(key='reason', value='busy')])
        statuses.publish(told)
        return bool(page.evaluate(shown))

    probe.until(tell, 'the caption on the page')
    page.wait_for_text('refused: busy')
    page.type('Command', 'take a deep bow')
    page.click('Send')
    probe.until(lambda: probe.heard['commands'], 'the command')
    assert probe.heard['commands'][-1].data == 'take a deep bow'
    page.click('Stop')
    probe.until(lambda: asked, 'the call of cancel')
    probe.until(lambda: page.evaluate("document.body.innerText.includes('was stopped')"), 'it')
    image = page.picture()[:, :150].astype(int)
    assert np.sum(image[..., 0] - image[..., 2] > 80) > 20  # orange: a body
    assert page.faults == []
    assert process.end(signal.SIGINT)[0] == 0
    assert 'Traceback' not in process.output


def test_a_port_in_use_is_said_in_a_line(start) -> None:
    with socket.socket() as other:
        other.bind(('127.0.0.1', 0))
        other.listen()
        process = start('view_node', port=other.getsockname()[1])
        assert process.wait(60) == 2
    assert 'is in use: give another' in process.output
    assert 'Traceback' not in process.output


def test_a_robot_by_its_yaml_is_a_body_too(start, probe, tmp_path) -> None:
    process = start('view_node', port=0, joint_profile=str(write_tin_man(tmp_path)))
    probe.until(lambda: 'the page: ' in process.output, 'the page')
    assert process.end(signal.SIGINT)[0] == 0
    assert 'Traceback' not in process.output
