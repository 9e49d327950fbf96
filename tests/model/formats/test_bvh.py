# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""BVH: what is written comes back, other programs read it, and their files are read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import yaml

from mgpt3_ros.model.errors import ConfigError, MotionError
from mgpt3_ros.model.formats.bvh import read_bvh, write_bvh
from mgpt3_ros.model.formats.bvh_file import parse_bvh
from mgpt3_ros.model.formats.bvh_names import (
    load_skeleton,
    match_joints,
    plain_name,
    shipped_skeletons,
)
from mgpt3_ros.model.kinematics.skeleton import JOINT_NAMES, PARENTS
from mgpt3_ros.model.kinematics.t_pose import REST_JOINTS
from mgpt3_ros.model.motion import Motion
from tests.support import mocap
from tests.support.tiny import swinging_motion

J = {name: index for index, name in enumerate(JOINT_NAMES)}
CHAIN = """HIERARCHY
ROOT a
{
  OFFSET 0 0 0
  CHANNELS 6 Xposition Yposition Zposition Zrotation Xrotation Yrotation
  JOINT b
  {
    OFFSET 0 2 0
    CHANNELS 3 Xrotation Yrotation Zrotation
    End Site
    {
      OFFSET 0 0 1
    }
  }
}
MOTION
Frames: 2
Frame Time: 0.05
0 0 0 0 0 0 0 0 0
1 2 3 90 0 0 0 90 0
"""


def error_mm(motion: Motion, other: Motion) -> float:
    return 1000 * float(np.linalg.norm(motion.joints - other.joints, axis=-1).mean())


def round_trip(motion: Motion, folder: Path) -> Motion:
    write_bvh(folder / 'motion.bvh', motion)
    return read_bvh(folder / 'motion.bvh')


@pytest.mark.parametrize('seed', range(3))
def test_positions_come_back(seed: int, tmp_path: Path) -> None:
    motion = Motion(swinging_motion(seed), info={'text': 'a person swings both arms'})
    found = round_trip(motion, tmp_path)
    assert error_mm(motion, found) < 0.01
    assert dict(found.info) == {'skeleton': 'SMPL', 'unit': 'cm', 'up': 'y'}


@pytest.mark.slow
def test_real_motion_comes_back(tmp_path: Path) -> None:
    errors = [error_mm(m, round_trip(m, tmp_path)) for m in map(Motion, mocap.clips(30))]
    assert max(errors) < 1  # 5 mm asked for; 0.2 is reached


def test_a_body_of_another_size_keeps_its_bones(tmp_path: Path) -> None:
    tall = Motion(swinging_motion(0) * 1.2)
    assert error_mm(tall, round_trip(tall, tmp_path)) < 0.01


def test_bones_that_stretch_cost_little(tmp_path: Path) -> None:
    # Decoders give joints, not bones: lengths vary by a centimetre.
    rng = np.random.default_rng(0)
    motion = Motion(swinging_motion(0) + rng.normal(0, 0.004, (60, 22, 3)))
    assert error_mm(motion, round_trip(motion, tmp_path)) < 10


@pytest.mark.parametrize('fps', [20.0, 24.0, 29.97, 30.0, 59.94, 120.0, 20.005])
def test_the_rate_comes_back(fps: float, tmp_path: Path) -> None:
    found = round_trip(Motion(swinging_motion(0, 10), fps), tmp_path)
    assert found.fps == pytest.approx(fps, rel=1e-8)


@pytest.mark.parametrize(
    ('seconds', 'fps'),
    [('0.033333', 30), ('0.0333333', 30), ('.008333', 120), ('0.0083', 120), ('0.0166', 60),
     ('3.3333E-2', 30), ('0.0333667', 29.97), ('1', 1)],
)  # fmt: skip
def test_rounded_frame_times_are_whole_rates(seconds: str, fps: float) -> None:
    file = parse_bvh(CHAIN.replace('Time: 0.05', f'Time: {seconds}'))
    assert file.fps == pytest.approx(fps, rel=1e-5)


def test_at_rest_the_file_shows_a_t_pose(tmp_path: Path) -> None:
    write_bvh(tmp_path / 'motion.bvh', Motion(mocap.clips(1)[0]))
    file = parse_bvh((tmp_path / 'motion.bvh').read_text())
    file.values[:] = 0
    rest = dict(zip((joint.name for joint in file.joints), file.positions()[0], strict=True))
    joints = np.array([rest[name] for name in JOINT_NAMES]) / 100
    assert np.abs(joints - REST_JOINTS).max() < 0.01
    assert rest['left_wrist (end)'][0] > rest['left_wrist'][0] + 10
    assert rest['head (end)'][1] > rest['head'][1] + 10


def test_rotations_are_continuous(tmp_path: Path) -> None:
    turn = np.linspace(0, 4 * np.pi, 60)  # twice around
    motion = Motion(swinging_motion(0))
    spun = np.stack([motion.transform(angle).joints[i] for i, angle in enumerate(turn)])
    write_bvh(tmp_path / 'motion.bvh', Motion(spun))
    rotations = parse_bvh((tmp_path / 'motion.bvh').read_text()).values[:, 3:]
    assert np.abs(np.diff(rotations, axis=0)).max() < 45


# Another program reads it.


def by_bvhio(path: Path, frames: int) -> dict[str, np.ndarray]:
    """World positions (T, 3) of joints, as bvhio computes them."""
    bvhio = pytest.importorskip('bvhio')
    root = bvhio.readAsHierarchy(str(path))
    found: dict[str, list[list[float]]] = {}
    for frame in range(frames):
        root.loadPose(frame)
        for joint, _, _ in root.layout():
            found.setdefault(joint.Name, []).append(list(joint.PositionWorld))
    return {name: np.array(positions) for name, positions in found.items()}


@pytest.mark.parametrize('real', [False, True])
def test_another_program_sees_the_same_joints(real: bool, tmp_path: Path) -> None:
    motion = Motion(mocap.clips(1, seed=3)[0] if real else swinging_motion(1))
    path = tmp_path / 'motion.bvh'
    motion.save(path)
    found = by_bvhio(path, motion.num_frames)
    seen = np.stack([found[name] for name in JOINT_NAMES], axis=1) / 100
    assert np.abs(seen - Motion.load(path).joints).max() < 0.001
    assert error_mm(motion, Motion(seen)) < 1


def test_kinematics_agree_with_another_program_for_any_order_of_channels(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    orders = ['XYZ', 'XZY', 'YXZ', 'YZX', 'ZXY', 'ZYX']
    lines, width = ['HIERARCHY'], 0
    for index, order in enumerate(orders):
        indent = '\t' * index
        channels = [f'{axis}rotation' for axis in order]
        if index % 2 == 0:  # every other joint moves in its parent as well
            channels = ['Zposition', 'Xposition', 'Yposition', *channels]
        width += len(channels)
        lines += [f'{indent}{"JOINT" if index else "ROOT"} joint{index}', f'{indent}{{']
        lines += [f'{indent}OFFSET {" ".join(map(str, rng.normal(size=3).round(3)))}']
        lines += [f'{indent}CHANNELS {len(channels)} {" ".join(channels)}']
    lines += ['End Site', '{', 'OFFSET 0 1 0', '}'] + ['}'] * len(orders)
    lines += ['MOTION', 'Frames: 5', 'Frame Time: 0.01']
    values = rng.uniform(-170, 170, (5, width)).round(3)
    lines += [' '.join(map(str, row)) for row in values]
    path = tmp_path / 'orders.bvh'
    path.write_text('\n'.join(lines) + '\n')
    seen = by_bvhio(path, 5)
    ours = parse_bvh(path.read_text())
    for index, joint in enumerate(ours.joints):
        if not joint.is_end:
            assert np.abs(ours.positions()[:, index] - seen[joint.name]).max() < 0.01


def test_kinematics_by_hand() -> None:
    # Turned by 90 degrees about Z the bone (0, 2, 0) points to -X; about its own Y then, (0, 0, 1)
    # points to the parent's X, which is the world's Y.
    ends = parse_bvh(CHAIN).positions()
    assert ends[0].tolist() == [[0, 0, 0], [0, 2, 0], [0, 2, 1]]
    assert ends[1] == pytest.approx(np.array([[1, 2, 3], [-1, 2, 3], [-1, 3, 3]]))


# Other programs' files.

MIXAMO = dict(
    zip(
        JOINT_NAMES,
        [
            *('Hips', 'LeftUpLeg', 'RightUpLeg', 'Spine', 'LeftLeg', 'RightLeg', 'Spine1'),
            *('LeftFoot', 'RightFoot', 'Spine2', 'LeftToeBase', 'RightToeBase', 'Neck'),
            *('LeftShoulder', 'RightShoulder', 'Head', 'LeftArm', 'RightArm'),
            *('LeftForeArm', 'RightForeArm', 'LeftHand', 'RightHand'),
        ],
        strict=True,
    )
)
STYLE_100 = dict(
    zip(
        JOINT_NAMES,
        [
            *('Hips', 'LeftHip', 'RightHip', 'Chest', 'LeftKnee', 'RightKnee', 'Chest2'),
            *('LeftAnkle', 'RightAnkle', 'Chest4', 'LeftToe', 'RightToe', 'Neck'),
            *('LeftCollar', 'RightCollar', 'Head', 'LeftShoulder', 'RightShoulder'),
            *('LeftElbow', 'RightElbow', 'LeftWrist', 'RightWrist'),
        ],
        strict=True,
    )
)
CMU = {**MIXAMO, 'spine1': 'LowerBack', 'spine2': 'Spine', 'spine3': 'Spine1', 'neck': 'Neck1'}
BANDAI = dict(
    zip(
        JOINT_NAMES,
        [
            *('Hips', 'UpperLeg_L', 'UpperLeg_R', 'Spine', 'LowerLeg_L', 'LowerLeg_R', 'unnamed'),
            *('Foot_L', 'Foot_R', 'Chest', 'Toes_L', 'Toes_R', 'Neck'),
            *('Shoulder_L', 'Shoulder_R', 'Head', 'UpperArm_L', 'UpperArm_R'),
            *('LowerArm_L', 'LowerArm_R', 'Hand_L', 'Hand_R'),
        ],
        strict=True,
    )
)
UNREAL = dict(
    zip(
        JOINT_NAMES,
        [
            *('pelvis', 'thigh_l', 'thigh_r', 'spine_01', 'calf_l', 'calf_r', 'spine_02'),
            *('foot_l', 'foot_r', 'spine_03', 'ball_l', 'ball_r', 'neck_01', 'clavicle_l'),
            *('clavicle_r', 'head', 'upperarm_l', 'upperarm_r', 'lowerarm_l', 'lowerarm_r'),
            *('hand_l', 'hand_r'),
        ],
        strict=True,
    )
)
BIPED = dict(
    zip(
        JOINT_NAMES,
        [
            *('Bip01', 'Bip01_L_Thigh', 'Bip01_R_Thigh', 'Bip01_Spine', 'Bip01_L_Calf'),
            *('Bip01_R_Calf', 'Bip01_Spine1', 'Bip01_L_Foot', 'Bip01_R_Foot', 'Bip01_Spine2'),
            *('Bip01_L_Toe0', 'Bip01_R_Toe0', 'Bip01_Neck', 'Bip01_L_Clavicle'),
            *('Bip01_R_Clavicle', 'Bip01_Head', 'Bip01_L_UpperArm', 'Bip01_R_UpperArm'),
            *('Bip01_L_Forearm', 'Bip01_R_Forearm', 'Bip01_L_Hand', 'Bip01_R_Hand'),
        ],
        strict=True,
    )
)
FOREIGN = {
    'Unreal': UNREAL,
    'Biped': BIPED,
    'Mixamo': {joint: f'mixamorig:{name}' for joint, name in MIXAMO.items()},
    'CMU': CMU,
    'Bandai-Namco': BANDAI,
    'Biovision': STYLE_100,
}


def foreign(motion: Motion, names: dict[str, str], scale: float = 1.0) -> str:
    """A BVH of other names, each joint with six channels in other orders, in other units."""
    lines, columns = ['HIERARCHY'], []

    def add(joint: int) -> None:
        children = [child for child, parent in enumerate(PARENTS) if parent == joint]
        lines.append(f'{"JOINT" if joint else "ROOT"} {names[JOINT_NAMES[joint]]} {{')
        lines.extend(['OFFSET 1 2 3', 'CHANNELS 3 Zposition Yposition Xposition'])
        parent = motion.joints[:, PARENTS[joint]] if joint else 0
        columns.append((motion.joints[:, joint] - parent)[:, ::-1] * scale)
        for child in children:
            add(child)
        if not children:
            lines.extend(['End Site', '{', f'OFFSET 0 {0.1 * scale} 0', '}'])
        lines.append('}')

    add(0)
    lines += ['MOTION', f'Frames: {motion.num_frames}', f'Frame Time: {1 / motion.fps:.6f}']
    lines += [' '.join(f'{v:.6f}' for v in row) for row in np.concatenate(columns, axis=1)]
    return '\r\n'.join(lines)


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


# A user's mapping.

OWN = dict(
    zip(
        JOINT_NAMES,
        [
            *('Root', 'BeinL', 'BeinR', 'Kreuz', 'KnieL', 'KnieR', 'Bauch', 'FussL', 'FussR'),
            *('Brust', 'ZeheL', 'ZeheR', 'Hals', 'BlattL', 'BlattR', 'Kopf', 'ArmL', 'ArmR'),
            *('EllbogenL', 'EllbogenR', 'HandL', 'HandR'),
        ],
        strict=True,
    )
)


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


# Damaged files.

DAMAGES = {
    'empty': ('', r'the file ends after line 0: "HIERARCHY" is missing'),
    'no hierarchy': ('hello\n', r'line 1: "HIERARCHY" expected, not "hello"'),
    'no name': (CHAIN.replace('ROOT a', 'ROOT'), r'line 2: a name expected, not "ROOT"'),
    'cut in the tree': (CHAIN[:200], r'the file ends after line \d+: .* is missing'),
    'cut in the frames': (
        CHAIN[: CHAIN.rindex('1 2 3')].replace('Frames: 2', 'Frames: 3'),
        r'the file ends after line 19 with 1 of 3 frames',
    ),
    'cut in a frame': (CHAIN[:-10], r'line 20: 9 channel values expected, not 5'),
    'too many values': (CHAIN.rstrip() + ' 1', r'line 20: 9 channel values expected, not 10'),
    'NaN': (CHAIN.replace('90 0\n', 'nan 0\n'), r'line 20: a number expected, not "nan"'),
    'infinity': (CHAIN.replace('90 0\n', '1e999 0\n'), r'line 20: a number expected, not "1e999"'),
    'words': (CHAIN.replace('1 2 3', '1 x 3'), r'line 20: a number expected, not "x"'),
    'offset of two': (CHAIN.replace('T 0 2 0', 'T 0 2'), r'line 8: 3 numbers expected, not 2'),
    'channel count': (CHAIN.replace('S 3 X', 'S 4 X'), r'line 9: "CHANNELS", their number'),
    'no channels': (CHAIN.replace('3 Xrotation Yrotation Zrotation', ''), r'line 9: "CHANNELS",'),
    'channel name': (CHAIN.replace('3 Xrot', '3 Wrot'), r'line 9: "CHANNELS", their number'),
    'twice a channel': (CHAIN.replace('3 Xrot', '3 Yrot'), r'line 9: "CHANNELS", their number'),
    'unknown word': (CHAIN.replace('End Site', 'Site'), r'line 10: "JOINT", "End Site" or "}"'),
    'no brace': (CHAIN.replace('JOINT b\n  {', 'JOINT b'), r'line 7: "{" expected, not "OFFSET'),
    'no frames': (CHAIN.replace('Frames: 2', 'Frames: 0'), r'line 17: a number of frames'),
    'many frames': (CHAIN.replace('Frames: 2', 'Frames: x'), r'line 17: a number expected'),
    'no time': (CHAIN.replace('0.05', '0'), r'line 18: a positive time expected'),
    'minus time': (CHAIN.replace('0.05', '-1'), r'line 18: a positive time expected'),
    'binary': ('\x00\ufffd' * 99, r'line 1: "HIERARCHY" expected, not ".{57}\.\.\."'),
    'endless tree': (
        'HIERARCHY\nROOT a\n{\n' + 'OFFSET 0 0 0\nCHANNELS 0\nJOINT b\n{\n' * 5000,
        r'the file ends after line 20003: "OFFSET" is missing',
    ),
}


@pytest.mark.parametrize('damage', DAMAGES)
def test_damaged_files_are_refused_with_the_line(damage: str, tmp_path: Path) -> None:
    text, message = DAMAGES[damage]
    path = tmp_path / 'damaged.bvh'
    path.write_text(text)
    with pytest.raises(MotionError, match=message) as caught:
        Motion.load(path)
    assert str(caught.value).startswith(f'{path}: ')


def test_every_truncation_is_an_error_of_ours(tmp_path: Path) -> None:
    for end in range(0, CHAIN.rindex('0')):
        try:
            assert parse_bvh(CHAIN[:end]).remarks  # one frame less is read, and said
        except MotionError:
            continue


def test_a_single_frame_is_no_motion(tmp_path: Path) -> None:
    path = tmp_path / 'pose.bvh'
    Motion(swinging_motion(0, 2)).save(path)
    text = path.read_text().replace('Frames: 2', 'Frames: 1')
    path.write_text(text[: text.rstrip().rindex('\n')])
    with pytest.raises(MotionError, match='2 frames at least, got 1'):
        Motion.load(path)


def test_names_with_spaces_braces_on_the_line_and_any_case_are_read() -> None:
    text = CHAIN.replace('ROOT a\n{', 'ROOT a thing {').replace('HIERARCHY', '\ufeffhierarchy')
    file = parse_bvh(text.replace('\n', '\r\n').replace('Xrotation', 'XROTATION'))
    assert [joint.name for joint in file.joints] == ['a thing', 'b', 'b (end)']
    assert (file.positions() == parse_bvh(CHAIN).positions()).all()
