# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""``mgpt3 robot``: which robots there are, whether one's mapping fits, and how one moves."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from mgpt3_ros.cli.options import add_reading_options, load_motion, new_parser
from mgpt3_ros.cli.outputs import add_picture_option
from mgpt3_ros.cli.robot_files import add_robot_option
from mgpt3_ros.model.errors import RobotError

if TYPE_CHECKING:
    from mgpt3_ros.robots import Robot, RobotMotion

SUMMARY = 'robots: which there are, whether one fits, how one moves'
DESCRIPTION = 'Show the robots that motion can be put on, look a mapping through, draw one.'
EXAMPLES = """\
  mgpt3 robot list
  mgpt3 robot check g1
  mgpt3 robot check my_robot.yaml
  mgpt3 robot check walk.npz --robot g1
  mgpt3 robot show talos -o talos.png
"""
CHECK = """\
Look a robot's mapping through: links, sides, the pose in which it stands, limits. With a motion
and --robot, say how the robot would do that motion: limits and speed, degrees off the human, feet,
and with the extra "sim" what physics says. The exit code is 1 if the mapping is wrong.
"""
SHOW = """\
Draw a human and a robot side by side, doing the same: a motion file, or a pose with one arm up.
"""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare the parts of the command."""
    parts = parser.add_subparsers(title='parts', metavar='PART', required=True)
    listed = new_parser(
        parts, 'list', 'robots that come with mgpt3', 'List robots.', '  mgpt3 robot list\n'
    )
    listed.set_defaults(part=list_robots)
    check = new_parser(
        parts, 'check', 'look a mapping or a motion through', CHECK, '  mgpt3 robot check g1\n'
    )
    check.add_argument(
        'what', metavar='NAME|FILE', help='a robot, its YAML file, or with --robot a motion file'
    )
    add_robot_option(check, 'whose motion the file is to be')
    add_reading_options(check)
    check.set_defaults(part=check_robot_or_motion)
    show = new_parser(
        parts, 'show', 'draw human and robot', SHOW, '  mgpt3 robot show g1 -o g1.png\n'
    )
    show.add_argument('robot', metavar='NAME|FILE', help='a robot, or its YAML file')
    show.add_argument(
        '--motion', type=Path, metavar='FILE', help='what they do (default: raise the left arm)'
    )
    add_reading_options(show)
    add_picture_option(show)
    show.set_defaults(part=show_robot)


def run(arguments: argparse.Namespace) -> int:
    """Do the part that was asked for."""
    return arguments.part(arguments)


def list_robots(_: argparse.Namespace) -> int:
    """Write a line for each robot, and how its model is had where it is missing."""
    from mgpt3_ros.robots import Robot, robot_names
    from mgpt3_ros.robots.config import load_robot_config
    from mgpt3_ros.robots.packages import config_file

    for name in robot_names():
        config = load_robot_config(config_file(name))
        try:
            joints = f'{len(Robot.from_name_or_file(name).joint_names)} joints'
        except RobotError:
            joints = f'model not here: {config.models}'
        sys.stdout.write(f'{name:8}{config.description}: {joints}\n')
    return 0


def check_robot_or_motion(arguments: argparse.Namespace) -> int:
    """Write what is wrong; return 1 if something is."""
    from mgpt3_ros.robots import Robot

    if arguments.robot is not None:
        robot = Robot.from_name_or_file(arguments.robot)
        sys.stdout.write(''.join(f'{line}\n' for line in _of_motion(robot, arguments)))
        return 0
    from mgpt3_ros.robots.checks import check_robot

    if Path(arguments.what).suffix.lower() in ('.npz', '.npy', '.bvh', '.csv'):
        raise RobotError(f'{arguments.what} is a motion: say of which robot, --robot NAME')
    robot = Robot.from_name_or_file(arguments.what)
    found = check_robot(robot)
    for line in (*found.problems, *(f'(note) {remark}' for remark in found.remarks)):
        sys.stdout.write(f'{line}\n')
    sys.stdout.write(
        f'{robot.name}: {len(robot.joint_names)} joints in {len(robot.controllers)} controllers, '
        f'{len(robot.config.follows)} links that follow, base {robot.base_height:.2f} m high; '
        f'{len(found.problems)} problems\n'
    )
    return 1 if found.problems else 0


def show_robot(arguments: argparse.Namespace) -> int:
    """Draw, and say where."""
    from mgpt3_ros.robots import Robot
    from mgpt3_ros.robots.picture import arm_raised, draw_side_by_side

    robot = Robot.from_name_or_file(arguments.robot)
    motion = arm_raised() if arguments.motion is None else load_motion(arguments.motion, arguments)
    for remark in draw_side_by_side(robot, motion, arguments.output):
        sys.stderr.write(f'{remark}\n')
    sys.stdout.write(f'{robot.name} beside the human: {arguments.output}\n')
    return 0


def _of_motion(robot: Robot, arguments: argparse.Namespace) -> list[str]:
    """Say how a robot does a motion: a human's that is put on it, or a file of its own."""
    from mgpt3_ros.robots import load_robot_motion, retarget, slowed
    from mgpt3_ros.robots.files import is_robot_file
    from mgpt3_ros.robots.lacking import lacking
    from mgpt3_ros.robots.pace import told

    path = Path(arguments.what)
    if path.is_file() and is_robot_file(path):
        motion = load_robot_motion(path, robot, arguments.fps)
        lines = []
    else:
        human = load_motion(path, arguments)
        motion = retarget(robot, human.joints, human.fps)
        lines = [*lacking(robot, human), *_followed(robot, human.joints, motion)]
    slow, slower = slowed(robot, motion)
    lines.append(told(robot, slower) or f'{robot.name}: as fast as it was; no joint is too fast')
    return [*lines, *_physics(robot, slow)]


def _followed(robot: Robot, joints: object, motion: RobotMotion) -> list[str]:
    from mgpt3_ros.robots.quality import quality, sentences

    return sentences(quality(robot, joints, motion))  # type: ignore[arg-type]


def _physics(robot: Robot, motion: RobotMotion) -> list[str]:
    """Say what MuJoCo finds, or how it is had."""
    from mgpt3_ros.model.errors import MissingExtraError

    try:
        from mgpt3_ros.robots.physics import Physics
    except MissingExtraError as error:
        return [f'physics is not looked at: {error}']
    return Physics(robot).check(motion).sentences()
