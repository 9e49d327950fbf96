# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""``python -m benchmarks.robot_captions``: are robots over ROS 2 understood as humans are?

Motions of all actions of the default list are planned as generate_node plans them, for the human
and for each robot within its own limits, from a stand on. All of them are played at the same time
as joint states and odometry, each to a caption_node of its own, four times as fast as their stamps
say; then each node is asked for a caption. A robot's counts that names the action, and the side,
that the caption of the human names who is played beside it.

Captions are the model's sentences: of nodes without the recogniser of actions, which looks at the
last two seconds alone. ``--labels`` gives it to them.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from nav_msgs.msg import Odometry
from rclpy.publisher import Publisher
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import JointState

from benchmarks.harness import Harness
from benchmarks.robots import draw
from benchmarks.table import circumstances
from mgpt3_ros.body.body_trajectory import BodyState, BodyTrajectory
from mgpt3_ros.body.bounds import Timing
from mgpt3_ros.body.from_motion import clip_of
from mgpt3_ros.body.planning import plan
from mgpt3_ros.body.profiles import JointProfile, make_profile
from mgpt3_ros.model.checkpoints.checkpoint import shipped_checkpoint
from mgpt3_ros.model.kinematics.recognition import FILE
from mgpt3_ros.model.language.caption_actions import read_action
from mgpt3_ros.model.motion import Motion
from mgpt3_ros.model.motiongpt3 import MotionGPT3
from mgpt3_ros.nodes.listening_node import to_stamp
from mgpt3_ros.nodes.odometry import joint_state, odometry
from mgpt3_ros.robots import robot_profile

HUMAN = 'human_full'
INPUT_HZ = 50
FASTER = 4.0  # than the stamps say, by which nodes go
GOAL = 0.95
ROBOTS = ('g1', 'gr1', 'talos')


class Player:
    """A body that is played to a caption_node in a namespace of its own."""

    def __init__(self, harness: Harness, profile_name: str, options: dict[str, Any]) -> None:
        self.name = profile_name.rpartition('/')[2].removesuffix('.yaml')
        self.profile: JointProfile = make_profile(profile_name, 'human', robot_profile)
        self._harness = harness
        harness.start('caption_node', {**options, 'joint_profile': profile_name}, self.name)
        qos = QoSProfile(depth=10, reliability=ReliabilityPolicy.BEST_EFFORT)
        node = harness.node
        self._states: Publisher = node.create_publisher(
            JointState, f'{self.name}/joint_states', qos
        )
        self._bases: Publisher = node.create_publisher(Odometry, f'{self.name}/odom', qos)

    def ready(self) -> None:
        """Wait until the node hears."""
        self._harness.until_active(f'/{self.name}/caption_node')
        ends = (self._states, self._bases)
        self._harness.until(lambda: all(p.get_subscription_count() for p in ends), 'an ear')

    def planned(self, motion: Motion) -> tuple[BodyTrajectory, float]:
        """Return what generate_node would publish for a body that stands, and how much slower."""
        pos, rot = np.split(self.profile.standing_base, [3])
        still = np.zeros(3)
        state = BodyState(
            self.profile.standing, np.zeros(len(self.profile.names)), pos, rot, still, still
        )
        timing = Timing(max_velocity=self.profile.velocity_limits)
        return plan(clip_of(motion, self.profile), timing, state, state)

    def show(self, trajectory: BodyTrajectory, at_s: float, stamp_s: float) -> None:
        """Publish the body of a moment of a trajectory."""
        body, stamp = trajectory.state_at(at_s), to_stamp(round(stamp_s * 1e9))
        base = body.base_pos, body.base_rot, body.base_lin, body.base_ang
        self._bases.publish(odometry(*base, stamp, 'odom', 'base_link'))
        joints = body.positions, body.velocities
        self._states.publish(joint_state(self.profile.names, *joints, stamp))

    def forget(self) -> None:
        """Have the node forget what it saw."""
        self._harness.call(f'{self.name}/caption_node/reset')

    def caption(self) -> str:
        """Return the node's caption of what it sees."""
        _, said = self._harness.call(f'{self.name}/caption_node/caption_now')
        return said


def captions(
    harness: Harness, players: Sequence[Player], motion: Motion, begin_s: float
) -> tuple[list[str], list[float]]:
    """Play a motion on all bodies; return each one's caption, and how much slower it was."""
    for player in players:
        player.forget()
    plans = [player.planned(motion) for player in players]
    for step in range(int(max(trajectory.end_s for trajectory, _ in plans) * INPUT_HZ) + 1):
        due_s = time.monotonic() + 1 / INPUT_HZ / FASTER
        for player, (trajectory, _) in zip(players, plans, strict=True):
            if step / INPUT_HZ <= trajectory.end_s:
                player.show(trajectory, step / INPUT_HZ, begin_s + step / INPUT_HZ)
        harness.spin_for(max(due_s - time.monotonic(), 0.0))
    return [player.caption() for player in players], [slower for _, slower in plans]


def main(argv: list[str] | None = None) -> int:
    """Print the share of each robot, and what was named otherwise; 1 if one is below the goal."""
    parser = argparse.ArgumentParser(
        prog='python -m benchmarks.robot_captions', description=__doc__
    )
    parser.add_argument('--robots', nargs='+', default=ROBOTS, help='names or files')
    parser.add_argument('--motions', type=int, default=100, help='to draw (default: 100)')
    parser.add_argument('--seed', type=int, default=3, help='of the motions (default: 3)')
    parser.add_argument('--window', type=float, default=10.0, help='that is captioned [s] (10)')
    parser.add_argument('--labels', action='store_true', help='nodes have the recogniser')
    parser.add_argument(
        '--checkpoint', type=Path, default=shipped_checkpoint(), help='folder (the shipped one)'
    )
    arguments = parser.parse_args(argv)
    model = MotionGPT3.from_pretrained(str(arguments.checkpoint))
    motions = draw(model, arguments.motions, arguments.seed)
    options: dict[str, Any] = {
        'window_s': arguments.window,
        'caption_period_s': 60.0,
        'max_gap_s': 60.0,
    }
    said: list[list[str]] = []
    slower: list[list[float]] = []
    with tempfile.TemporaryDirectory() as folder, Harness() as harness:
        for file in arguments.checkpoint.iterdir():
            if arguments.labels or file.name != FILE:
                (Path(folder) / file.name).symlink_to(file.resolve())
        options['checkpoint'] = folder
        players = [Player(harness, name, options) for name in (HUMAN, *arguments.robots)]
        for player in players:
            player.ready()
        for number, motion in enumerate(motions):
            words, factors = captions(harness, players, motion, 1000.0 + 200.0 * number)
            said.append(words)
            slower.append(factors)
            print(f'{number + 1} of {len(motions)}: {words[0]}', file=sys.stderr)
    return report([player.name for player in players], said, np.array(slower))


def report(names: Sequence[str], said: Sequence[Sequence[str]], slower: np.ndarray) -> int:
    """Print a table; return 1 if a robot is below the goal."""
    print(f'{len(said)} motions; {circumstances()}\n')
    print(
        '| robot | same action | slowed down, median / most | named otherwise |\n|---|---|---|---|'
    )
    below = False
    human = [read_action(words[0]) for words in said]
    for column, name in enumerate(names[1:], start=1):
        robot = [read_action(words[column]) for words in said]
        other = Counter(f'{a} as {b}' for a, b in zip(human, robot, strict=True) if a != b)
        share = 1 - other.total() / len(said)
        below |= share < GOAL
        pace = f'{np.median(slower[:, column]):.2f} / {slower[:, column].max():.2f}'
        told = ', '.join(f'{what} {count}' for what, count in other.most_common())
        print(f'| {name} | {share:.0%} | {pace} | {told} |')
    return int(below)


if __name__ == '__main__':
    raise SystemExit(main())
