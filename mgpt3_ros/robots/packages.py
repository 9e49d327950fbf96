# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Where robots' files lie: the YAML that come with the package, and ``package://`` of models."""

from __future__ import annotations

import os
import sysconfig
from pathlib import Path

from mgpt3_ros.model.errors import RobotError

SCHEME = 'package://'
_CONFIGS = Path(__file__).resolve().parent / 'config'  # a link to config/robots


def robot_names() -> list[str]:
    """Return the names of the robots that come with the package."""
    return sorted(path.stem for path in _CONFIGS.glob('*.yaml'))


def config_file(name_or_path: str | Path) -> Path:
    """Return the YAML of a robot by its name, or the path as it is.

    Raises:
        RobotError: there is neither.
    """
    path = Path(name_or_path)
    if str(name_or_path) in robot_names():
        return _CONFIGS / f'{name_or_path}.yaml'
    if path.is_file():
        return path
    raise RobotError(
        f'there is no robot {str(name_or_path)!r}: known are {", ".join(robot_names())}, or give '
        'the path of a YAML (docs/robots.md)'
    )


def resolve(uri: str, beside: Path, models: str = '') -> Path:
    """Return the file that a path or ``package://PACKAGE/PATH`` names.

    A package is looked for in ROS's workspaces (``AMENT_PREFIX_PATH``, ``ROS_PACKAGE_PATH``) and
    among Python's installed packages.

    Args:
        uri: what is named.
        beside: the folder that a relative path starts from.
        models: how the files are had, for the message.

    Raises:
        RobotError: there is no such file.
    """
    if not uri.startswith(SCHEME):
        path = beside / uri.removeprefix('file://')
        if path.is_file():
            return path
        raise RobotError(f'there is no file {path}' + (f': {models}' if models else ''))
    package, _, inner = uri.removeprefix(SCHEME).partition('/')
    for place in _places(package):
        if (place / inner).is_file():
            return place / inner
    hint = f': {models}' if models else '; is it installed, or its workspace sourced?'
    raise RobotError(f'the model {uri} is not installed{hint}')


def _places(package: str) -> list[Path]:
    """Return the folders that may be the ROS package ``package``."""
    listed = [
        Path(path)
        for variable in ('AMENT_PREFIX_PATH', 'ROS_PACKAGE_PATH')
        for path in os.environ.get(variable, '').split(os.pathsep)
        if path
    ]
    site = Path(sysconfig.get_path('purelib'))
    # cmeel's prefix is where PyPI's robotics packages put what apt puts in /usr.
    prefixes = [*listed, site / 'cmeel.prefix', site, Path(sysconfig.get_path('data'))]
    return [
        place
        for prefix in prefixes
        for place in (prefix / 'share' / package, prefix / package)
        if place.is_dir()
    ]
