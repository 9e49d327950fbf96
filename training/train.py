# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""``mgpt3 train``: run one stage of a preset, or all of them in their order."""

from __future__ import annotations

import argparse
from dataclasses import replace

from mgpt3_ros.model.errors import ConfigError
from mgpt3_ros.training.run_checks import check_run
from mgpt3_ros.training.run_config import RunConfig, load_run_config
from mgpt3_ros.training.stages import run_stage


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of ``mgpt3 train``."""
    parser.add_argument(
        'stage',
        help='stage of the preset (vae, text, t2m, align, ...), "all" of them in their order, or '
        'tmr: an evaluator of the data set, which no model needs and several share',
    )
    parser.add_argument(
        '--data',
        required=True,
        action='append',
        metavar='FOLDER',
        help='of the data set; given several times, their clips are put together',
    )
    parser.add_argument('--output', required=True, help='run folder; an interrupted run goes on')
    parser.add_argument('--config', default='small', help='preset or YAML file (default: small)')
    parser.add_argument(
        '--start-from',
        metavar='FOLDER',
        help='fine-tune this checkpoint, or "shipped" for the one that comes with the package: '
        'the same as stages.STAGE.start_from=FOLDER of the stage, or of the first of all',
    )
    parser.add_argument(
        '--new-rate',
        action='store_true',
        help='an interrupted run may go on with another learning rate than it began with',
    )
    parser.add_argument('--device', default='auto', help='auto, cpu or cuda (default: auto)')
    parser.add_argument(
        'overrides', nargs='*', metavar='key=value', help='e.g. stages.t2m.optim.steps=500'
    )


def run(arguments: argparse.Namespace) -> int:
    """Train; an interrupted run is saved and goes on with the same command."""
    config = load_run_config(arguments.config, tuple(arguments.overrides))
    stages = [arguments.stage]
    if arguments.stage == 'all':
        stages = [name for name, stage in config.stages.items() if not stage.optional]
    if arguments.start_from is not None:
        config = _start_from(arguments.start_from, config, stages[0])
    check_run(config, stages, arguments.output)
    for stage in stages:
        run_stage(
            *(stage, config, arguments.data, arguments.output),
            *(arguments.device, arguments.new_rate),
        )
    return 0


def _start_from(start: str, config: RunConfig, stage: str) -> RunConfig:
    if stage not in config.stages:
        raise ConfigError(f'--start-from is for the stages {", ".join(config.stages)}')
    first = replace(config.stages[stage], start_from=start)
    return replace(config, stages={**config.stages, stage: first})


def main(argv: list[str] | None = None) -> int:
    """Parse ``argv`` and train."""
    parser = argparse.ArgumentParser(prog='mgpt3 train', description=__doc__)
    add_arguments(parser)
    return run(parser.parse_intermixed_args(argv))


if __name__ == '__main__':
    raise SystemExit(main())
