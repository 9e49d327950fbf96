# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Joint angles that fulfil tasks as well as they can: Gauss-Newton over a whole motion at once.

With q (T, n) the angles, e_k the error of task k, w_k its weight and D the second difference over
time, the angles minimise

    sum_t sum_k w_k |e_k(q_t)|^2 + stiffness |D q|^2 + rest |q - q_rest|^2,  lower <= q <= upper.

Each step solves (J^T W J + stiffness D^T D + rest) dq = J^T W e - stiffness D^T D q + rest (q_rest
- q). Frames meet only in D, so that matrix is banded, and a whole motion costs as much as its
frames one by one. An angle at a bound that is pushed outward is left out of a step (projected
Newton: Bertsekas, SIAM J. Control Optim. 20(2), 1982).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solveh_banded

from mgpt3_ros.robots.kinematics import Kinematics, Poses

Array = NDArray[np.float64]
Columns = NDArray[np.intp]

_LARGEST_STEP = 0.6  # [rad] of an angle per iteration
_AT_BOUND = 1e-9  # [rad]
_SETTLED = 2e-4  # [rad]: no angle moves more
_RIDGE = 1e-6  # keeps the matrix positive where nothing else does


@dataclass(frozen=True)
class Task(ABC):
    """Something that a link shall do. columns: (k,) of the joints that move it."""

    link: str
    columns: Columns

    @abstractmethod
    def errors(self, poses: Poses) -> tuple[Array, Array]:
        """Return sqrt(w) e (T, m) and sqrt(w) J (T, m, k), J the link's change by the angles."""


@dataclass(frozen=True)
class Direction(Task):
    """An axis of a link points where it shall: e = wanted - R local, J = axis x R local.

    local (3,) of length 1 in the link's frame, wanted (T, 3), weight (T,) or one for all.
    """

    local: Array
    wanted: Array
    weight: Array | float = 1.0

    def errors(self, poses: Poses) -> tuple[Array, Array]:
        """See :class:`Task`."""
        now = poses.rotations[self.link] @ self.local
        jacobian = np.cross(poses.axes[:, self.columns], now[:, None])
        return _weighed(self.weight, self.wanted - now, jacobian)


@dataclass(frozen=True)
class Orientation(Task):
    """A link is turned as it shall: e the vector part of the rotation that is left, J = axis.

    wanted (T, 3, 3), weight (T,) or one for all. For a small rotation by v, wanted R^T = 1 + [v]x.
    """

    wanted: Array
    weight: Array | float = 1.0

    def errors(self, poses: Poses) -> tuple[Array, Array]:
        """See :class:`Task`."""
        left = self.wanted @ np.swapaxes(poses.rotations[self.link], 1, 2)
        error = 0.5 * np.stack(
            [
                left[:, 2, 1] - left[:, 1, 2],
                left[:, 0, 2] - left[:, 2, 0],
                left[:, 1, 0] - left[:, 0, 1],
            ],
            axis=-1,
        )
        return _weighed(self.weight, error, poses.axes[:, self.columns])


@dataclass(frozen=True)
class Place(Task):
    """A point of a link is where it shall be: J = axis x (point - a point on the axis).

    local (3,) [m] in the link's frame, wanted (T, 3) [m], weight [1/m^2] (T,) or one for all.
    """

    local: Array
    wanted: Array
    weight: Array | float = 1.0

    def errors(self, poses: Poses) -> tuple[Array, Array]:
        """See :class:`Task`."""
        now = poses.places[self.link] + poses.rotations[self.link] @ self.local
        arms = now[:, None] - poses.pivots[:, self.columns]
        jacobian = np.cross(poses.axes[:, self.columns], arms)
        return _weighed(self.weight, self.wanted - now, jacobian)


@dataclass(frozen=True)
class Effort:
    """How a motion is solved: most steps, price of acceleration (at 20 fps), of leaving rest."""

    iterations: int = 10
    stiffness: float = 0.03
    rest: float = 0.005


def solve(
    kinematics: Kinematics,
    tasks: Sequence[Task],
    start: Array,
    rest: Array,
    limits: Array,
    base_rot: Array,
    base_pos: Array,
    effort: Effort,
    fps: float,
) -> Array:
    """Return the angles (T, n) [rad] that do the tasks best; joints of no task stay as they are.

    Args:
        kinematics: of the robot.
        tasks: what its links shall do.
        start: (T, n) [rad] to begin from, within the limits.
        rest: (n,) [rad] that is kept where the tasks leave a choice.
        limits: (n, 2) [rad], lowest and highest; never broken.
        base_rot: (T, 3, 3) of the base link in the world.
        base_pos: (T, 3) [m] of it.
        effort: of the search.
        fps: frames per second.
    """
    positions = start.copy()
    for columns, members in groups(tasks):
        joints = kinematics.needed(task.link for task in members)
        where = {int(column): place for place, column in enumerate(columns)}
        places = [np.array([where[int(column)] for column in task.columns]) for task in members]
        smooth = effort.stiffness * (fps / 20.0) ** 4 * _bend_band(len(start))
        lower, upper = limits[columns].T
        for _ in range(effort.iterations):
            poses = kinematics.forward(positions, base_rot, base_pos, joints)
            now = positions[:, columns]
            matrix, slope = _normal(members, places, poses, len(columns))
            diagonal = np.arange(len(columns))
            matrix[:, diagonal, diagonal] += effort.rest + _RIDGE
            slope += effort.rest * (rest[columns] - now) - _banded_times(smooth, now)
            blocked = ((now <= lower + _AT_BOUND) & (slope < 0)) | (
                (now >= upper - _AT_BOUND) & (slope > 0)
            )
            step = np.clip(
                _banded_step(matrix, smooth, slope, ~blocked), -_LARGEST_STEP, _LARGEST_STEP
            )
            positions[:, columns] = np.clip(now + step, lower, upper)
            if np.abs(positions[:, columns] - now).max() < _SETTLED:
                break
    return positions


def groups(tasks: Sequence[Task]) -> list[tuple[Columns, list[Task]]]:
    """Part the tasks into those that share no joint: each with the columns (k,) that it moves."""
    parted: list[tuple[set[int], list[Task]]] = []
    for task in tasks:
        own = {int(column) for column in task.columns}
        if not own:
            continue
        members = [task]
        for group in [group for group in parted if group[0] & own]:
            parted.remove(group)
            own |= group[0]
            members = [*group[1], *members]
        parted.append((own, members))
    return [(np.array(sorted(own), dtype=np.intp), members) for own, members in parted]


def _weighed(weight: Array | float, error: Array, jacobian: Array) -> tuple[Array, Array]:
    root = np.sqrt(np.broadcast_to(weight, len(error)))
    return root[:, None] * error, root[:, None, None] * np.swapaxes(jacobian, 1, 2)


def _normal(
    tasks: Sequence[Task], places: Sequence[Columns], poses: Poses, width: int
) -> tuple[Array, Array]:
    """Return J^T W J (T, n, n) and J^T W e (T, n) of all tasks together."""
    parts = [task.errors(poses) for task in tasks]
    rows = sum(error.shape[1] for error, _ in parts)
    jacobian = np.zeros((len(parts[0][0]), rows, width))
    row = 0
    for (error, part), place in zip(parts, places, strict=True):
        jacobian[:, row : row + error.shape[1], place] = part
        row += error.shape[1]
    errors = np.concatenate([error for error, _ in parts], axis=1)
    turned = np.swapaxes(jacobian, 1, 2)
    return turned @ jacobian, (turned @ errors[..., None])[..., 0]


def _bend_band(frames: int) -> Array:
    """Return D^T D (3, T) of second differences over T frames: its diagonal and two beside it."""
    band = np.zeros((3, frames))
    for offset, factors in enumerate(((1.0, 4.0, 1.0), (-2.0, -2.0), (1.0,))):
        for first, factor in enumerate(factors):
            band[offset, first : frames - 2 + first] += factor
    return band


def _banded_times(band: Array, values: Array) -> Array:
    """Return the product (T, n) of a symmetric band (3, T) with values (T, n)."""
    product = band[0][:, None] * values
    for offset in (1, 2):
        beside = band[offset, : len(values) - offset, None]
        product[:-offset] += beside * values[offset:]
        product[offset:] += beside * values[:-offset]
    return product


def _banded_step(blocks: Array, band: Array, slope: Array, free: NDArray[np.bool_]) -> Array:
    """Solve (blocks + band) step = slope, (T, n); what is not free does not move."""
    frames, width = slope.shape
    stored = np.zeros((2 * width + 1, frames, width))
    for offset in range(width):
        stored[offset, :, : width - offset] = np.diagonal(blocks, -offset, 1, 2)
    for offset in (0, 1, 2):
        stored[offset * width] += band[offset][:, None]
    flat, moves = stored.reshape(2 * width + 1, -1), free.ravel()
    if not moves.all():
        for offset in range(len(flat)):
            count = flat.shape[1] - offset
            flat[offset, :count] *= moves[:count] & moves[offset:]
        flat[0] += ~moves
    step = solveh_banded(
        flat, slope.ravel() * moves, lower=True, overwrite_ab=True, check_finite=False
    )
    return np.asarray(step).reshape(frames, width)
