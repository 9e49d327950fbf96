# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Joint profiles: how a body's joints are called on topics, chosen by name."""

from __future__ import annotations

from collections.abc import Callable

from mgpt3_ros.body.profiles.angles import STANDING_HEIGHT_M
from mgpt3_ros.body.profiles.base import JointProfile
from mgpt3_ros.body.profiles.human import HumanFull
from mgpt3_ros.body.profiles.ros4hri import Ros4hri
from mgpt3_ros.model.errors import ConfigError

__all__ = ['PROFILES', 'STANDING_HEIGHT_M', 'JointProfile', 'base_frame_of', 'make_profile']

PROFILES = ('human_full', 'ros4hri')


def make_profile(
    name: str, body_id: str, others: Callable[[str], JointProfile] | None = None
) -> JointProfile:
    """Return the profile ``name`` of the body ``body_id``.

    Args:
        name: one of ``PROFILES``, or what ``others`` knows.
        body_id: of ros4hri.
        others: makes a profile of another name, such as ``mgpt3_ros.robots.robot_profile``, which
            this folder does not know.

    Raises:
        ConfigError: no such profile.
    """
    if name == 'human_full':
        return HumanFull()
    if name == 'ros4hri':
        return Ros4hri(body_id)
    if others is None:
        raise ConfigError(f'there is no joint profile {name!r}; known: {", ".join(PROFILES)}')
    return others(name)


def base_frame_of(base_frame: str, profile: str, body_id: str) -> str:
    """Return the name of the pelvis frame; '' is ``body_<body_id>``.

    A body of ros4hri has that name from REP-155, so ``base_link``, the default, is it there too.
    """
    unset = not base_frame or (profile == 'ros4hri' and base_frame == 'base_link')
    return f'body_{body_id}' if unset else base_frame
