# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A motion as a video.

H.264 through PyAV, not VP9 through OpenCV: encoding 6 s of 1280 x 720 took 1 s and 0.7 MB at most,
not 30 s and 2 MB (one core), and Safari plays it too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np

from mgpt3_ros.model.atomic_files import whole_file
from mgpt3_ros.model.errors import MotionError
from mgpt3_ros.model.motion import Motion
from mgpt3_ros.model.render.labels import Labels
from mgpt3_ros.model.render.stage import pictures, title_of

# ultrafast with three of the tools that it leaves out: half of the time of superfast with the tune
# animation, at the same likeness (50 dB) and a seventh larger.
ENCODER = {
    'crf': '22',
    'preset': 'ultrafast',
    'x264-params': 'cabac=1:deblock=1:bframes=3:b-adapt=0',
}


def draw_frames(
    motion: Motion, title: str | None = None, size: tuple[int, int] = (1280, 720)
) -> Iterator[np.ndarray]:
    """Yield the pictures (H, W, 3) uint8 RGB of a motion, frame by frame.

    Args:
        motion: at least one frame.
        title: caption; None takes the motion's own text, '' writes none.
        size: width and height [px].
    """
    labels = Labels(size, title_of(motion, title), motion.duration_s)
    path = motion.joints[:, 0, [0, 2]].astype(np.float64)
    for frame, image in enumerate(pictures(motion, size, range(motion.num_frames), path)):
        labels.draw(image, frame / motion.fps)
        yield image


def render_video(
    motion: Motion,
    path: str | Path,
    title: str | None = None,
    size: tuple[int, int] = (1280, 720),
    fps: float | None = None,
    on_progress: Callable[[float], None] | None = None,
) -> None:
    """Write a motion as an H.264 video (.mp4) that browsers play.

    Args:
        motion: what to show.
        path: file to write; its folder must exist.
        title: caption; None takes the motion's own text, '' writes none.
        size: width and height [px], both even.
        fps: pictures per second; None takes those of the motion.
        on_progress: told the share that is done, 0 to 1, after each picture.

    Raises:
        MotionError: the name does not end in .mp4, or the size is odd.
        OSError: the file cannot be written.
    """
    path = Path(path)
    if path.suffix.lower() != '.mp4':
        raise MotionError(f'{path}: a video must be named .mp4')
    if size[0] % 2 or size[1] % 2 or min(size) < 64:
        raise MotionError(f'a video of {size[0]} x {size[1]} px: both must be even, 64 at least')
    if fps is not None:
        motion = motion.resample(fps)
    rate = Fraction(motion.fps).limit_denominator(1001)
    with whole_file(path) as partial:  # a video without its end does not play at all
        partial.touch()  # an error of Python's own names the file
        images = draw_frames(motion, title, size)
        encode(_told(images, motion.num_frames, on_progress), partial, size, rate)


def _told(
    images: Iterator[np.ndarray], count: int, on_progress: Callable[[float], None] | None
) -> Iterator[np.ndarray]:
    """Pass on pictures, and say after each how many of ``count`` there were."""
    for number, image in enumerate(images, start=1):
        yield image
        if on_progress is not None:
            on_progress(number / count)


def encode(
    images: Iterator[np.ndarray], path: Path, size: tuple[int, int], rate: Fraction
) -> None:
    """Write pictures (H, W, 3) uint8 RGB of ``size`` (W, H) as .mp4, ``rate`` a second."""
    options = {'movflags': '+faststart'}  # it plays while it loads
    with av.open(str(path), 'w', format='mp4', options=options) as container:
        stream = container.add_stream('libx264', rate=rate, options=ENCODER)
        stream.width, stream.height = size
        stream.pix_fmt = 'yuv420p'  # the only form that all browsers take
        for image in images:
            # OpenCV brings it to the form of the video in a third of the time that PyAV takes.
            planes: np.ndarray = cv2.cvtColor(image, cv2.COLOR_RGB2YUV_I420)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(planes, format='yuv420p')))
        container.mux(stream.encode(None))
