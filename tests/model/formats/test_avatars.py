# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A motion on avatars of other bones, names and poses: limbs point as they did, soles stand."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from mgpt3_ros.model.errors import MotionError
from mgpt3_ros.model.figure.cones import SOLE
from mgpt3_ros.model.formats import avatars
from mgpt3_ros.model.formats.avatars import load_avatar, write_avatar
from mgpt3_ros.model.formats.bvh_names import load_skeleton
from mgpt3_ros.model.formats.gltf_file import Gltf
from mgpt3_ros.model.formats.gltf_motion import _tracks, pose_nodes
from mgpt3_ros.model.kinematics.human import ARM_NAMES, JOINT_INDEX, LEG_NAMES
from mgpt3_ros.model.motion import Motion
from tests.support.avatars import write_mixamo_avatar, write_vrm_avatar

Write = Callable[[Path], None]
AVATARS = pytest.mark.parametrize(
    ('write', 'name'),
    [(write_vrm_avatar, 'long.vrm'), (write_mixamo_avatar, 'child.glb')],
    ids=['vrm', 'mixamo'],
)


@pytest.fixture
def motion(walk: Motion) -> Motion:
    return walk


def played(avatar: avatars.Avatar, motion: Motion, path: Path) -> dict[str, np.ndarray]:
    """Write, read again by forward kinematics alone: places (T, 3) of the joints."""
    write_avatar(path, avatar, motion)
    gltf = Gltf.load(path)
    tracks, fps, _ = _tracks(gltf)
    assert fps == motion.fps
    posed = pose_nodes(gltf, tracks)
    return {name: posed.positions[:, node] for name, node in avatar.nodes.items()}


@AVATARS
def test_limbs_point_as_in_the_motion(
    write: Write, name: str, motion: Motion, tmp_path: Path
) -> None:
    write(tmp_path / name)
    places = played(load_avatar(tmp_path / name), motion, tmp_path / 'out.glb')
    for limb in LEG_NAMES + ARM_NAMES:
        for start, end in itertools.pairwise(limb):
            bone = places[end] - places[start]
            goal = motion.joints[:, JOINT_INDEX[end]] - motion.joints[:, JOINT_INDEX[start]]
            cosine = np.sum(bone * goal, axis=1) / (
                np.linalg.norm(bone, axis=1) * np.linalg.norm(goal, axis=1)
            )
            assert np.degrees(np.arccos(np.clip(cosine, -1, 1))).max() < 0.5, (start, end)


@AVATARS
def test_soles_are_on_the_floor_and_the_path_fits_the_legs(
    write: Write, name: str, motion: Motion, tmp_path: Path
) -> None:
    write(tmp_path / name)
    avatar = load_avatar(tmp_path / name)
    places = played(avatar, motion, tmp_path / 'out.glb')
    feet = [joint for joint in places if joint.endswith(('_ankle', '_foot'))]
    rest = {joint: avatar.rest.positions[0, avatar.nodes[joint], 1] for joint in feet}
    lowest = np.min([places[joint][:, 1] - rest[joint] for joint in feet], axis=0)
    if name == 'child.glb':  # its file has the joints of the feet at y = 0, a sole above the floor
        lowest -= 0.7 * SOLE
    assert abs(np.median(lowest)) < 0.02  # a walk: one foot is always down
    assert np.percentile(lowest, 2) > -0.02
    assert lowest.max() < 0.05
    legs = [
        np.linalg.norm(places['left_hip'][0] - places['left_knee'][0])
        + np.linalg.norm(places['left_knee'][0] - places['left_ankle'][0]),
        np.linalg.norm(np.diff(motion.joints[0, [1, 4, 7]], axis=0), axis=1).sum(),
    ]
    gone = places['pelvis'][-1] - places['pelvis'][0]
    asked = motion.joints[-1, 0] - motion.joints[0, 0]
    np.testing.assert_allclose(gone[[0, 2]], asked[[0, 2]] * legs[0] / legs[1], rtol=0.02)


def test_the_mannequin_itself_moves_as_the_motion(motion: Motion, tmp_path: Path) -> None:
    motion.save(tmp_path / 'me.vrm')
    places = played(load_avatar(tmp_path / 'me.vrm'), motion, tmp_path / 'out.glb')
    soles = places['left_foot'][:, 1].min() - motion.joints[:, JOINT_INDEX['left_foot'], 1].min()
    for joint, place in places.items():
        moved = place - motion.joints[:, JOINT_INDEX[joint]] - [0.0, soles, 0.0]
        assert np.abs(moved).max() < 1e-3, joint
    assert 0.0 < soles < 0.04


def test_a_mapping_names_bones_of_its_own(motion: Motion, tmp_path: Path) -> None:
    write_mixamo_avatar(tmp_path / 'child.glb')
    gltf = Gltf.load(tmp_path / 'child.glb')
    for number in range(22):
        gltf.nodes[number]['name'] = f'b{number}'
    (tmp_path / 'own.glb').write_bytes(gltf.to_bytes())
    with pytest.raises(MotionError, match=r'bones not found: pelvis.*--avatar-bones'):
        load_avatar(tmp_path / 'own.glb')
    lines = [f'  b{number}: {joint}' for joint, number in JOINT_INDEX.items()]
    (tmp_path / 'own.yaml').write_text('bones:\n' + '\n'.join(lines) + '\n')
    own = load_skeleton(tmp_path / 'own.yaml')
    avatar = load_avatar(tmp_path / 'own.glb', [own])
    assert avatar.nodes == JOINT_INDEX


def broken_vrm(path: Path) -> None:
    write_vrm_avatar(path)
    gltf = Gltf.load(path)
    bones = gltf.json['extensions']['VRMC_vrm']['humanoid']['humanBones']
    bones['hips'] = {'node': 999}
    path.write_bytes(gltf.to_bytes())


def test_what_is_no_avatar_is_said(tmp_path: Path) -> None:
    broken_vrm(tmp_path / 'broken.vrm')
    (tmp_path / 'text.vrm').write_text('a person walks')
    write_vrm_avatar(tmp_path / 'whole.vrm')
    data = (tmp_path / 'whole.vrm').read_bytes()
    (tmp_path / 'cut.vrm').write_bytes(data[: len(data) // 2])
    (tmp_path / 'me.fbx').write_bytes(b'x')
    for name, said in (
        ('broken.vrm', 'a broken VRM'),
        ('text.vrm', 'no binary glTF'),
        ('cut.vrm', 'whole, is read'),
        ('me.fbx', r'an avatar is a \.vrm or \.glb'),
        ('none.vrm', 'no avatar at'),
    ):
        with pytest.raises(MotionError, match=said):
            load_avatar(tmp_path / name)
