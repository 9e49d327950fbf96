# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""``python -m benchmarks.video``: how long a video takes, and where its time goes."""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np

from benchmarks.table import Row, circumstances, print_table
from mgpt3_ros.model.figure.cones import build_figure
from mgpt3_ros.model.motion import Motion
from mgpt3_ros.model.motiongpt3 import MotionGPT3
from mgpt3_ros.model.render import draw_frames, render_video
from mgpt3_ros.model.render.camera import follow
from mgpt3_ros.model.render.shading import draw_figure
from mgpt3_ros.model.render.stage import Stage
from mgpt3_ros.model.render.video import encode
from mgpt3_ros.model.sampling import noise_source

SIZE = (1280, 720)
TEXT, MOTION_S = 'a person walks forward and turns left', 10.0
TARGET_S = 3.0  # of two cores


def measure(motion: Motion, size: tuple[int, int] = SIZE, repeats: int = 3) -> list[Row]:
    """Make a video ``repeats`` times, and each of its parts by itself."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / 'motion.mp4'
        whole = [_seconds(lambda: render_video(motion, path, size=size)) for _ in range(repeats)]
        pictures = list(draw_frames(motion, size=size))
        rate = Fraction(motion.fps).limit_denominator(1001)
        _, coding_s = _seconds(lambda: encode(iter(pictures), path, size, rate))
        size_mb = path.stat().st_size / 1e6
    joints = motion.joints.astype(np.float64)
    cameras, figures = follow(joints, motion.fps, size), build_figure(joints)
    way = joints[:, 0, [0, 2]]
    frames = range(motion.num_frames)
    stage = Stage(cameras[0])
    _, floor_s = _seconds(
        lambda: [stage.draw(cameras[frame], figures.at(frame), way, frame) for frame in frames]
    )
    _, body_s = _seconds(lambda: [draw_figure(figures.at(f), cameras[f]) for f in frames])
    _, begin_s = _seconds(lambda: Stage(cameras[0]))
    said = f'{motion.duration_s:.0f} s of {size[0]} x {size[1]}'
    return [
        Row(f'{said} as a video, fastest of {repeats}', min(w for w, _ in whole), 's', TARGET_S),
        Row('CPU time of it', min(cpu for _, cpu in whole), 's'),
        Row('of that: the stage, once', begin_s, 's'),
        Row('floor, path and shadow', floor_s, 's'),
        Row('body', body_s, 's'),
        Row('H.264', coding_s, 's'),
        Row('size of the file', size_mb, 'MB'),
    ]


def _seconds(call: Callable[[], object]) -> tuple[float, float]:
    """How long a call takes and how much CPU time [s]."""
    wall, cpu = time.perf_counter(), time.process_time()
    call()
    return time.perf_counter() - wall, time.process_time() - cpu


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(prog='python -m benchmarks.video', description=__doc__)
    parser.add_argument('--checkpoint', default=None, help='checkpoint folder (the shipped one)')
    arguments = parser.parse_args()
    model = MotionGPT3.from_pretrained(arguments.checkpoint)
    motion = model.generate(TEXT, MOTION_S, generator=noise_source(1))
    print(circumstances())
    print_table(measure(motion))
    return 0


if __name__ == '__main__':
    raise SystemExit(main())
