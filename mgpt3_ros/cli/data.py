# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""``mgpt3 data``: makes a data set of own motions, and looks for mistakes in one."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mgpt3_ros.cli.bag_options import add_which_body, known_robots
from mgpt3_ros.cli.options import add_reading_options, new_parser, reading_options
from mgpt3_ros.cli.robot_files import add_robot_option, reader_of, robot_of

if TYPE_CHECKING:
    from mgpt3_ros.training.data.building import BuildOptions, BuildReport

SUMMARY = 'make a data set of own motions, or check one'
DESCRIPTION = 'Make a data set that `mgpt3 train` takes, or look for mistakes in one.'
EXAMPLES = """\
  mgpt3 data check captures
  mgpt3 data build captures -o captures-hml
  mgpt3 data build captures -o captures-hml --skeleton studio.yaml
  mgpt3 data build walks -o walks-hml --robot g1
  mgpt3 data check HumanML3D
"""
BUILD = """\
Make a data set in HumanML3D's layout (features, joints, captions, statistics, split lists) of a
folder of .npy, .npz and .bvh files and rosbags (of joint states, with odometry), each with its
captions in a .txt beside it: one a line, or caption#tokens#start#end for a part of the motion, in
seconds. Joints are (T, 22, 3) in metres; other skeletons are put on the 22 joints.
What cannot be used is left out and named; -o is written whole or not at all.
"""
CHECK = """\
Look through a data set and write a line for each mistake: the file, and what is wrong with it
(damaged files, NaN, wrong lengths, missing captions, wrong units and axes, swapped sides). FOLDER
is in HumanML3D's layout, a pack (mocap22, motion52), or a folder as `mgpt3 data build` takes. The
exit code is 1 if something is wrong.
"""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare the two parts of the command."""
    parts = parser.add_subparsers(title='parts', metavar='PART', required=True)
    build = new_parser(
        parts, 'build', 'make a data set', BUILD, '  mgpt3 data build captures -o captures-hml\n'
    )
    build.add_argument('folder', type=Path, metavar='FOLDER', help='own motions and captions')
    build.add_argument(
        '-o', '--output', type=Path, required=True, metavar='OUT', help='new folder to write'
    )
    add_building_options(build)
    build.set_defaults(part=build_data)
    check = new_parser(
        parts, 'check', 'look for mistakes', CHECK, '  mgpt3 data check HumanML3D\n'
    )
    check.add_argument('folder', type=Path, metavar='FOLDER', help='data set or own motions')
    _add_reading_options(check)
    check.set_defaults(part=check_data)


def add_building_options(parser: argparse.ArgumentParser) -> None:
    """Declare how own files are read, and a data set is made of them."""
    _add_reading_options(parser)
    parser.add_argument(
        '--own-bones',
        action='store_true',
        help='keep the bone lengths (default: those of one body, as in HumanML3D)',
    )
    parser.add_argument(
        '--val', type=_share, default=0.05, metavar='SHARE', help='for validation (default: 0.05)'
    )
    parser.add_argument(
        '--test', type=_share, default=0.15, metavar='SHARE', help='for testing (default: 0.15)'
    )
    parser.add_argument('--seed', type=int, default=0, help='of the split (default: 0)')


def building_options(arguments: argparse.Namespace) -> BuildOptions:
    """Return what was said by the options of :func:`add_building_options`."""
    from mgpt3_ros.training.data.building import BuildOptions

    return BuildOptions(
        **_reading(arguments),
        own_bones=arguments.own_bones,
        val_share=arguments.val,
        test_share=arguments.test,
        seed=arguments.seed,
    )


def _add_reading_options(parser: argparse.ArgumentParser) -> None:
    add_reading_options(parser)
    add_which_body(parser)
    add_robot_option(parser, 'whose motion .csv and .npz files of robots are')


def _reading(arguments: argparse.Namespace) -> dict[str, Any]:
    """Fields of ``ReadOptions``."""
    return {
        **reading_options(arguments),
        'topic': arguments.topic,
        'odometry': '' if arguments.odom == 'none' else arguments.odom,
        'profile': arguments.profile,
        'body_id': arguments.body_id,
        'robots': known_robots(),
        **reader_of(robot_of(arguments), arguments.fps),
    }


def _share(text: str) -> float:
    share = float(text)
    if not 0 <= share < 0.5:
        raise argparse.ArgumentTypeError(f'{text}: give a share from 0 to below 0.5')
    return share


def run(arguments: argparse.Namespace) -> int:
    """Do the part that was asked for."""
    return arguments.part(arguments)


def build_data(arguments: argparse.Namespace) -> int:
    """Build, say what was left out on stderr, and what was made in one line."""
    from mgpt3_ros.training.data.building import build_dataset

    report = build_dataset(arguments.folder, arguments.output, building_options(arguments))
    say_remarks(report)
    counts = ', '.join(f'{len(names)} {split}' for split, names in report.splits.items())
    left = sum(map(len, report.skipped.values()))
    sys.stdout.write(f'{arguments.output}: {counts}; {left} left out\n')
    return 0


def say_remarks(report: BuildReport) -> None:
    """Say on stderr what had to be assumed, and what was left out."""
    for name, remarks in report.remarks.items():
        for remark in remarks:
            sys.stderr.write(f'{name}: {remark}\n')
    for reason, names in report.skipped.items():
        for name in names:
            sys.stderr.write(f'left out {name}: {reason}\n')


def check_data(arguments: argparse.Namespace) -> int:
    """Write a line per mistake; return 1 if there are any."""
    from mgpt3_ros.training.data.checking import check_dataset
    from mgpt3_ros.training.data.takes import ReadOptions

    found = check_dataset(arguments.folder, ReadOptions(**_reading(arguments)))
    for problem in found.problems:
        sys.stdout.write(f'{problem.file}: {problem.what}\n')
    files = len({problem.file for problem in found.problems})
    sys.stdout.write(
        f'{arguments.folder}: {found.motions} motions, '
        f'{len(found.problems)} problems in {files} files\n'
    )
    return 1 if found.problems else 0
