# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The option ``--robot``, and files of robots' motion beside those of the human's."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mgpt3_ros.cli import options
from mgpt3_ros.cli.outputs import motion_file, output_file, write_motion
from mgpt3_ros.model.errors import RobotError

if TYPE_CHECKING:
    from mgpt3_ros.model.formats.avatars import Avatar
    from mgpt3_ros.model.motion import Motion
    from mgpt3_ros.robots import Robot

ROBOT_SUFFIXES = ('.csv', '.npz')


def add_robot_option(parser: Any, what: str) -> None:
    """Declare ``--robot``; ``what`` says what it is for."""
    parser.add_argument(
        '--robot',
        metavar='NAME',
        help=f'{what}; a name that `mgpt3 robot list` shows, or a YAML file (docs/robots.md)',
    )


def add_robot_only_option(parser: Any) -> None:
    """Declare that pages show the robot alone."""
    parser.add_argument(
        '--robot-only', action='store_true', help="pages show the robot in the human's place"
    )


def motion_or_robot_file(text: str) -> Path:
    """Read the name of a file to write, which may also be a .csv of a robot's motion."""
    return output_file('.csv')(text) if text.lower().endswith('.csv') else motion_file(text)


def robot_of(arguments: argparse.Namespace) -> Robot | None:
    """Return the robot that was asked for, None without one.

    Raises:
        RobotError: it cannot be used, or a .csv or a page is to be of no robot.
    """
    if arguments.robot is None:
        if getattr(arguments, 'robot_only', False):
            raise RobotError('--robot-only shows a robot: give --robot too')
        written = getattr(arguments, 'output', [])
        for path in written if isinstance(written, list) else []:  # `data build` writes a folder
            if path.suffix.lower() == '.csv':
                raise RobotError(f'{path}: a .csv holds the motion of a robot: give --robot too')
        return None
    from mgpt3_ros.robots import Robot

    return Robot.from_name_or_file(arguments.robot)


def write_all(
    motion: Motion,
    paths: Sequence[Path],
    robot: Robot | None,
    avatar: Avatar | None = None,
    title: str | None = None,
    robot_only: bool = False,
) -> None:
    """Write a motion: a robot's to .csv and .npz where there is one, else the human's.

    A page shows both, or the robot only. A motion that a robot must do more slowly is slowed down
    as a whole, which is said on stderr.
    """
    own = [path for path in paths if robot is not None and path.suffix.lower() in ROBOT_SUFFIXES]
    others = [path for path in paths if path not in own]
    write_motion(motion, others, title, avatar, robot, robot_only)
    if robot is None or not own:
        return
    from mgpt3_ros.robots import retarget, save_robot_motion, slowed
    from mgpt3_ros.robots.lacking import lacking
    from mgpt3_ros.robots.pace import told

    moved, slower = slowed(robot, retarget(robot, motion.joints, motion.fps))
    for path in own:
        save_robot_motion(path, robot, moved)
    lines = [told(robot, slower), *lacking(robot, motion)]
    sys.stderr.write(''.join(f'{line}\n' for line in lines if line))


def load_any(path: Path, arguments: argparse.Namespace, robot: Robot | None) -> Motion:
    """Read a human's motion, or a robot's as the human's that it follows.

    Raises:
        MotionError, RobotError: it cannot be used.
    """
    from mgpt3_ros.robots.files import is_robot_file

    if path.is_file() and is_robot_file(path):
        if robot is None:
            raise RobotError(f'{path} holds the motion of a robot: say of which, --robot NAME')
        return robot_motion(path, arguments.fps, robot)
    return options.load_motion(path, arguments)


def robot_motion(path: Path, fps: float | None, robot: Robot) -> Motion:
    """Read a robot's motion as the human's that it follows."""
    from mgpt3_ros.model.motion import Motion
    from mgpt3_ros.robots import load_robot_motion, to_human

    moved = load_robot_motion(path, robot, fps)
    joints = to_human(robot, moved.positions, moved.base_pos, moved.base_rot)
    return Motion(joints.astype('float32'), moved.fps)


def reader_of(robot: Robot | None, fps: float | None) -> dict[str, Any]:
    """Return the fields of ``ReadOptions`` by which ``mgpt3 data`` reads a robot's files."""
    if robot is None:
        return {}
    from mgpt3_ros.training.data.takes import OtherFiles

    read = partial(_read_if_robot, fps=fps, robot=robot)
    return {'others': OtherFiles(f'motion of {robot.name}', ('.csv',), read)}


def _read_if_robot(path: Path, fps: float | None, robot: Robot) -> Motion | None:
    from mgpt3_ros.robots.files import is_robot_file

    return robot_motion(path, fps, robot) if is_robot_file(path) else None
