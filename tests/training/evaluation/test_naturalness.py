# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a person would see, in numbers."""

from __future__ import annotations

import numpy as np
import pytest

from mgpt3_ros.model.finishing.settling import standing_pose
from mgpt3_ros.model.kinematics.skeleton import JOINT_NAMES
from mgpt3_ros.training.evaluation.naturalness import POSTURE, distances, measures_of

KNEES = [JOINT_NAMES.index(f'{side}_knee') for side in ('left', 'right')]
WRISTS = [JOINT_NAMES.index(f'{side}_wrist') for side in ('left', 'right')]
LEGS = {
    side: [JOINT_NAMES.index(f'{side}_{name}') for name in ('ankle', 'foot')]
    for side in ('left', 'right')
}


def standing(frames: int = 40) -> np.ndarray:
    return np.repeat(standing_pose()[None].astype(float), frames, axis=0)


def stepping(speed: float, length: float, frames: int = 120) -> np.ndarray:
    """A body that glides on while its feet step in turn: stylised, of known numbers."""
    joints = standing(frames)
    time_s = np.arange(frames) / 20
    joints[..., 2] += (speed * time_s)[:, None]
    step_s = length / speed
    for place, side in enumerate(('left', 'right')):
        phase = time_s / (2 * step_s) + 0.5 * place
        cycle, share = np.floor(phase), phase % 1.0
        gone = cycle + np.clip((share - 0.5) / 0.5, 0, 1)  # half of the time on the floor
        foot = 2 * length * (gone - 0.5 * place) - speed * time_s
        lift = 0.12 * np.sin(np.pi * np.clip((share - 0.5) / 0.5, 0, 1))
        joints[:, LEGS[side], 2] += foot[:, None]
        joints[:, LEGS[side], 1] += lift[:, None]
    return joints


def test_steps_are_counted_and_measured() -> None:
    found = measures_of(stepping(1.2, 0.6), steps=True)
    assert found['speed [m/s]'] == pytest.approx(1.2, rel=0.05)
    assert found['step length [m]'] == pytest.approx(0.6, rel=0.1)
    assert found['cadence [1/s]'] == pytest.approx(2.0, rel=0.1)


def test_posture_is_measured() -> None:
    upright = measures_of(standing(), steps=False)
    assert tuple(upright) == POSTURE
    assert upright['arm swing [m]'] == pytest.approx(0.0, abs=1e-6)
    assert 0.8 < upright['pelvis height [m]'] < 1.1
    bent = standing()
    bent[:, KNEES, 2] += 0.1
    assert measures_of(bent, False)['knee flexion [deg]'] > upright['knee flexion [deg]'] + 15
    swinging = standing()
    swinging[:, WRISTS[0], 2] += 0.2 * np.sin(np.arange(40))
    swinging[:, WRISTS[1], 2] -= 0.2 * np.sin(np.arange(40))
    swung = measures_of(swinging, False)['arm swing [m]']
    assert swung == pytest.approx(0.4, abs=0.03)
    turned = swinging[..., [2, 1, 0]] * (1, 1, -1)  # the body faces +X: the same swing
    assert measures_of(turned, False)['arm swing [m]'] == pytest.approx(swung, abs=1e-6)


def test_people_are_as_near_to_people_as_their_halves() -> None:
    rng = np.random.default_rng(0)

    def crowd(knees: float) -> list[np.ndarray]:
        bodies = []
        for _ in range(40):
            joints = standing()
            joints[:, KNEES, 2] += knees + 0.02 * rng.normal()
            bodies.append(joints)
        return bodies

    real, alike, crouched = crowd(0.05), crowd(0.05), crowd(0.15)
    same = distances(real, alike, steps=False)['knee flexion [deg]']
    other = distances(real, crouched, steps=False)['knee flexion [deg]']
    assert same.over_halves < 2
    assert other.over_halves > 4
    assert other.made > other.real + 10
