# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A motion as the bytes of a file, for a browser to keep."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

from mgpt3_ros.model.formats import WRITERS
from mgpt3_ros.model.motion import Motion
from mgpt3_ros.view.side_by_side import ShownRobot

KINDS = ('npz', 'bvh', 'glb', 'vrma', 'mp4', 'html')


def file_of(
    motion: Motion,
    kind: str,
    shown: ShownRobot | None = None,
    on_progress: Callable[[float], None] | None = None,
) -> bytes:
    """Write a motion as one of ``KINDS``; return the file.

    Args:
        motion: what is written.
        kind: as what.
        shown: the robot that a page has too.
        on_progress: told the share of a video that is done, 0 to 1.

    Raises:
        MotionGPT3Error: it cannot be written so.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f'motion.{kind}'
        if path.suffix in WRITERS:
            motion.save(path)
        elif kind == 'mp4':
            from mgpt3_ros.model.render import render_video

            render_video(motion, path, on_progress=on_progress)
        else:
            from mgpt3_ros.view.page import write_page

            if shown is None:
                write_page(path, motion)
            else:
                write_page(path, motion, robot=shown.robot, robot_only=shown.instead)
        return path.read_bytes()
