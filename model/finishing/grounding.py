# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A body that hovers comes down to the floor.

A decoder draws the height of the pelvis and the bend of the legs each by itself, and a drawn walk
or run may bend both knees a little too much all the time: it hovers. Whoever walks or runs is on
the floor every few tenths of a second, so the whole body is lowered by what its lowest joint keeps
above the height of a foot in stance. A leap that is shorter than the window stays as it is.

In 71 walking and running motions that the shipped checkpoint drew, the lowest joint is 22 -> 17 mm
too high on average (real 10 mm, in strides of running; ``python -m benchmarks.feet``).
"""

from __future__ import annotations

import numpy as np
import scipy
from numpy.typing import NDArray

STANCE_HEIGHT = 0.02  # [m]: in mocap22 a standing ball of the foot is at 0 to 3 cm
AIRBORNE_S = 0.6  # longest time in the air; steps of a walk or run are apart by less
SMOOTH_S = 0.1  # standard deviation of the average over time


def put_on_floor(joints: NDArray, fps: float) -> NDArray:
    """Lower a body that stays above the floor.

    Args:
        joints: (T, 22, 3) [m], Y up, floor at y = 0.
        fps: frames per second.

    Returns:
        (T, 22, 3), same dtype; frames are moved down as a whole, no pose is changed.
    """
    lowest = joints[..., 1].min(axis=1).astype(np.float64)
    window = 2 * round(AIRBORNE_S / 2 * fps) + 1
    lowest_near = scipy.ndimage.minimum_filter1d(lowest, window, mode='nearest')
    kept = scipy.ndimage.gaussian_filter1d(lowest_near, SMOOTH_S * fps)
    lowered = joints.astype(np.float64)
    lowered[..., 1] -= np.maximum(kept - STANCE_HEIGHT, 0)[:, None]
    return lowered.astype(joints.dtype, copy=False)
