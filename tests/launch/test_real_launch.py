# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The launch files under ROS 2's own launch, where it is installed."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip('launch_ros', reason="ROS 2's launch comes with a ROS installation only")

from ament_index_python.packages import PackageNotFoundError, get_package_share_directory
from launch.launch_description_sources import get_launch_description_from_python_launch_file

from launch import LaunchContext, LaunchService

try:
    SHARE = Path(get_package_share_directory('mgpt3_ros'))
except PackageNotFoundError:
    pytest.skip('mgpt3_ros is not in the ament index (colcon build)', allow_module_level=True)


def test_every_argument_is_described_and_the_nodes_are_made():
    path = str(SHARE / 'launch' / 'generate.launch.py')
    description = get_launch_description_from_python_launch_file(path)
    assert all(argument.description for argument in description.get_launch_arguments())
    context = LaunchContext(argv=[])
    names = []
    for entity in description.visit(context) or []:
        names += [
            child.node_executable
            for child in entity.visit(context) or []
            if hasattr(child, 'node_executable')
        ]
    assert LaunchService is not None
    assert names
