# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""``python -m benchmarks.robots``: how well each robot does what the model draws.

Draws motions of all actions of the default list, puts each on each robot whose model is installed,
slows it down as its velocity limits want, and captions it through the inverse. Writes a table and
a picture of each robot into docs/robots.md with ``--write``.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np

from benchmarks.table import circumstances
from mgpt3_ros.body.caption_events import events_of
from mgpt3_ros.model.errors import RobotError
from mgpt3_ros.model.kinematics.skeleton import FPS
from mgpt3_ros.model.language.caption_actions import read_action
from mgpt3_ros.model.motion import Motion
from mgpt3_ros.model.motiongpt3 import MotionGPT3
from mgpt3_ros.model.sampling import noise_source
from mgpt3_ros.robots import Robot, retarget, robot_names, slowed, to_human
from mgpt3_ros.robots.quality import Quality, quality
from mgpt3_ros.training.data.packs import UNCOUNTED_ACTIONS
from mgpt3_ros.training.data.phrases import command, draw_phrase, wordings

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / 'docs' / 'robots.md'
BEGIN, END = '<!-- measured: begin -->', '<!-- measured: end -->'
LIMBS = ('upper arm', 'forearm', 'thigh', 'shank', 'foot', 'chest', 'head')
TOO_SLOW = 2.0  # times; from here on a motion is said to be hardly the one that was asked for


@dataclass(frozen=True)
class Measured:
    """A robot's row."""

    robot: str
    quality: Quality
    slowdowns: np.ndarray
    same_action: float
    same_label: float
    ms_per_frame: float


def actions() -> list[str]:
    """The default list: actions that the shipped checkpoint knows, sides apart."""
    named = [name for name in wordings()['sentences'] if name not in UNCOUNTED_ACTIONS]
    sided = [name.replace('SIDE', side) for name in named for side in ('left', 'right')]
    return sorted({name for name in sided if name not in UNCOUNTED_ACTIONS})


def draw(model: MotionGPT3, count: int, seed: int) -> list[Motion]:
    """Motions of the actions in turn, each in words of its own."""
    rng = np.random.default_rng(seed)
    names = actions()
    phrases = [draw_phrase(names[index % len(names)], rng) for index in range(count)]
    texts = [command(phrase) for phrase in phrases if phrase]
    return model.generate(texts, generator=noise_source(seed))


def measure(robot: Robot, motions: Sequence[Motion], model: MotionGPT3) -> Measured:
    """Put motions on a robot."""
    found, slowdowns, seen = [], [], []
    spent, frames = 0.0, 0
    for motion in motions:
        began = time.process_time()
        moved = retarget(robot, motion.joints, motion.fps)
        spent += time.process_time() - began
        frames += motion.num_frames
        found.append(quality(robot, motion.joints, moved))
        slow, slower = slowed(robot, moved)
        slowdowns.append(slower)
        back = to_human(robot, slow.positions, slow.base_pos, slow.base_rot)
        seen.append(Motion(back.astype(np.float32), slow.fps))
    theirs = [read_action(model.caption(motion)) for motion in motions]
    ours = [read_action(model.caption(motion)) for motion in seen]
    same = float(np.mean([a == b for a, b in zip(theirs, ours, strict=True)]))
    labels = [_label(a, model) == _label(b, model) for a, b in zip(motions, seen, strict=True)]
    return Measured(
        *(robot.name, joined(found), np.array(slowdowns)),
        *(same, float(np.mean(labels)), 1e3 * spent / frames),
    )


def _label(motion: Motion, model: MotionGPT3) -> str:
    """Return what the recogniser of actions sees for the longest time; '' without one."""
    if model.recogniser is None:
        return ''
    seen = events_of(motion.resample(FPS).joints, model.recogniser)
    return max(seen, key=lambda event: event.end_s - event.start_s).label


def joined(found: Sequence[Quality]) -> Quality:
    """Put the measures of several motions together."""
    values = {}
    for field in fields(Quality):
        parts = [getattr(one, field.name) for one in found]
        if field.name == 'limbs':
            values[field.name] = {
                limb: np.concatenate([p[limb] for p in parts]) for limb in parts[0]
            }
        elif field.name == 'limit_excess':
            values[field.name] = max(parts)
        else:
            values[field.name] = np.concatenate(parts)
    return Quality(**values)


def table(rows: Sequence[Measured], motions: int) -> str:
    """The rows as Markdown."""
    head = ['', *(row.robot for row in rows)]
    lines = ['| ' + ' | '.join(head) + ' |', '|---' * len(head) + '|']
    for limb in LIMBS:
        lines.append(_line(f'{limb}, degrees mean / p95', [_limb(row, limb) for row in rows]))
    values: list[tuple[str, list[str]]] = [
        ('beyond position limits [rad]', [f'{row.quality.limit_excess:g}' for row in rows]),
        (
            'slowed down, median / most',
            [f'{np.median(row.slowdowns):.2f} / {row.slowdowns.max():.2f}' for row in rows],
        ),
        (
            f'slowed down more than {TOO_SLOW:g} times',
            [f'{100 * np.mean(row.slowdowns > TOO_SLOW):.0f} %' for row in rows],
        ),
        (
            'standing soles off the floor [mm], p95',
            [f'{1e3 * np.percentile(row.quality.height, 95):.1f}' for row in rows],
        ),
        (
            'their slide [cm/s], mean / p95',
            [
                f'{100 * row.quality.slide.mean():.1f} / '
                f'{100 * np.percentile(row.quality.slide, 95):.1f}'
                for row in rows
            ],
        ),
        ('leg speed at a change / in the swing [rad/s], p95', [_pair(r, 'speed') for r in rows]),
        ('leg jerk at a change / in the swing [rad/s³], p95', [_pair(r, 'jerk') for r in rows]),
        ('higher hand on the same side', [f'{100 * r.quality.sides.mean():.1f} %' for r in rows]),
        ('captions with the same action', [f'{100 * row.same_action:.0f} %' for row in rows]),
        ('labels with the same action', [f'{100 * row.same_label:.0f} %' for row in rows]),
        ('time [ms a frame]', [f'{row.ms_per_frame:.2f}' for row in rows]),
    ]
    lines += [_line(name, cells) for name, cells in values]
    said = f'{motions} motions; {circumstances()}. Time: of one core, to put a motion on a robot.'
    return '\n'.join([*lines, '', said])


def _line(name: str, cells: Sequence[str]) -> str:
    return f'| {name} | ' + ' | '.join(cells) + ' |'


def _limb(row: Measured, limb: str) -> str:
    angles = row.quality.limbs.get(limb)
    return '-' if angles is None else f'{angles.mean():.1f} / {np.percentile(angles, 95):.1f}'


def _pair(row: Measured, rate: str) -> str:
    change, swing = (getattr(row.quality, f'{when}_{rate}') for when in ('change', 'swing'))
    return f'{np.percentile(change, 95):.3g} / {np.percentile(swing, 95):.3g}'


def write(page: Path, text: str, robots: Sequence[Robot]) -> None:
    """Put the table and the pictures of robots into a page, between its two marks."""
    from mgpt3_ros.robots.picture import arm_raised, draw_side_by_side

    images = page.parent / 'images'
    shown = []
    for robot in robots:
        draw_side_by_side(robot, arm_raised(), images / f'robot_{robot.name}.jpg')
        shown.append(f'![{robot.name} beside the human](images/robot_{robot.name}.jpg)')
    before, rest = page.read_text(encoding='utf-8').split(BEGIN)
    after = rest.split(END)[1]
    made = '\n\n'.join([text, *shown])
    page.write_text(f'{before}{BEGIN}\n\n{made}\n\n{END}{after}', encoding='utf-8')


def main(argv: list[str] | None = None) -> int:
    """Print the table; with --write also put it into the page."""
    parser = argparse.ArgumentParser(prog='python -m benchmarks.robots', description=__doc__)
    parser.add_argument('--motions', type=int, default=50, help='to draw (default: 50)')
    parser.add_argument('--seed', type=int, default=3, help='of the motions (default: 3)')
    parser.add_argument('--robots', nargs='*', default=robot_names(), help='names or YAML files')
    parser.add_argument('--write', action='store_true', help='into docs/robots.md')
    parser.add_argument('--checkpoint', default=None, help='checkpoint folder (the shipped one)')
    arguments = parser.parse_args(argv)
    model = MotionGPT3.from_pretrained(arguments.checkpoint)
    robots = []
    for name in arguments.robots:
        try:
            robots.append(Robot.from_name_or_file(name))
        except RobotError as error:
            print(f'left out: {error}', file=sys.stderr)
    if not robots:
        print('no robot: pip install -r requirements/robots.txt', file=sys.stderr)
        return 2
    motions = draw(model, arguments.motions, arguments.seed)
    text = table([measure(robot, motions, model) for robot in robots], len(motions))
    print(text)
    if arguments.write:
        write(PAGE, text, robots)
    return 0


if __name__ == '__main__':
    raise SystemExit(main())
