# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A ROS that cannot begin is said in one line; serving leaves nothing behind."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import rclpy
from rclpy.node import Node
from rclpy.task import Future

from mgpt3_ros.nodes.process import _serve

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ('arguments', 'missing', 'said'),
    [
        ([], 'HOME', 'set HOME, ROS_HOME or ROS_LOG_DIR'),
        (['--ros-args', '--params-file', 'nowhere.yaml'], '', 'nowhere.yaml'),
        (['--ros-args', '-p', 'rate:=fast'], '', "'rate'"),
    ],
)
def test_what_hinders_ros_is_one_line_and_no_trace(domain, tmp_path, arguments, missing, said):
    environment = {**os.environ, 'PYTHONPATH': str(ROOT)}
    for name in (missing, 'ROS_HOME', 'ROS_LOG_DIR'):
        environment.pop(name, None)
    done = subprocess.run(
        [sys.executable, '-m', 'mgpt3_ros.nodes.playback_node', *arguments],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
        cwd=tmp_path,
        timeout=60,
    )
    assert done.returncode == 2
    assert 'Traceback' not in done.stderr
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith('error: ')
    assert said in last


class Counted(Future):
    """A future that counts what waits for it."""

    waiting = 0

    def add_done_callback(self, callback):
        self.waiting += 1
        super().add_done_callback(callback)


@pytest.mark.timeout(60)
def test_serving_gathers_nothing_and_ends_at_once_from_another_thread(domain):
    rclpy.init(domain_id=domain)
    node = Node('served')
    ended, served = Counted(), 0

    def serve() -> None:
        nonlocal served
        served += 1
        if served == 200:
            timer.cancel()  # nothing wakes the executor any more but the end itself
            threading.Timer(0.1, ended.set_result, [None]).start()

    timer = node.create_timer(0.001, serve)
    _serve([node], ended)  # else the test's timeout ends it
    assert served == 200
    assert ended.waiting == 1
    node.destroy_node()
    rclpy.try_shutdown()
