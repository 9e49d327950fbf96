# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Bulk work on a Ray cluster of two nodes on this machine, one of which is killed."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mgpt3_ros.cli import main as cli
from mgpt3_ros.cli.batch.running import run_batch
from mgpt3_ros.cli.batch.work import Results, Task, Unit
from mgpt3_ros.model.errors import ConfigError
from tests.support import bulk
from tests.support.tiny import SENTENCES

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        importlib.util.find_spec('ray') is None,
        reason='there is no Ray: pip install "mgpt3_ros[cluster]"',
    ),
]
ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Two nodes of one core each; the second may be removed."""
    monkeypatch.setenv('RAY_USAGE_STATS_ENABLED', '0')
    paths = filter(None, [str(ROOT), os.environ.get('PYTHONPATH', '')])
    monkeypatch.setenv('PYTHONPATH', os.pathsep.join(paths))  # of the nodes' workers
    from ray.cluster_utils import Cluster

    memory = 80 * 1024**2
    head = {'num_cpus': 1, 'object_store_memory': memory, 'include_dashboard': False}
    nodes = Cluster(initialize_head=True, head_node_args=head)
    nodes.second = nodes.add_node(num_cpus=1, object_store_memory=memory)
    nodes.wait_for_nodes()
    yield nodes
    nodes.shutdown()


def test_a_node_that_is_killed_loses_nothing(
    cluster: Any, checkpoint: str, tmp_path: Path
) -> None:
    from mgpt3_ros.cli.batch.cluster import on_ray

    sentences = tmp_path / 'list.txt'
    sentences.write_text('\n'.join(SENTENCES * 5))
    words = [str(sentences), '--checkpoint', checkpoint, '--unit', '2', '--duration', '1']
    one, out = tmp_path / 'one', tmp_path / 'out'
    assert cli.main(['batch', 'generate', *words, '-o', str(one), '--workers', '1']) == 0

    def engine(task: Task, units: list[Unit]) -> Results:
        for number, done in enumerate(on_ray(task, units, cluster.address)):
            if number == 0:
                cluster.remove_node(cluster.second, allow_graceful=False)
            yield done

    job = bulk.generate_job([*words, '-o', str(out)])
    found = run_batch('generate', job, out, engine, resume=False)
    assert (found.done, found.failed, found.lost) == (20, 0, 0)
    assert sorted(bulk.progress(out)) == sorted(bulk.progress(one))
    assert bulk.results(out) == bulk.results(one)


def test_no_cluster_is_said(tmp_path: Path) -> None:
    from mgpt3_ros.cli.batch.cluster import on_ray

    job = bulk.CountingJob(2, tmp_path / 'log')
    with pytest.raises(ConfigError, match='no cluster answers'):
        next(on_ray(Task('token', job, tmp_path), job.units(), '127.0.0.1:1'))
