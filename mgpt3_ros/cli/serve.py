# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""``mgpt3 serve``: a motion server for animation programs that speak MMCP."""

from __future__ import annotations

import argparse
import sys

from mgpt3_ros.cli import options

SUMMARY = 'a motion server for animation programs (MMCP)'
DESCRIPTION = """\
Serve the model over the Motion Model Context Protocol, version 1.4, which add-ons for Blender and
other programs speak: text segments that follow on one another, seeds, pose keyframes, foot
contacts. The protocol is young and may change. Without --host only this machine is served.
Ctrl-C ends it.
"""
EXAMPLES = """\
  mgpt3 serve
  mgpt3 serve --port 9000 --checkpoint runs/mine/checkpoint
"""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        '--host',
        default='127.0.0.1',
        metavar='ADDRESS',
        help='address to listen on; 0.0.0.0 serves everyone on the network (default: this '
        'machine alone)',
    )
    parser.add_argument('--port', type=int, default=8000, help='its port (default: 8000)')
    options.add_model_options(parser, draws=False)


def run(arguments: argparse.Namespace) -> int:
    """Serve until Ctrl-C."""
    from mgpt3_ros.model.extras import extra
    from mgpt3_ros.view.mmcp import MotionServer
    from mgpt3_ros.view.ports import require_free

    with extra('serve'):
        import uvicorn
        from motionmcp.server import build_app

    require_free(arguments.host, arguments.port)
    app = build_app(MotionServer(lambda: options.load_model(arguments)), title='mgpt3')
    sys.stdout.write(f'http://{arguments.host}:{arguments.port} (Ctrl-C ends it)\n')
    sys.stdout.flush()
    uvicorn.run(app, host=arguments.host, port=arguments.port, log_level='warning')
    return 0
