# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Physics by MuJoCo: torques as pinocchio's, collisions and balance as they can be reckoned."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip('mujoco', reason='MuJoCo comes with the extra sim')

from mgpt3_ros.model.errors import RobotError
from mgpt3_ros.robots import Robot, retarget
from mgpt3_ros.robots.physics import RATE, Physics, outside
from mgpt3_ros.robots.retargeting import RobotMotion
from mgpt3_ros.robots.self_collision import clear_of_itself
from tests.support.robots import known, tin_man, walking


def still(robot: Robot, frames: int = 20) -> RobotMotion:
    """The robot stands."""
    from scipy.spatial.transform import Rotation

    turned = Rotation.from_matrix(robot.facing).as_quat()
    place = [0.0, 0.0, robot.base_height]
    return RobotMotion(
        robot.joint_names,
        np.tile(robot.stand, (frames, 1)),
        np.tile(place, (frames, 1)),
        np.tile(turned, (frames, 1)),
        20.0,
    )


@pytest.fixture(scope='module')
def robot(tmp_path_factory: pytest.TempPathFactory) -> Robot:
    return tin_man(tmp_path_factory.mktemp('tin'))


def test_who_stands_stands(robot: Robot):
    report = Physics(robot).check(still(robot))
    assert report.weight == pytest.approx(9.81 * 1.5 * 27, rel=1e-3)
    assert report.balanced == 1.0
    assert (report.com_outside == 0).all()
    assert report.missing_force.max() < 0.02 * report.weight
    assert report.collisions == ()
    assert report.slide.max() < 1e-6
    assert 'it can be played' in report.verdict()
    assert (report.torque_share < 1).all()


def test_an_arm_held_out_needs_what_a_lever_needs(robot: Robot):
    """Shoulder roll with the arm level: upper arm, elbow, hand link masses times their levers."""
    held = still(robot)
    column = robot.joint_names.index('left_shoulder_roll_joint')
    held.positions[:, column] = np.pi / 2
    report = Physics(robot).check(held)
    # 1.5 kg each: shoulder_roll and _yaw at the joint, elbow 0.25 m out, hand 0.49 m out.
    wanted = 1.5 * 9.81 * (0.25 + 0.49)
    np.testing.assert_allclose(np.abs(report.torques[:, column]), wanted, rtol=1e-3)


def test_hands_in_the_chest_collide(robot: Robot):
    bad = still(robot)
    # Forearms level and 30 degrees inward: the balls of the hands, 0.34 m out, meet.
    for side, sign in (('left', 1), ('right', -1)):
        bad.positions[5:15, robot.joint_names.index(f'{side}_shoulder_yaw_joint')] = (
            -np.pi / 6 * sign
        )
        bad.positions[5:15, robot.joint_names.index(f'{side}_elbow_joint')] = -np.pi / 2
    found = Physics(robot).collisions(bad)
    assert found
    assert all(0.1 <= start <= stop <= 0.9 for hit in found for start, stop in hit.spans)
    assert 'collide' in Physics(robot).check(bad).verdict()


def test_a_lean_is_out_of_balance(robot: Robot):
    """The base 0.3 m ahead of the feet: nothing holds that up."""
    tipped = still(robot)
    tipped.base_pos[:] += 0.0
    for side in ('left', 'right'):
        tipped.positions[:, robot.joint_names.index(f'{side}_ankle_pitch_joint')] = 0.45
    from scipy.spatial.transform import Rotation

    lean = Rotation.from_euler('y', -0.45)
    tipped.base_rot[:] = (lean * Rotation.from_quat(tipped.base_rot[0])).as_quat()
    tipped.base_pos[:, 0] -= robot.base_height * np.sin(0.45)
    tipped.base_pos[:, 2] = robot.base_height - 0.9 * robot.base_height * (1 - np.cos(0.45))
    report = Physics(robot).check(tipped)
    assert report.balanced < 0.5


def test_a_walk_needs_a_balance_controller(robot: Robot):
    report = Physics(robot).check(retarget(robot, walking(40), 20.0))
    lines = report.sentences()
    assert len(report.torques) == int(39 / 20 * RATE) + 1
    assert lines[-1].startswith('verdict: ')
    assert any('zero moment point' in line for line in lines)


@pytest.mark.slow
@pytest.mark.parametrize('name', ['g1', 'talos', 'icub', 'romeo', 'gr1'])
def test_torques_are_those_of_pinocchio(name: str):
    pin = pytest.importorskip('pinocchio')
    robot = known(name)
    model = pin.buildModelFromUrdf(str(robot.urdf.path), pin.JointModelFreeFlyer())
    data = model.createData()
    physics = Physics(robot)
    rng = np.random.default_rng(0)
    lower, upper = np.clip(robot.position_limits, -2, 2).T
    worst = 0.0
    for _ in range(3):
        positions = rng.uniform(lower, upper)
        rate, push = rng.standard_normal((2, len(positions))) * [[1.0], [5.0]]
        sim = physics.sim
        row = sim.rows(positions[None], np.zeros((1, 3)), np.array([[0.0, 0, 0, 1]]))[0]
        rates, accelerations = np.zeros((2, sim.model.nv))
        rates[sim.dof], accelerations[sim.dof] = rate, push
        accelerations[:3] = 1.0, 2.0, 3.0
        ours = physics._inverse_dynamics(row, rates, accelerations)
        values, v, a = pin.neutral(model), np.zeros(model.nv), np.zeros(model.nv)
        for joint in robot.urdf.joints:
            if joint.type == 'fixed':
                continue
            index = model.getJointId(joint.name)
            held = robot.kinematics.value_of(joint, positions[None])[0]
            values[model.joints[index].idx_q] = held
            if joint.name in robot.joint_names:
                at = robot.joint_names.index(joint.name)
                v[model.joints[index].idx_v], a[model.joints[index].idx_v] = rate[at], push[at]
        a[:3] = 1.0, 2.0, 3.0
        theirs = pin.rnea(model, data, values, v, a)
        for at, joint_name in enumerate(robot.joint_names):
            index = model.joints[model.getJointId(joint_name)].idx_v
            worst = max(worst, abs(ours[sim.dof[at]] - theirs[index]))
    assert worst < 1e-6


def test_how_far_a_point_lies_outside():
    square = np.array([[0, 0], [1, 0], [1, 1], [0, 1.0]])
    assert outside(square, np.array([0.5, 0.5])) == 0.0
    assert outside(square, np.array([1.5, 0.5])) == pytest.approx(0.5)
    assert outside(square, np.array([2.0, 2.0])) == pytest.approx(np.sqrt(2))
    assert outside(square[:2], np.array([0.0, 1.0])) == pytest.approx(1.0)


def meeting_hands(robot: Robot) -> RobotMotion:
    """Who stands brings both forearms up until the hands' balls meet, and down again."""
    motion = still(robot, frames=60)
    share = np.sin(np.pi * np.arange(60) / 59) ** 2
    for side, sign in (('left', 1), ('right', -1)):
        for joint, angle in (('shoulder_yaw', -np.pi / 6 * sign), ('elbow', -np.pi / 2)):
            column = robot.joint_names.index(f'{side}_{joint}_joint')
            motion.positions[:, column] = robot.stand[column] + share * angle
    return motion


def test_a_swing_is_shrunk_until_it_is_clear(robot: Robot):
    physics, motion = Physics(robot), meeting_hands(robot)
    assert physics.collisions(motion)
    clear, share = clear_of_itself(physics, motion)
    assert physics.collisions(clear) == ()
    assert 0.5 < share < 1.0
    np.testing.assert_array_equal(clear.positions[:5], motion.positions[:5])  # far from it
    unchanged, whole = clear_of_itself(physics, clear)
    assert unchanged is clear
    assert whole == 1.0


def test_what_collides_is_refused_where_that_is_asked(robot: Robot):
    physics, motion = Physics(robot), meeting_hands(robot)
    with pytest.raises(RobotError, match=r'refused: left_hand_yaw and right_hand_yaw collide at'):
        clear_of_itself(physics, motion, shrink=False)


def test_legs_that_collide_are_not_mended_by_arms(robot: Robot):
    physics, motion = Physics(robot), still(robot)
    for side, sign in (('left', -1), ('right', 1)):
        column = robot.joint_names.index(f'{side}_hip_roll_joint')
        motion.positions[:, column] = 0.2 * sign
    with pytest.raises(RobotError, match='no smaller swing of the arms helps'):
        clear_of_itself(physics, motion)
