# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Two steps of a drawn walk as a cycle that can be repeated without an end."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from mgpt3_ros.model.errors import MotionError
from mgpt3_ros.model.finishing.foot_lock import BALL_HEIGHT, contacts
from mgpt3_ros.model.finishing.leg_pose import LEGS
from mgpt3_ros.model.finishing.settling import standing_pose
from mgpt3_ros.model.kinematics.heading import heading, rotate_about_y
from mgpt3_ros.model.kinematics.skeleton import FPS

Array = NDArray[np.float64]

GAITS = ('walk', 'walk-back', 'walk-left', 'walk-right')  # as actions are named
BALLS = [leg[3] for leg in LEGS]
PHASES = 60  # of a cycle that are kept
_LONGEST_S, _SHORTEST_S = 2.0, 0.5  # of two steps: anything else is none
LANDS = (0.0, 0.5)  # phases at which the left and the right foot land
_LEAST_ASIDE = 0.07  # [m] from the middle: feet do not stand on one line
_DUTY = (0.5, 0.75)  # shares of a cycle that a walking foot stands


@dataclass(frozen=True)
class Cycle:
    """Two steps over phases from 0 to 1: the left foot lands at 0, the right one at 1/2.

    poses: (P, 22, 3) [m], Y up, facing +Z, seen from a point on the floor that moves evenly along
    the way. duty: the share of the cycle that a foot stands. duration_s, speed [m/s]: as drawn.
    neutral: (2, 2) [m] (left, ahead) of the balls of left and right foot in mid stance.
    """

    poses: Array
    duty: float
    duration_s: float
    speed: float
    neutral: Array


def cycle_of(motions: Iterable[NDArray]) -> Cycle:
    """The two steps that close best, of all in some drawn walks.

    Args:
        motions: (T, 22, 3) [m] each, Y up, at ``FPS``, straight.

    Raises:
        MotionError: none holds two steps.
    """
    found = [cycle for joints in motions for cycle in _cycles(joints)]
    if not found:
        raise MotionError('no drawn walk has two steps that could be repeated')
    return min(found, key=lambda row: row[0])[1]


def _cycles(joints: NDArray) -> Iterator[tuple[float, Cycle]]:
    """All pairs of steps of a walk (T, 22, 3), each with how far it is open [m]."""
    given = joints.astype(np.float64)
    given = rotate_about_y(given, -float(np.median(np.unwrap(heading(given)))))
    runs = [contacts(given[:, ball], BALL_HEIGHT, FPS) for ball in BALLS]
    for first, second in pairwise(runs[0]):
        between = [run for run in runs[1] if first.start < run.start < second.start]
        seconds = (second.start - first.start) / FPS
        if len(between) != 1 or not _SHORTEST_S <= seconds <= _LONGEST_S:
            continue
        poses, speed, gap = _closed(given, first.start, second.start, between[0].start)
        stands = (first.stop - first.start + between[0].stop - between[0].start) / 2
        duty = float(np.clip(stands / (second.start - first.start), *_DUTY))
        yield gap, Cycle(poses, duty, seconds, speed, _neutral(poses, duty))


def _closed(joints: Array, start: int, stop: int, right_lands: int) -> tuple[Array, float, float]:
    """Poses over even phases and speed [m/s] of a piece, and how far it is open [m]."""
    piece = joints[start : stop + 1]
    share = np.arange(len(piece)) / (len(piece) - 1)
    way = (piece[-1, 0] - piece[0, 0]) * (1, 0, 1)
    middle = piece[:, 0].mean(axis=0) * (1, 0, 1) - 0.5 * way
    local = piece - (middle + share[:, None] * way)[:, None]
    open_by = local[-1] - local[0]
    local = local - (share[:, None, None] - 0.5) * open_by
    phases = np.interp(share, [0.0, (right_lands - start) / (stop - start), 1.0], [0.0, 0.5, 1.0])
    even = np.arange(PHASES) / PHASES
    flat = local.reshape(len(local), -1)
    poses = np.stack([np.interp(even, phases, column) for column in flat.T], axis=1)
    speed = float(np.linalg.norm(way)) * FPS / (stop - start)
    return poses.reshape(PHASES, 22, 3), speed, float(np.linalg.norm(open_by, axis=1).mean())


def _neutral(poses: Array, duty: float) -> Array:
    """Where (2, 2) [m] (left, ahead) the balls of the feet are in mid stance, on either side."""
    rows = [round((lands + 0.5 * duty) * PHASES) % PHASES for lands in LANDS]
    places = np.stack([poses[row, ball] for row, ball in zip(rows, BALLS, strict=True)])
    aside = max(0.5 * float(places[0, 0] - places[1, 0]), _LEAST_ASIDE)
    ahead = float(places[:, 2].mean())
    return np.array([[aside, ahead], [-aside, ahead]])


class Gaits:
    """Cycles of several walks, and standing, between which a body passes smoothly.

    Args:
        cycles: by name, one for each of ``GAITS``.
    """

    def __init__(self, cycles: Mapping[str, Cycle]) -> None:
        self._cycles = [cycles[name] for name in GAITS]
        self._poses = np.stack([cycle.poses for cycle in self._cycles])
        self._duties = np.array([cycle.duty for cycle in self._cycles])
        self._durations = np.array([cycle.duration_s for cycle in self._cycles])
        self._speeds = np.array([cycle.speed for cycle in self._cycles])
        self._neutral = np.stack([cycle.neutral for cycle in self._cycles])
        self.stand = standing_pose()

    def pose(self, phase: float, weights: Array) -> Array:
        """The pose (22, 3) at a phase, of a mixture ``weights`` (4,) of the walks."""
        at = (phase % 1.0) * PHASES
        low = int(at) % PHASES
        share = at - int(at)
        poses = (1 - share) * self._poses[:, low] + share * self._poses[:, (low + 1) % PHASES]
        return np.tensordot(weights, poses, axes=1)

    def duty(self, weights: Array) -> float:
        """The share of the cycle that a foot stands."""
        return float(weights @ self._duties)

    def duration_s(self, weights: Array) -> float:
        """How long the two steps took as they were drawn [s]."""
        return float(weights @ self._durations)

    def speed(self, weights: Array) -> float:
        """How fast they were drawn [m/s]."""
        return float(weights @ self._speeds)

    def neutral(self, weights: Array) -> Array:
        """Where (2, 2) [m] (left, ahead) the balls of the feet are in mid stance."""
        return np.tensordot(weights, self._neutral, axes=1)
