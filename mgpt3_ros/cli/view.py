# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""``mgpt3 view``: a page in the browser, where sentences become bodies that move."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
import webbrowser
from pathlib import Path

from mgpt3_ros.cli import options
from mgpt3_ros.cli.robot_files import (
    add_robot_only_option,
    add_robot_option,
    load_any,
    robot_of,
)

SUMMARY = 'a page in the browser: type, and a body moves'
DESCRIPTION = """\
Open a page in the browser with a body in 3D: type what it does, play it, go on from it, go over
into another motion, and keep what you like. FILES are shown side by side, and the model is loaded
when it is first needed. Nothing is loaded from the network or shared on it: the page is for this
machine alone, unless --host says another address. Ctrl-C ends it.
"""
EXAMPLES = """\
  mgpt3 view
  mgpt3 view walk.npz take.bvh
  mgpt3 view walk.npz --robot g1        a robot does the same
  mgpt3 view --port 0 --no-browser      any free port; open its address yourself
"""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    what = 'motion to show (.npz, .npy, .bvh, .glb or .vrma, with --robot .csv)'
    parser.add_argument('files', nargs='*', type=Path, metavar='FILES', help=what)
    options.add_reading_options(parser)
    add_robot_option(parser, 'robot that does the same, beside the human')
    add_robot_only_option(parser)
    group = parser.add_argument_group('page')
    group.add_argument(
        '--host',
        default='127.0.0.1',
        metavar='ADDRESS',
        help='address to listen on; 0.0.0.0 shows the page to everyone on the network, who may '
        'then give commands too (default: this machine alone)',
    )
    group.add_argument('--port', type=int, default=8080, help='0 for any (default: 8080)')
    group.add_argument('--no-browser', action='store_true', help='only say where the page is')
    options.add_model_options(parser, draws=False)


def run(arguments: argparse.Namespace) -> int:
    """Serve the page until Ctrl-C."""
    from mgpt3_ros.view.panel import Panel
    from mgpt3_ros.view.server import address_of, start_server, stop_server
    from mgpt3_ros.view.side_by_side import ShownRobot
    from mgpt3_ros.view.studio import Studio

    robot = robot_of(arguments)
    shown = None if robot is None else ShownRobot(robot, arguments.robot_only)
    motions = [
        motion.with_info(text=str(motion.info.get('text') or path.stem))
        for path in arguments.files
        for motion in [load_any(path, arguments, robot)]
    ]
    over = threading.Event()
    server = start_server(arguments.host, arguments.port)
    try:
        panel = Panel(server, Studio(lambda: options.load_model(arguments)), motions, shown)
        address = address_of(server)
        for kind in (signal.SIGINT, signal.SIGTERM):  # before anyone is told that it serves
            signal.signal(kind, lambda *_: over.set())
        sys.stdout.write(f'{address} (Ctrl-C ends it)\n')
        sys.stdout.flush()
        if not arguments.no_browser and not _open(address):
            sys.stderr.write(f'no browser was found: open {address} in one\n')
        over.wait()
        panel.close()
    finally:
        stop_server(server)
    return 0


def _open(address: str) -> bool:
    try:
        return webbrowser.open(address)
    except (webbrowser.Error, OSError):
        return False
