# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The order in which a decoded clip is set right: bones, floor, root, place, feet.

Each step is measured on what the one before has left:

1. bones (``body_fit``): all later steps look at feet, which stretched legs misplace;
2. floor (``grounding``): whether a foot stands is told by its height;
3. root (``foot_slip``): what feet that stand still slip is taken out of the path;
4. place (``continuation``): a whole body now, the clip goes to where an observed one is;
5. feet (``foot_lock``): last, for every step above moves them.
"""

from __future__ import annotations

from collections.abc import Sequence

from numpy.typing import NDArray

from mgpt3_ros.model.finishing.body_fit import fit_bodies, fit_body
from mgpt3_ros.model.finishing.continuation import Seams, bridge, continue_from
from mgpt3_ros.model.finishing.foot_lock import lock_all, lock_feet
from mgpt3_ros.model.finishing.foot_slip import steady_root
from mgpt3_ros.model.finishing.grounding import put_on_floor


def finish(
    decoded: NDArray,
    fps: float,
    before: NDArray | None = None,
    after: NDArray | None = None,
    begin: int = 0,
    frames: int | None = None,
    corrected: bool = True,
) -> tuple[NDArray, Seams]:
    """Set a decoded clip right, and put it where it belongs.

    Args:
        decoded: (T, 22, 3) [m], Y up, bones of any length.
        fps: frames per second of all motions.
        before: (U, 22, 3) [m], what the clip follows; None leaves it where it is.
        after: (V, 22, 3) [m], what it leads into, if it follows something.
        begin: the clip's frame at the time of the last one of ``before``.
        frames: how many are wanted of those that follow it; None for all.
        corrected: whether bones, floor, root and feet are set right; else it is placed alone.

    Returns:
        The joints (S, 22, 3), and how far the clip was off where it meets the others.

    Raises:
        MotionError: for a wrong shape, NaN or infinity.
    """
    joints, seams = decoded, Seams()
    if corrected:
        (joints,) = _set_right([joints], fps)
    if before is not None and after is not None:
        stop = None if frames is None else begin + frames + 2
        joints, seams = bridge(before, joints[begin:stop], after, fps)
    elif before is not None:
        joints, seams = continue_from(before, joints[begin:], fps)
        joints = joints[:frames]
    if corrected:
        joints = lock_feet(joints, fps, before is not None, after is not None)
    return joints, seams


def finish_all(decoded: Sequence[NDArray], fps: float, corrected: bool = True) -> list[NDArray]:
    """What :func:`finish` makes of clips that belong nowhere: frames of all are computed at once.

    Raises:
        MotionError: as :func:`finish`.
    """
    if not corrected or not decoded:
        return list(decoded)
    return lock_all(_set_right(decoded, fps), fps)


def _set_right(decoded: Sequence[NDArray], fps: float) -> list[NDArray]:
    """Clips with their bones, floor and root set right."""
    fitted = fit_bodies(decoded, fps)
    return [steady_root(put_on_floor(joints, fps), fps) for joints in fitted]


def finish_joined(joints: NDArray, fps: float) -> NDArray:
    """Set right what :func:`~mgpt3_ros.model.finishing.joining.join` gives of finished clips.

    Floor and root are right already; blending has stretched the bones (T, 22, 3) [m] and moved the
    feet. Frame 0, at which the clip before is left, stays as it is.
    """
    return lock_feet(fit_body(joints, fps, hold_first=True), fps, hold_first=True)
