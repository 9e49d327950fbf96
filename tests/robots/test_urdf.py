# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A URDF that cannot be used is refused in a sentence; what can, works."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mgpt3_ros.model.errors import RobotError
from mgpt3_ros.robots.kinematics import Kinematics
from mgpt3_ros.robots.urdf import read_urdf
from tests.support.robots import tin_man, tin_man_urdf


def joint(name: str, parent: str, child: str, kind: str = 'revolute', inner: str = '') -> str:
    return (
        f'<joint name="{name}" type="{kind}"><parent link="{parent}"/><child link="{child}"/>'
        f'<limit lower="-1" upper="1" velocity="2" effort="3"/>{inner}</joint>'
    )


def two_links(inner: str) -> str:
    return f'<robot name="r"><link name="a"/><link name="b"/>{inner}</robot>'


REFUSED = {
    'no XML': ('<robot', 'no valid XML'),
    'another document': ('<world/>', 'not <robot>'),
    'a loop of two': (
        two_links(joint('j', 'a', 'b') + joint('k', 'b', 'a')),
        'name the base_link; links that no joint carries: none: the joints form a loop',
    ),
    'two parents': (
        two_links('<link name="c"/>' + joint('j', 'a', 'c') + joint('k', 'b', 'c')),
        "'c' hangs from 2 joints: a closed loop",
    ),
    'several roots': (two_links(''), 'name the base_link; links that no joint carries: a, b'),
    'an unknown link': (two_links(joint('j', 'a', 'z')), "names no link 'z'"),
    'an unknown type': (two_links(joint('j', 'a', 'b', 'ball')), "type 'ball'; known are"),
    'a planar joint': (two_links(joint('j', 'a', 'b', 'planar')), 'is planar: only the base'),
    'a floating joint inside': (
        two_links('<link name="c"/>' + joint('j', 'a', 'b') + joint('k', 'b', 'c', 'floating')),
        "'k' is floating: only the base may float",
    ),
    'no numbers': (
        two_links(joint('j', 'a', 'b', inner='<origin xyz="0 0 high"/>')),
        'are no numbers',
    ),
    'an axis of no length': (
        two_links(joint('j', 'a', 'b', inner='<axis xyz="0 0 0"/>')),
        'an axis of length 0',
    ),
    'a name twice': (two_links(joint('j', 'a', 'b') + '<link name="a"/>'), 'is there twice'),
    'a mimic of nobody': (
        two_links(joint('j', 'a', 'b', inner='<mimic joint="q"/>')),
        "mimics 'q', which is no joint of its own",
    ),
}


@pytest.mark.parametrize('case', REFUSED)
def test_what_cannot_be_used_is_said(case: str, tmp_path: Path):
    text, said = REFUSED[case]
    path = tmp_path / 'r.urdf'
    path.write_text(text, encoding='utf-8')
    with pytest.raises(RobotError) as caught:
        read_urdf(path)
    assert said in str(caught.value)


def test_a_missing_file_and_a_xacro_are_said(tmp_path: Path):
    with pytest.raises(RobotError, match='there is no URDF'):
        read_urdf(tmp_path / 'r.urdf')
    (tmp_path / 'r.xacro').write_text('<robot/>', encoding='utf-8')
    with pytest.raises(RobotError, match='expand it first'):
        read_urdf(tmp_path / 'r.xacro')


def test_a_base_may_float_in_a_world(tmp_path: Path):
    path = tmp_path / 'r.urdf'
    path.write_text(
        two_links('<link name="w"/>' + joint('f', 'w', 'a', 'floating') + joint('j', 'a', 'b')),
        encoding='utf-8',
    )
    assert read_urdf(path).base_link == 'a'
    with pytest.raises(RobotError, match="moved by the joint 'j'"):
        read_urdf(path, 'b')


def test_mimic_and_prismatic_joints_move_as_they_should(tmp_path: Path):
    """A finger that follows the elbow twice as far, and a mast that is held 0.3 m out."""
    extra = (
        '<link name="finger"/><link name="mast"/><joint name="finger_joint" type="revolute">'
        '<parent link="left_hand_yaw"/><child link="finger"/><axis xyz="0 1 0"/>'
        '<mimic joint="left_elbow_joint" multiplier="2" offset="0.1"/>'
        '<limit lower="-9" upper="9" velocity="2" effort="1"/></joint>'
        '<joint name="mast_joint" type="prismatic"><parent link="pelvis"/><child link="mast"/>'
        '<axis xyz="0 0 1"/><limit lower="0" upper="1" velocity="1" effort="1"/></joint>'
    )
    robot = tin_man(tmp_path, {'hold': {'mast_*': 0.3}}, extra=extra)
    assert not {'finger_joint', 'mast_joint'} & set(robot.joint_names)
    positions = np.zeros((1, len(robot.joint_names)))
    positions[0, robot.joint_names.index('left_elbow_joint')] = -0.5
    poses = robot.kinematics.forward(positions)
    np.testing.assert_allclose(poses.places['mast'][0], [0, 0, 0.3], atol=1e-12)
    turned = poses.rotations['left_hand_yaw'][0].T @ poses.rotations['finger'][0]
    assert np.arctan2(turned[0, 2], turned[0, 0]) == pytest.approx(-2 * 0.5 + 0.1)


def test_joints_are_counted_depth_first(tmp_path: Path):
    path = tmp_path / 'tin.urdf'
    path.write_text(tin_man_urdf(), encoding='utf-8')
    names = Kinematics(read_urdf(path)).joint_names
    assert names[:4] == ('waist_yaw_joint', 'waist_roll_joint', 'chest_joint', 'head_joint')
    left = [name for name in names if 'left' in name and 'arm' not in name]
    assert left.index('left_knee_joint') == left.index('left_hip_pitch_joint') + 1
