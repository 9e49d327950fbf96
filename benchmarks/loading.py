# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What it takes until a model is ready: its import, its file, its memory; each in a new process.

    python -m benchmarks.loading                    # the paper's size, random weights
    python -m benchmarks.loading --checkpoint FOLDER

Memory is what a process takes above what it took before it loaded, at its peak, over the size of
the weights: when the model is ready, and when it has drawn a motion. Times are CPU seconds, the
least of several processes, the first of which leaves compiled modules behind, as an installed
package has them.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.speed import full_size_model
from benchmarks.table import Row, circumstances, print_table
from mgpt3_ros.model.checkpoints.checkpoint import WEIGHTS, find_checkpoint

REPEATS = 3
_COMPILES_ANEW = 'PYTHONDONTWRITEBYTECODE'  # every module's source, in every process
_MODEL = 'from mgpt3_ros.model import MotionGPT3'
_TIMED = 'import time; begun = time.process_time(); {}; print(time.process_time() - begun)'
# Resident memory at its peak from a reset on [byte]; where it cannot be reset, from the beginning.
_LOADED = """
import json, sys, time
from pathlib import Path
import torch
from mgpt3_ros.model import MotionGPT3

def status(key):
    lines = Path('/proc/self/status').read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(key))

torch.set_num_threads(1)
before = status('VmRSS:')
Path('/proc/self/clear_refs').write_text('5')
begun = time.process_time()
model = MotionGPT3.from_pretrained(sys.argv[1], 'cpu')
found = {'seconds': time.process_time() - begun, 'ready': status('VmHWM:') - before}
model.generate('a person walks', 3.0, judge=False)
print(json.dumps({**found, 'drawn': status('VmHWM:') - before}))
"""


def import_s(what: str) -> float:
    """CPU seconds of a statement in a new process, the least of several."""
    return min(float(_run(_TIMED.format(what))) for _ in range(REPEATS))


def loaded(folder: Path) -> dict[str, float]:
    """CPU seconds of loading [s], and memory when it is ready and when it has drawn [byte]."""
    runs: list[dict[str, Any]] = [json.loads(_run(_LOADED, str(folder))) for _ in range(REPEATS)]
    return {key: min(run[key] for run in runs) for key in runs[0]}


def _run(program: str, *arguments: str) -> str:
    command = [sys.executable, '-c', program, *arguments]
    own = {name: value for name, value in os.environ.items() if name != _COMPILES_ANEW}
    return subprocess.run(command, capture_output=True, text=True, check=True, env=own).stdout


def measure(folder: Path) -> list[Row]:
    """All figures of a checkpoint, with the targets of the paper's size."""
    weights = (folder / WEIGHTS).stat().st_size
    found = loaded(folder)
    return [
        Row('import beyond that of torch', import_s(_MODEL) - import_s('import torch'), 's', 0.3),
        Row('ready from disk', found['seconds'], 's', 0.4),
        Row('memory when ready, over the weights', found['ready'] / weights, '-', 1.3),
        Row('memory when it has drawn, over the weights', found['drawn'] / weights, '-', 1.3),
    ]


def main(argv: list[str] | None = None) -> int:
    """Measure and print; return 0 also where a target was missed."""
    parser = argparse.ArgumentParser(
        prog='python -m benchmarks.loading',
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('--checkpoint', help="folder (default: one of the paper's size is made)")
    options = parser.parse_args(argv)
    print(circumstances(), end='\n\n')
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made) / 'full'
        if options.checkpoint:
            folder = find_checkpoint(options.checkpoint)
        else:
            full_size_model(onednn='never').save_pretrained(folder)
        print_table(measure(folder))
    return 0


if __name__ == '__main__':
    sys.exit(main())
