# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Benchmarks of many bodies, and of what the nodes of one take, measure what they say."""

from __future__ import annotations

import argparse

import pytest

pytest.importorskip('rclpy', reason='rclpy is not installed: nothing can talk over DDS')

from benchmarks import bodies, shares
from benchmarks.harness import Harness
from tests.support.domains import free_domain
from tests.support.streams import save_calm_model
from tests.support.tiny import save_tiny_model

pytestmark = [pytest.mark.ros, pytest.mark.slow]


def options(checkpoint: object) -> argparse.Namespace:
    return argparse.Namespace(checkpoint=str(checkpoint), rounds=2, seconds=2.0)


def test_commands_of_two_bodies_are_answered_and_counted(tmp_path):
    with free_domain():
        row = bodies.measure('clip', 2, options(save_tiny_model(tmp_path)))
    assert row['failed'] == 0
    assert 0 < row['median_s'] <= row['p95_s'] <= row['slowest_s']
    assert row['motions_per_s'] > 0
    assert row['cpu_ms_a_motion'] > 0
    (row,) = bodies.with_floors([row], str(tmp_path))
    assert 0 < row['floor_ms_a_motion'] < row['cpu_ms_a_motion']
    table = bodies.table('clip', [row])
    assert table.splitlines()[2].startswith('| 2 | ')
    bodies.plot([row, {**row, 'bodies': 4}], tmp_path / 'bodies.png')
    assert (tmp_path / 'bodies.png').stat().st_size > 1000


def test_live_bodies_are_counted_chunk_by_chunk(tmp_path):
    with free_domain():
        row = bodies.measure('stream', 2, options(save_calm_model(tmp_path)))
    assert row['chunks_per_s'] > 0
    assert 0 < row['chunk_took_median_s'] <= row['chunk_took_slowest_s']
    assert bodies.table('stream', [row]).count('\n') == 2


def test_each_part_has_its_share(tmp_path, monkeypatch):
    monkeypatch.setattr(shares, 'SETTLING_S', 0.5)
    with free_domain(), Harness() as harness:
        rows = shares.Shares(harness, 2.0, str(save_tiny_model(tmp_path))).rows()
    found = {row.name: row.value for row in rows}
    assert found['joint states a second'] > 5
    assert found['all of it'] > found['idle']
    kinds = sum(found[f'of it {kind}'] for kind in ('executor', 'worker', 'middleware'))
    assert kinds == pytest.approx(found['all of it'])
