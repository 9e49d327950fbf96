# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Metrics of poses: MPJPE, PA-MPJPE and ACCL, ADE and FDE, APE and AVE.

Each compares whole motions, the given frames too, with real ones, and raises `MetricError` for
shapes that do not fit, NaN and motions that are too short.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mgpt3_ros.model.kinematics.heading import heading, heading_across, rotate_about_y
from mgpt3_ros.model.kinematics.skeleton import FOOT_JOINTS, JOINT_NAMES
from mgpt3_ros.training.evaluation.metrics.checks import (
    Array,
    MetricError,
    numbers,
    same_shape,
)

Joints = NDArray | Sequence[ArrayLike]
MILLIMETRES = 1000.0
ROOT = 0

Task = Literal['prediction', 'inbetween']
SEEN_SHARE = 0.2  # of a motion is given before the prediction begins
END_SHARE = 0.25  # of a motion is given at each end of an in-between

PARTS = ('root', 'traj', 'mean_pose', 'mean_joints')  # of APE and AVE
# What the authors' code divides joints by; they are metres before it, and not after.
REFERENCE_UNIT = 1000 * 0.75 / 480
# The authors' code takes the indices of another skeleton, KIT's 21 joints. On 22 joints they are
# a collar, an elbow, ... (the heading's are looked up after the root was cut off: one more).
_REFERENCE_LEFT, _REFERENCE_RIGHT, _REFERENCE_FEET = (12, 6), (17, 9), (14, 15, 19, 20)


def motion_pairs(
    made: Joints,
    real: Joints,
    lengths: Sequence[int] | None = None,
    least: int = 1,
    reference: bool = False,
) -> tuple[list[tuple[Array, Array]], list[int]]:
    """Return each made motion beside its real one, and how many of their frames count.

    Args:
        made: (B, T, J, 3) [m], or B arrays (T_b, J, 3).
        real: the same shapes.
        lengths: frames of each motion that count; None: all.
        least: fewest frames of a motion.
        reference: with its padding, as the authors' metrics read it; else without.

    Raises:
        MetricError: shapes or lengths that do not fit, or NaN; what lies behind a length is read
            in reference mode alone.
    """
    first, second = [np.asarray(m) for m in made], [np.asarray(m) for m in real]
    if len(first) != len(second):
        raise MetricError(f'{len(first)} made motions, but {len(second)} real ones')
    if not first:
        raise MetricError('there are no motions to compare')
    counted = [len(m) for m in first] if lengths is None else [int(n) for n in lengths]
    if len(counted) != len(first):
        raise MetricError(f'{len(counted)} lengths for {len(first)} motions')
    pairs = []
    for number, (a, b, length) in enumerate(zip(first, second, counted, strict=True)):
        same_shape(a, b, f'made and real joints of motion {number}')
        if not least <= length <= len(a):
            raise MetricError(
                f'motion {number} has {length} frames of {len(a)}: {least} at least are needed, '
                'and no more than the array holds'
            )
        read = slice(None if reference else length)
        pairs.append(
            (
                numbers(a[read], f'made joints of motion {number}', ('T', 'J', 3)),
                numbers(b[read], f'real joints of motion {number}', ('T', 'J', 3)),
            )
        )
    return pairs, counted


def pad(motions: Sequence[ArrayLike]) -> tuple[Array, list[int]]:
    """Return (B, T, J, 3), zeros after each motion's frames, and the lengths.

    Raises:
        MetricError: no motions, or shapes that do not fit.
    """
    arrays = [numbers(motion, 'joints', ('T', 'J', 3)) for motion in motions]
    if not arrays or len({array.shape[1] for array in arrays}) != 1:
        raise MetricError('padding takes motions (T, J, 3) with the same number of joints')
    lengths = [len(array) for array in arrays]
    batch = np.zeros((len(arrays), max(lengths), *arrays[0].shape[1:]))
    for row, array in zip(batch, arrays, strict=True):
        row[: len(array)] = array
    return batch, lengths


@dataclass(frozen=True)
class PoseErrors:
    """Means over all frames of all motions.

    mpjpe_mm: distance of a joint from its true place, both seen from the root [mm].
    pa_mpjpe_mm: the same after the best turn, shift and scale of each pose [mm].
    accl_mm: distance of a joint's second difference in time from the true one, in the world
        [mm per frame squared]; times 0.4 it is m/s^2 at 20 frames per second.
    """

    mpjpe_mm: float
    pa_mpjpe_mm: float
    accl_mm: float


def pose_errors(
    made: Joints,
    real: Joints,
    lengths: Sequence[int] | None = None,
    reference: bool = False,
) -> PoseErrors:
    """Compare made motions with real ones, frame by frame.

    Args:
        made: (B, T, J, 3) [m], or B arrays (T_b, J, 3).
        real: the same shapes.
        lengths: frames of each motion that count; None: all.
        reference: as the authors' code does it: sums run over padding too and are divided by the
            number of true frames, so that PA-MPJPE is NaN where padding is zero.

    Raises:
        MetricError: shapes that do not fit, NaN, motions of fewer than 3 frames, or a pose whose
            joints all lie in one point (not in reference mode).
    """
    pairs, counted = motion_pairs(made, real, lengths, 1 if reference else 3, reference)
    if not reference:
        flat = sum(int((np.ptp(pair[0], axis=1).max(axis=-1) == 0).sum()) for pair in pairs)
        if flat:
            raise MetricError(f'{flat} made poses have all joints in one point: nothing to align')
    frames = sum(counted)
    if frames <= 2 * len(pairs):
        raise MetricError('ACCL needs motions of 3 frames at least')
    mpjpe = sum(float(frame_mpjpe(a, b).sum()) for a, b in pairs) / frames
    aligned = sum(float(frame_pa_mpjpe(a, b).sum()) for a, b in pairs) / frames
    accl = sum(float(frame_accl(a, b).sum()) for a, b in pairs) / (frames - 2 * len(pairs))
    return PoseErrors(MILLIMETRES * mpjpe, MILLIMETRES * aligned, MILLIMETRES * accl)


def frame_mpjpe(made: Array, real: Array) -> Array:
    """Return (T,) [m]: mean distance of joints (T, J, 3) [m] seen from the root."""
    error = (made - made[:, ROOT : ROOT + 1]) - (real - real[:, ROOT : ROOT + 1])
    return np.linalg.norm(error, axis=-1).mean(axis=-1)


def frame_pa_mpjpe(made: Array, real: Array) -> Array:
    """Return (T,) [m]: mean distance after each made pose is fitted to its real one."""
    return np.linalg.norm(procrustes(made, real) - real, axis=-1).mean(axis=-1)


def frame_accl(made: Array, real: Array) -> Array:
    """Return (T - 2,) [m]: mean distance of second differences."""
    error = np.diff(made, n=2, axis=0) - np.diff(real, n=2, axis=0)
    return np.linalg.norm(error, axis=-1).mean(axis=-1)


def procrustes(made: Array, real: Array) -> Array:
    """Turn, shift and scale each made pose so that it lies best on its real one (Umeyama 1991).

    Args:
        made: (T, J, 3).
        real: (T, J, 3).

    Returns:
        (T, J, 3); NaN where all made joints lie in one point, and so have no scale.
    """
    middle, true_middle = made.mean(axis=1, keepdims=True), real.mean(axis=1, keepdims=True)
    centred, true_centred = made - middle, real - true_middle
    left, sizes, right = np.linalg.svd(np.swapaxes(centred, 1, 2) @ true_centred)
    sign = np.ones_like(sizes)
    sign[:, -1] = np.sign(np.linalg.det(left @ right))  # turns, never mirrors
    with np.errstate(invalid='ignore', divide='ignore'):
        scale = (sizes * sign).sum(axis=1) / (centred**2).sum(axis=(1, 2))
    turned = centred @ ((left * sign[:, None]) @ right)
    return scale[:, None, None] * turned + true_middle


@dataclass(frozen=True)
class Displacement:
    """Means over motions.

    ade_m: mean over the frames to be made of the pose's distance, the norm of all its joints'
        errors together (sqrt(J) times an error that all joints share) [m].
    fde_m: that distance in the last of them [m].
    joint_mm: mean distance of a single joint over the same frames [mm].
    """

    ade_m: float
    fde_m: float
    joint_mm: float


def displacement(
    made: Joints,
    real: Joints,
    lengths: Sequence[int] | None = None,
    task: Task = 'prediction',
    reference: bool = False,
) -> Displacement:
    """Compare the frames that were to be made, in the world.

    Args:
        made: (B, T, J, 3) [m], or B arrays (T_b, J, 3).
        real: the same shapes.
        lengths: frames of each motion that count; None: all.
        task: ``'prediction'``, from int(0.2 length) to the end; ``'inbetween'``, what lies
            int(0.25 length) frames from both ends.
        reference: as the authors' code does it: a prediction ends with the batch, not with the
            motion, so that padding is counted in.

    Raises:
        MetricError: shapes that do not fit, NaN, an unknown task, or nothing to compare.
    """
    if task not in ('prediction', 'inbetween'):
        raise MetricError(f"task must be 'prediction' or 'inbetween', got {task!r}")
    pairs, counted = motion_pairs(made, real, lengths, reference=reference)
    rows = []
    for (a, b), length in zip(pairs, counted, strict=True):
        part = made_frames(length, len(a), task)
        pose = pose_distance(a[part], b[part])
        if not len(pose):
            raise MetricError(f'a motion of {length} frames has none to compare for {task}')
        joint = np.linalg.norm(a[part] - b[part], axis=-1)
        rows.append((pose.mean(), pose[-1], 1000 * joint.mean()))
    ade, fde, single = np.mean(rows, axis=0)
    return Displacement(float(ade), float(fde), float(single))


def pose_distance(made: NDArray, real: NDArray) -> Array:
    """Return (T,) [m]: the norm of all joints' errors together, of (T, J, 3) [m]."""
    error = np.asarray(made, np.float64) - np.asarray(real, np.float64)
    return np.sqrt((error**2).sum(axis=(1, 2)))


def made_frames(length: int, stop: int, task: Task) -> slice:
    """Return which frames of a motion were to be made; ``stop`` ends a prediction."""
    if task == 'prediction':
        return slice(int(SEEN_SHARE * length), stop)
    given = int(END_SHARE * length)
    return slice(given, length - given)


def ape_ave(
    made: Joints,
    real: Joints,
    lengths: Sequence[int] | None = None,
    reference: bool = False,
) -> dict[str, float]:
    """APE and AVE: errors of mean and of variance of root, path, poses and joints (TEMOS, 2022).

    Both motions begin at the same place, in the same heading, and stand on the floor.

    Args:
        made: (B, T, 22, 3) [m], or B arrays (T_b, 22, 3), Y up.
        real: the same shapes.
        lengths: frames of each motion that count; None: all.
        reference: as the authors' code does it: heading and floor from joints of another
            skeleton, a soft floor that padding has a part in, and lengths over 1.5625.

    Returns:
        ``APE_root``, ``APE_traj`` (the root on the floor plane), ``APE_mean_pose`` (joints seen
        from the root and its heading) and ``APE_mean_joints`` [m]: distances, averaged over frames
        and joints; ``AVE_...`` [m^2]: distances of the variances in time, averaged over motions.

    Raises:
        MetricError: shapes that do not fit, NaN, or motions of one frame.
    """
    # One frame has no variance.
    pairs, counted = motion_pairs(made, real, lengths, least=2, reference=reference)
    if pairs[0][0].shape[1] != len(JOINT_NAMES):
        raise MetricError(f'APE takes {len(JOINT_NAMES)} joints, got {pairs[0][0].shape[1]}')
    ape, ave = np.zeros(len(PARTS)), np.zeros(len(PARTS))
    for pair, length in zip(pairs, counted, strict=True):
        views = zip(*(_views(joints, reference) for joints in pair), strict=True)
        for k, (a, b) in enumerate(views):
            a, b = a[:length], b[:length]
            ape[k] += np.linalg.norm(a - b, axis=-1).reshape(length, -1).mean(axis=1).sum()
            spread = a.var(axis=0, ddof=1) - b.var(axis=0, ddof=1)
            ave[k] += np.linalg.norm(spread, axis=-1).mean()
    ape, ave = ape / sum(counted), ave / len(pairs)
    return {f'APE_{part}': float(value) for part, value in zip(PARTS, ape, strict=True)} | {
        f'AVE_{part}': float(value) for part, value in zip(PARTS, ave, strict=True)
    }


def _views(joints: Array, reference: bool) -> tuple[Array, Array, Array, Array]:
    """Return root (T, 3), path (T, 2), local pose (T, J - 1, 3) and joints (T, J, 3)."""
    feet = joints[:, _REFERENCE_FEET if reference else FOOT_JOINTS, 1].min(axis=1)
    heights = joints[..., 1] - (_soft_floor(feet) if reference else feet.min())
    yaw = heading(joints)
    if reference:
        left, right = joints[:, _REFERENCE_LEFT], joints[:, _REFERENCE_RIGHT]
        yaw = heading_across(left.sum(axis=1) - right.sum(axis=1))
    offsets = joints - joints[:, :1]
    pose = rotate_about_y(offsets, -yaw[:, None])
    path = rotate_about_y(joints[:, 0] - joints[0, 0], -yaw[0])
    whole = rotate_about_y(offsets, -yaw[0]) + path[:, None]
    pose[..., 1] = whole[..., 1] = heights
    unit = REFERENCE_UNIT if reference else 1.0
    return whole[:, 0] / unit, path[:, [0, 2]] / unit, pose[:, 1:] / unit, whole / unit


def _soft_floor(heights: Array) -> float:
    """Floor by the authors' soft minimum, whose softness 0.5 was meant for millimetres."""
    lowest = heights.min()
    return float(lowest - np.log(0.5 + np.exp(lowest - heights.max())))
