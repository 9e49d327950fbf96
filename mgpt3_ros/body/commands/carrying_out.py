# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One action of a command: the model is asked, and what it draws comes to meet the numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from mgpt3_ros.body.commands import shaping
from mgpt3_ros.body.commands.meaning import LEGS, Action, Part, Relation, Rest, described
from mgpt3_ros.body.commands.sentences import SENTENCES
from mgpt3_ros.model.errors import TextError
from mgpt3_ros.model.finishing import way
from mgpt3_ros.model.finishing.finish import finish_joined
from mgpt3_ros.model.finishing.joining import ENTER_S, join
from mgpt3_ros.model.finishing.settling import standing_pose
from mgpt3_ros.model.kinematics.skeleton import FPS
from mgpt3_ros.model.language.confidence import Confidence, least
from mgpt3_ros.model.motion import Motion, MotionInfo, MotionPart
from mgpt3_ros.model.pipelines.together import Texts, Work, draw_alone

if TYPE_CHECKING:
    from mgpt3_ros.model.motiongpt3 import MotionGPT3
    from mgpt3_ros.model.sampling import SamplingOptions

_SIDEWAYS_DRAWS = 4  # of which the one is taken that goes aside most

_DISTANCE = (0.10, 0.15)  # met within this share, or so many metres
_ANGLE_DEG = 10.0
_SPEED = 0.2


def carry_out(
    model: MotionGPT3,
    action: Action,
    sampling: SamplingOptions,
    duration_s: float | None = None,
    at_rest: bool = True,
    taken: shaping.Taken | None = None,
) -> Motion:
    """Draw an action and shape it to what the command asks for.

    Args:
        model: of either form.
        action: what is asked for, nothing relative in it.
        sampling: how it is drawn.
        duration_s: its length [s], where the command states none; None: what the model finds.
        at_rest: whether the body stands before it; else it walks in.
        taken: the body that an action of the legs takes over from, if it moves (``at_rest`` is
            false then): numbers count from there.

    Returns:
        A motion that begins at the origin, facing +Z, or in the frame of ``taken``, and ends in a
        stance. ``info['text']`` is what the model was asked with, ``info['notes']`` what could not
        be met, with what was done; ``info['understood_as']`` and ``info['confidence']`` are as in
        ``MotionGPT3.generate``.

    Raises:
        MotionGPT3Error: as ``MotionGPT3.generate``.
    """
    work = carrying_out(model, action, sampling, duration_s, at_rest, taken)
    motion = draw_alone(model.pipeline, work)
    confidence = model.confidence(action.words or SENTENCES[action.name], motion)
    return motion if confidence is None else motion.with_info(confidence=confidence)


def carrying_out(
    model: MotionGPT3,
    action: Action,
    sampling: SamplingOptions,
    duration_s: float | None = None,
    at_rest: bool = True,
    taken: shaping.Taken | None = None,
) -> Work[Motion]:
    """What :func:`carry_out` draws, for one who draws several works together; it is not judged."""
    source = None if action.duration_s is None else 'text'
    if not source and duration_s and action.distance_m is action.steps is None:
        action, source = replace(action, duration_s=duration_s), 'asked'
    text = action.words or SENTENCES[action.name]
    meant = model.understood(text)
    drawn = yield from _drawn(model, action, text if meant is None else meant.sentence, sampling)
    if action.name in LEGS:
        joints = shaping.on_foot(drawn.joints, action, at_rest, taken)
    else:
        joints = shaping.gesture(drawn.joints, action)
    if action.arms is not None:
        length = min(len(joints) / FPS, model.config.max_frames / FPS)
        said = action.arms.words or SENTENCES[action.arms.name]
        (arms,) = yield Texts((said,), length, sampling)
        joints = shaping.with_arms(joints, arms.joints, action.arms.name)
    joints = shaping.rested(joints)
    motion = Motion(
        joints,
        FPS,
        {
            'text': action.said or text,
            'duration_from': source or drawn.info['duration_from'],
            'duration_limited': False,
            'notes': unmet(joints, action),
        },
    )
    return motion if meant is None else motion.with_info(understood_as=meant.sentence)


def carry_out_all(
    model: MotionGPT3,
    parts: Sequence[Part],
    sampling: SamplingOptions,
    duration_s: float | None = None,
) -> Motion:
    """Carry out a whole command: one motion, each part from the stance that the last one ends in.

    Args:
        model: of either form.
        parts: of the command, nothing relative in them.
        sampling: how they are drawn.
        duration_s: the length [s] of each action, where the command states none.

    Returns:
        As :func:`carry_out`. Of several parts ``info['parts']`` lists their ``text``,
        ``duration_from`` and the time ``start_s`` at which each begins.

    Raises:
        TextError: nothing of it moves.
        MotionGPT3Error: as ``MotionGPT3.generate``.
    """
    parts = [part for part in parts if part != Rest() and not isinstance(part, Relation)]
    if not parts:
        raise TextError('it asks for no motion')
    whole: np.ndarray | None = None
    told: list[MotionPart] = []
    notes: list[str] = []
    judged: list[Confidence] = []
    for part in parts:
        begin = 0 if whole is None else len(whole)
        if isinstance(part, Action):
            motion = carry_out(model, part, sampling, duration_s)
            joints, source = motion.joints, motion.info['duration_from']
            notes += motion.info['notes']
            judged += [motion.info['confidence']] if 'confidence' in motion.info else []
            whole = joints if whole is None else following(whole, joints)
        else:
            assert isinstance(part, Rest)
            assert part.duration_s is not None
            pose = standing_pose() if whole is None else whole[-1]
            still = np.repeat(pose[None], max(round(part.duration_s * FPS), 2), axis=0)
            whole = still if whole is None else np.concatenate([whole, still])
            source = 'text'
        said = part.said if isinstance(part, Action) else ''
        told.append({'text': said or str(part), 'start_s': begin / FPS, 'duration_from': source})
    assert whole is not None
    if len(parts) == 1 and isinstance(parts[0], Action):
        return motion
    info: MotionInfo = {'text': described(parts), 'parts': told, 'notes': tuple(notes)}
    if judged:
        info['confidence'] = least(judged)
    return Motion(whole, FPS, info)


def following(before: np.ndarray, joints: np.ndarray) -> np.ndarray:
    """A motion and another one (T, 22, 3) [m] that goes on from the stance in which it ends."""
    held = np.repeat(before[-1:], round(2 * ENTER_S * FPS), axis=0)
    _, joined = join(held, joints, FPS)
    return np.concatenate([before, finish_joined(joined, FPS)[1:]])


def _drawn(
    model: MotionGPT3, action: Action, text: str, sampling: SamplingOptions
) -> Work[Motion]:
    """What the model draws of a text; of several draws of a sidestep the most sideways one."""
    on_foot = action.name in LEGS
    longest = model.config.max_frames / FPS
    length = None if on_foot or action.duration_s is None else min(action.duration_s, longest)
    count = _SIDEWAYS_DRAWS if action.name in ('walk-left', 'walk-right') else 1
    drawn: list[Motion] = yield Texts((text,) * count, length, sampling)
    return max(drawn, key=lambda motion: shaping.sideways_share(motion.joints))


def unmet(joints: np.ndarray, action: Action) -> tuple[str, ...]:
    """What of an action's numbers joints (T, 22, 3) [m] do not meet, and what they do instead."""
    notes = [f'{action.unmet!r} cannot be judged: it ends by itself'] if action.unmet else []
    if action.endless:
        notes.append('it cannot go on without an end: it ends by itself')
    if action.name in LEGS:
        went = float(np.hypot(*way.travelled(joints)))
        turned = float(np.degrees(way.turned_by(joints)))
        share, metres = _DISTANCE
        asked = action.distance_m
        if asked is not None and abs(went - asked) > max(share * asked, metres):
            notes.append(f'goes {went:.2f} m, not {asked:.2f} m')
        steps = len(way.landings(joints, FPS))
        if action.steps is not None and steps != action.steps:
            notes.append(f'takes {steps} steps, not {action.steps}')
        if action.angle_deg is not None and abs(abs(turned) - action.angle_deg) > _ANGLE_DEG:
            notes.append(f'turns by {turned:.0f} degrees, not {action.angle_deg:.0f}')
        pace = way.pace(joints, FPS)
        speed = action.speed
        if isinstance(speed, float) and abs(pace - speed) > _SPEED * speed:
            notes.append(f'goes at {pace:.2f} m/s, not {speed:.2f} m/s')
    elif action.distance_m is not None or action.steps is not None:
        notes.append('a gesture goes nowhere')
    length = len(joints) / FPS
    asked = action.duration_s
    if asked is not None and abs(length - asked) > max(0.1 * asked, 0.5):
        notes.append(f'lasts {length:.1f} s, not {asked:.1f} s')
    return tuple(notes)
