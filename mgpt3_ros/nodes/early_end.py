# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""SIGINT and SIGTERM while a node's process still imports: it ends at once, with 0.

``process.run`` takes over from here. Only in a process that a node of this package is the program
of; one that merely imports it keeps its own handlers.
"""

from __future__ import annotations

import itertools
import os
import signal
import sys
from pathlib import Path

PROGRAMS = (
    *('generate_node', 'caption_node', 'predict_node', 'motion_server', 'playback_node'),
    'say',
)


def is_program() -> bool:
    """Whether this process was started to run a node of this package."""
    given = sys.orig_argv
    module = next((after for flag, after in itertools.pairwise(given) if flag == '-m'), '')
    package, _, name = module.rpartition('.')
    started = name if package == 'mgpt3_ros.nodes' else Path(sys.argv[0]).stem
    return started in PROGRAMS


def end_early() -> None:
    """Have both signals end the process, which has nothing to put away yet."""
    for number in (signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(number) in (signal.SIG_DFL, signal.default_int_handler):
            signal.signal(number, lambda *_: os._exit(0))
