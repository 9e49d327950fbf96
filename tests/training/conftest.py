# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Data that many tests of training read."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.tiny_pack import write_tiny_pack


@pytest.fixture(scope='session')
def pack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a tiny data set. Read it only: a test that changes one writes its own."""
    return write_tiny_pack(tmp_path_factory.mktemp('pack'))
