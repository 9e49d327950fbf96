# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""``mgpt3 predict-bag``: what a body in a bag may do next."""

from __future__ import annotations

import argparse
import itertools
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from mgpt3_ros.cli import bag_options, options
from mgpt3_ros.cli.outputs import add_output_option, avatar_of, names, write_motion

if TYPE_CHECKING:
    from mgpt3_ros.bags import Bag, Body, Windows
    from mgpt3_ros.model.motion import Motion

    Follow = Callable[[Motion], Motion]  # from what was observed to what follows

SUMMARY = 'what a body in a bag of ROS 2 may do next'
DESCRIPTION = """\
Continue the motion in a rosbag2 (sqlite3 or mcap, compressed or not): with -o from one moment, the
end of the bag or --at; with --write-bag at every stride, as predicted_trajectory and
predicted_base_trajectory, stamped with the last frame that was observed. ROS need not be
installed.
"""
EXAMPLES = """\
  mgpt3 predict-bag recording --at 12.5 --horizon 2 -o next.mp4 -o next.npz
  mgpt3 predict-bag recording --stride 0.5 --write-bag recording_with_forecasts
"""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    bag_options.add_bag_argument(parser)
    add_output_option(parser, required=False)
    bag_options.add_write_bag_option(parser, 'forecasts as trajectories')
    since = 'moment since the beginning of BAG from which -o goes on'
    options.add_seconds_option(parser, '--at', None, since, 'the end')
    options.add_seconds_option(parser, '--horizon', 2.0, 'how far to look ahead')
    bag_options.add_body_options(parser, stride_s=1.0)
    options.add_model_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Predict, write, and say what was done in a line for each kind of output."""
    from mgpt3_ros.bags import MIN_WINDOW_S, Windows, open_bag
    from mgpt3_ros.model.errors import MotionError

    if not arguments.output and arguments.write_bag is None:
        raise MotionError('nothing to write: give -o FILE or --write-bag OUT')
    with open_bag(arguments.bag) as bag:
        body = bag_options.body_of(bag, arguments)
        windows = Windows(body.profile, arguments.window, arguments.stride)
        model = options.load_model(arguments)
        sampling = options.drawing_options(arguments)

        def follow(observed: Motion) -> Motion:
            return model.predict(observed, arguments.horizon, sampling=sampling)

        if arguments.output:
            _predict_once(arguments, bag, body, windows, follow)
        if arguments.write_bag is not None:
            # A forecast needs a second of motion, not a whole window.
            lengths = arguments.window, arguments.stride
            windows = Windows(body.profile, *lengths, first_s=MIN_WINDOW_S)
            count = _predict_all(arguments, bag, body, windows, follow)
            sys.stdout.write(f'{bag_options.counted(count, "forecast")}: {arguments.write_bag}\n')
        bag_options.say_what_was_wrong(bag, windows)
    return 0


def _predict_once(
    arguments: argparse.Namespace, bag: Bag, body: Body, windows: Windows, follow: Follow
) -> None:
    """Continue from one moment, and write what follows as a motion."""
    from mgpt3_ros.bags import body_windows
    from mgpt3_ros.model.errors import MotionError

    avatar = avatar_of(arguments)
    at_s = (bag.end_ns - bag.start_ns) * 1e-9 if arguments.at is None else arguments.at
    last_ns = bag.start_ns + round(at_s * 1e9)
    messages = bag_options.read_with_progress(bag, body.topics)
    messages = itertools.takewhile(lambda message: message.recorded_ns <= last_ns, messages)
    for _ in body_windows(body, messages, windows):
        pass
    window = windows.latest()
    if window is None:
        raise MotionError(
            f'less than a second of motion without a gap before {at_s:.2f} s: give another --at'
        )
    predicted = follow(window.motion)
    write_motion(predicted, arguments.output, avatar=avatar)
    sys.stdout.write(
        f'{predicted.duration_s:.2f} s that follow {at_s:.2f} s of {arguments.bag}, '
        f'seed {arguments.seed}: {names(arguments.output)}\n'
    )


def _predict_all(
    arguments: argparse.Namespace, bag: Bag, body: Body, windows: Windows, follow: Follow
) -> int:
    """Copy the bag with a forecast at every window; return how many there are."""
    from mgpt3_ros.bags import BagCopy
    from mgpt3_ros.bags.messages import BASE_TRAJECTORY, JOINT_TRAJECTORY, trajectory_messages
    from mgpt3_ros.body.from_motion import following

    joint_topic = bag_options.beside(body.joint_topic, 'predicted_trajectory')
    base_topic = bag_options.beside(body.joint_topic, 'predicted_base_trajectory')
    added = {joint_topic: JOINT_TRAJECTORY, base_topic: BASE_TRAJECTORY}
    count = 0
    with BagCopy(arguments.write_bag, bag, added) as copy:
        for window in bag_options.read_windows(bag, body, windows, copy):
            predicted = follow(window.motion)
            ahead = following(window.observed, window.motion, predicted, body.profile)
            joints, base = trajectory_messages(ahead, window.end_ns, 'map', 'base_link')
            copy.add(joint_topic, window.recorded_ns, joints)
            copy.add(base_topic, window.recorded_ns, base)
            count += 1
    return count
