# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The demo and the benchmarks, which start a node and speak to it as a user would."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip('rclpy', reason='rclpy is not installed: nothing can talk over DDS')

import av
from builtin_interfaces.msg import Time

from mgpt3_ros.body.bounds import Timing
from mgpt3_ros.body.planning import plan
from mgpt3_ros.model.motion import Motion
from mgpt3_ros.nodes.messages import to_messages
from mgpt3_ros.nodes.trajectory_check import faults
from tests.support.clips import random_clip

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]


def run(*command: str) -> subprocess.CompletedProcess:
    environment = {**os.environ, 'PYTHONPATH': str(ROOT)}
    return subprocess.run(
        [sys.executable, '-m', *command], env=environment, capture_output=True, text=True
    )


def test_the_demo_writes_what_it_received(domain, tiny_checkpoint, tmp_path):
    out = tmp_path / 'out'
    text = 'a person walks forward for 1 seconds.'
    done = run('mgpt3_ros.nodes.demo', text, '-o', str(out), '--checkpoint', str(tiny_checkpoint))
    assert done.returncode == 0, done.stderr
    assert text in done.stdout
    *steps, last = done.stdout.splitlines()
    assert all(line.split()[1] == 's' for line in steps)  # how long each took
    assert last.endswith((out / 'demo.html').as_uri())
    assert 'open' in last
    motion = Motion.load(out / 'motion.npz')
    with (out / 'trajectory.csv').open() as file:
        rows = list(csv.reader(file))
    assert len(rows[0]) == 1 + 63 + 7
    assert float(rows[1][0]) == pytest.approx(0.5)
    duration_s = float(rows[-1][0]) - 0.5
    assert motion.duration_s == pytest.approx(duration_s, abs=0.1)
    with av.open(str(out / 'demo.mp4')) as video:
        assert video.streams.video[0].codec_context.name == 'h264'
    assert (out / 'demo.png').stat().st_size > 10_000
    assert b'__VISER_EMBED_DATA__' in (out / 'demo.html').read_bytes()


def test_the_demo_says_in_one_line_what_is_wrong(domain, tmp_path):
    done = run(
        'mgpt3_ros.nodes.demo', '-o', str(tmp_path), '--checkpoint', str(tmp_path / 'nowhere')
    )
    assert done.returncode == 1
    assert 'nowhere' in done.stderr
    assert 'Traceback' not in done.stderr


def test_the_benchmarks_print_a_table(domain, tiny_checkpoint):
    done = run('benchmarks', '--checkpoint', str(tiny_checkpoint), '--commands', '3')
    assert done.returncode == 0, done.stderr
    circumstances, head, _, *rows = done.stdout.splitlines()
    assert 'commit' in circumstances
    assert [cell.strip() for cell in head.split('|')[1:-1]] == [
        *('name', 'value', 'unit', 'target', 'met')
    ]
    assert len(rows) == 7
    assert all(float(row.split('|')[2]) > 0 for row in rows)


def messages():
    clip = random_clip(0)
    trajectory, _ = plan(clip, Timing())
    return (*to_messages(trajectory, Time(), 'map', 'base_link'), clip.names)


def test_a_fit_trajectory_has_no_faults():
    joints, base, names = messages()
    assert faults(joints, base, names, 0.5) == []


@pytest.mark.parametrize(
    ('spoil', 'word'),
    [
        (lambda j, b: j.points[-1].velocities.__setitem__(0, 1.0), 'last velocity'),
        (lambda j, b: j.points[5].positions.__setitem__(0, np.nan), 'not finite'),
        (lambda j, b: b.points.pop(), 'different points'),
        (lambda j, b: setattr(b.points[9].transforms[0].translation, 'x', 9.0), 'm/s'),
        (lambda j, b: j.joint_names.reverse() or j.joint_names.__setitem__(0, 'nose'), 'profile'),
    ],
)
def test_unfit_trajectories_are_found_out(spoil, word):
    joints, base, names = messages()
    spoil(joints, base)
    assert word in ' '.join(faults(joints, base, names, 0.5))
