# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The URDF: written from the constants, and its kinematics are those of two other libraries."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest

from mgpt3_ros.model.kinematics.human import (
    ANGLE_LIMITS,
    ANGLE_NAMES,
    BODY_TO_MODEL,
    VELOCITY_LIMITS,
    axis_order,
)
from mgpt3_ros.model.kinematics.joint_angles import (
    BodyAngles,
    angles_to_joints,
    joints_to_angles,
)
from mgpt3_ros.model.kinematics.skeleton import JOINT_NAMES
from scripts.human_urdf import BASE_LINK, BODY_MASS, human_urdf, main
from tests.support import mocap

FILE = Path(__file__).resolve().parents[2] / 'urdf' / 'human.urdf'


@pytest.fixture(scope='module')
def robot():
    return ET.fromstring(human_urdf())


def with_still_base(angles):
    frames = len(angles)
    return BodyAngles(np.zeros((frames, 3)), np.tile([0, 0, 0, 1.0], (frames, 1)), angles)


def test_the_file_is_what_the_function_writes(tmp_path):
    assert FILE.read_text(encoding='utf-8') == human_urdf()
    main([str(tmp_path / 'human.urdf')])
    assert (tmp_path / 'human.urdf').read_bytes() == FILE.read_bytes()


def test_a_single_tree_of_63_revolute_joints_from_base_link(robot):
    revolute = [j.get('name') for j in robot.iter('joint') if j.get('type') == 'revolute']
    assert sorted(revolute) == sorted(ANGLE_NAMES)
    links = {link.get('name') for link in robot.iter('link')}
    children = [joint.find('child').get('link') for joint in robot.iter('joint')]
    assert len(children) == len(set(children)) == len(links) - 1
    assert links - set(children) == {BASE_LINK}
    assert set(JOINT_NAMES) <= links


def test_limits_and_axis_orders_are_those_of_the_angles(robot):
    joints = {j.get('name'): j for j in robot.iter('joint')}
    for name, (lower, upper), velocity in zip(
        ANGLE_NAMES, ANGLE_LIMITS, VELOCITY_LIMITS, strict=True
    ):
        limit = joints[name].find('limit')
        assert float(limit.get('lower')) == pytest.approx(lower, abs=1e-5)
        assert float(limit.get('upper')) == pytest.approx(upper, abs=1e-5)
        assert float(limit.get('velocity')) == velocity
    document = [j.get('name') for j in robot.iter('joint') if j.get('type') == 'revolute']
    for joint in JOINT_NAMES[1:]:
        axes = [name[-1] for name in document if name[:-2] == joint]
        assert ''.join(axes) == axis_order(joint)


def test_masses_add_up_and_inertias_are_physical(robot):
    total = 0.0
    for inertial in robot.iter('inertial'):
        total += float(inertial.find('mass').get('value'))
        moments = sorted(float(inertial.find('inertia').get(f'i{a}{a}')) for a in 'xyz')
        assert moments[0] > 0
        assert moments[0] + moments[1] >= moments[2]
    assert total == pytest.approx(BODY_MASS, abs=0.01)


def test_it_looks_like_a_person_of_usual_height():
    yourdfpy = pytest.importorskip('yourdfpy')
    low, high = yourdfpy.URDF.load(str(FILE)).scene.bounds
    assert 1.6 < high[2] - low[2] < 1.9
    assert 0.35 < high[1] - low[1] < 0.65


# --- forward kinematics of others --------------------------------------------------------------


def yourdfpy_positions(angles):
    yourdfpy = pytest.importorskip('yourdfpy')
    human = yourdfpy.URDF.load(str(FILE), load_meshes=False)
    order = [ANGLE_NAMES.index(name) for name in human.actuated_joint_names]
    found = np.empty((len(angles), len(JOINT_NAMES), 3))
    for frame, values in enumerate(angles):
        human.update_cfg(values[order])
        for i, name in enumerate(JOINT_NAMES):
            found[frame, i] = human.get_transform(name, BASE_LINK)[:3, 3]
    return found


def pinocchio_positions(angles):
    pin = pytest.importorskip('pinocchio')
    model = pin.buildModelFromXML(human_urdf())
    data = model.createData()
    assert model.nq == 63
    order = [ANGLE_NAMES.index(name) for name in model.names[1:]]
    frames = [model.getFrameId(name) for name in JOINT_NAMES]
    found = np.empty((len(angles), len(JOINT_NAMES), 3))
    for frame, values in enumerate(angles):
        pin.framesForwardKinematics(model, data, values[order])
        found[frame] = [data.oMf[i].translation for i in frames]
    return found


@pytest.mark.parametrize('library', [yourdfpy_positions, pinocchio_positions])
def test_random_angles_put_the_joints_where_other_libraries_do(library):
    angles = np.random.default_rng(0).uniform(ANGLE_LIMITS[:, 0], ANGLE_LIMITS[:, 1], (10, 63))
    ours = angles_to_joints(with_still_base(angles))
    theirs = library(angles)[..., BODY_TO_MODEL]
    assert np.linalg.norm(theirs - ours, axis=-1).max() < 1e-4


@pytest.mark.parametrize('library', [yourdfpy_positions, pinocchio_positions])
def test_real_motion_puts_the_joints_where_other_libraries_do(library):
    for joints in mocap.clips(3, seed=1):
        angles = joints_to_angles(joints).angles[::10]
        ours = angles_to_joints(with_still_base(angles))
        theirs = library(angles)[..., BODY_TO_MODEL]
        assert np.linalg.norm(theirs - ours, axis=-1).max() < 1e-4
