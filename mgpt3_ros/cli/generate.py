# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""``mgpt3 generate``: a sentence becomes a motion."""

from __future__ import annotations

import argparse
import sys
import time
from typing import TYPE_CHECKING, Any

from mgpt3_ros.body.commands.confidence import further
from mgpt3_ros.body.commands.memory import Memory
from mgpt3_ros.body.commands.reading import understand
from mgpt3_ros.cli import options
from mgpt3_ros.cli.outputs import (
    MOTION_FILES,
    add_avatar_options,
    add_output_option,
    avatar_of,
    names,
)
from mgpt3_ros.cli.robot_files import (
    add_robot_only_option,
    add_robot_option,
    motion_or_robot_file,
    robot_of,
    write_all,
)
from mgpt3_ros.model.errors import TextError
from mgpt3_ros.model.language.confidence import doubt
from mgpt3_ros.model.language.known_prompts import BOUND

if TYPE_CHECKING:
    from mgpt3_ros.model.motion import Motion
    from mgpt3_ros.model.motiongpt3 import MotionGPT3
    from mgpt3_ros.model.sampling import SamplingOptions

SUMMARY = 'a sentence becomes a motion'
DESCRIPTION = """\
Draw a motion of a person who does what the sentence says, and write it to one or more files.
Without --duration it lasts as long as the sentence states ("for 3 seconds"), else as long as the
model finds right. Several actions in a text ("walk forward, then wave, then bow") become clips
that follow one another. Distances, steps, angles, counts, speeds and times in the text are kept;
what is not understood is refused (docs/commands.md).
"""
EXAMPLES = """\
  mgpt3 generate "a person waves with both hands" -o wave.mp4
  mgpt3 generate "someone walks forward for 4 seconds" -o walk.mp4 -o walk.bvh --seed 7
  mgpt3 generate "a man bows" --duration 3 -o bow.npz -o bow.png
  mgpt3 generate "walk forward for 3 seconds, then wave with both hands, then bow" -o three.mp4
  mgpt3 generate "a person walks forward" --robot g1 -o walk.csv
"""
_SOURCES = {
    'asked': 'as asked',
    'text': 'as the text says',
    'predicted': 'found by the model',
    'default': 'the default',
}


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument('text', nargs='+', metavar='TEXT', help='what the person does, in English')
    add_output_option(parser, motion_or_robot_file, f'{MOTION_FILES}, or .csv of a robot')
    add_avatar_options(parser)
    add_robot_option(
        parser, 'who does it: .csv (qpos of MuJoCo) and .npz hold its joints, .html shows it'
    )
    add_robot_only_option(parser)
    parser.add_argument(
        '--duration',
        type=options.positive_seconds,
        metavar='SECONDS',
        help='its length; where the text has several actions, that of each',
    )
    parser.add_argument(
        '--one-clip', action='store_true', help='draw the text as one clip, however many actions'
    )
    parser.add_argument(
        '--as-is',
        action='store_true',
        help='draw what the model makes of the words: numbers are not kept, nothing is refused',
    )
    options.add_model_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Draw, write, and say in one line what was done."""
    robot = robot_of(arguments)
    avatar = avatar_of(arguments)
    model = options.load_model(arguments)
    sampling = options.drawing_options(arguments)
    from mgpt3_ros.body.commands.carrying_out import carry_out_all  # imports SciPy

    began = time.perf_counter()
    text = ' '.join(arguments.text)
    if arguments.as_is or arguments.one_clip:
        draw = model.generate if arguments.one_clip else model.generate_sequence
        motion = draw(text, arguments.duration, as_is=arguments.as_is, sampling=sampling)
        confidence = motion.info.get('confidence') or model.confidence(text)
    else:
        also = further(action.label for action in model.known_actions())
        try:
            parts = Memory().resolved(understand(text, also))
        except TextError as error:
            motion = _in_free_words(model, text, arguments.duration, sampling, error)
        else:
            motion = carry_out_all(model, parts, sampling, arguments.duration)
        confidence = motion.info.get('confidence')
    drawn = time.perf_counter()
    write_all(motion, arguments.output, robot, avatar, robot_only=arguments.robot_only)
    written = time.perf_counter()
    sys.stdout.write(
        f'{motion.duration_s:.2f} s of motion ({duration_source(motion.info)}), '
        f'seed {arguments.seed}, drawn in {drawn - began:.2f} s, '
        f'written in {written - drawn:.2f} s: {names(arguments.output)}\n'
    )
    if confidence is not None and (warning := doubt(confidence)):
        sys.stderr.write(f'warning: {warning}\n')
    if 'understood_as' in motion.info:
        sys.stdout.write(f'understood as {motion.info["understood_as"]!r}\n')
    for note in motion.info.get('notes', ()):
        sys.stdout.write(f'note: {note}\n')
    return 0


def _in_free_words(
    model: MotionGPT3,
    text: str,
    duration_s: float | None,
    sampling: SamplingOptions,
    refusal: TextError,
) -> Motion:
    """What the grammar refuses, drawn where the model knows a sentence that says the same.

    Raises:
        TextError: it knows none, or the prompt is held to be beyond what it knows.
    """
    confidence = model.confidence(text)
    if confidence is None:
        raise refusal
    if confidence['prompt'] < BOUND or model.understood(text) is None:
        near = '; '.join(example.rstrip('.') for example in confidence['nearest'])
        raise TextError(f'{refusal} (it knows: {near})') from refusal
    return model.generate(text, duration_s, sampling=sampling)


def duration_source(info: Any) -> str:
    """Say where the length of a generated motion comes from, or of which clips it is made."""
    if 'parts' in info:
        starts = ', '.join(
            f'{part["text"]!r} from {part["start_s"]:.2f} s' for part in info['parts']
        )
        return f'{len(info["parts"])} clips: {starts}'
    source = str(info.get('duration_from', 'asked'))
    said = _SOURCES.get(source, source)
    return f'{said}, within what the model can do' if info.get('duration_limited') else said
