# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Whether a trajectory that was received is one that a controller takes and a body can follow."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
from trajectory_msgs.msg import JointTrajectory, MultiDOFJointTrajectory

from mgpt3_ros.model.errors import MotionError
from mgpt3_ros.nodes.messages import base_path, joint_path

_FASTEST_BODY = 15.0  # [m/s]: no one walks, runs or jumps at this speed


def faults(
    joints: JointTrajectory,
    base: MultiDOFJointTrajectory,
    names: Collection[str],
    lead_in_s: float = 0.0,
) -> list[str]:
    """List what is wrong with the trajectory of a whole body; empty if nothing is.

    Args:
        joints: as received; joint_trajectory_controller's conditions are checked.
        base: its other half, which must have the same points in time.
        names: the joints of the controller.
        lead_in_s: least time of the first point [s].
    """
    try:
        path, way = joint_path(joints), base_path(base)
    except MotionError as error:
        return [str(error)]
    found = []
    if set(joints.joint_names) != set(names):
        found.append('the joints are not those of the profile')
    if path.velocities is None:
        found.append('velocities are missing')
    elif np.abs(path.velocities[-1]).max() > 0:
        found.append('the last velocity is not zero')
    if path.times[0] < lead_in_s - 1e-9:
        found.append(f'the first point comes after {path.times[0]:.3f} s, not {lead_in_s} s')
    if path.times.shape != way.times.shape or np.abs(path.times - way.times).max() > 0:
        found.append('joints and base have different points in time')
    speed = np.linalg.norm(np.diff(way.pos, axis=0), axis=1) / np.diff(way.times)
    if speed.max(initial=0.0) > _FASTEST_BODY:
        found.append(f'the base moves at {speed.max():.1f} m/s')
    return found
