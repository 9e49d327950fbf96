# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The main job from end to end: a sentence, a node, a trajectory, a video.

Starts generate_node as a process of its own, sends it a sentence over ROS 2, receives the
trajectory, checks it as a controller would, and writes what it is into a folder.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from mgpt3_ros.body.body_trajectory import BodyTrajectory
from mgpt3_ros.body.profiles import make_profile
from mgpt3_ros.body.window import model_joints
from mgpt3_ros.model.errors import MotionGPT3Error
from mgpt3_ros.model.kinematics.skeleton import FPS
from mgpt3_ros.model.motion import Motion
from mgpt3_ros.model.render import render_strip, render_video
from mgpt3_ros.nodes.client import Answer, GenerateClient
from mgpt3_ros.nodes.messages import base_path, joint_path
from mgpt3_ros.nodes.trajectory_check import faults
from mgpt3_ros.view.page import write_page

SENTENCE = 'a person walks forward and turns left'
LEAD_IN_S = 0.5


def main(args: Sequence[str] | None = None) -> int:
    """Run the demo; return 0 if all went well, 1 if not."""
    options = _parser().parse_args(args)
    try:
        _run(options)
    except (MotionGPT3Error, OSError) as error:
        sys.stderr.write(f'error: {error}\n')
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog='python -m mgpt3_ros.nodes.demo',
        description='From a sentence to a moving body on ROS 2.',
    )
    parser.add_argument('text', nargs='?', default=SENTENCE, help='what the body shall do')
    parser.add_argument('-o', '--out', default='out', help='folder for the results (out)')
    parser.add_argument('--checkpoint', default='', help='model folder (the shipped one)')
    parser.add_argument('--seed', type=int, default=1, help='of the noise; -1 draws anew (1)')
    parser.add_argument('--timeout', type=float, default=120.0, help='longest wait [s] (120)')
    return parser


def _run(options: argparse.Namespace) -> None:
    folder = Path(options.out)
    folder.mkdir(parents=True, exist_ok=True)
    clock = _Clock()
    parameters = {
        'checkpoint': f"'{options.checkpoint}'",
        'seed': str(options.seed),
        'lead_in_s': str(LEAD_IN_S),
    }
    with GenerateClient(parameters, options.timeout) as client:
        client.wait_until_connected()
        clock.tell('generate_node started in a process of its own')
        answer = client.ask(options.text)
        clock.tell(
            f'"{options.text}" answered: {answer.status["duration_s"]} s of motion, '
            f'{len(answer.joints.points)} points, made in {answer.status["latency_s"]} s'
        )
    profile = make_profile('human_full', 'human')
    found = faults(answer.joints, answer.base, profile.names, LEAD_IN_S)
    if found:
        raise MotionGPT3Error('the trajectory is not fit: ' + '; '.join(found))
    clock.tell('trajectory checked: a joint_trajectory_controller would take it')
    motion = motion_of(answer).with_info(text=options.text)
    write_csv(folder / 'trajectory.csv', answer)
    motion.save(folder / 'motion.npz')
    clock.tell(f'trajectory written to {folder / "trajectory.csv"} and {folder / "motion.npz"}')
    render_video(motion, folder / 'demo.mp4')
    clock.tell(f'video written to {folder / "demo.mp4"}')
    render_strip(motion, folder / 'demo.png')
    clock.tell(f'picture written to {folder / "demo.png"}')
    page = folder / 'demo.html'
    write_page(page, motion)
    clock.tell(f'page written to {page}')
    clock.total()
    address = page.resolve().as_uri()
    sys.stdout.write(f'open {page} in a browser to see it from all sides: {address}\n')


def motion_of(answer: Answer) -> Motion:
    """Turn what was received back into a motion of the model's skeleton, 20 frames per second."""
    profile = make_profile('human_full', 'human')
    trajectory = BodyTrajectory(profile.names, joint_path(answer.joints), base_path(answer.base))
    joints, base = trajectory.sample(np.arange(trajectory.times[0], trajectory.end_s, 1.0 / FPS))
    seen = model_joints(profile, joints.positions, base.pos, base.rot)
    return Motion(seen.astype(np.float32), FPS)


def write_csv(path: Path, answer: Answer) -> None:
    """Write time [s], joints [rad] and base [m, quaternion] of each point as one row."""
    joints, base = joint_path(answer.joints), base_path(answer.base)
    names = ['time_s', *answer.joints.joint_names]
    names += [f'base_{part}' for part in ('x', 'y', 'z', 'qx', 'qy', 'qz', 'qw')]
    rows = np.concatenate([joints.times[:, None], joints.positions, base.pos, base.rot], axis=1)
    np.savetxt(path, rows, '%.6f', ',', header=','.join(names), comments='')


class _Clock:
    """Says what was done and how long it took."""

    def __init__(self) -> None:
        self._begin = self._last = time.monotonic()

    def tell(self, what: str) -> None:
        now = time.monotonic()
        sys.stdout.write(f'{now - self._last:7.2f} s  {what}\n')
        sys.stdout.flush()
        self._last = now

    def total(self) -> None:
        sys.stdout.write(f'{time.monotonic() - self._begin:7.2f} s  in all\n')


if __name__ == '__main__':
    sys.exit(main())
