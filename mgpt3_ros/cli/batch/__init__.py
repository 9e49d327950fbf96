# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""``mgpt3 batch``: captions, motions, figures or a data set of many inputs at once.

`work` says what units and jobs are, `running` does a job and goes on after an end, `processes` and
`cluster` are who does it; each job is a module.
"""

from __future__ import annotations

import argparse
import os
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mgpt3_ros.cli.bag_options import counted
from mgpt3_ros.cli.batch import build, caption, evaluate, generate
from mgpt3_ros.cli.options import new_parser

if TYPE_CHECKING:
    from mgpt3_ros.cli.batch.running import Engine
    from mgpt3_ros.cli.batch.work import Job

SUMMARY = 'caption, generate, evaluate or build in bulk, on all cores or a cluster'
DESCRIPTION = """\
Do to many inputs what other commands do to one: in a process on each core, or on a Ray cluster.
Results stand in OUT whole or not at all; --resume goes on where a run ended, however it ended, and
gives the same bytes with any number of workers. What gives no result stands in OUT/failures.jsonl
with its reason, what is to be known of the others in OUT/remarks.jsonl.
"""
EXAMPLES = caption.EXAMPLES + generate.EXAMPLES + evaluate.EXAMPLES + build.EXAMPLES
_PARTS: tuple[Any, ...] = (caption, generate, evaluate, build)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare the parts of the command."""
    parts = parser.add_subparsers(title='parts', metavar='PART', required=True)
    for module in _PARTS:
        name = module.__name__.rpartition('.')[2]
        part = new_parser(parts, name, module.SUMMARY, module.DESCRIPTION, module.EXAMPLES)
        part.add_argument('inputs', nargs='+', type=Path, metavar='INPUT', help='file or folder')
        part.add_argument(
            '-o', '--output', type=Path, required=True, metavar='OUT', help='folder of the results'
        )
        part.add_argument('--resume', action='store_true', help='go on with the run in OUT')
        group = part.add_argument_group('workers')
        group.add_argument(
            '--workers', type=_count, metavar='N', help='processes (default: one on each core)'
        )
        group.add_argument(
            '--ray',
            metavar='ADDRESS',
            help='use a Ray cluster instead: HOST:PORT, or auto for the one of this machine. All '
            'its nodes need mgpt3_ros, the inputs and OUT under the same paths',
        )
        if module is not evaluate:
            group.add_argument(
                '--unit',
                type=_count,
                default=16,
                metavar='N',
                help='inputs that a worker takes at once (default: 16)',
            )
        module.add_options(part)
        part.set_defaults(part=name)


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f'{text}: give 1 or more')
    return number


def run(arguments: argparse.Namespace) -> int:
    """Do the work; return 0 where every input gave a result, 1 otherwise."""
    from mgpt3_ros.cli.batch.running import FAILURES, REMARKS, run_batch

    job = _job(arguments)
    _say_licence(arguments)
    out = arguments.output
    found = run_batch(arguments.part, job, out, _engine(arguments), arguments.resume)
    said = f' ({found.said})' if found.said else ''
    sys.stdout.write(
        f'{out}: {found.done} done{said}, {found.failed} failed, {found.lost} lost with their '
        f'workers\n'
    )
    if found.failed or found.lost:
        sys.stderr.write(f'{out / FAILURES} says why\n')
    if found.remarks:
        sys.stderr.write(f'{out / REMARKS}: {counted(found.remarks, "remark")} on what was read\n')
    return 1 if found.failed or found.lost else 0


def _job(arguments: argparse.Namespace) -> Job:
    inputs = tuple(arguments.inputs)
    for path in inputs:
        path.stat()  # a missing one is said now
    given = argparse.Namespace(**{k: v for k, v in vars(arguments).items() if k != 'run'})
    if arguments.part == 'caption':
        return caption.CaptionJob(inputs, arguments.unit, given)
    if arguments.part == 'generate':
        return generate.GenerateJob(inputs, arguments.unit, given)
    if arguments.part == 'evaluate':
        return evaluate.EvaluateJob(inputs, given)
    return build.BuildJob(inputs, arguments.unit, given)


def _engine(arguments: argparse.Namespace) -> Engine:
    if arguments.ray is not None:
        from mgpt3_ros.cli.batch.cluster import on_ray

        return partial(on_ray, address=arguments.ray)
    from mgpt3_ros.cli.batch.processes import in_processes, in_this_process

    workers = arguments.workers or len(os.sched_getaffinity(0))
    return in_this_process if workers == 1 else partial(in_processes, workers=workers)


def _say_licence(arguments: argparse.Namespace) -> None:
    """Say on stderr which checkpoint is used and its licence, as loading it alone would."""
    if not hasattr(arguments, 'checkpoint'):
        return
    from mgpt3_ros.model.checkpoints import checkpoint

    config = checkpoint.read_config(checkpoint.find_checkpoint(arguments.checkpoint))
    name, licence = (config.get(key, 'unstated') for key in ('name', 'licence'))
    sys.stderr.write(f'checkpoint {name}, licence: {licence}\n')
