# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import subprocess
import sys

import pytest

from mgpt3_ros import model
from mgpt3_ros.model import errors


@pytest.mark.parametrize('name', model.__all__)
def test_a_public_name_is_there(name: str) -> None:
    assert getattr(model, name).__name__ == name


def test_every_error_is_public() -> None:
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type)]
    assert {kind.__name__ for kind in kinds} <= set(model.__all__)


def test_other_names_are_not() -> None:
    with pytest.raises(AttributeError, match="no attribute 'MotionGPT4'"):
        _ = model.MotionGPT4


def test_the_errors_alone_load_no_torch() -> None:
    code = 'import sys; from mgpt3_ros.model import MotionError; assert "torch" not in sys.modules'
    subprocess.run([sys.executable, '-c', code], check=True)
