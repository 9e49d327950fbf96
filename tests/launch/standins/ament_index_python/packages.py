# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Where packages are."""

from pathlib import Path


def get_package_share_directory(package):
    """Return the folder that holds launch/ and config/: the repository's root."""
    if package != 'mgpt3_ros':
        raise LookupError(package)
    return str(Path(__file__).resolve().parents[4])
