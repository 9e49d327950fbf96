# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""``mgpt3 stream``: sentences, line by line, become one motion without an end."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from queue import Empty, SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING, Any, TextIO

from mgpt3_ros.cli import options
from mgpt3_ros.cli.outputs import add_output_option, avatar_of, names, write_motion

if TYPE_CHECKING:
    from mgpt3_ros.model.motion import Motion
    from mgpt3_ros.model.stream import MotionStream

SUMMARY = 'sentences, typed line by line, become one motion'
DESCRIPTION = """\
A body moves on, 0.4 s at a time, and does what the last line says. An empty line, or "stop", lets
it come to rest and stand. At the end of the input, or at Ctrl-C, the whole motion is written.
At a terminal a line counts from the moment it is typed, and the body moves in real time. From a
file or a pipe each line lasts as long as it states ("for 3 seconds"), else --duration, and all is
drawn as fast as the machine can. Without --checkpoint the shipped one of the stream form draws.
"""
EXAMPLES = """\
  mgpt3 stream -o live.mp4
  printf 'walk forward\\nwave for 2 seconds\\n\\n' | mgpt3 stream -o three.bvh
  mgpt3 stream --checkpoint runs/stream/align --start seen.npz --duration 6 -o on.npz < lines.txt
"""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add_output_option(parser)
    options.add_seconds_option(
        parser, '--duration', 4.0, 'how long a line lasts that does not come from a terminal'
    )
    parser.add_argument(
        '--start', metavar='FILE', help='motion to go on from (default: a stand at the origin)'
    )
    options.add_motion_files(parser)
    options.add_model_options(parser)
    parser.set_defaults(checkpoint='stream')


def run(arguments: argparse.Namespace) -> int:
    """Draw what is typed, write, and say in one line what was done."""
    avatar = avatar_of(arguments)
    model = options.load_model(arguments)
    start = None if arguments.start is None else options.load_motion(arguments.start, arguments)
    live = model.stream(None, start, sampling=options.drawing_options(arguments))
    drawn: list[Motion] = []
    try:
        chunks = (
            _typed(live, sys.stdin)
            if sys.stdin.isatty()
            else _given(live, sys.stdin, arguments.duration)
        )
        for chunk in chunks:
            drawn.append(chunk)
            _show(live, len(drawn) * live.frames / chunk.fps)
    except KeyboardInterrupt:
        sys.stderr.write('\ninterrupted: what there is is written')
    sys.stderr.write('\n')
    if not drawn:
        sys.stderr.write('no line was read: nothing is written\n')
        return 2
    motion = _whole(drawn)
    write_motion(motion, arguments.output, avatar=avatar)
    sys.stdout.write(
        f'{motion.duration_s:.2f} s of motion, seed {arguments.seed}: {names(arguments.output)}\n'
    )
    return 0


def _given(live: MotionStream, lines: TextIO, duration_s: float) -> Iterator[Motion]:
    """Chunks under each line of a file or a pipe, one line after the other."""
    from mgpt3_ros.model.kinematics.skeleton import FPS

    for line in lines:
        stated_s = _say(live, line)
        seconds = duration_s if stated_s is None else stated_s
        for _ in range(max(1, round(seconds * FPS / live.frames))):
            yield live.step()


def _typed(live: MotionStream, lines: TextIO) -> Iterator[Motion]:
    """Chunks in real time, from the first line on, under what was typed last."""
    queue: SimpleQueue[str | None] = SimpleQueue()

    def read() -> None:
        for line in lines:
            queue.put(line)
        queue.put(None)

    # A daemon: a read from a terminal cannot be ended.
    Thread(target=read, daemon=True).start()
    sys.stderr.write('type what the body does; an empty line: stand still; Ctrl-D: end\n')
    line = queue.get()
    due_s = time.monotonic()
    while line is not None:
        _say(live, line)
        while True:
            chunk = live.step()
            yield chunk
            due_s += live.frames / chunk.fps
            try:
                line = queue.get(timeout=max(due_s - time.monotonic(), 1e-3))
                break
            except Empty:
                continue


def _say(live: MotionStream, line: str) -> float | None:
    """Tell the body what a line says; return how long that lasts [s], where it is stated."""
    from mgpt3_ros.model.errors import TextError
    from mgpt3_ros.model.language.durations import stated_duration
    from mgpt3_ros.model.language.splitting import means_rest

    stated_s, words = stated_duration(line.strip())
    try:
        live.say(None if not words or means_rest(words) else words)
        if live.drawn_from != live.text:
            sys.stderr.write(f'\nunderstood as {live.drawn_from!r}\n')
    except TextError as error:  # the body goes on with what it was told before
        sys.stderr.write(f'\n{words!a} is left out: {error}\n')
    return stated_s


def _show(live: MotionStream, seconds: float) -> None:
    """Show on one line of a terminal how far it is."""
    if sys.stderr.isatty():
        sys.stderr.write(f'\r\x1b[K{seconds:7.1f} s  {live.text or "(stands)"}')
        sys.stderr.flush()


def _whole(chunks: list[Motion]) -> Motion:
    """Return all chunks as one motion, which knows when each text began."""
    import numpy as np

    from mgpt3_ros.model.motion import Motion

    texts = [str(chunk.info.get('text', '')) for chunk in chunks]
    parts: list[Any] = []
    for number, text in enumerate(texts):
        if number == 0 or text != texts[number - 1]:
            start_s = sum(len(chunk.joints) for chunk in chunks[:number]) / chunks[0].fps
            parts.append({'text': text, 'start_s': start_s, 'duration_from': 'asked'})
    said = ', then '.join(part['text'] or 'stand' for part in parts)
    joints = np.concatenate([chunk.joints for chunk in chunks])
    return Motion(joints, chunks[0].fps, {'text': said, 'parts': parts})
