# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Standing still, found in clips that show other things: what a stream comes to rest in.

Hardly any clip is of a person who only stands, yet many begin or end so. Those spans become clips
of their own; played forth and back they last, and the body sways as a standing one does.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mgpt3_ros.model.kinematics.features import canonicalise
from mgpt3_ros.model.kinematics.skeleton import FPS, JOINT_NAMES, MIRRORED
from mgpt3_ros.training.data.clip import Clip, DataError

STAND = 'stand'
CAPTIONS = (
    'a person stands still.',
    'the person stands and waits.',
    'someone stands in place.',
    'the man stops and stands still.',
    'a figure is standing, arms hanging.',
    'a person does nothing.',
)
SHORTEST_FRAMES = 16
LASTS_FRAMES = 120  # a span is played forth and back for so long

_MEAN_SPEED, _JOINT_SPEED = 0.15, 0.4  # [m/s], of all joints and of any one
_NECK = JOINT_NAMES.index('neck')
_PELVIS = JOINT_NAMES.index('pelvis')
_WRISTS = [JOINT_NAMES.index(f'{side}_wrist') for side in ('left', 'right')]
_ANKLES = [JOINT_NAMES.index(f'{side}_ankle') for side in ('left', 'right')]
_FEET = [JOINT_NAMES.index(f'{side}_foot') for side in ('left', 'right')]
_LEAN = 0.25  # [m], how far the neck may be off above the pelvis
_STANCE = 0.45  # [m], how far the ankles may be apart
_FOOT_HEIGHT = 0.06  # [m]
_TALL = 0.85  # of the height that the neck of this body reaches when upright: legs are stretched


def at_rest(joints: np.ndarray) -> np.ndarray:
    """Which frames (T,) of joints (T, 22, 3) [m] show a person who stands, the arms hanging."""
    if len(joints) < 2:
        return np.zeros(len(joints), dtype=bool)
    speed = np.linalg.norm(np.diff(joints, axis=0), axis=-1) * FPS
    speed = np.concatenate([speed[:1], speed])
    height = joints[..., 1]
    lean = np.linalg.norm((joints[:, _NECK] - joints[:, _PELVIS])[:, [0, 2]], axis=-1)
    apart = np.linalg.norm(joints[:, _ANKLES[0]] - joints[:, _ANKLES[1]], axis=-1)
    legs = height[:, _PELVIS] - height[:, _ANKLES].mean(axis=1)
    return (
        (speed.mean(axis=1) < _MEAN_SPEED)
        & (speed.max(axis=1) < _JOINT_SPEED)
        & (lean < _LEAN)
        & (apart < _STANCE)
        & (legs > _TALL * _leg_length(joints))
        & (height[:, _FEET].max(axis=1) < _FOOT_HEIGHT)
        & (height[:, _WRISTS].max(axis=1) < height[:, _PELVIS] + 0.1)
    )


def _leg_length(joints: np.ndarray) -> np.ndarray:
    hip, knee, ankle = (
        joints[:, JOINT_NAMES.index(f'left_{n}')] for n in ('hip', 'knee', 'ankle')
    )
    return np.linalg.norm(knee - hip, axis=-1) + np.linalg.norm(ankle - knee, axis=-1)


def rest_clips(clips: Sequence[Clip]) -> list[Clip]:
    """Clips of standing, cut from clips in which somebody stands for a while."""
    found = []
    for clip in clips:
        still = np.flatnonzero(np.diff(np.pad(at_rest(clip.joints), 1).astype(int)))
        for begin, end in still.reshape(-1, 2):
            if end - begin >= SHORTEST_FRAMES:
                span = clip.joints[begin:end]
                name = f'{clip.id}~stands{begin}'
                lasting = forth_and_back(span, LASTS_FRAMES)
                found.append(
                    Clip(name, lasting, CAPTIONS, clip.split, clip.source, STAND, None, clip.take)
                )
    return found


def forth_and_back(joints: np.ndarray, frames: int) -> np.ndarray:
    """A span (T, 22, 3) played forth and back until it lasts ``frames``, or as long as it is."""
    there_and_back = np.concatenate([joints, joints[-2:0:-1]])
    times = -(-max(frames, len(joints)) // len(there_and_back))
    return np.concatenate([there_and_back] * times)[: max(frames, len(joints))]


def rest_pose(clips: Sequence[Clip]) -> np.ndarray:
    """Two frames (2, 22, 3) [m] of the most usual stance of standing clips, at the origin.

    Of those that are at rest the one that is nearest to the median of all and of their mirror
    images, and most like its own: a hand that is held up would already say something.

    Raises:
        DataError: nobody stands still.
    """
    pairs = [
        canonicalise(clip.joints[frame : frame + 2].astype(np.float64))
        for clip in clips
        if clip.action == STAND
        for frame in np.flatnonzero(at_rest(clip.joints)[:-1])[::8]
    ]
    if not pairs:
        raise DataError('nobody stands still in this data set: there is no pose to begin from')
    found = np.stack(pairs)
    mirrored = found[:, :, MIRRORED] * np.array([-1, 1, 1])
    usual = np.median(np.concatenate([found, mirrored])[:, 0], axis=0)
    off = np.linalg.norm(found[:, 0] - usual, axis=-1).mean(axis=1)
    uneven = np.linalg.norm(found[:, 0] - mirrored[:, 0], axis=-1).mean(axis=1)
    return found[int((off + uneven).argmin())].astype(np.float32)
