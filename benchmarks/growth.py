# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How time grows with what is asked, beside the line of the floor.

    python -m benchmarks.growth                             # all series, at the paper's size
    python -m benchmarks.growth --series batch --series stream --repeats 5 -o growth

Seconds are CPU seconds of one thread, the floor that of ``benchmarks.floor``. Points of a series
are taken in turn, and each is the median. What grows with its work keeps its ratio to the floor,
or comes nearer to it: ``growth`` is the ratio at the largest point over that at the smallest. The
stream is that of the checkpoint ``stream``; a point is a minute of it.
"""

from __future__ import annotations

import argparse
import dataclasses
import functools
import json
import statistics
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import torch

from benchmarks.floor import Rates, counted, measured_rates
from benchmarks.speed import FRAMES, SENTENCE, caption, draw, full_size_model
from benchmarks.table import circumstances
from mgpt3_ros.model.checkpoints.checkpoint import write_text
from mgpt3_ros.model.extras import extra
from mgpt3_ros.model.kinematics.skeleton import FPS
from mgpt3_ros.model.motiongpt3 import MotionGPT3

BATCHES = (1, 2, 4, 8, 16, 32, 64)
FRAME_COUNTS = (20, 40, 80, 120, 160, FRAMES)
TOKENS = (5, 10, 20, 40, 60)
WIDTHS = (192, 384, 768, 1152)
MINUTES = tuple(range(1, 11))
STEPS, SAMPLER = 10, 'ddim'
Point = tuple[float, Callable[[], object]]


def worded(model: MotionGPT3, tokens: int) -> str:
    """A text of so many tokens, at least."""
    words: list[str] = []
    while len(model.tokenizer.encode(' '.join(words))) < tokens:
        words.append(SENTENCE.split()[len(words) % len(SENTENCE.split())])
    return ' '.join(words)


def written(model: MotionGPT3, rows: int, tokens: int) -> None:
    """Captions of so many tokens: random weights end none earlier."""
    pipeline = model.pipeline
    before = pipeline.config
    decoding = dataclasses.replace(before.decoding, max_tokens=tokens)
    pipeline.config = dataclasses.replace(before, decoding=decoding)
    try:
        caption(model, rows)
    finally:
        pipeline.config = before


def of_batch(model: MotionGPT3) -> list[Point]:
    """Motions of 9.8 s drawn together."""
    return [(n, functools.partial(draw, model, n, STEPS, SAMPLER)) for n in BATCHES]


def of_captions(model: MotionGPT3) -> list[Point]:
    """Captions of 10 tokens written together."""
    return [(n, functools.partial(written, model, n, 10)) for n in BATCHES[:-1]]


def of_frames(model: MotionGPT3) -> list[Point]:
    """One motion of so many frames."""
    return [(n, functools.partial(draw, model, 1, STEPS, SAMPLER, n)) for n in FRAME_COUNTS]


def of_text(model: MotionGPT3) -> list[Point]:
    """One motion of a text of so many tokens."""
    made = [worded(model, tokens) for tokens in TOKENS]
    counts = [len(model.tokenizer.encode(text)) for text in made]
    return [
        (count, functools.partial(draw, model, 1, STEPS, SAMPLER, FRAMES, text))
        for count, text in zip(counts, made, strict=True)
    ]


def of_words(model: MotionGPT3) -> list[Point]:
    """One caption of so many tokens."""
    return [(n, functools.partial(written, model, 1, n)) for n in TOKENS]


def of_widths(_: MotionGPT3) -> list[Point]:
    """One motion, by the width of both branches."""

    def drawn(width: int) -> None:
        draw(sized(width), 1, STEPS, SAMPLER)

    return [(width, functools.partial(drawn, width)) for width in WIDTHS]


@functools.cache
def sized(width: int) -> MotionGPT3:
    """A model of a width, made once."""
    return full_size_model(width)


SERIES: dict[str, tuple[str, Callable[[MotionGPT3], list[Point]]]] = {
    'batch': ('motions in a batch', of_batch),
    'frames': ('frames of a motion', of_frames),
    'text': ('tokens of the text', of_text),
    'widths': ('width', of_widths),
    'captions': ('captions in a batch', of_captions),
    'words': ('tokens that are written', of_words),
}
STREAM = 'stream'


def measure(points: Iterable[Point], repeats: int, rates: Rates) -> list[dict[str, float]]:
    """Time and floor of each point, taken in turn after one of each to warm up."""
    points = list(points)
    floors = [counted(work).floor_s(rates) for _, work in points]
    taken: list[list[float]] = [[] for _ in points]
    for _ in range(repeats):
        for own, (_, work) in zip(taken, points, strict=True):
            begun = time.process_time()
            work()
            own.append(time.process_time() - begun)
    return [
        {'size': size, 'seconds': statistics.median(own), 'floor_s': floor}
        for (size, _), own, floor in zip(points, taken, floors, strict=True)
    ]


def streamed(model: MotionGPT3, rates: Rates) -> list[dict[str, float]]:
    """A minute of a stream after the other: what a step takes, in the median, and its floor."""
    live = model.stream('a person walks')
    rows = []
    for minute in MINUTES:
        floor, taken = counted(live.step).floor_s(rates), []
        for _ in range(round(60 * FPS / live.frames) - 1):
            begun = time.process_time()
            live.step()
            taken.append(time.process_time() - begun)
        rows.append({'size': minute, 'seconds': statistics.median(taken), 'floor_s': floor})
    return rows


def growth(rows: list[dict[str, float]]) -> float:
    """The ratio to the floor at the last point over that at the first."""
    first, last = (row['seconds'] / row['floor_s'] for row in (rows[0], rows[-1]))
    return last / first


def table(report: dict[str, Any]) -> str:
    """The report as Markdown."""
    lines = [
        report['circumstances'],
        'rates of this machine: {gflops:.0f} GFLOP/s, {read_gb_s:.1f} GB/s read'.format(
            **report['rates']
        ),
        '',
        '| what grows | size: ms (floor) | ratio to the floor, first to last | growth |',
        '|---|---|---|---|',
    ]
    for name, rows in report['series'].items():
        said = ', '.join(
            f'{row["size"]:g}: {1e3 * row["seconds"]:.0f} ({1e3 * row["floor_s"]:.0f})'
            for row in rows
        )
        ratios = [row['seconds'] / row['floor_s'] for row in (rows[0], rows[-1])]
        lines.append(
            f'| {name} | {said} | {ratios[0]:.1f} to {ratios[1]:.1f} | {growth(rows):.2f} |'
        )
    return '\n'.join(lines)


def plot(report: dict[str, Any], path: Path) -> None:
    """Draw each series with the line of its floor."""
    with extra('eval'):
        import matplotlib

        matplotlib.use('Agg')
        from matplotlib import pyplot

    series = report['series']
    columns = min(len(series), 4)
    lines = -(-len(series) // columns)
    figure, panels = pyplot.subplots(
        lines, columns, figsize=(3 * columns, 2.6 * lines), squeeze=False
    )
    for panel in panels.flat[len(series) :]:
        panel.axis('off')
    for panel, (name, rows) in zip(panels.flat, series.items(), strict=False):
        sizes = [row['size'] for row in rows]
        panel.plot(sizes, [1e3 * row['seconds'] for row in rows], 'o-', ms=3, label='measured')
        panel.plot(sizes, [1e3 * row['floor_s'] for row in rows], '--', label='floor')
        panel.set(xlabel=name, ylabel='CPU ms', ylim=(0, None))
    panels.flat[0].legend()
    figure.tight_layout()
    figure.savefig(path, dpi=100)


def main(argv: list[str] | None = None) -> int:
    """Measure, print the table, and write it with a plot where ``-o`` names a file."""
    parser = argparse.ArgumentParser(
        prog='python -m benchmarks.growth',
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    names = (*SERIES, STREAM)
    parser.add_argument(
        '--series', choices=names, action='append', help='may be given several times (all)'
    )
    parser.add_argument('--repeats', type=int, default=3)
    parser.add_argument('--stream', default='stream', metavar='CHECKPOINT', help='of that form')
    parser.add_argument('-o', '--output', type=Path, help='.json and .png, without the suffix')
    options = parser.parse_args(argv)
    torch.set_num_threads(1)
    rates, wanted = measured_rates(), options.series or names
    report: dict[str, Any] = {
        'circumstances': circumstances(),
        'rates': rates.as_dict(),
        'series': {},
    }
    whole_clips = [name for name in wanted if name != STREAM]
    if whole_clips:
        model = sized(768)
        for name in whole_clips:
            title, points = SERIES[name]
            report['series'][title] = measure(points(model), options.repeats, rates)
    if STREAM in wanted:
        model = MotionGPT3.from_pretrained(options.stream, 'cpu')
        report['series']['minutes of a stream, a step'] = streamed(model, rates)
    if options.output is not None:
        write_text(options.output.with_suffix('.json'), json.dumps(report, indent=2) + '\n')
        plot(report, options.output.with_suffix('.png'))
    print(table(report))
    return 0


if __name__ == '__main__':
    sys.exit(main())
