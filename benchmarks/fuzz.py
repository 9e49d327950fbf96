# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Send nonsense to all nodes and see that they live, do not grow, and answer what makes sense.

    python -m benchmarks.fuzz                    # 200,000 messages
    python -m benchmarks.fuzz --duration 60      # for a minute

motion_server (its three nodes listen to command, joint_states and odom) and playback_node
(joint_trajectory, base_trajectory) run as processes. One message in fifty is a spoiled string of
bytes. Exit code 1 where a node ends, grows, publishes a number that is not finite or does not
answer right input afterwards.
"""

from __future__ import annotations

import argparse
import math
import sys
import time
from collections import Counter
from collections.abc import Sequence
from random import Random
from typing import Any

from nav_msgs.msg import Odometry
from rclpy.qos import QoSProfile
from sensor_msgs.msg import JointState
from std_msgs.msg import String
from tqdm import tqdm
from trajectory_msgs.msg import JointTrajectory, MultiDOFJointTrajectory

from benchmarks.harness import SERVER_NODES, FailedError, Harness
from benchmarks.oddities import NAMES, Oddities
from benchmarks.table import Row, circumstances, print_table

MESSAGES = 200_000
GROWTH_MB = 50.0
SERVER = tuple(f'/{name}' for name in SERVER_NODES)
_PLAYER = 'player'  # the namespace of playback_node, whose joint states the server must not hear
_SPOILED = 0.02  # share of the messages whose bytes are changed
_WARM_UP = 0.1  # share of the messages after which memory must not grow any more
_FASTER = 4.0
_TURNED = 2000.0  # [rad]: from there a body is brought back by a trajectory of ten minutes
_LONG = 10_000  # points that it has at least
_SENTENCE = 'a person walks forward for 1 seconds.'
_KINDS = {
    'command': (String, 'command', 0.05),
    'joint_states': (JointState, 'joint_states', 0.45),
    'odom': (Odometry, 'odom', 0.2),
    'joint_trajectory': (JointTrajectory, f'{_PLAYER}/joint_trajectory', 0.15),
    'base_trajectory': (MultiDOFJointTrajectory, f'{_PLAYER}/base_trajectory', 0.15),
}


class Fuzz:
    """The run: warm up, send nonsense, ask for sense."""

    def __init__(self, harness: Harness, checkpoint: str, seed: int) -> None:
        self.harness = harness
        self.sent: Counter[str] = Counter()
        self.not_finite: list[str] = []
        self._odd = Oddities(seed)
        self._random = Random(seed)
        self._body_ns = 10**15  # stamps of right joint states, always ahead of the odd ones
        parameters = {'checkpoint': checkpoint, 'device': 'cpu', 'start_from': 'joint_states'}
        harness.start('motion_server', parameters)
        harness.start('playback_node', {'publish_tf': False}, _PLAYER)
        self._publishers = {
            name: harness.node.create_publisher(kind, topic, QoSProfile(depth=100))
            for name, (kind, topic, _) in _KINDS.items()
        }
        for topic in ('joint_trajectory', 'predicted_trajectory'):
            harness.listen(JointTrajectory, topic, self._check_trajectory)
        harness.listen(JointState, f'{_PLAYER}/joint_states', self._check_joints)

    def wait_until_there(self) -> None:
        """Wait until all nodes are active and hear what is sent."""
        self.harness.until_active(*SERVER)
        for name, publisher in self._publishers.items():
            self.harness.until(publisher.get_subscription_count, f'an ear for {name}')

    def send(self, messages: int, duration_s: float, rate: float) -> None:
        """Send ``messages`` (or as many as fit into ``duration_s`` > 0), ``rate`` a second."""
        names, shares = list(_KINDS), [share for _, _, share in _KINDS.values()]
        begin = time.monotonic()
        total = duration_s if duration_s > 0 else messages
        with tqdm(total=total, unit='s' if duration_s > 0 else 'messages', disable=None) as bar:
            while True:
                passed_s = time.monotonic() - begin
                done = passed_s if duration_s > 0 else self.sent.total()
                bar.update(min(done, total) - bar.n)
                if done >= total:
                    return
                name = self._random.choices(names, shares)[0]
                self._publish(name)
                if self.sent.total() % 200 == 0:
                    for process in self.harness.processes:
                        process.look(self.harness.begun_s)
                ahead_s = self.sent.total() / rate - passed_s
                self.harness.spin_for(max(ahead_s, 0.0))

    def _publish(self, name: str) -> None:
        message = self._odd.makers[name]()
        if self._random.random() < _SPOILED:
            self._publishers[name].publish(self._odd.spoiled(message))
            self.sent['spoiled'] += 1
        else:
            self._publishers[name].publish(message)
            self.sent[name] += 1

    # ------------------------------------------------------------------ sense

    def answers_sense(self) -> None:
        """Send what is right and see that each node answers it.

        Raises:
            FailedError: one does not.
        """
        harness = self.harness
        harness.call('generate_node/cancel')
        for name in ('caption_node', 'predict_node'):
            harness.call(f'{name}/reset')
        before = {**harness.heard, **{n: harness.count(f'/{n}', 'answers') for n in SERVER_NODES}}
        published = harness.statuses['published']

        def told() -> bool:
            self._stand(0.1)
            return harness.count('/caption_node', 'answers') > before[
                'caption_node'
            ] and harness.heard['predicted_trajectory'] > before.get('predicted_trajectory', 0)

        harness.until(told, 'a caption and a prediction of a body that stands')
        self._publishers['command'].publish(String(data=_SENTENCE))

        def made() -> bool:
            self._stand(0.1)
            new = harness.heard['joint_trajectory'] > before.get('joint_trajectory', 0)
            return new and harness.statuses['published'] > published

        harness.until(made, f'a trajectory of {_SENTENCE!r}')
        self._plays(harness.last['joint_trajectory'])

    def takes_its_longest(self) -> None:
        """See that a body many turns away is brought back: nothing later takes more at once.

        Raises:
            FailedError: it is not.
        """
        self._stand(0.2, _TURNED)
        self._publishers['command'].publish(String(data=_SENTENCE))

        def long() -> bool:
            self._stand(0.1, _TURNED)
            last = self.harness.last.get('joint_trajectory')
            return last is not None and len(last.points) > _LONG

        self.harness.until(long, 'a trajectory from far away')
        self.harness.call('generate_node/cancel')
        for name in ('caption_node', 'predict_node'):
            self.harness.call(f'{name}/reset')

    def _plays(self, trajectory: JointTrajectory) -> None:
        self._publishers['joint_trajectory'].publish(trajectory)
        goal = list(trajectory.points[-1].positions)
        topic = f'{_PLAYER}/joint_states'

        def arrived() -> bool:
            state = self.harness.last.get(topic)
            if state is None or list(state.name) != list(trajectory.joint_names):
                return False
            return all(abs(a - b) < 1e-6 for a, b in zip(state.position, goal, strict=True))

        self.harness.until(arrived, 'playback_node to play a trajectory to its end')

    def _stand(self, seconds: float, turned: float = 0.0) -> None:
        """Be a body that stands, at 50 Hz, with each joint turned by so much [rad].

        Sent faster than its stamps say, which alone count.
        """
        for _ in range(round(seconds * 50)):
            self._body_ns += 20_000_000
            odometry = Odometry()
            state = JointState(name=list(NAMES), position=[turned] * len(NAMES))
            odometry.pose.pose.position.z, odometry.pose.pose.orientation.w = 0.94, 1.0
            for message in (odometry, state):
                message.header.stamp.sec = self._body_ns // 10**9
                message.header.stamp.nanosec = self._body_ns % 10**9
            self._publishers['odom'].publish(odometry)
            self._publishers['joint_states'].publish(state)
            self.harness.spin_for(0.02 / _FASTER)

    def _check_trajectory(self, message: JointTrajectory) -> None:
        for point in message.points:
            self._check('a trajectory', [*point.positions, *point.velocities])

    def _check_joints(self, message: JointState) -> None:
        self._check('joint states', message.position)

    def _check(self, what: str, numbers: Any) -> None:
        if not all(map(math.isfinite, numbers)):
            self.not_finite.append(what)

    # ------------------------------------------------------------------ report

    def rows(self) -> list[Row]:
        """Return what was measured."""
        harness = self.harness
        seen, (server, player) = harness.statuses, harness.processes
        heard = [harness.count(name, 'joint_states') for name in SERVER]
        heard[0] += harness.count(SERVER[0], 'joint_states_dropped')
        for index, name in enumerate(SERVER[1:], 1):
            heard[index] += harness.count(name, 'dropped')
        faults = sum(p.output.count('fault in a callback') for p in harness.processes)
        played = harness.health[f'/{_PLAYER}/playback_node']
        rows = [
            Row('messages sent', self.sent.total(), ''),
            *(Row(f'of these {name}', count, '') for name, count in sorted(self.sent.items())),
            Row('joint states that the busiest node took in', max(heard), ''),
            Row('trajectories that playback_node took in', int(played['trajectories']), ''),
            Row('trajectories that it refused', int(played['refused']), ''),
            *(Row(f'commands {w}', n, '') for w, n in sorted(seen.items()) if w != 'failed'),
            Row('commands failed', seen['failed'], '', 0.0),
            Row('faults in callbacks, as of bytes that are no message', faults, ''),
            Row('numbers published that are not finite', len(self.not_finite), '', 0.0),
        ]
        for process in (server, player):
            rows.append(Row(f'{process.name}: growth', growth_mb(process), 'MB', GROWTH_MB))
            rows.append(
                Row(f'{process.name}: memory of its own', process.memories_mb[-1][1], 'MB')
            )
        return rows


def growth_mb(process: Any) -> float:
    """Return by how much memory grew after the warm-up: its end against the end of that."""
    warm = process.memories_mb[int(_WARM_UP * len(process.memories_mb))][1]
    return max(process.memories_mb[-1][1], process.memories_mb[-2][1]) - warm


def main(argv: Sequence[str] | None = None) -> int:
    """Return 0 if nothing broke and memory stayed flat."""
    parser = argparse.ArgumentParser(prog='python -m benchmarks.fuzz', description=__doc__)
    parser.add_argument('--messages', type=int, default=MESSAGES, help='how many are sent')
    parser.add_argument('--duration', type=float, default=0.0, help='seconds, instead of a number')
    parser.add_argument('--rate', type=float, default=1000.0, help='messages a second at most')
    parser.add_argument('--seed', type=int, default=0, help='of the messages')
    parser.add_argument('--checkpoint', default='', help='folder of the model (the shipped one)')
    options = parser.parse_args(argv)
    print(circumstances())
    with Harness() as harness:
        fuzz = Fuzz(harness, options.checkpoint, options.seed)
        try:
            fuzz.wait_until_there()
            fuzz.answers_sense()
            fuzz.takes_its_longest()
            for process in harness.processes:
                process.memories_mb.clear()
            harness.statuses.clear()
            try:
                fuzz.send(options.messages, options.duration, options.rate)
            except KeyboardInterrupt:
                print(f'interrupted after {fuzz.sent.total()} messages', file=sys.stderr)
            fuzz.answers_sense()
            for process in harness.processes:
                process.look(harness.begun_s)
        except FailedError as error:
            print(f'failed after {fuzz.sent.total()} messages: {error}', file=sys.stderr)
            for name, values in harness.health.items():
                print(f'{name}: {values}', file=sys.stderr)
            for process in harness.processes:
                print(f'--- {process.name}\n{process.output[-3000:]}', file=sys.stderr)
            return 1
        rows = fuzz.rows()
    print_table(rows)
    for reason, count in harness.reasons.most_common(10):
        print(f'{count} commands failed: {reason[:200]}')
    return 1 if any(row.met == 'NO' for row in rows) else 0


if __name__ == '__main__':
    sys.exit(main())
