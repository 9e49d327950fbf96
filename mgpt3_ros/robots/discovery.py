# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which of the robots that come along has the joints whose names are heard."""

from __future__ import annotations

from collections.abc import Collection
from fnmatch import fnmatchcase
from functools import cache

from mgpt3_ros.robots.config import load_robot_config
from mgpt3_ros.robots.packages import config_file, robot_names


def fitting_robot(joint_names: Collection[str]) -> str | None:
    """Return the name in config/robots of the robot that has these joints; None if none has.

    Its YAML alone is asked, so its model need not be here: each of its controllers' patterns must
    match a name. Names that none matches, such as those of fingers, are passed over; where several
    robots fit, it is the one with most matches.
    """
    matches = {name: _matches(name, set(joint_names)) for name in robot_names()}
    best = max(matches, key=lambda name: matches[name])
    return best if matches[best] else None


@cache
def _patterns(robot: str) -> tuple[str, ...]:
    controllers = load_robot_config(config_file(robot)).controllers.values()
    return tuple(pattern for group in controllers for pattern in group)


def _matches(robot: str, names: set[str]) -> int:
    """Return how many names the patterns of a robot's controllers match; 0 if one matches none."""
    matched = {p: {name for name in names if fnmatchcase(name, p)} for p in _patterns(robot)}
    return len(set().union(*matched.values())) if all(matched.values()) else 0
