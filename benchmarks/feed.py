# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A body that moves before nodes which are measured."""

from __future__ import annotations

import time

import numpy as np
from nav_msgs.msg import Odometry
from sensor_msgs.msg import JointState

from benchmarks.followed import PROFILE
from benchmarks.harness import Harness
from mgpt3_ros.body.bounds import Timing
from mgpt3_ros.body.from_motion import clip_of
from mgpt3_ros.body.planning import plan
from mgpt3_ros.model.motiongpt3 import MotionGPT3
from mgpt3_ros.model.sampling import noise_source
from mgpt3_ros.nodes.listening_node import to_stamp
from mgpt3_ros.nodes.odometry import joint_state, odometry


class Feed:
    """Joint states and odometry of a person who walks and, film run backward, back again."""

    def __init__(self, harness: Harness) -> None:
        self._harness = harness
        walk = MotionGPT3.from_pretrained().generate(
            'a person walks forward', 6.0, generator=noise_source(0)
        )
        self._body, _ = plan(clip_of(walk, PROFILE), Timing(max_velocity=PROFILE.velocity_limits))
        node = harness.node
        self._states = node.create_publisher(JointState, 'joint_states', 10)
        self._bases = node.create_publisher(Odometry, 'odom', 10)
        harness.until(self._states.get_subscription_count, 'an ear for joint states')

    def send(self, rate: float, seconds: float) -> int:
        """Send states at a rate [Hz] for a while; return how many."""
        first_s, end_s = self._body.times[0], self._body.end_s
        there = np.arange(first_s, end_s, 1 / rate)
        joints, base = self._body.sample(np.concatenate([there, there[::-1]]))
        begun_s, count = time.monotonic(), 0
        while count / rate < seconds:
            at = count % len(base.pos)
            stamp = to_stamp(time.time_ns())
            moves = base.pos[at], base.rot[at], base.lin[at], base.ang[at]
            self._bases.publish(odometry(*moves, stamp, 'map', 'base_link'))
            rows = joints.positions[at], joints.velocities[at]
            self._states.publish(joint_state(PROFILE.names, *rows, stamp))
            count += 1
            self._harness.spin_for(max(begun_s + count / rate - time.monotonic(), 0.0))
        return count
