# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Whether speeds, accelerations and positions stay within bounds, over many motions and stops.

    python -m benchmarks.bounds                  # 200 motions within each set of bounds

generate_node runs as a process. Commands follow on one another at random moments, in mid-motion
mostly; one in five is cancelled on its way. What is judged is the whole way of each joint along
the cubics that a controller draws through the published points, not the points alone. A body that
hears the trajectories in this process tells the way from where it then is to the first point.
Exit code 1 where a bound is broken, or a trajectory does not end at rest.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from random import Random

import numpy as np
from rcl_interfaces.srv import SetParameters
from rclpy.parameter import Parameter
from std_msgs.msg import String
from tqdm import tqdm
from trajectory_msgs.msg import JointTrajectory

from benchmarks.harness import FailedError, Harness, report
from benchmarks.table import Row
from mgpt3_ros.body.body_trajectory import JointPath, later
from mgpt3_ros.body.player import JointPlayer
from mgpt3_ros.body.profiles import make_profile
from mgpt3_ros.body.profiles.base import beyond
from mgpt3_ros.body.spline import extreme_rates
from mgpt3_ros.nodes.messages import joint_path

MOTIONS = 200
BOUNDS = ((0.0, 0.0), (2.0, 10.0))  # [rad/s], [rad/s^2]; 0.0: the body's own
_CANCELLED = 0.2  # share of the motions that are cancelled on their way
_LONGEST_WAIT_S = 1.0  # between a trajectory and the next command
_JOINED_S = 0.7  # after publishing, a motion that takes over from another has been joined
_ROUNDING = 1.001  # times are whole nanoseconds in messages
_PROFILE = make_profile('human_full', 'human')
SENTENCES = (
    *('walk forward', 'run fast', 'jog in a circle', 'walk backward and turn right'),
    *('raise your left arm', 'wave with both hands', 'take a deep bow', 'jump'),
    *('kick with the right foot', 'punch', 'sit down', 'sidestep to the left', 'turn around'),
)


def _on_the_way(path: JointPath) -> bool:
    """Whether a trajectory begins 0.2 s ahead, on the way to a motion that is due later."""
    return abs(float(path.times[0]) - 0.2) < 1e-6 and float(path.times[-1]) > 2 * _JOINED_S


class Bounds:
    """A node, a body that follows it, and how much of the bounds was used."""

    def __init__(self, harness: Harness, checkpoint: str, seed: int) -> None:
        self.harness = harness
        self.received: list[JointTrajectory] = []
        self._random = Random(seed)
        self._body = JointPlayer(_PROFILE.names)
        self._limits = np.inf, np.inf
        self.used: dict[str, list[float]] = {}
        parameters = {'checkpoint': checkpoint, 'device': 'cpu', 'refuse_unknown': False}
        harness.start('generate_node', parameters)
        harness.listen(JointTrajectory, 'joint_trajectory', self._follow)
        self._commands = harness.node.create_publisher(String, 'command', 10)
        self._setter = harness.node.create_client(SetParameters, 'generate_node/set_parameters')
        harness.until_active('/generate_node')
        harness.until(self._commands.get_subscription_count, 'an ear for command')

    def run(self, bounds: tuple[float, float], motions: int) -> list[Row]:
        """Have ``motions`` made within ``bounds`` (0.0: the body's own); return what was found.

        Raises:
            FailedError: the node ends, or does not answer.
        """
        velocity, acceleration = bounds
        self._set(max_joint_velocity=velocity, max_joint_acceleration=acceleration)
        self._limits = (
            np.minimum(_PROFILE.velocity_limits, velocity or np.inf),
            acceleration or np.inf,
        )
        # The motion that plays was made within other bounds.
        self.harness.call('generate_node/cancel')
        self.harness.spin_for(1.0)
        self.used = {name: [] for name in ('speed', 'acceleration', 'speed to', 'acceleration to')}
        self.used['beyond'] = []
        self.received.clear()
        stops = sum(self._move() for _ in tqdm(range(motions), unit='motions', disable=None))
        name = (
            f'bounds {velocity:g} rad/s, {acceleration:g} rad/s^2' if any(bounds) else 'own bounds'
        )
        resting = sum(not np.any(m.points[-1].velocities) for m in self.received)
        rows = [
            Row(f'{name}: trajectories, {stops} stops among them', len(self.received), ''),
            Row(f'{name}: of these, end in motion', len(self.received) - resting, '', 0.0),
            Row(f'{name}: largest speed', max(self.used['speed']), 'of bound', _ROUNDING),
        ]
        farthest = np.rad2deg(max(self.used['beyond']))
        rows.append(Row(f'{name}: farthest beyond a position limit', farthest, 'degrees', 2.0))
        if acceleration:
            most = max(self.used['acceleration'])
            rows.append(Row(f'{name}: largest acceleration', most, 'of bound', _ROUNDING))
        for what in ('speed', 'acceleration') if acceleration else ('speed',):
            most = max(self.used[f'{what} to'])
            rows.append(Row(f'{name}: {what} on the way to a first point', most, 'of bound'))
        return rows

    def _move(self) -> bool:
        """Give a command, wait for it, perhaps cancel it; return whether it was stopped."""
        harness, before = self.harness, len(self.received)
        self._commands.publish(String(data=self._random.choice(SENTENCES)))
        harness.until(lambda: len(self.received) > before, 'a trajectory')
        harness.spin_for(self._random.uniform(0.0, _LONGEST_WAIT_S))
        if self._random.random() > _CANCELLED:
            return False
        if 'playing' not in harness.call('generate_node/cancel')[1]:
            return False
        harness.until(lambda: len(self.received) > before + 1, 'a stop')
        return True

    def _follow(self, message: JointTrajectory) -> None:
        """Judge a trajectory, and follow it as a controller does."""
        self.received.append(message)
        path = joint_path(message)
        positions, _ = path.sample(np.arange(path.times[0], path.times[-1], 0.005))
        self.used['beyond'].append(float(beyond(positions, _PROFILE.position_limits).max()))
        now_s = time.monotonic()
        here, rates = self._body.sample(now_s)
        way = JointPath(
            np.array([0.0, path.times[0]]),
            np.stack([here, path.positions[0]]),
            np.stack([rates, path.velocities[0]]),
        )
        self._body.follow(tuple(message.joint_names), path, now_s, now_s)
        # A body that moves is told the way to where the motion is joined as well.
        own = (
            later(path, int(np.searchsorted(path.times, _JOINED_S))) if _on_the_way(path) else path
        )
        for suffix, judged in (('', own), (' to', way)):
            speed, acceleration = extreme_rates(judged.times, judged.positions, judged.velocities)
            self.used[f'speed{suffix}'].append(float(np.max(speed / self._limits[0])))
            self.used[f'acceleration{suffix}'].append(
                float(np.max(acceleration / self._limits[1]))
            )

    def _set(self, **values: float) -> None:
        parameters = [Parameter(name, value=value) for name, value in values.items()]
        request = SetParameters.Request(parameters=[p.to_parameter_msg() for p in parameters])
        self.harness.until(self._setter.service_is_ready, 'set_parameters')
        future = self._setter.call_async(request)
        self.harness.until(future.done, 'parameters to be set')
        if not all(result.successful for result in future.result().results):
            raise FailedError(f'{values} were refused')


def main(argv: Sequence[str] | None = None) -> int:
    """Return 0 if all bounds hold."""
    parser = argparse.ArgumentParser(prog='python -m benchmarks.bounds', description=__doc__)
    parser.add_argument('--motions', type=int, default=MOTIONS, help='within each set of bounds')
    parser.add_argument('--seed', type=int, default=0, help='of sentences and moments')
    parser.add_argument('--checkpoint', default='', help='folder of the model (the shipped one)')
    options = parser.parse_args(argv)

    def run(harness: Harness) -> list[Row]:
        bounds = Bounds(harness, options.checkpoint, options.seed)
        return [row for pair in BOUNDS for row in bounds.run(pair, options.motions)]

    return report(run)


if __name__ == '__main__':
    sys.exit(main())
