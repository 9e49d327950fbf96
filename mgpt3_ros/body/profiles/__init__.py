# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Joint profiles: how a body's joints are called on topics, chosen by name."""

from __future__ import annotations

from mgpt3_ros.body.profiles.base import JointProfile
from mgpt3_ros.body.profiles.human import STANDING_HEIGHT_M, HumanFull
from mgpt3_ros.body.profiles.ros4hri import Ros4hri

__all__ = ['PROFILES', 'STANDING_HEIGHT_M', 'JointProfile', 'base_frame_of', 'make_profile']

PROFILES = ('human_full', 'ros4hri')


def make_profile(name: str, body_id: str) -> JointProfile:
    """Return the profile ``name`` (one of ``PROFILES``) of the body ``body_id``."""
    return HumanFull() if name == 'human_full' else Ros4hri(body_id)


def base_frame_of(base_frame: str, profile: str, body_id: str) -> str:
    """Return the name of the pelvis frame; '' is ``body_<body_id>``.

    A body of ros4hri has that name from REP-155, so ``base_link``, the default, is it there too.
    """
    unset = not base_frame or (profile == 'ros4hri' and base_frame == 'base_link')
    return f'body_{body_id}' if unset else base_frame
