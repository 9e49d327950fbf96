# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""BVH as other programs write it: spellings, counts, encodings, what points up, names of bones."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mgpt3_ros.model.errors import MotionError
from mgpt3_ros.model.formats import assumptions
from mgpt3_ros.model.formats.bvh import read_bvh, write_bvh
from mgpt3_ros.model.formats.bvh_file import parse_bvh
from mgpt3_ros.model.formats.bvh_names import Skeleton, match_joints, shipped_skeletons
from mgpt3_ros.model.kinematics.up_axis import UP_AXES, turn_up
from mgpt3_ros.model.motion import Motion
from tests.support.bvh import CHAIN, error_mm
from tests.support.tiny import swinging_motion


def spelled(folder: Path, old: str, new: str) -> Motion:
    """The swinging body, written with something else in the file."""
    path = folder / 'spelled.bvh'
    write_bvh(path, Motion(swinging_motion(0, 12)))
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    return read_bvh(path)


@pytest.mark.parametrize(
    ('old', 'new'),
    [
        ('Frames: ', 'Frames:'),
        ('Frames: ', 'Frames : '),
        ('Frame Time: ', 'Frame Time:'),
        ('Frame Time: ', 'FRAME  TIME : '),
        ('Frame Time: 0.', 'Frame Time: 0,'),
        ('End Site', 'End Site Nub'),
        ('.', ','),
        (' ', '  '),
        ('\nMOTION', '\n\n\tMOTION'),
    ],
)
def test_spellings_of_other_programs_are_read(old: str, new: str, tmp_path: Path) -> None:
    write_bvh(tmp_path / 'plain.bvh', Motion(swinging_motion(0, 12)))
    plain = read_bvh(tmp_path / 'plain.bvh')
    np.testing.assert_array_equal(spelled(tmp_path, old, new).joints, plain.joints)


@pytest.mark.parametrize('ending', [16 * b'\0', b'\x1a', b'\r\n\r\n\x1a'])
@pytest.mark.parametrize('encoding', ['utf-8', 'utf-8-sig', 'utf-16'])
def test_endings_and_encodings_of_other_programs_are_read(
    ending: bytes, encoding: str, tmp_path: Path
) -> None:
    path = tmp_path / 'a.bvh'
    write_bvh(path, Motion(swinging_motion(0, 12)))
    plain = read_bvh(path)
    path.write_bytes((path.read_text() + ending.decode()).encode(encoding))
    np.testing.assert_array_equal(read_bvh(path).joints, plain.joints)


@pytest.mark.parametrize('told', [5, 11, 13])
def test_frames_that_are_miscounted_are_read_and_said(told: int, tmp_path: Path) -> None:
    motion = spelled(tmp_path, 'Frames: 12', f'Frames: {told}')
    assert motion.num_frames == 12
    assert motion.info['remarks'] == [f'it speaks of {told} frames and has 12: all were read']


def test_a_file_that_lacks_many_frames_may_be_cut_off(tmp_path: Path) -> None:
    with pytest.raises(MotionError, match=r'12 of 30 frames: was it cut off.*"Frames: 12"'):
        spelled(tmp_path, 'Frames: 12', 'Frames: 30')


def test_a_frame_may_stand_in_two_lines_but_lacks_no_value() -> None:
    rows = CHAIN.split('Frame Time: 0.05\n')
    broken = rows[1].replace('1 2 3 90', '1 2 3\n90')
    np.testing.assert_array_equal(
        parse_bvh(f'{rows[0]}Frame Time: 0.05\n{broken}').values, parse_bvh(CHAIN).values
    )
    with pytest.raises(MotionError, match='line 19: 9 channel values expected, not 8'):
        parse_bvh(CHAIN.replace('0 0 0 0 0 0 0 0 0\n', '0 0 0 0 0 0 0 0\n'))


def test_channels_may_stand_before_the_offset() -> None:
    swapped = CHAIN.replace(
        '    OFFSET 0 2 0\n    CHANNELS 3 Xrotation Yrotation Zrotation\n',
        '    CHANNELS 3 Xrotation Yrotation Zrotation\n    OFFSET 0 2 0\n',
    )
    assert swapped != CHAIN
    assert parse_bvh(swapped).joints == parse_bvh(CHAIN).joints


def test_positions_that_are_all_zero_leave_a_joint_at_its_offset() -> None:
    six = CHAIN.replace(
        'CHANNELS 3 Xrotation', 'CHANNELS 6 Xposition Yposition Zposition Xrotation'
    )
    six = six.replace('0 0 0 0 0 0 0 0 0', '0 0 0 0 0 0 0 0 0 0 0 0')
    six = six.replace('1 2 3 90 0 0 0 90 0', '1 2 3 90 0 0 0 0 0 0 90 0')
    np.testing.assert_allclose(parse_bvh(six).positions(), parse_bvh(CHAIN).positions())


@pytest.mark.parametrize('up', UP_AXES)
def test_what_points_up_is_seen_by_how_the_body_stands(up: str, tmp_path: Path) -> None:
    motion = Motion(swinging_motion(0, 12))
    write_bvh(tmp_path / 'upright.bvh', motion)
    upright = read_bvh(tmp_path / 'upright.bvh')
    back = np.linalg.inv(turn_up(np.eye(3), up))  # rows are axes, turned to Y up
    turned = Motion(motion.joints @ back.astype(np.float32), motion.fps)
    write_bvh(tmp_path / 'turned.bvh', turned)
    read = read_bvh(tmp_path / 'turned.bvh')
    assert read.info['up'] == up
    assert error_mm(read, upright) < 2
    assert bool(assumptions(read)) == (up != 'y')
    assert assumptions(read_bvh(tmp_path / 'turned.bvh', up=up), up) == []
    kept = read_bvh(tmp_path / 'turned.bvh', up='y')
    assert (error_mm(kept, upright) < 2) == (up == 'y')


PREFIXES = ['Bip001 ', 'Bip01_', 'Character1_', 'ns:', 'mixamorig1:', 'Rig_A_']


@pytest.mark.parametrize('prefix', PREFIXES)
@pytest.mark.parametrize('skeleton', shipped_skeletons(), ids=lambda each: each.name)
def test_names_are_known_with_any_prefix(prefix: str, skeleton: Skeleton) -> None:
    first = {joint: bone for bone, joint in reversed(skeleton.bones.items())}
    names = [f'{prefix}{bone.removeprefix("Bip01 ")}' for bone in first.values()]
    found, places = match_joints(names)
    assert len(places) == len(first)
    expected = dict(zip(first, range(len(first)), strict=True))
    assert places == expected or found.name != skeleton.name
