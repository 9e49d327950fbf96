# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Runs launch files against small stand-ins, where ROS 2's own launch is not installed."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml

from tests.support import launch_files


@pytest.fixture
def standins() -> Iterator[None]:
    """Put the stand-ins in the place of the real packages, for one test."""
    with launch_files.standins():
        yield


@pytest.fixture
def launched(
    standins: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., SimpleNamespace]:
    """A function that runs a launch file with arguments and returns what it would start.

    Its nodes have ``overrides``: what arguments say of parameters, read from the file for it.
    """
    written = tmp_path / 'overrides'
    written.mkdir()
    monkeypatch.setattr(tempfile, 'tempdir', str(written))

    def execute(name: str, **arguments: str) -> SimpleNamespace:
        from launch import LaunchContext

        entities = launch_files.load(name).generate_launch_description().entities
        declared = launch_files.declared(entities)
        unknown = set(arguments) - set(declared)
        assert not unknown, f'undeclared arguments: {unknown}'
        values = {n: arguments.get(n, argument.default_value) for n, argument in declared.items()}
        for argument in declared.values():
            if argument.choices and values[argument.name] not in argument.choices:
                raise ValueError(f'{argument.name}: {values[argument.name]!r} is no choice')
        context = LaunchContext(values)
        actions = []
        for entity in entities:
            if type(entity).__name__ == 'OpaqueFunction':
                actions += entity.function(context)
            else:
                actions.append(entity)
        nodes = [action for action in actions if type(action).__name__ == 'Node']

        def value(item: object) -> object:
            return item.perform(context) if hasattr(item, 'perform') else item

        for node in nodes:
            node.namespace = value(node.namespace)
            node.overrides = {}
            if Path(str(node.parameters[-1])).parent == written:
                said = yaml.safe_load(Path(node.parameters.pop()).read_text())
                node.overrides = said['/**/**']['ros__parameters']
            node.remappings = {old: value(new) for old, new in node.remappings}
            node.arguments = [value(item) for item in node.arguments]
        settings = {
            action.name: value(action.value)
            for action in actions
            if type(action).__name__ == 'SetEnvironmentVariable'
        }
        return SimpleNamespace(declared=declared, nodes=nodes, settings=settings)

    return execute
