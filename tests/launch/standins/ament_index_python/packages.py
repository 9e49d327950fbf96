# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Where packages are."""

from pathlib import Path

INSTALLED = ['mgpt3_ros', 'robot_state_publisher', 'rviz2']


class PackageNotFoundError(KeyError):
    """A package is not installed."""


def get_package_share_directory(package):
    """Return the folder that holds launch/ and config/: the repository's root."""
    if package not in INSTALLED:
        raise PackageNotFoundError(package)
    return str(Path(__file__).resolve().parents[4])
