# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""``python -m benchmarks.joins``: do feet slide where one action goes over into the next?

Every ordered pair of some actions is drawn and joined, as ``mgpt3 generate`` does it, and as
generate_node publishes it. Foot slide [m/s] (``foot_lock.foot_slide``) within half a second of the
join is set beside that of the same clips elsewhere; a foot under 5 cm that is faster than 1 m/s
counts as swinging, and a second column counts it too. With ``--data PACK`` the recogniser of the
model card says how many of the joined actions still show what was asked for: of the one until the
body has slowed down, of the other from then on.
"""

from __future__ import annotations

import argparse
from itertools import permutations
from pathlib import Path

import numpy as np

from benchmarks.table import circumstances
from mgpt3_ros.body.bounds import Timing
from mgpt3_ros.body.from_motion import clip_of
from mgpt3_ros.body.planning import plan
from mgpt3_ros.body.profiles import make_profile
from mgpt3_ros.body.window import model_joints
from mgpt3_ros.model.finishing.blending import inertialise, place_after
from mgpt3_ros.model.finishing.foot_lock import foot_slide
from mgpt3_ros.model.kinematics.skeleton import FPS
from mgpt3_ros.model.motion import Motion
from mgpt3_ros.model.motiongpt3 import MotionGPT3

ACTIONS = {
    'walk forward': 'walk',
    'run': 'run',
    'walk backward': 'walk-back',
    'turn left': 'walk-turn-left',
    'bow': 'bow',
    'raise your right arm': 'raise-up-right-hand',
    'wave with both hands': 'wave-both-hands',
}
NEAR_S = 0.5
LEAD_S = 0.1  # of generate_node, from one action to the next
SPEEDS = (1.0, np.inf)  # [m/s]: from here on a foot swings

Row = tuple[float, ...]


def slide(joints: np.ndarray) -> Row:
    """Foot slide of a motion (T, 22, 3) [m] at 20 frames per second, for each of ``SPEEDS``."""
    return tuple(foot_slide(joints, FPS, speed) for speed in SPEEDS)


def near(joints: np.ndarray, cut: int) -> np.ndarray:
    """The frames within ``NEAR_S`` of a join."""
    frames = round(NEAR_S * FPS)
    return joints[max(cut - frames, 0) : cut + frames + 1]


def published(before: Motion, cut: int, after: Motion) -> np.ndarray:
    """Joints (T, 22, 3) within ``NEAR_S`` of a join, as generate_node sends them to a body."""
    profile = make_profile('human_full', 'human')
    timing = Timing(max_velocity=profile.velocity_limits)
    first, slower = plan(clip_of(before, profile), timing)
    leave_s = first.times[0] + slower * cut / FPS
    sent_s = leave_s - LEAD_S
    now, then = first.state_at(sent_s), first.state_at(leave_s)
    short = Timing(lead_in_s=LEAD_S, max_velocity=profile.velocity_limits)
    second, _ = plan(clip_of(after, profile, goes_on=True), short, then, now)
    ahead = np.arange(-round(NEAR_S * FPS), round(NEAR_S * FPS) + 1) / FPS
    sampled = [
        first.sample(leave_s + ahead[ahead < -LEAD_S]),
        second.sample(LEAD_S + ahead[ahead >= -LEAD_S]),
    ]
    found = [
        model_joints(profile, joints.positions, base.pos, base.rot) for joints, base in sampled
    ]
    return np.concatenate(found)


def plain(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """The same by a blend alone: no moment is chosen, no step is made."""
    cut = len(before) - 6
    velocity = (before[cut] - before[cut - 1]) * FPS
    clip = place_after(after, before[cut])
    blended = inertialise(clip, FPS, before[cut], velocity)
    return near(np.concatenate([before[:cut], blended]), cut)


def main(argv: list[str] | None = None) -> int:
    """Print a row for joins, as drawn and as published, beside the clips and a plain blend."""
    parser = argparse.ArgumentParser(prog='python -m benchmarks.joins', description=__doc__)
    parser.add_argument('--checkpoint', default=None, help='checkpoint folder (the shipped one)')
    parser.add_argument('--data', type=Path, help='folder of the mocap22 pack, for recognition')
    parser.add_argument('--seed', type=int, default=0, help='of the first motions')
    arguments = parser.parse_args(argv)
    model = MotionGPT3.from_pretrained(arguments.checkpoint)
    import torch

    texts = list(ACTIONS)
    drawn = [
        model.generate(texts, generator=torch.Generator().manual_seed(arguments.seed + number))
        for number in (0, 1)
    ]
    rows: dict[str, list[Row]] = {name: [] for name in ('inside', 'drawn', 'sent', 'plain')}
    parts: list[np.ndarray] = []
    for one, other in permutations(range(len(texts)), 2):
        before, after = drawn[0][one], drawn[1][other]
        cut, joints, entered = model.pipeline.joined(before.joints, after.joints)
        frames = round(NEAR_S * FPS)
        rows['inside'] += [slide(before.joints[: cut - frames]), slide(joints[frames + 1 :])]
        rows['drawn'].append(slide(near(np.concatenate([before.joints[:cut], joints]), cut)))
        rows['sent'].append(slide(published(before, cut, Motion(joints))))
        rows['plain'].append(slide(plain(before.joints, after.joints)))
        parts += [np.concatenate([before.joints[:cut], joints[:entered]]), joints[entered:]]
    print(circumstances())
    print(f'{len(rows["drawn"])} joins; foot slide [m/s]')
    print('|  | mean | median | mean, swinging feet too |\n|---|---|---|---|')
    for name, where in (
        ('inside', 'inside the clips'),
        ('drawn', 'within 0.5 s of a join, as drawn'),
        ('sent', 'within 0.5 s of a join, as published'),
        ('plain', 'within 0.5 s of a join, plain blend'),
    ):
        found = np.array(rows[name])
        mean, median, swinging = found[:, 0].mean(), np.median(found[:, 0]), found[:, 1].mean()
        print(f'| {where} | {mean:.3f} | {median:.3f} | {swinging:.3f} |')
    if arguments.data is not None:
        recognised(arguments.data, parts)
    return 0


def recognised(pack: Path, parts: list[np.ndarray]) -> None:
    """Print how many of the joined actions are taken for what was asked for."""
    from mgpt3_ros.training.data.packs import load_pack
    from mgpt3_ros.training.evaluation.classifier import ActionClassifier
    from mgpt3_ros.training.evaluation.measures import Share

    wanted = [ACTIONS[text] for pair in permutations(ACTIONS, 2) for text in pair]
    found = ActionClassifier(load_pack(pack).train).predict(parts)
    for name, first in (('before', 0), ('after', 1)):
        right = [
            want == find for want, find in zip(wanted[first::2], found[first::2], strict=True)
        ]
        print(f'action recognised {name} the join: {Share(sum(right), len(right))}')


if __name__ == '__main__':
    raise SystemExit(main())
