# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""``python -m benchmarks.switch_overs``: feet and joints where a new command takes over.

A command is carried out, and 1.6 or 2.1 s later another one takes over, for every pair of some
commands: as generate_node plans it, and as it did before (joint angles blended, one cubic on the
way). Of the 1.3 s after the new trajectory was sent: mean slide of feet on the floor [m/s], the
lowest joint of a foot [cm], in how many it is deeper than 1 cm, and the accelerations of joints
[rad/s^2], the mean of the 99th percentiles. Beside them, slide and accelerations from 1.4 s on. Of
the base, the largest change of its velocity within 10 ms [m/s], near and later. And the slide of
the two motions apart over the same time: the one until the other takes over, then that one.
"""

from __future__ import annotations

import argparse
import itertools
from dataclasses import replace

import numpy as np

from benchmarks.table import circumstances
from mgpt3_ros.body.body_trajectory import BodyTrajectory
from mgpt3_ros.body.bounds import Timing
from mgpt3_ros.body.commands.carrying_out import carry_out
from mgpt3_ros.body.commands.meaning import Action
from mgpt3_ros.body.from_motion import clip_of
from mgpt3_ros.body.planning import plan
from mgpt3_ros.body.profiles import make_profile
from mgpt3_ros.body.stance import grounded, joints_of, meeting, on_the_way
from mgpt3_ros.model.finishing.foot_lock import foot_slide
from mgpt3_ros.model.kinematics.skeleton import FOOT_JOINTS, FPS
from mgpt3_ros.model.motion import Motion
from mgpt3_ros.model.motiongpt3 import MotionGPT3
from mgpt3_ros.model.sampling import SamplingOptions, noise_source

ACTIONS = ('walk', 'walk-turn-left', 'run', 'walk-back', 'walk-left', 'raise-up-left-hand')
SWITCHES_S = (1.6, 2.1)
LEAD_S = 0.5
NEAR_S = 1.3
PROFILE = make_profile('human_full', 'human')
TIMING = Timing(lead_in_s=LEAD_S, max_velocity=PROFILE.velocity_limits)

Row = tuple[float, ...]


def taken_over(
    before: BodyTrajectory, motion: Motion, at_s: float, met: bool, lead_s: float = LEAD_S
) -> BodyTrajectory:
    """The trajectory of a motion that takes over from another one ``at_s`` after that was sent."""
    timing = replace(TIMING, lead_in_s=lead_s)
    now, then = before.state_at(at_s), before.state_at(at_s + lead_s)
    if not met:
        return plan(clip_of(motion, PROFILE), timing, then, now)[0]
    clip = meeting(motion, before, at_s + lead_s, PROFILE)
    after = grounded(plan(clip, timing, then, now)[0], PROFILE)
    return on_the_way(after, before, at_s, PROFILE.position_limits)


def measures(after: BodyTrajectory) -> Row:
    """Slide near, slide later, lowest [cm], whether below 1 cm, accelerations near and later."""
    near, fine = np.arange(0.0, NEAR_S, 1 / FPS), np.arange(0.0, NEAR_S, 0.01)
    end_s = min(after.end_s - 0.3, 4.0)
    lowest = 100 * float(joints_of(after, fine, PROFILE)[:, FOOT_JOINTS, 1].min())
    later = np.arange(1.4, max(end_s, 1.6), 1 / FPS)
    return (
        foot_slide(joints_of(after, near, PROFILE), FPS),
        foot_slide(joints_of(after, later, PROFILE), FPS),
        lowest,
        float(lowest < -1.0),
        accelerations(after, fine),
        accelerations(after, np.arange(1.4, max(end_s, 1.6), 0.01)),
        jump_of_base(after, fine),
        jump_of_base(after, np.arange(1.4, max(end_s, 1.6), 0.01)),
    )


def accelerations(after: BodyTrajectory, at: np.ndarray) -> float:
    """The 99th percentile of the fastest joint's acceleration [rad/s^2] at times 10 ms apart."""
    positions = after.sample(at)[0].positions
    return float(np.percentile(np.abs(np.diff(positions, 2, axis=0) / 1e-4).max(axis=1), 99))


def jump_of_base(after: BodyTrajectory, at: np.ndarray) -> float:
    """The largest change of the base's velocity [m/s] between two of times 10 ms apart."""
    lin = after.sample(at)[1].lin
    return float(np.linalg.norm(np.diff(lin, axis=0), axis=1).max())


def slide_apart(
    before: BodyTrajectory, motion: Motion, at_s: float, lead_s: float = LEAD_S
) -> float:
    """Slide [m/s] in the time near a switch-over, had the one not to go over into the other."""
    one = joints_of(before, at_s + np.arange(0.0, lead_s, 1 / FPS), PROFILE)
    other = motion.joints[: round((NEAR_S - lead_s) * FPS)]
    slides = foot_slide(one, FPS), foot_slide(other, FPS)
    return float(np.average(slides, weights=(len(one), len(other))))


def main(argv: list[str] | None = None) -> int:
    """Print a row for what is done now and one for a plain blend."""
    parser = argparse.ArgumentParser(prog='python -m benchmarks.switch_overs', description=__doc__)
    parser.add_argument('--lead-in', type=float, default=LEAD_S, help='lead_in_s [s] (0.5)')
    lead_s = parser.parse_args(argv).lead_in
    model = MotionGPT3.from_pretrained()

    def drawn(name: str, at_rest: bool) -> Motion:
        sampling = SamplingOptions(generator=noise_source(3))
        return carry_out(model, Action(name), sampling, at_rest=at_rest)

    first = {name: drawn(name, True) for name in ACTIONS[:-1]}
    second = {name: drawn(name, False) for name in ACTIONS}
    found: dict[bool, list[Row]] = {False: [], True: []}
    apart: list[float] = []
    for one, other in itertools.product(first, second):
        before, _ = plan(clip_of(first[one], PROFILE), replace(TIMING))
        for at_s, met in itertools.product(SWITCHES_S, (False, True)):
            if one != other and at_s + 1.0 < before.end_s:
                found[met].append(measures(taken_over(before, second[other], at_s, met, lead_s)))
                apart.append(slide_apart(before, second[other], at_s, lead_s))
    print(circumstances())
    print(
        '|  | slide near | later | lowest [cm] | below 1 cm | acceleration near | later '
        '| base near | later |'
    )
    print('|---|---|---|---|---|---|---|---|---|')
    for met, name in ((False, 'blended angles'), (True, 'as planned now')):
        rows = np.array(found[met])
        mean = rows.mean(axis=0)
        print(
            f'| {name} | {mean[0]:.3f} | {mean[1]:.3f} | {rows[:, 2].min():.1f} '
            f'| {rows[:, 3].sum():.0f} of {len(rows)} | {mean[4]:.0f} | {mean[5]:.0f} '
            f'| {rows[:, 6].max():.2f} | {rows[:, 7].max():.2f} |'
        )
    print(f'slide of the same motions apart: {np.mean(apart):.3f} m/s')
    return 0


if __name__ == '__main__':
    raise SystemExit(main())
