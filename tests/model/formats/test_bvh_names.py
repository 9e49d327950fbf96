# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""BVH of other programs' skeletons, and of a user's own: which bone is which joint."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import yaml

from mgpt3_ros.model.errors import ConfigError, MotionError
from mgpt3_ros.model.formats.bvh import read_bvh
from mgpt3_ros.model.formats.bvh_names import (
    load_skeleton,
    match_joints,
    plain_name,
    shipped_skeletons,
)
from mgpt3_ros.model.kinematics.skeleton import JOINT_NAMES
from mgpt3_ros.model.motion import Motion
from tests.support.bvh import CHAIN, FOREIGN, MIXAMO, OWN, J, error_mm, foreign
from tests.support.tiny import swinging_motion


@pytest.mark.parametrize('skeleton', FOREIGN)
@pytest.mark.parametrize(('unit', 'scale'), [('m', 1), ('cm', 100), ('mm', 1000), ('in', 39.37)])
def test_common_skeletons_are_read(skeleton: str, unit: str, scale: float, tmp_path: Path) -> None:
    motion = Motion(swinging_motion(0), 30)
    path = tmp_path / 'foreign.bvh'
    path.write_text(foreign(motion, FOREIGN[skeleton], scale))
    found = Motion.load(path)
    assert (found.info['skeleton'], found.info['unit'], found.fps) == (skeleton, unit, 30)
    assert found.info['scale'] == pytest.approx(1, abs=1e-3)
    assert error_mm(motion, found) < 1


def write_mapping(path: Path, bones: dict[str, str], **more: object) -> Path:
    path.write_text(yaml.safe_dump({'bones': bones, **more}, sort_keys=False))
    return path


def test_a_mapping_file_reads_a_skeleton_of_its_own(tmp_path: Path) -> None:
    motion, path = Motion(swinging_motion(0)), tmp_path / 'own.bvh'
    path.write_text(foreign(motion, OWN, 120))
    with pytest.raises(MotionError, match=r'joints not found: .* --skeleton FILE takes others'):
        Motion.load(path)
    mapping = write_mapping(tmp_path / 'mine.yaml', {bone: joint for joint, bone in OWN.items()})
    found = Motion.load(path, skeletons=[load_skeleton(mapping)])
    assert (found.info['skeleton'], found.info['unit']) == ('mine', 'cm')
    assert error_mm(motion, found) < 1  # on the default body
    mapping = write_mapping(
        tmp_path / 'mine.yaml',
        {bone: joint for joint, bone in OWN.items() if not joint.startswith('spine')},
        name='Mine',
        keep_bones=True,
    )
    kept = read_bvh(path, [load_skeleton(mapping)])
    assert kept.info['skeleton'] == 'Mine'
    knees = kept.joints[:, J['left_knee']] / 1.2 - motion.joints[:, J['left_knee']]
    assert np.abs(knees).max() < 1e-3


def test_own_mappings_go_before_the_shipped_ones(tmp_path: Path) -> None:
    # Of the same names, but this user's "Spine" is the neck.
    bones = {bone: joint for joint, bone in MIXAMO.items() if not joint.startswith('spine')}
    bones = {'Spine': 'neck'} | {b: j for b, j in bones.items() if j != 'neck'}
    own = load_skeleton(write_mapping(tmp_path / 'own.yaml', bones))
    skeleton, places = match_joints(list(MIXAMO.values()), [own])
    assert (skeleton, places['neck']) == (own, J['spine1'])
    # It does not fit CMU's file less well than CMU's, but leaves out what a SMPL file needs.
    assert match_joints(JOINT_NAMES, [own])[0].name == 'SMPL'


def test_bones_that_differ_by_case_alone_are_told_apart(tmp_path: Path) -> None:
    bones = {'hips': 'pelvis', **{b: j for j, b in MIXAMO.items() if j != 'pelvis'}}
    own = load_skeleton(write_mapping(tmp_path / 'own.yaml', bones))
    names = ['Hips', 'hips', *list(MIXAMO.values())[1:]]
    assert match_joints(names, [own])[1]['pelvis'] == 1


@pytest.mark.parametrize(
    ('content', 'message'),
    [
        (
            {'bones': {'a': 'tail'}},
            r"own\.yaml: bone 'a' is mapped to 'tail'; joints are: pelvis, ",
        ),
        ({'bones': {'a': 'pelvis'}}, r'own\.yaml maps no bone to left_hip, right_hip, left_knee'),
        ({'bone': {}}, r"own\.yaml: unknown key 'bone'; known keys: name, bones, keep_bones"),
        ({'bones': ['a']}, r'own\.yaml\.bones: expected a mapping'),
    ],
)
def test_a_mapping_file_that_is_wrong_is_refused(
    content: dict[str, object], message: str, tmp_path: Path
) -> None:
    path = tmp_path / 'own.yaml'
    path.write_text(yaml.safe_dump(content))
    with pytest.raises(ConfigError, match=message):
        load_skeleton(path)


def test_a_giant_is_put_on_the_default_body(tmp_path: Path) -> None:
    motion = Motion(swinging_motion(0))
    path = tmp_path / 'giant.bvh'
    path.write_text(foreign(motion, MIXAMO, 13.0))  # no unit makes that a person
    found = Motion.load(path)
    assert found.info['unit'] == '0.07692 m'
    assert error_mm(motion, found) < 1
    path.write_text(foreign(motion, MIXAMO, 120.0))  # a tall person in centimetres
    found = Motion.load(path)
    assert (found.info['unit'], found.info['scale']) == ('cm', pytest.approx(1 / 1.2, abs=1e-3))
    assert error_mm(motion, found) < 1


def test_joints_in_between_are_put_in(tmp_path: Path) -> None:
    motion = Motion(swinging_motion(0))
    lacking = dict(MIXAMO)
    for joint in ('spine1', 'spine3', 'neck', 'left_collar', 'right_collar'):
        lacking[joint] = f'unnamed_{joint}'
    path = tmp_path / 'lacking.bvh'
    path.write_text(foreign(motion, lacking, 100))
    found = Motion.load(path)
    error = 1000 * np.linalg.norm(motion.joints - found.joints, axis=-1).mean(axis=0)
    assert error[[J['left_knee'], J['left_elbow'], J['head']]].max() < 60
    assert error.max() < 100


def test_heads_wrists_and_feet_may_be_end_sites(tmp_path: Path) -> None:
    motion = Motion(swinging_motion(0))
    names = dict(MIXAMO)
    path = tmp_path / 'ends.bvh'
    text = foreign(motion, names, 100)
    path.write_text(text.replace('LeftToeBase', 'unnamed'))
    with pytest.raises(MotionError, match='joints not found: left_foot; the file has Hips'):
        Motion.load(path)
    # As an end site of the ankle it is found.
    toe = text.index('JOINT LeftToeBase')
    end = text.index('}', text.index('}', toe) + 1) + 1
    offset = ' '.join(f'{v:.4f}' for v in 100 * (motion.joints[0, 10] - motion.joints[0, 7]))
    head = f'{text[:toe]}End Site\r\n{{\r\nOFFSET {offset}\r\n}}{text[end:]}'
    begin = head.index('Frame Time')
    rows = head[begin:].splitlines()
    column = 3 * head[:toe].count('CHANNELS')
    kept = [' '.join(np.delete(row.split(), np.s_[column : column + 3])) for row in rows[1:]]
    path.write_text('\n'.join([head[:begin] + rows[0], *kept]))
    assert error_mm(motion, Motion.load(path)) < 1


def test_missing_joints_are_named(tmp_path: Path) -> None:
    path = tmp_path / 'chain.bvh'
    path.write_text(CHAIN)
    with pytest.raises(MotionError) as caught:
        Motion.load(path)
    message = str(caught.value)
    assert 'joints not found: pelvis, left_hip, right_hip, left_knee' in message
    assert 'the file has a, b.' in message
    assert all(
        name in message
        for name in (str(path), *(skeleton.name for skeleton in shipped_skeletons()))
    )


@pytest.mark.parametrize(
    ('name', 'plain'),
    [('mixamorig:LeftUpLeg', 'left upleg'), ('mixamorig_LeftUpLeg', 'left upleg'),
     ('L_Hip', 'left hip'), ('hip.R', 'right hip'), ('UpperArm_R', 'right upperarm'),
     ('Spine1', 'spine1'), ('spine_1', 'spine1'), ('left_foot', 'left foot'), ('Hips', 'hips'),
     ('Armature|LeftHand', 'left armaturehand')],
)  # fmt: skip
def test_plain_names(name: str, plain: str) -> None:
    assert plain_name(name) == plain


def test_the_skeleton_with_the_most_joints_wins() -> None:
    skeleton, places = match_joints(JOINT_NAMES)
    assert (skeleton.name, places) == ('SMPL', J)
    skeleton, places = match_joints(list(MIXAMO.values()))
    assert (skeleton.name, places) == ('Mixamo', J)
