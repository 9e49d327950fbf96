# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Readers of glTF that others wrote, where `make readers` has put them."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).resolve().parents[1] / 'node'


def run_reader(script: str, *arguments: object) -> Any:
    """What a script of tests/node writes; skips without Node.js or its packages."""
    node = shutil.which('node')
    if node is None or not (FOLDER / 'node_modules').is_dir():
        pytest.skip('no readers of glTF by others: `make readers` (needs npm)')
    done = subprocess.run(
        [node, script, *map(str, arguments)],
        cwd=FOLDER,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
