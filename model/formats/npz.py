# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Motions as this project keeps them: joints, frame rate and what is known about them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from mgpt3_ros.model.errors import MotionError
from mgpt3_ros.model.motion import Motion, MotionInfo


def write_npz(path: Path, motion: Motion) -> None:
    """Write joints (T, 22, 3) [m], fps, and info as JSON.

    Raises:
        MotionError: ``info`` holds what JSON cannot say.
    """
    info = plain_json(motion.info)
    with path.open('wb') as file:
        np.savez_compressed(file, joints=motion.joints, fps=motion.fps, info=info)


def read_npz(path: Path, fps: float) -> Motion:
    """Read a motion; ``fps`` is that of a file that does not say it."""
    with np.load(path, allow_pickle=False) as data:
        info: MotionInfo = json.loads(str(data['info'])) if 'info' in data else {}
        return Motion(data['joints'], float(data['fps']) if 'fps' in data else fps, info)


def plain_json(info: MotionInfo) -> str:
    """What is known about a motion as JSON.

    Raises:
        MotionError: it holds what JSON cannot say.
    """
    return json.dumps(dict(info), default=_plain)


def _plain(value: object) -> object:
    """What JSON has for a number or array of numpy's."""
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    raise MotionError(f'info holds a {type(value).__name__}, which cannot be saved: remove it')
