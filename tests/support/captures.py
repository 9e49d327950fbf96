# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A folder of captures of several kinds, as a user has them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from mgpt3_ros.model.motion import Motion
from tests.support.tiny import swinging_motion


def write_captures(folder: Path) -> Path:
    """Five usable motions, one of each kind of file."""
    (folder / 'more').mkdir(parents=True)
    np.save(folder / 'a.npy', swinging_motion(0, 40))
    np.save(folder / 'b.npy', swinging_motion(1, 44).reshape(44, 66))
    Motion(swinging_motion(2, 90), fps=30.0, info={'text': 'someone waits.'}).save(
        folder / 'c.npz'
    )
    Motion(swinging_motion(3, 48)).save(folder / 'more' / 'd.bvh')
    np.save(folder / 'more' / 'e.npy', 1.2 * swinging_motion(4, 60))
    (folder / 'a.txt').write_text('a person walks forward.\nwalk ahead\n')
    (folder / 'b.txt').write_text('swings the arms.\n\n')
    (folder / 'more' / 'd.txt').write_text('a person glides.\n')
    (folder / 'more' / 'e.txt').write_text('glides.\nswings the left arm.#x#0.5#2.0\n')
    return folder
