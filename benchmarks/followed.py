# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A body that does what a node publishes, looked at afterwards at even times."""

from __future__ import annotations

import contextlib

import numpy as np
from trajectory_msgs.msg import JointTrajectory, MultiDOFJointTrajectory

from mgpt3_ros.body.player import BasePlayer, JointPlayer
from mgpt3_ros.body.profiles import make_profile
from mgpt3_ros.body.quaternions import Array
from mgpt3_ros.body.window import model_joints
from mgpt3_ros.model.errors import MotionError
from mgpt3_ros.model.kinematics.skeleton import FPS
from mgpt3_ros.nodes.messages import base_path, joint_path

PROFILE = make_profile('human_full', 'human')


class Followed:
    """Trajectories as they were heard, and what a body does that follows each from then on.

    Times are those of the system's clock, by which messages with a stamp begin.
    """

    def __init__(self) -> None:
        self._joints: list[tuple[float, JointTrajectory]] = []
        self._bases: list[tuple[float, MultiDOFJointTrajectory]] = []

    def hear_joints(self, message: JointTrajectory, now_s: float) -> None:
        """Take joints that came at a time [s]."""
        self._joints.append((now_s, message))

    def hear_base(self, message: MultiDOFJointTrajectory, now_s: float) -> None:
        """Take a base that came at a time [s]."""
        self._bases.append((now_s, message))

    def frames(self, begin_s: float, end_s: float) -> Array:
        """The model's joints (T, 22, 3) [m], Y up, at ``FPS`` from ``begin_s`` to ``end_s``."""
        joints = JointPlayer(PROFILE.names, PROFILE.standing)
        base = BasePlayer(PROFILE.standing_base)
        # A body takes joints and base together, when the later of both has come.
        pairs = zip(self._joints, self._bases, strict=False)
        heard = [(max(one[0], other[0]), one[1], other[1]) for one, other in pairs]
        positions, places, turns = [], [], []
        for at in np.arange(begin_s, end_s, 1 / FPS):
            while heard and heard[0][0] <= at:
                when, joint, based = heard.pop(0)
                start_s = joint.header.stamp.sec + 1e-9 * joint.header.stamp.nanosec or when
                with contextlib.suppress(MotionError):  # it came when it was over
                    joints.follow(tuple(joint.joint_names), joint_path(joint), start_s, when)
                    base.follow(base_path(based), start_s, when)
            pos, rot, _, _ = base.sample(at)
            positions.append(joints.sample(at)[0])
            places.append(pos)
            turns.append(rot)
        return model_joints(PROFILE, np.stack(positions), np.stack(places), np.stack(turns))
