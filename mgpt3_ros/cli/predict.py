# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""``mgpt3 predict``: what follows a motion."""

from __future__ import annotations

import argparse
import sys
import time
from typing import Any

from mgpt3_ros.cli import options
from mgpt3_ros.cli.outputs import add_output_option, avatar_of, names, write_motion

SUMMARY = 'what follows a motion'
DESCRIPTION = """\
Continue a motion: what the person may do next, beginning where the file ends. Only what follows
is written, unless --whole asks for all of it.
"""
EXAMPLES = """\
  mgpt3 predict walk.npz --horizon 2 -o next.npz
  mgpt3 predict walk.bvh --horizon 1.5 --whole -o all.mp4
"""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    options.add_motion_files(parser, file='motion that was seen')
    add_output_option(parser)
    options.add_seconds_option(parser, '--horizon', 2.0, 'how far to look ahead')
    parser.add_argument('--whole', action='store_true', help='write the given motion before it')
    options.add_model_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Continue, write, and say in one line what was done."""
    avatar = avatar_of(arguments)
    observed = options.load_motion(arguments.file, arguments)
    model = options.load_model(arguments)
    sampling = options.drawing_options(arguments)
    began = time.perf_counter()
    following = model.predict(observed, arguments.horizon, sampling=sampling)
    drawn = time.perf_counter() - began
    parts = [observed, following] if arguments.whole else [following]
    write_motion(joined(parts, ['', '(what follows)']), arguments.output, avatar=avatar)
    say_what_was_drawn(following, f'that follow {arguments.file}', drawn, arguments)
    return 0


def joined(parts: list[Any], texts: list[str]) -> Any:
    """Return motions in the same world frame one after another, as one motion at 20 fps.

    Its parts have their own words, or where they have none those of ``texts``.
    """
    from mgpt3_ros.model.kinematics.skeleton import FPS
    from mgpt3_ros.view.studio import in_a_row

    if len(parts) == 1:
        return parts[0]
    first, *others = parts  # drawn from the last frame of the first one on
    return in_a_row(
        [first.resample(FPS, keep='last'), *(part.resample(FPS) for part in others)], texts
    )


def say_what_was_drawn(
    motion: Any, what: str, drawn_s: float, arguments: argparse.Namespace
) -> None:
    """Say it in a line, and how far the model was from the frames that were given."""
    ends = [motion.info[k] for k in ('seam_error_m', 'end_seam_error_m') if k in motion.info]
    sys.stdout.write(
        f'{motion.duration_s:.2f} s {what}, '
        f'seam {" and ".join(f"{100 * end:.1f}" for end in ends)} cm before blending, '
        f'seed {arguments.seed}, drawn in {drawn_s:.2f} s: {names(arguments.output)}\n'
    )
