# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""``mgpt3 evaluate``: a checkpoint's figures by a protocol, on clips of a data set."""

from __future__ import annotations

import argparse
import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from mgpt3_ros.cli.outputs import add_output_option, output_file
from mgpt3_ros.model.extras import extra

if TYPE_CHECKING:
    from mgpt3_ros.model.motiongpt3 import MotionGPT3
    from mgpt3_ros.training.data.clip import Clip
    from mgpt3_ros.training.evaluation.evaluators import Evaluator
    from mgpt3_ros.training.evaluation.results import Evaluation

SUMMARY = 'measure a checkpoint'
DESCRIPTION = """\
Measure a checkpoint on the clips of a data set: a pack, or a folder in HumanML3D's layout.
The table shows means and their 95 % intervals, beside real motion or simple ways to do the same.

t2m, m2t and retrieval need an evaluator (--evaluator), draw everything --replications times, and
give intervals over these; the others give intervals over the clips. docs/evaluation.md says what
each protocol measures.
"""
EXAMPLES = """\
  mgpt3 evaluate models/default --data mocap22 --protocol reconstruction
  mgpt3 evaluate models/default --data mocap22 --protocol prediction --replications 5 -o out.json
  mgpt3 train tmr --data mocap22 --output runs/evaluator
  mgpt3 evaluate models/default --data mocap22 --protocol t2m --evaluator runs/evaluator/tmr \\
    -o out.json -o out.md -o out.png
"""
TEXT_PROTOCOLS = ('t2m', 'm2t', 'retrieval')
PROTOCOLS = (*TEXT_PROTOCOLS, 'prediction', 'inbetween', 'reconstruction')
REPLICATIONS = 20  # of the protocols of text, as in the field
TEXT_MIN_FRAMES = 40  # HumanML3D's evaluation of text to motion (Guo et al. 2022)
OUTPUTS = ('.json', '.md', '.png')


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument('checkpoint', type=Path, metavar='CHECKPOINT', help='checkpoint folder')
    add_protocol_options(parser)
    what = (
        '.json, .md (the table) or .png (a plot); with a .json, t2m, m2t and retrieval go on '
        'where they were interrupted'
    )
    add_output_option(parser, output_file(*OUTPUTS), what, required=False)


def add_protocol_options(parser: argparse.ArgumentParser, several: bool = False) -> None:
    """Declare what is measured, and on what; ``several``: by more protocols than one."""
    parser.add_argument(
        '--data', type=Path, required=True, metavar='FOLDER', help='folder of the data set'
    )
    parser.add_argument(
        '--reader',
        metavar='PATH',
        help="import path of a function that gives the folder's clips, my_package.my_reader:read",
    )
    parser.add_argument(
        '--protocol',
        required=True,
        choices=PROTOCOLS,
        action='append' if several else 'store',
        help=f'what is measured{"; may be given several times" * several}',
    )
    parser.add_argument(
        '--split',
        choices=('train', 'val', 'test'),
        default='val',
        help='clips to take; a pack has no test (default: val)',
    )
    parser.add_argument('--clips', type=int, metavar='N', help='at most so many (default: all)')
    parser.add_argument(
        '--min-frames',
        type=int,
        metavar='N',
        help="shortest clips taken from HumanML3D's layout (default: 40 for t2m, m2t and "
        'retrieval, else 20)',
    )
    parser.add_argument(
        '--replications',
        type=int,
        metavar='N',
        help='how often everything is drawn (default: 20 for t2m, m2t and retrieval; else 1: '
        'motions per clip)',
    )
    parser.add_argument('--seed', type=int, default=0, help='of what is drawn (default: 0)')
    parser.add_argument(
        '--observed',
        type=float,
        default=1.0,
        metavar='SECONDS',
        help='what a prediction has seen (default: 1)',
    )
    parser.add_argument(
        '--rivals',
        action='store_true',
        help='beside a prediction or an in-between, what nearest neighbours and ridge regression '
        'make of the train split',
    )
    parser.add_argument(
        '--reference',
        action='store_true',
        help="compute as the authors' code does, its defects included",
    )
    parser.add_argument('--device', default='auto', help='auto, cpu or cuda (default: auto)')
    _add_evaluator_options(parser)


def _add_evaluator_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group('evaluator, for t2m, m2t, retrieval and prediction')
    group.add_argument(
        '--evaluator',
        type=Path,
        metavar='PATH',
        help='folder that `mgpt3 train tmr` wrote, or the file of the published T2M evaluator '
        '(finest.tar), or a MotionGPT3 checkpoint file that holds it',
    )
    group.add_argument(
        '--glove',
        type=Path,
        metavar='FOLDER',
        help='word vectors of the T2M evaluator: our_vab_data.npy, our_vab_words.pkl and '
        'our_vab_idx.pkl',
    )
    group.add_argument(
        '--evaluator-stats',
        type=Path,
        metavar='FOLDER',
        help="the T2M evaluator's mean.npy and std.npy (default: Comp_v6_KLD01/meta of the "
        'published tree, if it is there)',
    )
    group.add_argument(
        '--bert',
        metavar='MODEL',
        help='language model of BERTScore for m2t: its folder, as transformers saves it, or a '
        'name that the package bert_score fetches, such as roberta-large (default: no BERTScore)',
    )
    group.add_argument(
        '--multimodality',
        type=int,
        nargs=2,
        default=(100, 10),
        metavar=('TEXTS', 'REPEATS'),
        help='for MultiModality so many motions of so many texts are drawn; 0 2 leaves it out '
        '(default: 100 10)',
    )


def run(arguments: argparse.Namespace) -> int:
    """Measure, print the table, and write the files that were asked for."""
    found, about = measured(arguments)
    sys.stdout.write(found.table() + '\n')
    for reason, count in found.skipped.items():
        sys.stderr.write(f'{count} clips were left out: {reason}\n')
    for note in found.notes:
        sys.stderr.write(f'note: {note}\n')
    for path in arguments.output:
        write_evaluation(path, found, about)
    return 0


def measured(arguments: argparse.Namespace) -> tuple[Evaluation, dict[str, str]]:
    """Measure a checkpoint; return its figures, and what they are about.

    Raises:
        MotionGPT3Error: the checkpoint, the data or the evaluator cannot be used.
    """
    from mgpt3_ros.cli.options import load_model
    from mgpt3_ros.model.errors import ConfigError
    from mgpt3_ros.training.data.humanml3d import HumanML3DOptions
    from mgpt3_ros.training.evaluation.clip_filter import load_clips

    with extra('eval'):  # what is missing is said now, not after hours
        import_module('mgpt3_ros.training.evaluation.protocols')
        if any(path.suffix.lower() == '.png' for path in arguments.output):
            import_module('mgpt3_ros.training.plots')
    about_text = arguments.protocol in TEXT_PROTOCOLS
    if about_text and arguments.evaluator is None:
        raise ConfigError(
            f'--protocol {arguments.protocol} needs --evaluator PATH: train one with '
            f'`mgpt3 train tmr --data {arguments.data} --output runs/evaluator`, or give the '
            'published finest.tar with --glove'
        )
    if arguments.replications is None:
        arguments.replications = REPLICATIONS if about_text else 1
    least = arguments.min_frames or (TEXT_MIN_FRAMES if about_text else 20)
    options = HumanML3DOptions(min_frames=least)
    clips, digest = load_clips(arguments.data, arguments.split, options, reader=arguments.reader)
    model = load_model(arguments)
    found = (_measure_texts if about_text else _measure_motions)(arguments, model, clips)
    return found, {'checkpoint': model.name, 'data': digest, 'split': arguments.split}


def _measure_motions(
    arguments: argparse.Namespace, model: MotionGPT3, clips: list[Clip]
) -> Evaluation:
    from mgpt3_ros.model.errors import ConfigError
    from mgpt3_ros.training.data.humanml3d import HumanML3DOptions
    from mgpt3_ros.training.evaluation.clip_filter import load_clips
    from mgpt3_ros.training.evaluation.protocols import PROTOCOLS as RUNS
    from mgpt3_ros.training.evaluation.protocols import ProtocolConfig

    shared = arguments.replications, arguments.seed, arguments.observed
    config = ProtocolConfig(*shared, arguments.clips, arguments.reference)
    judged = {}
    if arguments.evaluator is not None:
        if arguments.protocol != 'prediction' or arguments.replications < 2:
            raise ConfigError(
                '--evaluator: beside t2m, m2t and retrieval it judges predictions alone, of which '
                '--replications 2 at least are drawn'
            )
        judged['evaluator'] = _evaluator(arguments)
    if not arguments.rivals:
        return RUNS[arguments.protocol](model, clips, config, **judged)
    if arguments.protocol == 'reconstruction':
        raise ConfigError('--rivals: nothing else reconstructs; they are of prediction, inbetween')
    train, _ = load_clips(arguments.data, 'train', HumanML3DOptions(), reader=arguments.reader)
    return RUNS[arguments.protocol](model, clips, config, train, **judged)


def _measure_texts(
    arguments: argparse.Namespace, model: MotionGPT3, clips: list[Clip]
) -> Evaluation:
    from mgpt3_ros.training.evaluation.text_protocols import TEXT_PROTOCOLS as RUNS
    from mgpt3_ros.training.evaluation.text_protocols import TextProtocolConfig

    shared = arguments.replications, arguments.seed, arguments.clips
    texts, repeats = arguments.multimodality
    config = TextProtocolConfig(*shared, texts, repeats, arguments.reference, arguments.bert)
    evaluator = _evaluator(arguments)
    written = [path for path in arguments.output if path.suffix.lower() == '.json']
    partial = written[0].with_name(f'{written[0].name}.replications') if written else None
    return RUNS[arguments.protocol](model, clips, evaluator, config, partial)


def _evaluator(arguments: argparse.Namespace) -> Evaluator:
    from mgpt3_ros.training.evaluation.evaluators import load_evaluator

    return load_evaluator(
        arguments.evaluator,
        arguments.data,
        glove=arguments.glove,
        stats=arguments.evaluator_stats,
        reference=arguments.reference,
        device=arguments.device,
    )


def write_evaluation(path: Path, found: Evaluation, about: dict[str, str]) -> None:
    """Write figures as the suffix says: .json, .md or .png."""
    import json

    from mgpt3_ros.model.checkpoints import checkpoint

    if path.suffix.lower() == '.json':
        checkpoint.write_text(path, json.dumps({**about, **found.as_dict()}, indent=2) + '\n')
    elif path.suffix.lower() == '.md':
        settings = {k: v for k, v in found.settings.items() if k != 'protocol' and v is not None}
        run_with = ', '.join(f'{k} {v}' for k, v in {**about, **settings}.items())
        lines = [found.table(), '', f'{run_with}.']
        lines += [f'Left out: {count} clips, {reason}.' for reason, count in found.skipped.items()]
        lines += [f'Note: {note}.' for note in found.notes]
        checkpoint.write_text(path, '\n'.join(lines) + '\n')
    else:
        from mgpt3_ros.training.plots import plot_evaluation

        plot_evaluation(found, path)
