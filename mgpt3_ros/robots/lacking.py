# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a motion needs that a robot does not have: legs, or a base that goes somewhere."""

from __future__ import annotations

import numpy as np

from mgpt3_ros.model.kinematics.heading import heading_across
from mgpt3_ros.model.kinematics.skeleton import JOINT_NAMES
from mgpt3_ros.model.motion import Motion
from mgpt3_ros.robots.robot import Robot

_FAR_M = 0.5  # of a pelvis from its first place: the motion goes somewhere
_DEEP_M = 0.15  # that a pelvis sinks or rises: it sits, kneels or jumps
_HIGH_M = 0.12  # that an ankle is lifted: it steps or kicks
_TURN = 0.8  # [rad]


def lacking(robot: Robot, motion: Motion) -> tuple[str, ...]:
    """Say of a motion what a robot lacks for it; empty where nothing is."""
    if robot.walks:
        return ()
    joints = motion.joints
    pelvis = joints[:, JOINT_NAMES.index('pelvis')]
    away = float(np.linalg.norm((pelvis - pelvis[0])[:, [0, 2]], axis=1).max())
    sinks = float(np.ptp(pelvis[:, 1]))
    ankles = joints[:, [JOINT_NAMES.index(f'{side}_ankle') for side in ('left', 'right')], 1]
    lifted = float((ankles - ankles.min(axis=0)).max())
    across = np.subtract(*(joints[:, JOINT_NAMES.index(f'{s}_hip')] for s in ('left', 'right')))
    turned = float(np.ptp(np.unwrap(heading_across(across))))
    notes = []
    if not robot.has_legs and (lifted > _HIGH_M or sinks > _DEEP_M):
        notes.append('has no legs that follow: it needs legs')
    goes = [f'goes {away:.1f} m'] if away > _FAR_M else []
    if robot.has_legs and sinks > _DEEP_M:
        goes.append(f'sinks {sinks:.1f} m')
    goes += [f'turns {np.degrees(turned):.0f} degrees'] if turned > _TURN else []
    if goes and robot.config.fixed_base:
        notes.append(f'has a fixed base: it {" and ".join(goes)}, and the robot stays')
    elif goes:
        notes.append(
            f'has no legs that follow: it {" and ".join(goes)}, as only a base does that follows '
            'base_trajectory'
        )
    return tuple(f'{robot.name} {note}' for note in notes)
