# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Where a robot's soles and base shall be, so that it stands and steps as the human does.

The way of each foot is drawn whole before any leg is bent: anchored where the human's stands, with
corrections that go smoothly from one stance to the next, lifted where a tilted sole would reach
into the floor. So nothing jumps when a contact begins or ends, and the weights of the solver are
the same in stance and swing. The base is the human's pelvis at the robot's scale, lowered where a
leg that stands would be too short.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d, maximum_filter1d
from scipy.spatial.transform import Rotation

from mgpt3_ros.model.finishing.foot_lock import ANKLE_HEIGHT, BALL_HEIGHT, contacts
from mgpt3_ros.model.kinematics.human import BODY_TO_MODEL
from mgpt3_ros.robots.config import SIDES
from mgpt3_ros.robots.human import Human, heading_and_tilt, stand_place
from mgpt3_ros.robots.kinematics import Poses
from mgpt3_ros.robots.robot import Robot

Array = NDArray[np.float64]

FADE_S = 0.3  # in which a correction dies away before the first stance and after the last
FLAT_S = 0.3  # in which a foot is tilted to the floor and from it
RISE_S = 0.15  # in which it rises from the floor and comes down
STRAIGHTEST = 0.999  # of a leg's length, that a leg which stands may have
_LEAST_SIZE = 0.2  # of a robot over a human: whose base is lower than that has it elsewhere
LOWER_S = 0.1  # over which the base is lowered and rises again
REACHED = 0.8  # of a stance's frames, that a stance which moves shall be within reach of
SLACK_M = 0.005  # beside its place, for which no stance moves
_TURN_AS_M = 0.05  # [m] of a sole's middle from its pivot: what one radian of turning moves


@dataclass(frozen=True)
class Foot:
    """The way of one foot: the sole's pivot under the ball.

    local (3,) [m] in the sole's link. places (T, 3) [m], rotations (T, 3, 3) of that link.
    planted (T,), whether the human's ball of the foot stands; flat (T,), whether all of it does.
    """

    side: str
    link: str
    local: Array
    places: Array
    rotations: Array
    planted: NDArray[np.bool_]
    flat: NDArray[np.bool_]


def scale_of(robot: Robot) -> float:
    """Return the robot's size over that of the person of ``stand_place``: hips above soles.

    Of one that does not walk the base counts; one whose base is no pelvis has the human's size.
    """
    if not robot.walks:
        size = robot.base_height / -stand_place('left_foot')[2]
        return size if size > _LEAST_SIZE else 1.0
    human = stand_place('left_hip')[2] - stand_place('left_foot')[2]
    return float((_hips(robot)[2] + robot.base_height) / human)


def floor_of(human: Human) -> float:
    """Return the height [m] of the floor, where the balls of the human's feet come down."""
    lowest = np.minimum(human.joint('left_foot')[:, 2], human.joint('right_foot')[:, 2])
    return float(np.percentile(lowest, 5))


def base_places(robot: Robot, human: Human) -> Array:
    """Return where the base's origin shall be (T, 3) [m]: the middle of the hips follows.

    Without feet on the floor it follows the pelvis, from its own height on.
    """
    if not robot.walks:
        stands = np.array([0.0, 0.0, floor_of(human) - stand_place('left_foot')[2]])
        away = (human.joint('pelvis') - stands) * scale_of(robot)
        return np.asarray(away + np.array([0.0, 0.0, robot.base_height]))
    middle = 0.5 * (human.joint('left_hip') + human.joint('right_hip'))
    middle = (middle - [0.0, 0.0, floor_of(human)]) * scale_of(robot) / human.size
    return np.asarray(middle - human.rotation('pelvis') @ _hips(robot))


def foot_ways(robot: Robot, human: Human, done: Poses | None = None) -> list[Foot]:
    """Return the ways of both feet of a robot with legs.

    ``done`` has where the links were in the first frames: the ways go on from there.
    """
    return [_foot(robot, human, side, done) for side in SIDES]


def lowered(robot: Robot, human: Human, base: Array, feet: list[Foot]) -> Array:
    """Lower base places (T, 3) where a planted foot would be out of the leg's reach."""
    need = np.zeros(len(base))
    for foot in feet:
        ankle_link = robot.config.follows[f'{foot.side}_ankle']
        hip = robot.hip(foot.side)
        reach = STRAIGHTEST * float(np.linalg.norm(robot.stand_places[ankle_link] - hip))
        hips = base + human.rotation('pelvis') @ hip
        ankles = foot.places + foot.rotations @ _ankle_from(robot, foot)
        away = hips - ankles
        level = np.minimum(np.hypot(away[:, 0], away[:, 1]), 0.99 * reach)
        too_far = np.maximum(away[:, 2] - np.sqrt(reach**2 - level**2), 0.0)
        need = np.maximum(need, np.where(foot.planted, too_far, 0.0))
    frames = LOWER_S * human.fps
    wide = maximum_filter1d(need, 2 * round(frames) + 1)
    return base - gaussian_filter1d(wide, frames)[:, None] * [0.0, 0.0, 1.0]


def within_reach(feet: list[Foot], poses: Poses, fps: float, settled: int = 0) -> list[Foot]:
    """Return ways whose stances are where legs could put them; those given, where all could.

    A leg at a limit leaves its foot beside its place, by more or less as the base moves: the foot
    would slide and swivel. So each stance moves and turns as a whole by as much as reaches
    ``REACHED`` of its frames.

    Args:
        feet: the ways that were asked for.
        poses: of the links as the legs follow them.
        fps: frames per second.
        settled: so many frames at the start are over; who stands in the last of them stays.
    """
    moved = []
    for foot in feet:
        turned = poses.rotations[foot.link] @ np.swapaxes(foot.rotations, 1, 2)
        pivot = poses.places[foot.link] + poses.rotations[foot.link] @ foot.local
        beside = (pivot - foot.places)[:, :2]
        off = np.concatenate([beside, heading_and_tilt(turned)[0]], axis=1)
        far = np.linalg.norm(off * [1.0, 1.0, _TURN_AS_M], axis=1)
        shift, begun, runs = np.zeros_like(off), settled, []
        for run in _runs(foot.planted):
            if run.start < settled:
                begun = run.stop
                continue
            order = np.argsort(far[run])
            worst = run.start + order[int(np.ceil(REACHED * (len(order) - 1)))]
            shift[run] = off[worst] if far[worst] > SLACK_M else 0.0
            runs.append(run)
        if not shift.any():
            moved.append(foot)
            continue
        shift = _eased(shift, [slice(0, begun), *runs] if begun else runs, fps)
        turns = Rotation.from_euler('z', shift[:, 2:]).as_matrix()
        places = foot.places + shift * [1.0, 1.0, 0.0]
        moved.append(replace(foot, places=places, rotations=turns @ foot.rotations))
    return moved


def _foot(robot: Robot, human: Human, side: str, done: Poses | None) -> Foot:
    sole, scale = robot.config.soles[side], scale_of(robot)
    local = _pivot(robot, side, scale)
    stand = robot.stand_rotations[sole.link]
    ball = human.joint(f'{side}_foot') - [0.0, 0.0, floor_of(human)]
    ankle = human.joint(f'{side}_ankle') - [0.0, 0.0, floor_of(human)]
    planted = contacts(ball[:, BODY_TO_MODEL], BALL_HEIGHT, human.fps)
    flat = contacts(ankle[:, BODY_TO_MODEL], ANKLE_HEIGHT, human.fps)
    standing = _marked(planted, len(ball))
    level = _marked(flat, len(ball)) & standing
    turned = human.turned(f'{side}_ankle')
    heading, tilt = heading_and_tilt(turned)
    where, headings = None, None
    if done is not None:
        where = (done.places[sole.link] + done.rotations[sole.link] @ local)[:, :2]
        headings = heading_and_tilt(done.rotations[sole.link] @ stand.T)[0]
        headings += 2 * np.pi * np.round((heading[len(headings) - 1] - headings[-1]) / (2 * np.pi))
    heading = anchored(heading, planted, human.fps, headings)
    leaning = 1.0 - softened(level, FLAT_S * human.fps)
    tilt = Rotation.from_rotvec(leaning[:, None] * tilt.as_rotvec())
    rotations = (Rotation.from_euler('z', heading) * tilt).as_matrix()
    aside = _aside(robot, side, scale, local)
    places = scale / human.size * ball + Rotation.from_euler('z', heading).apply(aside)
    places[:, :2] = anchored(places[:, :2], planted, human.fps, where)
    height = np.maximum(places[:, 2], 0.0) * (1.0 - softened(standing, RISE_S * human.fps))
    corners = (robot.sole_points(side) - local) @ stand.T
    lowest = (rotations @ corners.T)[:, 2].min(axis=1)
    places[:, 2] = np.maximum(height, -lowest)
    return Foot(side, sole.link, local, places, rotations @ stand, standing, level)


def anchored(values: Array, runs: list[slice], fps: float, done: Array | None = None) -> Array:
    """Hold values (T, k) at their medians during runs; between them the corrections are eased.

    The first values are ``done`` (N, k): they stay, one that stands then goes on standing there,
    and who comes down soon after does so the nearer to the way from there.
    """
    shift = np.zeros_like(values)
    fade = _ease(round(FADE_S * fps) + 2)[1:-1, None]
    held: list[slice] = []
    if done is not None:
        shift[: len(done)] = done - values[: len(done)]
        stop = max([len(done), *(run.stop for run in runs if run.start < len(done))])
        shift[len(done) : stop] = done[-1] - values[len(done) : stop]
        held, runs = [slice(0, stop)], [run for run in runs if run.start >= len(done)]
    for run in runs:
        shift[run] = np.median(values[run], axis=0) - values[run]
        for before in held:
            late = run.start - before.stop
            shift[run] += fade[::-1][late] * shift[before.stop - 1] if late < len(fade) else 0.0
    return values + _eased(shift, [*held, *runs], fps)


def _eased(shift: Array, runs: list[slice], fps: float) -> Array:
    """Go over from the corrections (T, k) of each run to those of the next, in place."""
    fade = _ease(round(FADE_S * fps) + 2)[1:-1, None]
    for before, after in pairwise(runs):
        share = _ease(after.start - before.stop + 2)[1:-1, None]
        first, last = shift[before.stop - 1], shift[after.start]
        shift[before.stop : after.start] = first + share * (last - first)
    if runs:
        start, stop = runs[0].start, runs[-1].stop
        led = fade[-start:] if start else fade[:0]
        shift[start - len(led) : start] = led * shift[start]
        left = fade[::-1][: len(shift) - stop]
        shift[stop : stop + len(left)] = left * shift[stop - 1]
    return shift


def _ease(count: int) -> Array:
    """Return weights (count,) from 0 to 1 that start and end at rest."""
    share = np.linspace(0.0, 1.0, count)
    return share * share * (3 - 2 * share)


def _runs(marked: NDArray[np.bool_]) -> list[slice]:
    ends = np.flatnonzero(np.diff(np.concatenate([[0], marked.astype(int), [0]])))
    return [slice(start, stop) for start, stop in zip(ends[::2], ends[1::2], strict=True)]


def _marked(runs: list[slice], frames: int) -> NDArray[np.bool_]:
    marked = np.zeros(frames, dtype=bool)
    for run in runs:
        marked[run] = True
    return marked


def softened(marked: NDArray[np.bool_], frames: float) -> Array:
    """Return weights (T,): 1 where marked, falling smoothly to 0 within so many frames."""
    reach = max(1, round(frames))
    if not marked.any():
        return np.zeros(len(marked))
    at = np.arange(len(marked))
    away = np.abs(at[:, None] - at[marked][None]).min(axis=1)
    share = np.clip(1.0 - away / (reach + 1), 0.0, 1.0)
    return share * share * (3 - 2 * share)


def _hips(robot: Robot) -> Array:
    """Return the middle of the hips (3,) [m] from the base's origin, in the body's axes."""
    return np.asarray(0.5 * (robot.hip('left') + robot.hip('right')))


def _pivot(robot: Robot, side: str, scale: float) -> Array:
    """Return the sole's point (3,) [m] under the ball of the foot, in the frame of its link."""
    sole = robot.config.soles[side]
    place, stand = robot.stand_places[sole.link], robot.stand_rotations[sole.link]
    ankle = robot.stand_places[robot.config.follows[f'{side}_ankle']]
    x0, x1, y0, y1, z = sole.box
    ahead = stand_place(f'{side}_foot')[0] - stand_place(f'{side}_ankle')[0]
    x = float(np.clip(ankle[0] - place[0] + scale * ahead, x0, x1))
    return np.array([x, 0.5 * (y0 + y1), z]) @ stand


def _aside(robot: Robot, side: str, scale: float, local: Array) -> Array:
    """Return by how much (3,) [m] a pivot stands aside of the scaled human's ball, at stand."""
    sole = robot.config.soles[side]
    place = robot.stand_places[sole.link] + robot.stand_rotations[sole.link] @ local
    human = stand_place(f'{side}_foot') - 0.5 * (
        stand_place('left_hip') + stand_place('right_hip')
    )
    aside = place - _hips(robot) - scale * human
    return np.array([aside[0], aside[1], 0.0])


def _ankle_from(robot: Robot, foot: Foot) -> Array:
    """Return the ankle (3,) [m] from a foot's pivot, in the frame of the sole's link."""
    stand, place = robot.stand_rotations[foot.link], robot.stand_places[foot.link]
    ankle = robot.stand_places[robot.config.follows[f'{foot.side}_ankle']]
    return np.asarray((ankle - place) @ stand - foot.local)
