# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A live body under random commands: bounds along its whole way, latency, and its captions.

    python -m benchmarks.stream_node --checkpoint FOLDER               # five minutes

generate_node in mode ``stream``, playback_node and caption_node run as processes. Commands come at
random moments, in mid-motion; one in ten is a stop, one in ten a cancel. A stand-in for the
controller follows in this process: what is judged is the whole way of each joint along the cubics
that a controller draws, to each first point too. Exit code 1 where a bound is broken, a
trajectory does not end at rest, or one does not begin on the way of the one before. With
``--stamp-mode now`` the last is judged by when each says that it begins, however late it is heard.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Mapping, Sequence
from random import Random

import numpy as np
from diagnostic_msgs.msg import DiagnosticStatus
from rclpy.time import Time
from sensor_msgs.msg import JointState
from std_msgs.msg import String
from tqdm import tqdm
from trajectory_msgs.msg import JointTrajectory

from benchmarks.bounds import SENTENCES
from benchmarks.controller import Controller
from benchmarks.harness import FailedError, Harness, report
from benchmarks.table import Row
from mgpt3_ros.body.profiles import make_profile

DURATION_S = 300.0
PAUSE_S = 6.0  # between two commands, at most
ACCELERATION = 60.0  # [rad/s^2]: of the bounds under which the run is judged
_ROUNDING = 1.001  # times are whole nanoseconds in messages
_TO_FIRST = 1.25  # of the bound: the controller's cubic to a first point is one of few knots
_JOINED = 0.05  # [rad], of a first point from the way before
_PROFILE = make_profile('human_full', 'human')


class StreamRun:
    """The nodes, a controller that follows, and what came of the commands."""

    def __init__(
        self,
        harness: Harness,
        parameters: Mapping[str, object],
        seed: int,
        pause_s: float = PAUSE_S,
    ) -> None:
        self.harness = harness
        self._pause_s = pause_s
        self.controller = Controller(_PROFILE, _PROFILE.velocity_limits, ACCELERATION)
        self.captions: list[str] = []
        self.latencies: list[float] = []
        self._random = Random(seed)
        self._sent: dict[str, float] = {}
        checkpoint = {'checkpoint': parameters['checkpoint'], 'device': 'cpu'}
        bounds = {
            'max_joint_acceleration': ACCELERATION,
            'mode': 'stream',
            'refuse_unknown': False,
        }
        harness.start('generate_node', {**checkpoint, **bounds, **parameters})
        harness.start('playback_node', {'publish_tf': False})
        harness.start('caption_node', checkpoint)
        harness.listen(JointTrajectory, 'joint_trajectory', self._follow)
        harness.listen(DiagnosticStatus, 'generate_node/status', self._note)
        if parameters['closed_loop']:
            harness.listen(JointState, 'joint_states', self._see)
        harness.listen(String, 'caption', lambda message: self.captions.append(message.data))
        self._commands = harness.node.create_publisher(String, 'command', 10)
        harness.until_active('/generate_node', '/caption_node')
        harness.until(self._commands.get_subscription_count, 'an ear for command')

    def run(self, duration_s: float) -> list[Row]:
        """Command for ``duration_s``; return what was found.

        Raises:
            FailedError: a node ends, or does not answer.
        """
        end_s = time.monotonic() + duration_s
        with tqdm(total=round(duration_s), unit='s', disable=None) as bar:
            while (left_s := end_s - time.monotonic()) > 0:
                self._command()
                self.harness.spin_for(self._random.uniform(0.3, self._pause_s))
                bar.update(round(left_s - max(end_s - time.monotonic(), 0.0)))
        self.harness.call('generate_node/cancel')
        self.harness.spin_for(1.5)
        return self._rows()

    def _command(self) -> None:
        chance = self._random.random()
        if chance < 0.1:
            self.harness.call('generate_node/cancel')
            return
        text = 'stop' if chance < 0.2 else self._random.choice(SENTENCES)
        self._commands.publish(String(data=text))
        self._sent[str(len(self._sent) + 1)] = time.monotonic()

    def _follow(self, message: JointTrajectory) -> None:
        now_s, stamp = time.monotonic(), Time.from_msg(message.header.stamp)
        if stamp.nanoseconds == 0:  # it begins when it is heard
            self.controller.follow(message, now_s)
            return
        ago = self.harness.node.get_clock().now() - stamp
        self.controller.follow(message, now_s, now_s - 1e-9 * ago.nanoseconds)

    def _see(self, state: JointState) -> None:
        order = [state.name.index(name) for name in _PROFILE.names]
        position, velocity = np.array(state.position), np.array(state.velocity)
        self.controller.see(position[order], velocity[order])

    def _note(self, status: DiagnosticStatus) -> None:
        values = {pair.key: pair.value for pair in status.values}
        if status.message == 'published' and values['id'] in self._sent:
            self.latencies.append(time.monotonic() - self._sent[values['id']])

    def _rows(self) -> list[Row]:
        if not self.latencies:
            raise FailedError('no command was published')
        used = np.array(self.controller.used)
        gaps = np.array(self.controller.gaps or [(0.0, 0.0)])
        p50, p95 = np.percentile(self.latencies, [50, 95])
        degrees = float(np.rad2deg(used[:, 4].max()))
        statuses = self.harness.statuses
        return [
            Row('trajectories', len(used), ''),
            Row('of these, end in motion', self.controller.restless, '', 0.0),
            Row('commands', len(self._sent), ''),
            Row('of these, failed', statuses['failed'], '', 0.0),
            Row('largest speed', float(used[:, 0].max()), 'of bound', _ROUNDING),
            Row('largest acceleration', float(used[:, 1].max()), 'of bound', _ROUNDING),
            Row('speed on the way to a first point', float(used[:, 2].max()), 'of bound'),
            Row(
                'acceleration on the way to a first point, p99',
                float(np.percentile(used[:, 3], 99)),
                'of bound',
                _TO_FIRST,
            ),
            Row('farthest beyond a position limit', degrees, 'degrees', 2.0),
            Row('first point from the way before', float(gaps[:, 0].max()), 'rad', _JOINED),
            Row('word to the trajectory that shows it, median', float(p50), 's'),
            Row('word to the trajectory that shows it, p95', float(p95), 's'),
            Row('captions that came back', len(self.captions), ''),
            Row('different ones', len(set(self.captions)), ''),
        ]


def main(argv: Sequence[str] | None = None) -> int:
    """Return 0 if all bounds hold."""
    parser = argparse.ArgumentParser(prog='python -m benchmarks.stream_node', description=__doc__)
    parser.add_argument(
        '--checkpoint', required=True, help='checkpoint folder, of the stream form'
    )
    parser.add_argument('--duration', type=float, default=DURATION_S, help='of the commands [s]')
    parser.add_argument('--closed-loop', action='store_true', help='go on from the body as seen')
    parser.add_argument('--stamp-mode', default='zero', choices=('zero', 'now'))
    parser.add_argument('--seed', type=int, default=0, help='of sentences and moments')
    options = parser.parse_args(argv)
    named = ('checkpoint', 'closed_loop', 'stamp_mode')
    parameters = {name: getattr(options, name) for name in named}
    return report(
        lambda harness: StreamRun(harness, parameters, options.seed).run(options.duration)
    )


if __name__ == '__main__':
    sys.exit(main())
