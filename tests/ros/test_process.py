# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A ROS that cannot begin is said in one line."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

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
        [sys.executable, '-m', 'mgpt3_ros.playback_node', *arguments],
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
