# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Every ``ros2`` line of the documents, and docs/interface.md, fit what the package declares."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
import yaml

from tests.support import fences

pytest.importorskip('rclpy', reason='without ROS there are no nodes to ask')

from scripts import interface_docs
from tests.support.ros2_lines import Checker, LineError

ROOT = fences.ROOT
EXECUTABLES = set(re.findall(r"'(\w+) = mgpt3_ros", (ROOT / 'setup.py').read_text())) - {'mgpt3'}


@pytest.fixture(scope='module')
def nodes() -> list:
    from tests.support.domains import free_domain

    with free_domain():
        return interface_docs.read_nodes()


@pytest.fixture(scope='module')
def checker(nodes: list) -> Checker:
    return Checker(nodes, interface_docs.read_launch_files(), EXECUTABLES)


def test_the_table_of_the_interface_is_as_the_nodes_are(nodes):
    made = interface_docs.page(nodes, interface_docs.read_launch_files())
    kept = interface_docs.PAGE.read_text(encoding='utf-8')
    assert kept == made, 'stale: run python -m scripts.interface_docs'


def test_the_table_holds_what_is_declared(nodes):
    """Not only what the script would say of anything."""
    text = (ROOT / 'docs' / 'interface.md').read_text(encoding='utf-8')
    from mgpt3_ros.nodes.parameters import PARAMETERS

    for name, spec in PARAMETERS.items():
        (row,) = [line for line in text.splitlines() if line.startswith(f'| `{name}` |')][:1]
        assert spec.description.split('.')[0].replace('<', '&lt;') in row
    assert '| in | `command` | `std_msgs/msg/String` | reliable, depth 1000 |' in text
    assert '| service | `~/caption_now` | `std_srvs/srv/Trigger` |' in text


@pytest.mark.parametrize('page', fences.PAGES, ids=lambda page: page.name)
def test_lines_of_a_page(page: Path, checker: Checker):
    commands = []
    for command in fences.inline_commands(page, 'ros2'):
        try:
            checker.check(command.words, mention=True)
        except LineError as error:
            pytest.fail(f'{command}: {error}')
    for block in fences.blocks(page):
        if block.language == 'bash':
            commands += block.commands()
        elif block.language == 'yaml' and 'ros__parameters' in block.text:
            try:
                checker.parameters(yaml.safe_load(block.text))
            except LineError as error:
                pytest.fail(f'{block.place}: {error}')
    for command in commands:
        try:
            if command.program == 'ros2':
                checker.check(command.words)
            elif command.program in EXECUTABLES:
                checker.executable(command.program, command.words[1:])
        except LineError as error:
            pytest.fail(f'{command}: {error}')


RIGHT = [
    'ros2 launch mgpt3_ros generate.launch.py namespace:=anna playback:=true',
    'ros2 launch mgpt3_ros caption.launch.py --show-args',
    'ros2 run mgpt3_ros motion_server --ros-args -p caption_node:caption_period_s:=2.0',
    'ros2 run mgpt3_ros motion_server --bodies anna,bert --ros-args -p seed:=1',
    'ros2 run mgpt3_ros caption_node --ros-args -r joint_states:=/robot/joint_states -r __ns:=/a',
    'ros2 topic pub --once /command std_msgs/msg/String "{data: \'a person bows\'}"',
    'ros2 topic echo /anna/generate_node/status',
    'ros2 topic echo /caption --qos-durability transient_local',
    'ros2 service call /generate_node/enable std_srvs/srv/SetBool "{data: true}"',
    'ros2 param set /predict_node horizon_s 1.5',
    'ros2 param describe /generate_node NAME',
    'ros2 lifecycle set /caption_node deactivate',
    'ros2 bag record -o session /joint_states /odom',
]
WRONG = [
    ('ros2 launch mgpt3_ros generate.launch.py playbak:=true', 'no argument playbak'),
    ('ros2 launch mgpt3_ros sing.launch.py', 'no launch file'),
    ('ros2 launch mgpt3_ros generate.launch.py mode:=smpl', 'none of'),
    ('ros2 run mgpt3_ros sing_node', 'no executable'),
    ('ros2 run mgpt3_ros caption_node --bodies anna,bert', '--ros-args is missing'),
    ('ros2 run mgpt3_ros generate_node --bodies', 'wants names'),
    ('ros2 run mgpt3_ros caption_node --ros-args -p horizon_s:=1.0', 'no parameter horizon_s'),
    ('ros2 run mgpt3_ros predict_node --ros-args -p horizon_s:=1', 'is no double'),
    ('ros2 run mgpt3_ros predict_node --ros-args -r caption:=said', 'has a topic caption'),
    ('ros2 topic echo /captions', 'no node has a topic'),
    ('ros2 topic pub --once /command std_msgs/msg/Bool "{data: true}"', 'carries'),
    ('ros2 topic pub --once /command std_msgs/msg/String "{text: hello}"', 'no field text'),
    ('ros2 topic pub --once /command std_msgs/msg/String "{data: 3}"', 'does not fit'),
    ('ros2 topic pub --twice /command std_msgs/msg/String "{}"', 'what is that'),
    ('ros2 service call /caption_node/cancel std_srvs/srv/Trigger', 'no node has a service'),
    ('ros2 service call /generate_node/enable std_srvs/srv/Trigger', 'not std_srvs'),
    ('ros2 param set /generate_node device cuda', 'read-only'),
    ('ros2 param set /predict_node horizon_s 60.0', 'is not 0.1 to 9.9'),
    ('ros2 lifecycle set /playback_node activate', 'no lifecycle'),
    ('ros2 lifecycle set /caption_node start', 'no transition'),
    ('ros2 sing', 'is that a command'),
]


@pytest.mark.parametrize('line', RIGHT)
def test_right_lines_pass(line: str, checker: Checker):
    checker.check(shlex.split(line))


@pytest.mark.parametrize(('line', 'complaint'), WRONG)
def test_wrong_lines_are_refused(line: str, complaint: str, checker: Checker):
    with pytest.raises(LineError, match=complaint):
        checker.check(shlex.split(line))
