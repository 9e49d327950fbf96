# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Where the reference numbers of the authors' code lie."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(scope='session')
def parity_dir() -> Path:
    default = Path(__file__).resolve().parents[2].parent / 'shared' / 'parity'
    folder = Path(os.environ.get('MGPT3_PARITY_DIR', default))
    if not folder.is_dir():
        pytest.skip(f'no parity fixtures at {folder} (set MGPT3_PARITY_DIR)')
    return folder


@pytest.fixture(scope='session')
def reference_dir(parity_dir: Path) -> Path:
    """What the README beside the fixtures calls ../reference: names, shapes, GPT-2's BPE."""
    shared = Path(__file__).resolve().parents[2].parent / 'shared'
    for folder in (parity_dir.parent / 'reference', shared / 'reference'):
        if (folder / 'state_dict.tsv').is_file():
            return folder
    pytest.skip(f'no reference beside {parity_dir} or in {shared}')
