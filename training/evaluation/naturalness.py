# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How people walk, run and stand, in numbers that a person would see: drawn against real.

Each motion gives one number of each measure; a set of motions gives a distribution of it. The
distance of two is Wasserstein's (the area between their cumulative distributions, in the
measure's unit), and is told over that between two random halves of the real ones: 1 is as near as
people are to people.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import wasserstein_distance

from mgpt3_ros.model.finishing.way import landings
from mgpt3_ros.model.finishing.way import pace as walking_pace
from mgpt3_ros.model.kinematics.heading import heading, rotate_about_y
from mgpt3_ros.model.kinematics.skeleton import FPS, JOINT_NAMES
from mgpt3_ros.model.motiongpt3 import MotionGPT3
from mgpt3_ros.training.data.clip import Clip
from mgpt3_ros.training.data.resting import STAND, rest_clips
from mgpt3_ros.training.evaluation.measures import drawn_or_refused

GROUPS = ('walk', 'run', STAND)
CLIPS = 60  # of each group
STANDING_S = 4.0
HALVINGS = 50  # random halves of the real motions, whose distances are averaged
STEPPING = ('step length [m]', 'cadence [1/s]', 'speed [m/s]')
POSTURE = (
    *('knee flexion [deg]', 'elbow flexion [deg]', 'trunk lean [deg]'),
    *('pelvis height [m]', 'arm swing [m]', 'head height [m]'),
)

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Distance:
    """One measure of a group of motions.

    real, made: medians over the motions. over_halves: the distance between both distributions over
    that between halves of the real ones; NaN where it cannot be told.
    """

    real: float
    made: float
    over_halves: float


def measures_of(joints: NDArray, steps: bool) -> dict[str, float]:
    """The numbers of one motion (T, 22, 3) [m], Y up, 20 fps; of steps where it has ``steps``.

    Step length is the way of the pelvis between the first and the last landing of a foot, over the
    steps between them, and cadence their number over that time: NaN of less than three landings.
    Speed is that of the smoothed way while the body moves. Flexions (0 is straight), the lean of
    the line from pelvis to neck against the vertical, and heights are means over time; arm swing
    is how far the wrists go to and fro along the body's heading, seen from the pelvis.
    """
    joints = joints.astype(np.float64)
    found: dict[str, float] = {}
    if steps:
        found |= dict(zip(STEPPING, (*_steps(joints), walking_pace(joints, FPS)), strict=True))
    seen = rotate_about_y(joints - joints[:, :1], -heading(joints)[:, None])
    wrists = seen[:, [_at('left_wrist'), _at('right_wrist')], 2]
    swing = np.percentile(wrists, 95, axis=0) - np.percentile(wrists, 5, axis=0)
    trunk = joints[:, _at('neck')] - joints[:, _at('pelvis')]
    lean = np.degrees(np.arccos(np.clip(trunk[:, 1] / np.linalg.norm(trunk, axis=-1), -1, 1)))
    values = (
        _flexion(joints, 'hip', 'knee', 'ankle'),
        _flexion(joints, 'shoulder', 'elbow', 'wrist'),
        float(lean.mean()),
        float(joints[:, _at('pelvis'), 1].mean()),
        float(swing.mean()),
        float(joints[:, _at('head'), 1].mean()),
    )
    return found | dict(zip(POSTURE, values, strict=True))


def distances(
    real: Sequence[NDArray], made: Sequence[NDArray], steps: bool, seed: int = 0
) -> dict[str, Distance]:
    """Compare drawn motions with real ones, measure by measure.

    Args:
        real: motions (T, 22, 3) [m], four at least.
        made: the same.
        steps: whether they go somewhere.
        seed: of the halves.
    """
    both = [[measures_of(joints, steps) for joints in motions] for motions in (real, made)]
    found = {}
    for name in both[0][0]:
        ours, theirs = (np.array([one[name] for one in rows]) for rows in (both[1], both[0]))
        ours, theirs = ours[np.isfinite(ours)], theirs[np.isfinite(theirs)]
        if len(ours) < 2 or len(theirs) < 4:
            found[name] = Distance(float('nan'), float('nan'), float('nan'))
            continue
        usual = _between_halves(theirs, np.random.default_rng(seed))
        apart = float(wasserstein_distance(ours, theirs))
        ratio = apart / usual if usual > 0 else float('nan')
        found[name] = Distance(float(np.median(theirs)), float(np.median(ours)), ratio)
    return found


def chosen(clips: Sequence[Clip], action: str, count: int) -> list[Clip]:
    """So many clips of an action, by chance; of standing those cut from clips that begin so."""
    own = [clip for clip in clips if clip.action == action]
    if action == STAND:
        own = rest_clips(clips)
    rng = np.random.default_rng(0)
    picked = rng.choice(len(own), min(count, len(own)), replace=False)
    return [own[number] for number in sorted(picked)]


def naturalness(
    model: MotionGPT3, clips: Sequence[Clip], count: int = CLIPS
) -> dict[str, dict[str, Distance]]:
    """The distances of walking, running and standing.

    Captions of real clips are drawn at the lengths that the model finds, as a user draws them, and
    standing for ``STANDING_S``. A body that cannot be is refused: it has no measures.
    """
    found = {}
    for action in GROUPS:
        real = chosen(clips, action, count)
        stands = action == STAND
        lengths = [STANDING_S if stands else None] * len(real)
        made = drawn_or_refused(model, [clip.captions[0] for clip in real], 0, lengths)
        seen = [c.joints[: round(STANDING_S * FPS)] if stands else c.joints for c in real]
        drawn = [joints for joints in made if joints is not None]
        found[action] = distances(seen, drawn, steps=not stands)
    return found


def _between_halves(values: Array, rng: np.random.Generator) -> float:
    apart = []
    for _ in range(HALVINGS):
        mixed = rng.permutation(values)
        half = len(mixed) // 2
        apart.append(wasserstein_distance(mixed[:half], mixed[half:]))
    return float(np.mean(apart))


def _steps(joints: Array) -> tuple[float, float]:
    """Length [m] and cadence [1/s] of the steps."""
    landed = landings(joints, FPS)
    if len(landed) < 3 or landed[-1] == landed[0]:
        return float('nan'), float('nan')
    way = joints[landed[0] : landed[-1] + 1, 0, [0, 2]]
    gone = float(np.linalg.norm(np.diff(way, axis=0), axis=-1).sum())
    count = len(landed) - 1
    return gone / count, count * FPS / (landed[-1] - landed[0])


def _flexion(joints: Array, *limb: str) -> float:
    """The mean angle [deg] by which the middle joint of a limb is bent, both sides."""
    bent = []
    for side in ('left', 'right'):
        top, middle, end = (joints[:, _at(f'{side}_{name}')] for name in limb)
        upper, lower = middle - top, end - middle
        sizes = np.linalg.norm(upper, axis=-1) * np.linalg.norm(lower, axis=-1)
        cosine = (upper * lower).sum(axis=-1) / np.maximum(sizes, 1e-9)
        bent.append(np.degrees(np.arccos(np.clip(cosine, -1, 1))).mean())
    return float(np.mean(bent))


def _at(name: str) -> int:
    return JOINT_NAMES.index(name)
