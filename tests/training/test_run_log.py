# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The log of a run, read again."""

from __future__ import annotations

from pathlib import Path

from mgpt3_ros.training.run_log import read_log


def test_a_log_is_read_as_if_nothing_had_been_killed(tmp_path: Path) -> None:
    lines = ['{"step": 1, "loss": 1.0}', '{"step": 2, "loss": 9}', '{"step": 2, "val": {"a": 1}}']
    lines += ['{"step": 2, "loss": 2.0}', '{"step": 3, "lo']
    (tmp_path / 'log.jsonl').write_text('\n'.join(lines))
    assert read_log(tmp_path) == [
        {'step': 1, 'loss': 1.0},
        {'step': 2, 'loss': 2.0},
        {'step': 2, 'val': {'a': 1}},
    ]
