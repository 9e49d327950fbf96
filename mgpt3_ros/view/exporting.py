# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A motion as the bytes of a file, for a browser to keep."""

from __future__ import annotations

import tempfile
from pathlib import Path

from mgpt3_ros.model.formats import WRITERS
from mgpt3_ros.model.motion import Motion

KINDS = ('npz', 'bvh', 'glb', 'vrma', 'mp4', 'html')


def file_of(motion: Motion, kind: str) -> bytes:
    """Write a motion as one of ``KINDS``; return the file.

    Raises:
        MotionGPT3Error: it cannot be written so.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f'motion.{kind}'
        if path.suffix in WRITERS:
            motion.save(path)
        elif kind == 'mp4':
            from mgpt3_ros.model.render import render_video

            render_video(motion, path)
        else:
            from mgpt3_ros.view.page import write_page

            write_page(path, motion)
        return path.read_bytes()
