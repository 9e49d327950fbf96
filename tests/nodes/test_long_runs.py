# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The programs behind docs/reliability.md, run short, and the messages that fuzzing sends."""

from __future__ import annotations

from collections import Counter

import pytest

pytest.importorskip('rclpy', reason='rclpy is not installed: nothing can talk over DDS')

from benchmarks import bounds, fuzz, harness, soak
from benchmarks.oddities import NAMES, Oddities
from mgpt3_ros.body.observation import MotionBuffer
from mgpt3_ros.body.profiles import make_profile
from mgpt3_ros.model.errors import MotionError
from mgpt3_ros.nodes.messages import base_path, joint_path
from tests.support.node_process import forked_node

pytestmark = pytest.mark.slow


@pytest.fixture
def table(domain, tiny_checkpoint, monkeypatch, capsys):
    """A function that runs a program: its exit code, its rows by name, and all that it wrote."""
    monkeypatch.setattr(harness, 'launched', forked_node)

    def run(program, *options: str) -> tuple[int, dict[str, list[str]], str]:
        code = program.main(['--checkpoint', str(tiny_checkpoint), *options])
        said = capsys.readouterr()
        lines = [line.strip('| ').split('|') for line in said.out.splitlines() if line[:1] == '|']
        rows = {cells[0].strip(): [cell.strip() for cell in cells[1:]] for cells in lines}
        return code, rows, said.out + said.err

    return run


def test_nonsense_on_all_subscriptions_does_no_harm(table):
    code, rows, output = table(fuzz, '--messages', '3000')
    assert code == 0, output
    assert rows['messages sent'][0] == '3000'
    assert int(rows['joint states that the busiest node took in'][0]) > 300
    assert int(rows['trajectories that playback_node took in'][0]) > 10
    assert int(rows['trajectories that it refused'][0]) > 10
    assert rows['numbers published that are not finite'][0] == '0'


def test_bounds_hold_over_motions_and_stops(table):
    code, rows, output = table(bounds, '--motions', '6')
    assert code == 0, output
    assert float(rows['own bounds: largest speed'][0]) > 0.05
    assert 0.5 < float(rows['bounds 2 rad/s, 10 rad/s^2: largest acceleration'][0]) <= 1.001


def test_a_short_soak_loses_no_command(table):
    # How fast callbacks are is not judged here: other tests share the cores.
    code, rows, output = table(soak, '--duration', '7')
    assert code in (0, 1), output
    assert rows['commands'][0] == '3', output
    assert rows['without an end'] == ['0', '', '0', 'yes']
    assert rows['refused or failed'] == ['0', '', '0', 'yes']
    assert int(rows['predictions'][0]) > 0
    assert int(rows['caption_node: joint states heard'][0]) > 100
    assert float(rows['caption_node: p95 of joint_states, median'][0]) > 0


def test_odd_messages_are_neither_all_wrong_nor_all_right():
    odd = Oddities(0)
    buffer = MotionBuffer(make_profile('human_full', 'human'))
    taken: Counter[str] = Counter()

    def joints() -> None:
        message = odd.joint_state()
        stamp = message.header.stamp
        buffer.hear_joints(message.name, message.position, stamp.sec * 10**9 + stamp.nanosec)

    for name, take in (
        ('joint_states', joints),
        ('joint_trajectory', lambda: joint_path(odd.joint_trajectory())),
        ('base_trajectory', lambda: base_path(odd.base_trajectory())),
    ):
        for _ in range(200):
            try:
                take()
                taken[name] += 1
            except MotionError:
                pass
    assert all(40 < taken[name] < 190 for name in taken), taken
    assert {'number', 'lengths', 'names', 'coverage', 'old'} <= set(buffer.dropped)
    assert Oddities(1).joint_state() == Oddities(1).joint_state()
    assert len(NAMES) == 63
