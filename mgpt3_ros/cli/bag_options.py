# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the commands on bags share: which body is meant, progress, and what is said at the end."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mgpt3_ros.cli.options import add_seconds_option

if TYPE_CHECKING:
    from mgpt3_ros.bags import Bag, BagCopy, Body, Recorded, Robots, Window, Windows

NO_ODOMETRY = 'no odometry: the body is taken to stay in place'
NOTHING = 'no second of motion without a gap: nothing to caption'
DROPPED = {
    'names': 'with a joint named twice',
    'lengths': 'with names and positions of different number',
    'coverage': 'with too few joints',
    'number': 'with numbers that are not finite',
    'old': 'older than the one before',
    'stamp': 'with a negative stamp',
    'base': 'of odometry with numbers that are not finite',
    'apart': 'of odometry with stamps far from those of the joint states',
    'damaged': 'that could not be read',
}


def add_bag_argument(parser: argparse.ArgumentParser) -> None:
    """Declare the bag."""
    parser.add_argument(
        'bag', type=Path, metavar='BAG', help='folder of a rosbag2, or its .mcap or .db3 file'
    )


def add_which_body(parser: argparse.ArgumentParser) -> Any:
    """Declare which body of a bag is meant; return the group of options."""
    group = parser.add_argument_group('body')
    group.add_argument(
        '--topic',
        metavar='NAME',
        help='its joint states (default: /joint_states, or the only ones)',
    )
    group.add_argument(
        '--odom',
        metavar='NAME',
        help='its odometry (default: odom beside the joint states, if it is there; none: without)',
    )
    group.add_argument(
        '--profile',
        default='auto',
        metavar='NAME',
        help='which joints it has: human_full, ros4hri, a robot that `mgpt3 robot list` shows, or '
        'its YAML file (default: as their names say)',
    )
    group.add_argument(
        '--body-id',
        default='',
        metavar='ID',
        help='suffix of the names of ros4hri (default: as their names say)',
    )
    return group


def add_body_options(parser: argparse.ArgumentParser, stride_s: float) -> None:
    """Declare which body of the bag is meant, and the windows in which it is read."""
    add_window_options(add_which_body(parser), stride_s)


def add_window_options(group: Any, stride_s: float) -> None:
    """Declare the windows in which a body is read."""
    add_seconds_option(group, '--window', 6.0, 'how much of the motion is looked at at once')
    add_seconds_option(group, '--stride', stride_s, 'time from one window to the next')


def body_of(bag: Bag, arguments: argparse.Namespace) -> Body:
    """Find the body that was asked for, and say on stderr which it is."""
    from mgpt3_ros.bags import find_body

    odometry = '' if arguments.odom == 'none' else arguments.odom
    which = arguments.topic, odometry, arguments.profile, arguments.body_id
    body = find_body(bag, *which, known_robots())
    where = body.odometry or NO_ODOMETRY
    sys.stderr.write(f'{body.joint_topic} ({body.profile_name}), {where}\n')
    return body


def known_robots() -> Robots:
    """Return how bags find the robots that come along, and those of a YAML."""
    from mgpt3_ros.bags import Robots
    from mgpt3_ros.robots import fitting_robot, robot_profile

    return Robots(robot_profile, fitting_robot)


def read_with_progress(bag: Bag, topics: Collection[str] | None) -> Iterator[Recorded]:
    """Read messages, with a bar on a terminal that says how far."""
    from tqdm import tqdm

    total = sum(t.count for t in bag.topics if topics is None or t.name in topics)
    with tqdm(
        total=total, unit=' messages', unit_scale=True, leave=False, disable=None
    ) as progress:
        for message in bag.messages(topics):
            progress.update()
            yield message


def read_windows(
    bag: Bag, body: Body, windows: Windows, copy: BagCopy | None = None
) -> Iterator[Window]:
    """Read a bag through, all of it into ``copy`` if there is one; give the body's windows."""
    from mgpt3_ros.bags import body_windows

    messages = read_with_progress(bag, None if copy else body.topics)
    for message, done in body_windows(body, messages, windows):
        if copy and message is not None:
            copy.copy(message)
        yield from done


def say_what_was_wrong(bag: Bag, windows: Windows | None = None) -> None:
    """Say on stderr what :func:`what_was_wrong` finds."""
    for line in what_was_wrong(bag, windows):
        sys.stderr.write(f'warning: {line}\n')


def what_was_wrong(bag: Bag, windows: Windows | None = None) -> list[str]:
    """Return where files break off, and which messages were left out, a line each."""
    found = list(bag.broken)
    dropped = windows.buffer.dropped if windows else {}
    found += [f'{count} messages {DROPPED[kind]} were left out' for kind, count in dropped.items()]
    if windows and windows.apart:
        found.append(
            f'odometry does not fit in {windows.apart} of {windows.windows} windows: the body is '
            'taken to stay in place there'
        )
    return found


def output_folder(text: str) -> Path:
    """Read the name of a bag to write for argparse: it must be new and have a place."""
    path = Path(text)
    if path.exists():
        raise argparse.ArgumentTypeError(f'{text} exists already: give a new name')
    if not path.absolute().parent.is_dir():
        raise argparse.ArgumentTypeError(f'there is no folder {path.parent} for {path.name}')
    return path


def beside(topic: str, name: str) -> str:
    """Return the topic ``name`` in the namespace of ``topic``."""
    return f'{topic.rpartition("/")[0]}/{name}'


def add_write_bag_option(parser: argparse.ArgumentParser, what: str) -> None:
    """Declare ``--write-bag``."""
    parser.add_argument(
        '--write-bag',
        type=output_folder,
        metavar='OUT',
        help=f'folder of a new bag to write: all of BAG, and {what}',
    )


def counted(count: int, what: str) -> str:
    """Return '1 window', '2 windows'."""
    return f'{count} {what}{"" if count == 1 else "s"}'
