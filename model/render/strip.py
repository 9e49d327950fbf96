# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A motion as one picture: moments from its beginning to its end, side by side."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from mgpt3_ros.model.errors import MotionError
from mgpt3_ros.model.motion import Motion
from mgpt3_ros.model.render.labels import BOLD, FAINT_INK, INK, text_width, wrap, write
from mgpt3_ros.model.render.stage import pictures, title_of

PANEL = (300, 480)  # px
GAP = 4  # px between them
HEADER, MARGIN = 72, 20  # px, of the caption above them
_NOWHERE = np.empty((0, 2))


def render_strip(
    motion: Motion, path: str | Path, frames: int = 8, title: str | None = None
) -> None:
    """Write ``frames`` moments of a motion, evenly spaced, as one picture.

    Args:
        motion: what to show.
        path: file to write (.png or .jpg); its folder must exist.
        frames: number of moments, first and last included.
        title: caption; None takes the motion's own text, '' writes none.

    Raises:
        MotionError: the suffix is unknown, or fewer than one moment is asked for.
        OSError: the file cannot be written.
    """
    path = Path(path)
    if path.suffix.lower() not in ('.png', '.jpg', '.jpeg'):
        raise MotionError(f'{path}: a strip must be named .png or .jpg')
    if frames < 1:
        raise MotionError(f'a strip of {frames} moments: at least one is needed')
    title = title_of(motion, title)
    moments = np.round(np.linspace(0, motion.num_frames - 1, frames)).astype(int).tolist()
    panels = []
    for frame, image in zip(moments, pictures(motion, PANEL, moments, _NOWHERE), strict=True):
        time = f'{frame / motion.fps:.1f} s'
        at = ((PANEL[0] - text_width(time, 13)) // 2, PANEL[1] - 22)
        write(image, time, at, 13, FAINT_INK)
        panels.append(image)
        panels.append(np.full((PANEL[1], GAP, 3), 255, np.uint8))
    strip = np.hstack(panels[:-1])
    if title:
        header = np.full((HEADER, strip.shape[1], 3), 255, np.uint8)
        line = wrap(title, 19, strip.shape[1] - 2 * MARGIN, BOLD)[0]
        write(header, line, (MARGIN, 44), 19, INK, BOLD)
        strip = np.vstack([header, strip])
    _save(path, strip)


def _save(path: Path, image: np.ndarray) -> None:
    good, data = cv2.imencode(path.suffix.lower(), image[..., ::-1])
    if not good:
        raise OSError(f'OpenCV could not encode {path}')
    path.write_bytes(data.tobytes())
