# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What an operator relies on: health that is true, stale commands, a dead man's switch, logs."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytest.importorskip('rclpy', reason='rclpy is not installed: nothing can talk over DDS')

from nav_msgs.msg import Odometry
from rclpy.qos import QoSProfile
from std_msgs.msg import Bool

from mgpt3_ros.nodes.hearing import wrong_frames
from tests.support.listener import Listener
from tests.support.node_process import ROOT

pytestmark = pytest.mark.slow

OK, WARN = '0', '1'


def level(health: dict[str, str]) -> str:
    value = health['level']
    return str(value[0] if isinstance(value, bytes) else value)


@pytest.fixture
def listener(domain):
    with Listener(domain) as made:
        yield made


def test_deaf_nodes_warn_and_say_what_they_hear_instead(start, listener, tiny_checkpoint):
    start('motion_server', checkpoint=str(tiny_checkpoint), device='cpu')
    for name in ('generate_node', 'caption_node', 'predict_node'):
        listener.ready(name)
    for node in ('caption_node', 'predict_node'):
        listener.until(
            lambda node=node: 'nothing is heard' in listener.values(node)['message'],
            f'{node} to say that it is deaf',
        )
        assert level(listener.values(node)) == WARN
    for _ in range(15):
        listener.clock_s += 0.02
        listener.send([0.0, 0.0], names=['wheel_left', 'wheel_right'], base=False)
    listener.until(
        lambda: 'wheel_left, wheel_right' in listener.values('caption_node')['message'],
        'what is heard instead',
    )
    assert level(listener.values('caption_node')) == WARN
    # A robot's own joint states do not concern a node that starts from its last trajectory.
    health = listener.values('generate_node')
    assert (level(health), health['message']) == (OK, 'active')
    listener.play(0.5)
    listener.until(lambda: level(listener.values('caption_node')) == OK, 'health to come back')


def test_a_command_that_is_late_is_refused(start, probe, tiny_checkpoint):
    node = start(checkpoint=str(tiny_checkpoint), device='cpu', max_command_age_s=0.3)
    probe.active()
    node.send(signal.SIGSTOP)  # as a machine that hangs
    probe.say('a person walks.')
    probe.spin_for(0.6)
    node.send(signal.SIGCONT)
    assert 'max_command_age_s' in probe.status('refused')['reason']
    probe.say('a person waves.')
    probe.status('published')
    log = node.output
    assert "command 1 refused: 'a person walks.' (it was sent" in log
    assert "command 2 queued: 'a person waves.'" in log
    assert "command 2 published: 'a person waves'" in log
    assert 'CUDA' not in log or os.path.exists('/proc/driver/nvidia')


def test_each_of_many_commands_at_once_gets_a_status(start, probe, tiny_checkpoint):
    start(checkpoint=str(tiny_checkpoint), device='cpu', queue_policy='fifo', queue_size=64)
    probe.active()
    for count in range(200):
        probe.say(f'a person waves {count}.')
    probe.until(
        lambda: len({message['id'] for message in probe.messages()}) == 200, 'all to be heard of'
    )


def test_a_switch_that_is_let_go_brings_the_body_to_rest(start, probe, tiny_checkpoint):
    start(
        checkpoint=str(tiny_checkpoint),
        device='cpu',
        deadman_topic='switch',
        deadman_timeout_s=0.5,
    )
    probe.active()
    switch = probe.node.create_publisher(Bool, 'switch', QoSProfile(depth=1))
    probe.until(switch.get_subscription_count, 'the switch to be heard')
    probe.say('a person walks for 9 seconds.')
    assert 'switch is not held' in probe.status('refused')['reason']

    def held() -> bool:
        switch.publish(Bool(data=True))
        return bool(probe.messages('published'))

    switch.publish(Bool(data=True))
    probe.spin_for(0.1)
    probe.say('a person walks for 9 seconds.')
    probe.until(held, 'the motion')
    assert 'switch' in probe.status('cancelled')['reason']  # it has gone silent
    assert probe.trajectory(2).points[-1].velocities[0] == 0.0
    probe.settle()
    assert probe.set(deadman_timeout_s=60.0) == (True, '')
    switch.publish(Bool(data=True))
    probe.spin_for(0.1)
    probe.say('a person walks for 9 seconds.')
    probe.until(lambda: held() and len(probe.messages('published')) == 2, 'the second motion')
    switch.publish(Bool(data=False))
    assert 'was released' in probe.status('cancelled', 2)['reason']


@pytest.mark.parametrize(
    ('frame', 'child', 'usable', 'said'),
    [
        ('map', 'base_link', True, ''),
        ('/map', 'base_link', True, ''),
        ('', '', True, ''),
        ('odom', 'base_link', True, "frame_id is 'odom'"),
        ('map', 'torso', True, "child_frame_id is 'torso'"),
        ('base_link', 'map', False, 'the wrong way round'),
        ('base_link', 'odom', False, 'the wrong way round'),
    ],
)
def test_frames_of_odometry(frame: str, child: str, usable: bool, said: str):
    message = Odometry(child_frame_id=child)
    message.header.frame_id = frame
    found = wrong_frames(message, 'map', 'base_link')
    assert found[0] == usable
    assert said in found[1]
    assert bool(found[1]) == bool(said)


def test_parameters_that_are_misspelt_or_contradict_are_said(start, listener, tiny_checkpoint):
    node = start(
        'caption_node',
        checkpoint=str(tiny_checkpoint),
        device='cpu',
        windw_s=3.0,
        min_window_s=9.0,
        window_s=2.0,
        world_frame='a b',
    )
    listener.ready('caption_node')
    assert "'windw_s'" in node.output
    assert 'is window_s meant?' in node.output
    assert 'min_window_s 9 is longer than window_s 2' in node.output
    assert "world_frame is 'a b'" in node.output
    assert listener.set_of('caption_node', caption_period_s=5.0)[0]
    listener.until(lambda: 'caption_period_s 5 is longer' in node.output, 'the warning')


@pytest.mark.parametrize('number', [signal.SIGTERM, signal.SIGINT])
def test_a_signal_while_the_node_still_imports_ends_it_with_0(start, domain, number):
    node = start('generate_node', forked=False, autostart=False)
    handled = 1 << (signal.SIGTERM - 1)
    end = time.monotonic() + 30

    def catches() -> bool:
        for line in Path(f'/proc/{node.pid}/status').read_text().splitlines():
            if line.startswith('SigCgt'):
                return bool(int(line.split()[1], 16) & handled)
        return False

    while not catches():
        assert time.monotonic() < end
    assert node.end(number)[0] == 0
    assert 'Traceback' not in node.output


def say(*arguments: str) -> subprocess.CompletedProcess:
    command = [sys.executable, '-m', 'mgpt3_ros.nodes.say', *arguments]
    environment = {**os.environ, 'PYTHONPATH': str(ROOT)}
    return subprocess.run(
        command, capture_output=True, text=True, env=environment, timeout=60, check=False
    )


def test_say_sends_a_command_and_prints_what_becomes_of_it(start, probe, tiny_checkpoint, domain):
    start(checkpoint=str(tiny_checkpoint), device='cpu')
    probe.active()
    os.environ['ROS_DOMAIN_ID'] = str(domain)
    done = say('a person', 'walks, then waves')
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[0] == 'queued'
    assert 'published 2 of 2' in done.stdout
    stopped = say('stop')
    assert stopped.returncode == 0
    assert stopped.stdout.startswith('stopped')
    probe.enable(False)
    refused = say('walk', '--node', '/generate_node')
    assert refused.returncode == 1
    assert 'refused (the node is disabled)' in refused.stdout
    alone = say('walk', '--node', 'nobody', '--timeout', '0.5')
    assert alone.returncode == 1
    assert 'nobody listens' in alone.stderr
