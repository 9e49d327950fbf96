# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Drawn motions come to meet a command's numbers: cut, repeated, bent, stretched and sped up.

What legs do is brought to the speed that real people have, kept straight or bent to the angle that
is asked for, cut or repeated to the way, the steps or the time, and begins and ends in a stance.
All of it stays within ``SPEED_FACTORS`` and ``WAY_FACTORS`` of what was drawn; what is beyond is
left, and said. Joints are (T, 22, 3) [m] at ``FPS``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mgpt3_ros.body.commands.meaning import Action
from mgpt3_ros.model.finishing import way
from mgpt3_ros.model.finishing.body_fit import fit_body
from mgpt3_ros.model.finishing.finish import finish_joined
from mgpt3_ros.model.finishing.joining import join
from mgpt3_ros.model.finishing.leg_pose import LEGS
from mgpt3_ros.model.finishing.settling import is_stance, settle, standing_on, standing_pose
from mgpt3_ros.model.kinematics.human import ANGLE_NAMES
from mgpt3_ros.model.kinematics.joint_angles import BodyAngles, angles_to_joints, joints_to_angles
from mgpt3_ros.model.kinematics.skeleton import FPS, MIRRORED

# Speeds [m/s]: slow, normal, fast. Medians of mocap22: walks in plain style 1.18, those whose
# captions say "slow" 0.72, the liveliest tenth 1.55; runs of the elderly, plain, active; walks
# backward and to the side at the 10th, 50th and 90th percentile.
SPEEDS = {
    'walk': (0.72, 1.18, 1.55),
    'run': (1.9, 2.75, 3.4),
    'walk-back': (0.55, 0.82, 1.1),
    'walk-left': (0.65, 1.0, 1.3),
    'walk-right': (0.65, 1.0, 1.3),
    'walk-turn-left': (0.72, 1.1, 1.41),
    'walk-turn-right': (0.72, 1.1, 1.41),
}
WORDS = {'slow': 0, 'normal': 1, 'fast': 2, 'slower': 0, 'faster': 2}
TURN_DEG = 92.0  # of a turn without a number, as in mocap22
SPEED_FACTORS = (0.3, 2.0)  # of the drawn speed
WAY_FACTORS = (0.4, 1.35)  # of the drawn length of steps; shorter ones shuffle
LONGEST_S = 60.0  # of one motion, repeated or not

_GESTURE_FACTORS = {'slow': 0.65, 'slower': 0.65, 'fast': 1.4, 'faster': 1.4}
_TURNING_FROM, _TURNING_TO = 0.06, 0.94  # of a turn: what lies outside goes straight
_AROUND_S = 0.3  # of going straight that is left at either end
_SIDEWAYS = 0.3  # ahead, as a share of aside, of a sidestep
_WIDER = 1.25  # of a sidestep's own way aside, at most
_ONE_STEP = {  # [m] (x left, y up, z ahead) that the foot of a single step goes
    **{'walk': (0.0, 0.0, 0.42), 'walk-back': (0.0, 0.0, -0.38)},
    **{'walk-left': (-0.3, 0.0, 0.0), 'walk-right': (-0.3, 0.0, 0.0)},  # the left one is mirrored
}
_LEAST = 16  # frames of a motion that is cut
_STILL = 0.01  # [m]
_CUTS, _HURRIED = 5, 1.25
_JOINED = 10  # frames over which a body goes over into the motion that takes over
_ONE_STEP_S = 1.3  # a walk that shall be shorter is one step
_LATER = (-4, 4, 12)  # frames after it has gone as far as it shall, where it may be cut
_ARMS = ('collar', 'shoulder', 'elbow', 'wrist')

Array = NDArray[np.float64]


def speed_of(action: Action, drawn: float) -> float:
    """The speed [m/s] that an action is done at; of a style in words, that of what was drawn."""
    if isinstance(action.speed, float):
        return action.speed
    slow, normal, fast = SPEEDS[action.name]
    if action.words:
        share = (slow / normal, 1.0, fast / normal)
        return drawn * share[WORDS[action.speed or 'normal']]
    return (slow, normal, fast)[WORDS[action.speed or 'normal']]


@dataclass(frozen=True)
class Taken:
    """A body that moves and is taken over.

    joints: (T, 22, 3) [m], Y up, what it does around the moment at ``FPS``. frame: of it, at which
    the next motion takes over.
    """

    joints: Array
    frame: int


def on_foot(joints: NDArray, action: Action, at_rest: bool, taken: Taken | None = None) -> Array:
    """A drawn motion of the legs as an action asks for it.

    Args:
        joints: (T, 22, 3) [m] as drawn.
        action: what is asked for.
        at_rest: it begins in a stance.
        taken: the body that it takes over from, if it moves: what is asked for counts from the
            frame of that, with which the motion begins.
    """
    short = action.steps == 1 or (action.duration_s or LONGEST_S) < _ONE_STEP_S
    if action.name in _ONE_STEP and short and taken is None:
        step = one_step(action.name)
        return step if action.duration_s is None else _lengthened(step, action.duration_s)
    drawn = joints.astype(np.float64)
    moved = way.paced(drawn, FPS, speed_of(action, way.pace(drawn, FPS)), SPEED_FACTORS)
    if action.name.startswith('walk-turn'):
        angle = np.deg2rad(action.angle_deg or TURN_DEG)
        angle = angle if action.name.endswith('left') else -angle
        return _turning(moved, angle, action, at_rest, taken)
    aside = action.name in ('walk-left', 'walk-right')
    moved = sideways(moved) if aside else way.straightened(moved, FPS)
    once = moved
    if taken is not None:
        moved = taking_over(taken, moved)
    elif at_rest:
        moved = once = begun(moved)
    if action.steps is not None:
        moved = stepped(moved, action.steps, once)
    elif action.distance_m is not None:
        moved = gone(moved, action.distance_m, once, taken is not None)
    elif action.duration_s is not None and taken is not None:
        moved = ended(lasting(moved, action.duration_s, once), round(action.duration_s * FPS))
    elif action.duration_s is not None:
        moved = lasting(moved[::-1][: _until_still(moved[::-1])][::-1], action.duration_s)
        moved = ended(moved, round(action.duration_s * FPS))
    else:
        moved = _straight_on(settle(moved, FPS))
    return moved if aside or taken is not None else way.aimed(moved, FPS)


def taking_over(taken: Taken, joints: Array) -> Array:
    """A motion from the frame on at which it takes over from a body, in the world of that."""
    _, joined = join(taken.joints, joints, FPS, (taken.frame, taken.frame))
    return finish_joined(joined, FPS)


def begun(joints: Array) -> Array:
    """The motion from a stance on: its beginning is the end of the same backwards."""
    return settle(joints[::-1], FPS)[::-1]


def ended(joints: Array, frames: int) -> Array:
    """The motion brought to rest in a stance within ``frames``, or as near as it can.

    What is a little too long is sped up, by ``_HURRIED`` at most.
    """
    cut, found = frames, list[Array]()
    for _ in range(_CUTS):
        rest = rested(_straight_on(settle(joints[:cut], FPS)))
        found.append(rest[: _until_still(rest)])
        longer = len(found[-1]) - frames
        if longer <= 0 or cut == _LEAST:
            break
        cut = max(cut - longer, _LEAST)
    rest = min(found, key=lambda one: abs(len(one) - frames))
    rest = way.retimed(rest, FPS, float(np.clip(len(rest) / frames, 1.0, _HURRIED)))
    return _lengthened(rest, frames / FPS)


def _until_still(joints: Array) -> int:
    """How many frames a motion has until it only stands in its last pose, with one of that."""
    away = np.linalg.norm(joints - joints[-1], axis=-1).max(axis=1)
    return int(np.max(np.flatnonzero(away > _STILL), initial=-1)) + 2


def again(joints: Array, more: Array) -> Array:
    """A motion, and another one after it."""
    cut, joined = join(joints, more, FPS)
    return np.concatenate([joints[:cut], finish_joined(joined, FPS)])


def _lengthened(joints: Array, duration_s: float) -> Array:
    """The motion with its last pose held until it lasts so long [s]."""
    missing = round(duration_s * FPS) - len(joints)
    return np.concatenate([joints, np.repeat(joints[-1:], max(missing, 0), axis=0)])


def lasting(joints: Array, duration_s: float, once: Array | None = None) -> Array:
    """The motion, then ``once`` (itself), until it lasts so long [s], ``LONGEST_S`` at most."""
    frames = round(min(duration_s, LONGEST_S) * FPS)
    once = joints if once is None else once
    while len(joints) < frames:
        joints = _straight_on(again(joints, once))
    return joints


def gone(joints: Array, distance: float, once: Array, moves: bool = False) -> Array:
    """The motion cut, repeated and stretched until it goes so far [m] and rests.

    ``once``: what it is repeated with. ``moves``: its beginning is the way of a body that moves,
    and stays as it is.
    """
    while _way(joints) < distance + 0.3 and len(joints) < LONGEST_S * FPS:
        joints = _straight_on(again(joints, once))
    level = (joints[:, 0] - joints[0, 0])[:, [0, 2]]
    far = level @ level[-1] / max(_way(joints), 1e-3) if moves else np.linalg.norm(level, axis=1)
    reached = int(np.argmax(far >= distance)) if far.max() >= distance else len(joints)
    cuts = {min(max(reached + later, _LEAST), len(joints)) for later in _LATER}
    rests = [settle(joints[:cut], FPS) for cut in sorted(cuts)]
    rest = min(rests, key=lambda found: abs(np.log(max(_way(found), 1e-3) / distance)))
    for _ in range(2):
        if moves:
            rest = way.reaching(rest, FPS, distance, _JOINED, WAY_FACTORS)
        else:
            factor = float(np.clip(distance / max(_way(rest), 1e-3), *WAY_FACTORS))
            rest = way.stretched(rest, FPS, factor, factor)
        rest = _straight_on(rest)
    return rest


def stepped(joints: Array, steps: int, once: Array) -> Array:
    """The motion cut to a number of steps, the last of which closes to a stance.

    ``once``: what it is repeated with where it has too few.
    """
    while len(way.landings(joints, FPS)) < steps + 1 and len(joints) < LONGEST_S * FPS:
        longer = _straight_on(again(joints, once))
        if len(way.landings(longer, FPS)) == len(way.landings(joints, FPS)):
            break  # it does not step at all
        joints = longer
    found = way.landings(joints, FPS)
    last = found[min(steps, len(found)) - 1] if found else len(joints) - 1
    best: tuple[int, Array] | None = None
    for off in (0, -2, 2, -4, 4, -6, 6, -8, 8, 10, 12):
        rest = settle(joints[: min(max(last + off, _LEAST), len(joints))], FPS)
        missed = abs(len(way.landings(rest, FPS)) - steps)
        if best is None or missed < best[0]:
            best = missed, rest
        if missed == 0:
            break
    assert best is not None
    return _straight_on(best[1])


def one_step(name: str) -> Array:
    """A single step of a body that stands, after which the feet stay apart; by rule, not drawn."""
    stand = standing_pose()
    landed = stand.copy()
    landed[list(LEGS[1][2:])] += _ONE_STEP[name]  # the right foot steps
    before = np.repeat(stand[None], _LEAST, axis=0)
    after = np.repeat(standing_on(landed)[None], _LEAST, axis=0)
    step = again(before, after)
    return fit_body(step[:, MIRRORED] * (-1, 1, 1)) if name == 'walk-left' else step


def rested(joints: Array) -> Array:
    """The motion with both feet put flat at its end, where they are not."""
    if is_stance(joints[-1]):
        return joints
    return again(joints, np.repeat(standing_on(joints[-1])[None], _LEAST, axis=0))


def repeated(joints: Array, count: int) -> Array:
    """The motion so many times, one after the other."""
    once = joints
    for _ in range(count - 1):
        joints = again(joints, once)
    return _straight_on(joints) if count > 1 else joints


def gesture(joints: NDArray, action: Action) -> Array:
    """A drawn motion of the arms or the whole body as an action asks for it."""
    moved = joints.astype(np.float64)
    factor = _GESTURE_FACTORS.get(str(action.speed), 1.0)
    moved = repeated(way.retimed(moved, FPS, factor), action.count or 1)
    if action.duration_s is not None:
        moved = lasting(moved, action.duration_s)[: round(action.duration_s * FPS)]
    return settle(moved, FPS)


def with_arms(legs: Array, arms: NDArray, name: str) -> Array:
    """The motion of the legs with the arms of another, one of them or both as its name says."""
    moved = arms.astype(np.float64)
    while len(moved) < len(legs):
        moved = again(moved, arms.astype(np.float64))
    body, other = joints_to_angles(legs), joints_to_angles(moved[: len(legs)])
    taken = arm_angles(name)
    angles = body.angles.copy()
    angles[:, taken] = other.angles[:, taken]
    return np.asarray(angles_to_joints(BodyAngles(body.root_pos, body.root_rot, angles)))


def arm_angles(name: str) -> list[int]:
    """Which of the 63 angles are those of the arms that an action moves."""
    sides = [side for side in ('left', 'right') if f'-{side}-' in name] or ['left', 'right']
    if name in ('bye', 'guide'):
        sides = ['left', 'right']
    return [
        index
        for index, angle in enumerate(ANGLE_NAMES)
        if angle.split('_')[0] in sides and angle.split('_')[1] in _ARMS
    ]


def sideways(joints: Array) -> Array:
    """A sidestep without what goes ahead of it, and without turning."""
    yaws = way.faces(joints, FPS)
    level = way.bent(joints, FPS, yaws[0] - yaws)
    ahead, aside = way.travelled(level)
    wanted = _SIDEWAYS * min(abs(aside) * _WIDER, abs(ahead))
    return way.stretched(level, FPS, wanted / max(abs(ahead), 1e-3), _WIDER)


def sideways_share(joints: NDArray) -> float:
    """How much of the way of a drawn motion goes aside, 0 to 1."""
    ahead, aside = way.travelled(joints)
    return abs(aside) / max(float(np.hypot(ahead, aside)), 1e-6)


def _turning(
    joints: Array, angle: float, action: Action, at_rest: bool, taken: Taken | None
) -> Array:
    """A drawn turn cut to where it turns, repeated and bent until it turns by ``angle`` [rad]."""
    once = _turn_alone(joints)
    turned = way.faces(once, FPS)
    if (turned[-1] - turned[0]) * angle < 0.3 * abs(angle):
        once = way.steered(once, FPS, np.sign(angle) * np.deg2rad(TURN_DEG))  # hardly turns
    moved = once
    while way.turned_by(moved) * np.sign(angle) < abs(angle) and len(moved) < LONGEST_S * FPS:
        longer = again(moved, once)
        if abs(way.turned_by(longer)) <= abs(way.turned_by(moved)):
            break
        moved = longer
    reached = (way.faces(moved, FPS) - way.faces(moved, FPS)[0]) * np.sign(angle) >= abs(angle)
    if reached.any():
        moved = moved[: int(np.argmax(reached)) + round(_AROUND_S * FPS) + 1]
    if taken is not None:
        moved = taking_over(taken, moved)
    moved = settle(begun(moved) if at_rest else moved, FPS)
    if action.duration_s is not None and taken is None:
        moved = moved[: _until_still(moved)]
        moved = moved[::-1][: _until_still(moved[::-1])][::-1]
        factor = float(np.clip(len(moved) / FPS / action.duration_s, *SPEED_FACTORS))
        moved = _lengthened(way.retimed(moved, FPS, factor), action.duration_s)
    for _ in range(2):
        moved = way.steered(moved, FPS, angle)
    return moved


def _turn_alone(joints: Array) -> Array:
    """The part of a motion in which it turns."""
    yaws = way.faces(joints, FPS)
    whole = yaws[-1] - yaws[0]
    if abs(whole) < 0.3:
        return joints
    share = (yaws - yaws[0]) / whole
    around = round(_AROUND_S * FPS)
    start = max(int(np.argmax(share > _TURNING_FROM)) - around, 0)
    stop = min(len(share) - int(np.argmax(share[::-1] < _TURNING_TO)) + around, len(joints))
    return joints[start:stop] if stop - start >= 8 else joints


def _straight_on(joints: Array) -> Array:
    """The motion with its last frame facing where the first does."""
    return way.steered(joints, FPS, 0.0)


def _way(joints: Array) -> float:
    """How far [m] a motion gets, as the crow flies."""
    return float(np.hypot(*way.travelled(joints)))
