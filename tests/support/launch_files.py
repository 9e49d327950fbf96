# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Launch files against small stand-ins, where ROS 2's own launch is not installed."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
STANDINS = ROOT / 'tests' / 'launch' / 'standins'
SHARED = 'mgpt3_ros.nodes.launching'
REPLACED = ('launch', 'launch_ros', 'ament_index_python')


@contextmanager
def standins() -> Iterator[None]:
    """Put the stand-ins in the place of the real packages for the time of the block."""

    def forget() -> dict[str, ModuleType]:
        # launching.py is bound to what it imported.
        names = [n for n in sys.modules if n.split('.')[0] in REPLACED or n == SHARED]
        return {name: sys.modules.pop(name) for name in names}

    real = forget()
    sys.path.insert(0, str(STANDINS))
    try:
        yield
    finally:
        sys.path.remove(str(STANDINS))
        forget()
        sys.modules.update(real)


def load(name: str) -> ModuleType:
    """Import a launch file, whose name is none of a module's."""
    path = ROOT / 'launch' / name
    spec = importlib.util.spec_from_file_location(path.name.replace('.', '_'), path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def declared(entities: list[Any]) -> dict[str, Any]:
    """The arguments among the entities of a launch description, by name."""
    return {e.name: e for e in entities if type(e).__name__ == 'DeclareLaunchArgument'}
