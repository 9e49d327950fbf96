# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A model and a motion that many tests of commands read."""

from __future__ import annotations

from pathlib import Path

import pytest

from mgpt3_ros.model.motion import Motion
from tests.support.tiny import save_tiny_model, swinging_motion


@pytest.fixture(scope='session')
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The folder of a tiny checkpoint."""
    return str(save_tiny_model(tmp_path_factory.mktemp('checkpoint')))


@pytest.fixture
def walk(tmp_path: Path) -> str:
    """The path of a motion."""
    path = tmp_path / 'walk.npz'
    Motion(swinging_motion(1, frames=40), 20.0).save(path)
    return str(path)
