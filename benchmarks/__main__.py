# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Run all benchmarks and print one table; run it while nothing else runs."""

from __future__ import annotations

import argparse
import sys

from benchmarks import latency
from benchmarks.table import circumstances, print_table
from mgpt3_ros.model.errors import MotionGPT3Error


def main() -> int:
    """Return 0 if everything could be measured, also where a target was missed."""
    parser = argparse.ArgumentParser(prog='python -m benchmarks', description=__doc__)
    parser.add_argument('--checkpoint', default='', help='folder of the model (the shipped one)')
    parser.add_argument('--commands', type=int, default=latency.COMMANDS, help='sent to the node')
    options = parser.parse_args()
    print(circumstances())
    try:
        rows = latency.measure(options.checkpoint, options.commands)
    except MotionGPT3Error as error:
        print(f'error: {error}', file=sys.stderr)
        return 1
    print_table(rows)
    return 0


if __name__ == '__main__':
    sys.exit(main())
