# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A robot in MuJoCo: motors within their limits, a base that is guided."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip('mujoco', reason='MuJoCo is not installed: pip install "mgpt3_ros[sim]"')

from mgpt3_ros.model.errors import RobotError
from mgpt3_ros.robots import RobotProfile
from mgpt3_ros.robots.simulation import Simulation, Target
from tests.support.robots import tin_man

ELBOW = 'left_elbow_joint'


@pytest.fixture
def sim(tmp_path) -> Simulation:
    return Simulation(tin_man(tmp_path))


def pose(sim: Simulation, elbow: float = -0.01, lower: float = 0.0) -> Target:
    """The robot stands, one elbow bent [rad], its base so much lower [m]."""
    base = RobotProfile(sim.robot).standing_base
    positions = sim.robot.stand.copy()
    positions[sim.robot.joint_names.index(ELBOW)] = elbow
    still = np.zeros(3)
    place = base[:3] - np.array([0.0, 0.0, lower])
    return Target(positions, np.zeros_like(positions), place, base[3:], still, still)


def off(sim: Simulation, target: Target) -> float:
    return float(np.abs(sim.positions - target.positions).max())


def test_it_stands_still_and_comes_to_a_pose(sim):
    stand, bent = pose(sim), pose(sim, elbow=-1.2)
    sim.run(lambda _: stand, 0.3)
    assert off(sim, stand) < 1e-4
    assert not sim.saturated.any()
    sim.run(lambda _: bent, 0.5)
    assert off(sim, bent) < 0.01


def test_motors_give_no_more_than_they_can(sim):
    bent = pose(sim, elbow=-2.4)
    sim.run(lambda _: bent, 0.02)
    column = sim.robot.joint_names.index(ELBOW)
    assert sim.saturated[column]
    assert (np.abs(sim.torques) <= sim.robot.effort_limits).all()


@pytest.mark.parametrize('seed', range(6))
def test_thrown_about_beyond_its_strength_it_comes_to_rest(sim, seed):
    generator = np.random.default_rng(seed)
    stand = pose(sim)
    low, high = np.array(sim.robot.position_limits).T
    for _ in range(8):
        away = generator.uniform(-1.5, 1.5, len(stand.positions))
        thrown = replace(stand, positions=np.clip(stand.positions + away, low, high))
        sim.run(lambda _, to=thrown: to, 0.15)
        assert sim.saturated.any()
    sim.run(lambda _: stand, 4.0)
    assert off(sim, stand) < 0.01


def test_a_push_moves_an_arm_and_it_comes_back(sim):
    stand = pose(sim)
    sim.push('right_elbow', np.array([300.0, 0.0, 0.0]), 0.1)
    sim.run(lambda _: stand, 0.1)
    assert off(sim, stand) > 0.1
    sim.run(lambda _: stand, 1.0)
    assert off(sim, stand) < 0.01
    with pytest.raises(RobotError, match="no link 'tail'"):
        sim.push('tail', np.zeros(3), 0.1)


def test_a_stuck_joint_stays_until_it_is_let_go(sim):
    bent = pose(sim, elbow=-1.0)
    sim.stick(ELBOW)
    sim.run(lambda _: bent, 0.3)
    assert off(sim, bent) == pytest.approx(0.99, abs=0.01)
    sim.stick(ELBOW, stuck=False)
    sim.run(lambda _: bent, 0.5)
    assert off(sim, bent) < 0.01


def test_the_floor_is_felt_and_pushes_nothing(sim):
    down = pose(sim, lower=0.2)
    sim.run(lambda _: down, 0.2)
    assert any('floor' in pair for pair in sim.contacts)
    assert off(sim, down) < 1e-3
