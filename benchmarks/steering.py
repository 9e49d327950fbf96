# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""``python -m benchmarks.steering``: does a body go where it is steered, and do its feet stay?

generate_node runs as a process with ``steering``; a body that follows what it publishes is looked
at. For each velocity, goal and path: how far off the body is (of a velocity in the mean after the
first second, of a goal where it stands, of a path at the worst), the slide of its feet on the
floor [m/s] and its lowest joint of a foot [cm]. ``--data PACK`` prints the slide of real walks.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
from geometry_msgs.msg import PoseStamped, Twist
from nav_msgs.msg import Path as PathMessage
from trajectory_msgs.msg import JointTrajectory, MultiDOFJointTrajectory

from benchmarks.followed import Followed
from benchmarks.harness import Harness
from benchmarks.table import circumstances
from mgpt3_ros.body.quaternions import Array
from mgpt3_ros.model.finishing.foot_lock import foot_slide
from mgpt3_ros.model.finishing.settling import is_stance
from mgpt3_ros.model.kinematics.heading import heading, turn, wrap
from mgpt3_ros.model.kinematics.skeleton import FOOT_JOINTS, FPS

VELOCITIES = {
    'ahead': (1.0, 0.0, 0.0),
    'slowly ahead': (0.4, 0.0, 0.0),
    'fast ahead': (1.5, 0.0, 0.0),
    'back': (-0.6, 0.0, 0.0),
    'to the left': (0.0, 0.4, 0.0),
    'to the right': (0.0, -0.4, 0.0),
    'turning on the spot': (0.0, 0.0, 0.8),
    'in a curve': (0.8, 0.0, -0.5),
    'ahead, aside and turning': (0.6, 0.3, 0.3),
}
GOALS = {  # ahead, left [m] and yaw [degrees] in base_link
    '2 m ahead': (2.0, 0.0, 0.0),
    '3 m to the left, facing back': (0.0, 3.0, 180.0),
    '1.5 m behind': (-1.5, 0.0, 0.0),
    '30 cm aside': (0.0, -0.3, 0.0),
    'a turn on the spot': (0.0, 0.0, -120.0),
    '4 m ahead, 2 m right, facing right': (4.0, -2.0, -90.0),
}
_WAY = np.linspace(0.0, 1.0, 60)
PATHS = {  # ahead, left [m] in base_link
    'straight on, 4 m': np.array([(0, 0), (4, 0)], dtype=float),
    'a corner': np.array([(0, 0), (2, 0), (2, 2)], dtype=float),
    'a square': np.array([(0, 0), (2, 0), (2, 2), (0, 2), (0, 0)], dtype=float),
    'a circle': np.stack([np.sin(2 * np.pi * _WAY), 1 - np.cos(2 * np.pi * _WAY)], axis=1),
    'waves': np.stack([6 * _WAY, 0.8 * np.sin(2 * np.pi * _WAY)], axis=1),
}
VELOCITY_S = 6.0
_LATER_S = 1.5  # from where a velocity is judged
LOCOMOTION = ('walk', 'walk-back', 'walk-left', 'walk-right', 'walk-turn-left', 'walk-turn-right')


class Steered:
    """A node that is steered, and the body that follows it."""

    def __init__(self, harness: Harness, checkpoint: str) -> None:
        self.harness = harness
        self.body = Followed()
        self.ends = 0
        parameters = {'checkpoint': checkpoint, 'device': 'cpu', 'steering': True, 'seed': 0}
        # On a busy machine messages come late: that is not what is measured here.
        parameters |= {'stamp_mode': 'now', 'cmd_vel_timeout_s': 5.0}
        harness.start('generate_node', parameters)
        harness.listen(
            JointTrajectory,
            'joint_trajectory',
            lambda message: self.body.hear_joints(message, time.time()),
        )
        harness.listen(
            MultiDOFJointTrajectory,
            'base_trajectory',
            lambda message: self.body.hear_base(message, time.time()),
        )
        node = harness.node
        self._velocities = node.create_publisher(Twist, 'cmd_vel', 1)
        self._goals = node.create_publisher(PoseStamped, 'goal_pose', 1)
        self._paths = node.create_publisher(PathMessage, 'path', 1)
        harness.until_active('/generate_node')
        for publisher in (self._velocities, self._goals, self._paths):
            harness.until(publisher.get_subscription_count, 'an ear for what steers')

    def at(self, velocity: tuple[float, float, float]) -> Array:
        """Steer at a velocity for ``VELOCITY_S``, then let the body rest; return its frames."""
        ends, begun_s = self._ended(), time.time()
        message = Twist()
        message.linear.x, message.linear.y, message.angular.z = velocity
        heard = self.harness.heard['joint_trajectory']
        while self.harness.heard['joint_trajectory'] == heard:
            self._velocities.publish(message)
            self.harness.spin_for(0.05)
        begun_s = time.time()
        while time.time() < begun_s + VELOCITY_S:
            self._velocities.publish(message)
            self.harness.spin_for(0.05)
        self._velocities.publish(Twist())
        self.harness.until(lambda: self._ended() > ends, 'rest')
        return self.body.frames(begun_s, time.time())

    def to(self, message: PoseStamped | PathMessage) -> Array:
        """Send a goal or a path; return the frames until the body stands there."""
        ends, begun_s = self._ended(), time.time()
        message.header.frame_id = 'base_link'
        publisher = self._goals if isinstance(message, PoseStamped) else self._paths
        publisher.publish(message)
        self.harness.until(lambda: self._ended() > ends, 'the goal')
        return self.body.frames(begun_s, time.time())

    def _ended(self) -> int:
        return self.harness.statuses['done'] + self.harness.statuses['stopped']


def posed(ahead: float, left: float, yaw: float) -> PoseStamped:
    """A pose ahead and to the left [m], turned by a yaw [rad]."""
    message = PoseStamped()
    message.pose.position.x, message.pose.position.y = float(ahead), float(left)
    message.pose.orientation.z = float(np.sin(yaw / 2))
    message.pose.orientation.w = float(np.cos(yaw / 2))
    return message


def seen_from(frames: Array, place: Array, yaw: float) -> Array:
    """Pelvis (T, 2) [m] ahead and left of a place, as who faces ``yaw`` there sees it."""
    off = frames[:, 0][:, [0, 2]] - place
    left, ahead = turn(off[:, 0], off[:, 1], -yaw)
    return np.stack([ahead, left], axis=1)


def of_velocity(frames: Array, asked: tuple[float, float, float]) -> tuple[float, float]:
    """Errors of the mean velocity [m/s] and of the rate of turning [rad/s]."""
    first, last = round(_LATER_S * FPS), round(VELOCITY_S * FPS)
    # Whole steps only: the pelvis sways within them.
    yaws = np.unwrap(heading(frames[first:last]))
    steps = np.diff(frames[first:last, 0], axis=0)
    left, ahead = turn(steps[:, 0], steps[:, 2], -0.5 * (yaws[1:] + yaws[:-1]))
    rate = float(np.polyfit(np.arange(len(yaws)) / FPS, yaws, 1)[0])
    error = np.hypot(ahead.mean() * FPS - asked[0], left.mean() * FPS - asked[1])
    return float(error), abs(rate - asked[2])


def off_path(places: Array, path: Array) -> float:
    """The largest distance [m] of places (T, 2) from a path (N, 2) of straight pieces."""
    parts = np.diff(path, axis=0)
    since = places[:, None] - path[None, :-1]
    share = (since * parts).sum(axis=-1) / (parts**2).sum(axis=-1)
    nearest = np.clip(share, 0.0, 1.0)[..., None] * parts
    return float(np.linalg.norm(since - nearest, axis=-1).min(axis=1).max())


def line(name: str, error: str, frames: Array) -> str:
    """A row of the table."""
    lowest = 100 * float(frames[:, FOOT_JOINTS, 1].min())
    stance = 'yes' if is_stance(frames[-1]) else 'NO'
    return f'| {name} | {error} | {foot_slide(frames, FPS):.3f} | {lowest:.1f} | {stance} |'


def real_slide(data: Path) -> float:
    """The slide of the feet of real walks [m/s], in the mean over clips."""
    from mgpt3_ros.training.data.packs import load_pack

    clips = [clip for clip in load_pack(data).val if clip.action in LOCOMOTION]
    return float(np.mean([foot_slide(clip.joints, FPS) for clip in clips]))


def main(argv: list[str] | None = None) -> int:
    """Print a table for velocities, goals and paths."""
    parser = argparse.ArgumentParser(prog='python -m benchmarks.steering', description=__doc__)
    parser.add_argument('--checkpoint', default='', help='folder of the model (the shipped one)')
    parser.add_argument('--data', type=Path, help='folder of the mocap22 pack, for real walks')
    arguments = parser.parse_args(argv)
    print(circumstances())
    if arguments.data is not None:
        print(f'real walks: slide {real_slide(arguments.data):.3f} m/s')
    print('| steered | off | slide [m/s] | lowest [cm] | ends in a stance |')
    print('|---|---|---|---|---|')
    with Harness() as harness:
        steered = Steered(harness, arguments.checkpoint)
        for name, velocity in VELOCITIES.items():
            frames = steered.at(velocity)
            speed, rate = of_velocity(frames, velocity)
            print(line(f'cmd_vel {name}', f'{speed:.2f} m/s, {rate:.2f} rad/s', frames))
        for name, (ahead, left, degrees) in GOALS.items():
            frames = steered.to(posed(ahead, left, np.deg2rad(degrees)))
            yaws = heading(frames[[0, -1]])
            end = seen_from(frames, frames[0, 0, [0, 2]], float(yaws[0]))[-1]
            turned = np.degrees(wrap(yaws[1] - yaws[0] - np.deg2rad(degrees)))
            off = 100 * np.hypot(*(end - (ahead, left)))
            print(line(f'goal_pose {name}', f'{off:.1f} cm, {abs(turned):.1f} degrees', frames))
        for name, path in PATHS.items():
            message = PathMessage(poses=[posed(ahead, left, 0.0) for ahead, left in path])
            frames = steered.to(message)
            places = seen_from(frames, frames[0, 0, [0, 2]], float(heading(frames[0])))
            worst = f'{100 * off_path(places, path):.1f} cm'
            print(line(f'path {name}', worst, frames))
    return 0


if __name__ == '__main__':
    raise SystemExit(main())
