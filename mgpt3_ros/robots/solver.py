# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Joint angles that fulfil tasks as well as they can: Gauss-Newton over a whole motion at once.

With q (T, n) the angles, e_k the error of task k, w_k its weight and D the second difference over
time, the angles minimise

    sum_t sum_k w_k |e_k(q_t)|^2 + stiffness |D q|^2 + rest |q - q_rest|^2,  lower <= q <= upper.

Each step solves (J^T W J + stiffness D^T D + rest) dq = J^T W e - stiffness D^T D q + rest (q_rest
- q). What a joint would turn between two frames beyond its velocity limit costs too, so that it
begins earlier and ends later where that is cheap. Frames meet in differences alone, so the matrix
is banded, and a whole motion costs as much as its frames one by one. An angle at a bound that is
pushed outward is left out of a step (projected Newton: Bertsekas, SIAM J. Control Optim. 20(2),
1982), and one that would pass its bound ends there, as the others know.
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
_SLOW = 0.03  # price of turning twice as fast as a slow joint can: as of a bone 10 degrees off
_DEAREST = 200.0  # of haste: beyond it the slowest joint would decide alone
_FIRM = 1e8  # price that fixes an angle; others are 1e3 at most
_BOUND_PASSES = 3  # to find out which angles end at a bound
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
        """See :class:`Task`; the last three columns are the base's place, if it gives way."""
        now = poses.places[self.link] + poses.rotations[self.link] @ self.local
        turning = self.columns[self.columns < poses.axes.shape[1]]
        arms = now[:, None] - poses.pivots[:, turning]
        jacobian = np.cross(poses.axes[:, turning], arms)
        if len(turning) < len(self.columns):
            along = np.broadcast_to(np.eye(3), (len(now), 3, 3))
            jacobian = np.concatenate([jacobian, along], axis=1)
        return _weighed(self.weight, self.wanted - now, jacobian)


@dataclass(frozen=True)
class Effort:
    """How a motion is solved.

    iterations: most steps. stiffness: price of acceleration at 20 frames per second, of angles
    [rad] and of the base [m]. rest: price of leaving the pose at rest. haste: price of what a
    joint would turn in a frame beyond its velocity limit.
    """

    iterations: int = 10
    stiffness: float = 0.03
    base_stiffness: float = 0.5
    rest: float = 0.005
    haste: float = 1.0


@dataclass(frozen=True)
class Bounds:
    """Of n joints: limits (n, 2) [rad], never broken, and speed (n,) [rad/s], kept if cheap."""

    limits: Array
    speed: Array


def solve(
    kinematics: Kinematics,
    tasks: Sequence[Task],
    start: Array,
    rest: Array,
    bounds: Bounds,
    base_rot: Array,
    base_pos: Array,
    effort: Effort,
    fps: float,
    fixed: int = 0,
) -> tuple[Array, Array]:
    """Return the angles (T, n) [rad] and base places (T, 3) [m] that do the tasks best.

    Joints of no task stay as they are, and so does a base that no :class:`Place` moves.

    Args:
        kinematics: of the robot.
        tasks: what its links shall do.
        start: (T, n) [rad] to begin from, within the limits.
        rest: (n,) [rad] that is kept where the tasks leave a choice.
        bounds: of the joints.
        base_rot: (T, 3, 3) of the base link in the world.
        base_pos: (T, 3) [m] of it.
        effort: of the search.
        fps: frames per second.
        fixed: so many frames at the start stay as they are.
    """
    count = start.shape[1]
    state = np.concatenate([start, base_pos], axis=1)
    limits = np.concatenate([bounds.limits, np.tile([-np.inf, np.inf], (3, 1))])
    furthest = np.concatenate([bounds.speed / fps, np.full(3, np.inf)])
    stiffness = np.repeat([effort.stiffness, effort.base_stiffness], [count, 3])
    price = np.repeat([effort.rest, 0.0], [count, 3])
    resting = np.concatenate([rest, np.zeros(3)])
    for columns, members in groups(tasks):
        joints = kinematics.needed(task.link for task in members)
        where = {int(column): place for place, column in enumerate(columns)}
        places = [np.array([where[int(column)] for column in task.columns]) for task in members]
        smooth = _Smoothness(
            len(start), (fps / 20.0) ** 4 * stiffness[columns], effort.haste, furthest[columns]
        )
        lower, upper = limits[columns].T
        for _ in range(effort.iterations):
            poses = kinematics.forward(state[:, :count], base_rot, state[:, count:], joints)
            now = state[:, columns]
            matrix, slope = _normal(members, places, poses, len(columns))
            diagonal = np.arange(len(columns))
            matrix[:, diagonal, diagonal] += price[columns] + _RIDGE
            band, pull = smooth.at(now)
            slope += price[columns] * (resting[columns] - now) + pull
            blocked = ((now <= lower + _AT_BOUND) & (slope < 0)) | (
                (now >= upper - _AT_BOUND) & (slope > 0)
            )
            blocked[:fixed] = True
            step = _banded_step(matrix, band, slope, blocked, (lower - now, upper - now))
            moved = np.clip(now + np.clip(step, -_LARGEST_STEP, _LARGEST_STEP), lower, upper)
            moved[:fixed] = now[:fixed]
            state[:, columns] = moved
            if np.abs(moved - now).max() < _SETTLED:
                break
    return state[:, :count], state[:, count:]


class _Smoothness:
    """What angles x (T, k) over time cost: stiffness for second, haste for first differences.

    Of a first difference only what lies beyond the furthest step of a joint counts.
    """

    def __init__(self, frames: int, stiffness: Array, haste: float, furthest: Array) -> None:
        self._furthest = furthest
        # A joint that turns little in a frame costs more, measured by what it can turn.
        self._haste = np.clip(_SLOW / np.square(furthest), haste, _DEAREST)
        bend = np.zeros((3, frames))
        for offset, factors in enumerate(((1.0, 4.0, 1.0), (-2.0, -2.0), (1.0,))):
            for first, factor in enumerate(factors):
                bend[offset, first : max(frames - 2, 0) + first] += factor
        self._bend = bend[:, :, None] * stiffness

    def at(self, now: Array) -> tuple[Array, Array]:
        """Return the matrix as a band (3, T, k), its diagonal first, and the pull (T, k)."""
        band = self._bend.copy()
        product = band[0] * now
        for offset in (1, 2):
            beside = band[offset, : len(now) - offset]
            product[:-offset] += beside * now[offset:]
            product[offset:] += beside * now[:-offset]
        step = np.diff(now, axis=0)
        beyond = np.sign(step) * np.maximum(np.abs(step) - self._furthest, 0.0)
        hasty = self._haste * (beyond != 0)
        band[0, :-1] += hasty
        band[0, 1:] += hasty
        band[1, :-1] -= hasty
        pull = -product
        pull[:-1] += self._haste * beyond
        pull[1:] -= self._haste * beyond
        return band, pull


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


def _banded_step(
    blocks: Array, band: Array, slope: Array, fixed: NDArray[np.bool_], room: tuple[Array, Array]
) -> Array:
    """Solve (blocks + band) step = slope, (T, k), within the room (lower, upper) that there is.

    What is fixed does not move; what would go beyond its room goes to its end, and the others
    are solved for once more, knowing that.
    """
    frames, width = slope.shape
    stored = np.zeros((2 * width + 1, frames, width))
    for offset in range(width):
        stored[offset, :, : width - offset] = np.diagonal(blocks, -offset, 1, 2)
    for offset in (0, 1, 2):
        stored[offset * width] += band[offset]
    diagonal, wanted = stored[0].copy(), np.zeros_like(slope)
    for _ in range(_BOUND_PASSES):
        stored[0] = diagonal + _FIRM * fixed
        step = solveh_banded(
            stored.reshape(2 * width + 1, -1),
            (slope + _FIRM * fixed * wanted).ravel(),
            lower=True,
            check_finite=False,
        ).reshape(frames, width)
        beyond = ((step < room[0] - _AT_BOUND) | (step > room[1] + _AT_BOUND)) & ~fixed
        if not beyond.any():
            break
        wanted = np.where(beyond, np.clip(step, *room), wanted)
        fixed = fixed | beyond
    return np.asarray(step)
