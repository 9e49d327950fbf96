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
