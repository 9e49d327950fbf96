# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""``mgpt3 bag-info``: what a bag holds, and whether it can be captioned."""

from __future__ import annotations

import argparse
import datetime
import sys
from typing import TYPE_CHECKING

from mgpt3_ros.cli.bag_options import add_bag_argument, known_robots, say_what_was_wrong
from mgpt3_ros.model.errors import RobotError

if TYPE_CHECKING:
    from mgpt3_ros.bags import Bag

SUMMARY = 'what a bag of ROS 2 holds'
DESCRIPTION = """\
Show the topics of a rosbag2 (sqlite3 or mcap), and which of them tell of a body that mgpt3 can
caption. ROS need not be installed. An mcap file that breaks off is read as far as it goes.
"""
EXAMPLES = """\
  mgpt3 bag-info recording
  mgpt3 bag-info recording/recording_0.mcap
"""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add_bag_argument(parser)


def run(arguments: argparse.Namespace) -> int:
    """Write a description to standard output."""
    from mgpt3_ros.bags import open_bag

    with open_bag(arguments.bag) as bag:
        sys.stdout.write('\n'.join(_lines(bag)) + '\n')
        say_what_was_wrong(bag)
    return 0


def _lines(bag: Bag) -> list[str]:
    packed = '' if bag.compression == 'none' else f', compressed by {bag.compression}'
    count = sum(topic.count for topic in bag.topics)
    lines = [f'{bag.path}: {bag.storage}{packed}, {count} messages']
    if count:
        began = datetime.datetime.fromtimestamp(bag.start_ns * 1e-9, datetime.UTC)
        length = (bag.end_ns - bag.start_ns) * 1e-9
        lines.append(f'{length:.2f} s from {began:%Y-%m-%d %H:%M:%S} UTC on')
    width = max((len(topic.name) for topic in bag.topics), default=0)
    for topic in bag.topics:
        about = _body(bag, topic.name, topic.type)
        lines.append(f'  {topic.name:{width}}  {topic.count:>8}  {topic.type}{about}')
    return lines


def _body(bag: Bag, name: str, kind: str) -> str:
    """Say which body a topic of joint states tells of; '' for other topics."""
    from mgpt3_ros.bags import BagError, find_body
    from mgpt3_ros.bags.messages import JOINT_STATE

    if kind != JOINT_STATE:
        return ''
    try:
        body = find_body(bag, name, robots=known_robots())
    except BagError:
        return '  (no body that mgpt3 knows)'
    except RobotError as error:
        return f'  (a robot: {error})'
    return f'  (a body: {body.profile_name}, {body.odometry or "no odometry"})'
