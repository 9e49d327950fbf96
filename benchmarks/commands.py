# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""``python -m benchmarks.commands``: does a body do what commands say?

Each command is carried out some times from a stand, with seeds 0, 1, ...; a row tells the median,
and the least and the most, of how far it goes ahead and to the left [m], how far it turns
[degrees], its speed [m/s] and its steps; how many of the motions end in a stance; and how deep the
lowest joint of a foot is at the deepest [cm]. ``--raw`` draws the same words as they are, which is
what was done before there were commands. A command that moves nothing has no numbers.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from benchmarks.table import circumstances
from mgpt3_ros.body.commands.carrying_out import carry_out_all
from mgpt3_ros.body.commands.meaning import described
from mgpt3_ros.body.commands.memory import Memory
from mgpt3_ros.body.commands.reading import understand
from mgpt3_ros.model.config import load_yaml
from mgpt3_ros.model.errors import TextError
from mgpt3_ros.model.finishing import way
from mgpt3_ros.model.finishing.settling import is_stance
from mgpt3_ros.model.kinematics.skeleton import FOOT_JOINTS, FPS
from mgpt3_ros.model.motion import Motion
from mgpt3_ros.model.motiongpt3 import MotionGPT3
from mgpt3_ros.model.sampling import SamplingOptions, noise_source

COMMANDS = {
    'stops and holds': (
        *('stop walking', 'stop now', "don't move", 'do not walk', 'please stop', 'pause'),
        *('emergency stop', 'stand still for 3 seconds'),
    ),
    'what moves nothing': (
        *('no', 'ok', 'the weather is nice today', 'asdf qwer', 'what can you do?', 'sit down'),
        *('squat down', 'nod your head', 'jump three times'),
    ),
    'turns': (
        'turn left',
        'turn right',
        'turn around',
        'turn left 45 degrees',
        'rotate 180 degrees',
    ),
    'speeds': (
        *('walk forward', 'walk forward slowly', 'walk slowly', 'walk forward fast'),
        *('walk forward quickly', 'walk at 0.5 m/s', 'run'),
    ),
    'the same command': (
        *('Walk forward.', 'walk forward!', 'walk forward please', 'WALK FORWARD'),
    ),
    'distances, steps and counts': (
        *('walk one meter', 'walk two meters', 'walk ten meters', 'take one step forward'),
        *('take two steps back', 'walk forward three steps', 'bow twice', 'bow three times'),
        *('wave three times',),
    ),
    'sideways and back': ('sidestep to the left', 'sidestep to the right', 'walk backward'),
    'two at once': ('walk forward while waving', 'walk forward and raise your left arm'),
}

Row = tuple[float, ...]


def measures(motion: Motion) -> Row:
    """Ahead, left [m], turn [degrees], speed [m/s], steps, stance (0 or 1) and depth [cm]."""
    joints = motion.joints
    ahead, left = way.travelled(joints)
    return (
        ahead,
        left,
        float(np.degrees(way.turned_by(joints))),
        way.pace(joints, FPS),
        float(len(way.landings(joints, FPS))),
        float(is_stance(joints[-1])),
        max(-100.0 * float(joints[:, FOOT_JOINTS, 1].min()), 0.0),
    )


def carried_out(model: MotionGPT3, command: str, seed: int, raw: bool) -> Motion | str:
    """The motion of a command, or what is said of one that moves nothing."""
    sampling = SamplingOptions(generator=noise_source(seed))
    if raw:
        return model.generate_sequence(command, sampling=sampling)
    try:
        parts = Memory().resolved(understand(command))
        return carry_out_all(model, parts, sampling)
    except TextError:
        return 'stops' if _stops(command) else 'refused'


def _stops(command: str) -> bool:
    try:
        return described(understand(command)) == 'stop'
    except TextError:
        return False


def coverage(folder: Path) -> list[str]:
    """A line for each file of free prompts: how many are understood, and how many as another."""
    lines = []
    for name in ('paraphrases.yaml', 'blind_prompts.yaml'):
        prompts = [(a, s) for a, texts in load_yaml(folder / name).items() for s in texts]
        refused = other = 0
        for action, said in prompts:
            try:
                parts = understand(said)
            except TextError:
                refused += 1
                continue
            other += not any(action in str(part) for part in parts)
        lines.append(
            f'{name}: {len(prompts)} prompts, {refused} refused, {other} as another action'
        )
    return lines


def main(argv: list[str] | None = None) -> int:
    """Print a table for each kind of command."""
    parser = argparse.ArgumentParser(prog='python -m benchmarks.commands', description=__doc__)
    parser.add_argument('--checkpoint', default=None, help='checkpoint folder (the shipped one)')
    parser.add_argument('--draws', type=int, default=8, help='of each command (8)')
    parser.add_argument('--raw', action='store_true', help='draw the words as they are')
    arguments = parser.parse_args(argv)
    model = MotionGPT3.from_pretrained(arguments.checkpoint)
    print(circumstances())
    for kind, commands in COMMANDS.items():
        print(f'\n{kind}\n')
        print('| command | ahead [m] | left [m] | turn [deg] | speed | steps | stance | depth |')
        print('|---|---|---|---|---|---|---|---|')
        for command in commands:
            found = [
                carried_out(model, command, seed, arguments.raw) for seed in range(arguments.draws)
            ]
            said = next((one for one in found if isinstance(one, str)), None)
            if said is not None:
                print(f'| {command} | {said} |  |  |  |  |  |  |')
                continue
            print(row(command, [measures(one) for one in found if isinstance(one, Motion)]))
    print()
    for line in coverage(Path(__file__).parent):
        print(line)
    return 0


def row(command: str, found: list[Row]) -> str:
    """A line of the table."""
    values = np.array(found)
    cells = []
    for column, digits in enumerate((2, 2, 0, 2, 0)):
        low, middle, high = np.percentile(values[:, column], (0, 50, 100))
        cells.append(f'{middle:.{digits}f} [{low:.{digits}f}, {high:.{digits}f}]')
    stance = f'{values[:, 5].sum():.0f}/{len(values)}'
    return f'| {command} | {" | ".join(cells)} | {stance} | {values[:, 6].max():.1f} |'


if __name__ == '__main__':
    raise SystemExit(main())
