# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""glTF, VRMA and VRM: what is written comes back, and readers of others agree."""

from __future__ import annotations

import contextlib
from pathlib import Path

import numpy as np
import pytest
import trimesh

from mgpt3_ros.model.errors import MotionError
from mgpt3_ros.model.figure.cones import SOLE
from mgpt3_ros.model.formats import avatars, gltf_file
from mgpt3_ros.model.formats.gltf_file import Gltf
from mgpt3_ros.model.formats.gltf_motion import MAX_FRAMES, read_glb
from mgpt3_ros.model.kinematics.human import JOINT_INDEX
from mgpt3_ros.model.kinematics.skeleton import JOINT_NAMES
from mgpt3_ros.model.motion import Motion
from tests.support import mocap
from tests.support.avatars import write_mixamo_avatar, write_vrm_avatar
from tests.support.node_readers import run_reader
from tests.support.tiny import swinging_motion

ANIMATED = pytest.mark.parametrize('suffix', ['.glb', '.vrma'])


def written(motion: Motion, folder: Path, suffix: str) -> Path:
    path = folder / f'motion{suffix}'
    motion.save(path)
    return path


@ANIMATED
def test_a_motion_comes_back(walk: Motion, suffix: str, tmp_path: Path) -> None:
    found = Motion.load(written(walk, tmp_path, suffix))
    assert np.abs(found.joints - walk.joints).max() < 1e-4
    assert found.fps == walk.fps
    assert found.info['text'] == walk.info['text']


@ANIMATED
@pytest.mark.parametrize('fps', [24.0, 29.97, 120.0])
def test_the_rate_comes_back(suffix: str, fps: float, tmp_path: Path) -> None:
    motion = Motion(swinging_motion(0, 200), fps)
    found = Motion.load(written(motion, tmp_path, suffix))
    assert found.fps == pytest.approx(fps, rel=1e-4)
    assert found.num_frames == 200


@pytest.mark.slow
def test_real_motion_comes_back(tmp_path: Path) -> None:
    # No angle is in the file, so no gimbal lock is eased: acrobatics come back as well.
    for joints in mocap.clips(30):
        motion = Motion(joints)
        found = Motion.load(written(motion, tmp_path, '.glb'))
        assert np.linalg.norm(found.joints - motion.joints, axis=-1).max() < 1e-3


@pytest.mark.parametrize('suffix', ['.glb', '.vrma', '.vrm'])
def test_khronos_finds_no_fault(walk: Motion, suffix: str, tmp_path: Path) -> None:
    issues = run_reader('validate.js', written(walk, tmp_path, suffix))
    assert (issues['numErrors'], issues['numWarnings']) == (0, 0), issues['messages']


def test_three_js_plays_the_motion(walk: Motion, tmp_path: Path) -> None:
    path = written(walk, tmp_path, '.glb')
    places = run_reader('joints.mjs', path, walk.fps, walk.num_frames)
    for name, index in JOINT_INDEX.items():
        assert np.abs(np.array(places[name]) - walk.joints[:, index]).max() < 1e-3, name


def test_three_js_plays_the_vrm_animation_on_an_avatar(walk: Motion, tmp_path: Path) -> None:
    avatar, path = written(walk, tmp_path, '.vrm'), written(walk, tmp_path, '.vrma')
    places = run_reader('joints.mjs', path, walk.fps, walk.num_frames, avatar)
    for bone, name in (
        ('hips', 'pelvis'),
        ('leftHand', 'left_wrist'),
        ('rightToes', 'right_foot'),
    ):
        expected = walk.joints[:, JOINT_INDEX[name]] + [0.0, SOLE, 0.0]
        assert np.abs(np.array(places[bone]) - expected).max() < 1e-3, bone


def test_a_vrm_animation_puts_the_hips_of_long_legs_higher(walk: Motion, tmp_path: Path) -> None:
    write_vrm_avatar(tmp_path / 'long.vrm')
    path = written(walk, tmp_path, '.vrma')
    places = run_reader('joints.mjs', path, walk.fps, walk.num_frames, tmp_path / 'long.vrm')
    ankles = np.minimum(np.array(places['leftFoot'])[:, 1], np.array(places['rightFoot'])[:, 1])
    assert 0.08 < np.median(ankles) < 0.22  # at rest they are 0.12 m over the floor


def test_trimesh_reads_the_body(walk: Motion, tmp_path: Path) -> None:
    scene = trimesh.load_scene(written(walk, tmp_path, '.glb'))
    meshes = list(scene.geometry.values())
    assert len(meshes) == 5
    # Cones stand in one another, each closed: their volumes add up to more than a person's.
    for mesh in meshes:
        mesh.merge_vertices(merge_norm=True)  # at a pole of a cap there are several
    assert all(mesh.is_watertight and mesh.is_winding_consistent for mesh in meshes)
    assert 0.03 < sum(mesh.volume for mesh in meshes) < 0.2
    low, high = scene.bounds
    assert 1.6 < high[1] - low[1] < 1.95
    assert set(JOINT_NAMES) <= set(scene.graph.nodes)
    places = {name: scene.graph[name][0][:3, 3] for name in JOINT_NAMES}
    rest = Gltf.load(tmp_path / 'motion.glb')
    thigh = np.linalg.norm(places['left_knee'] - places['left_hip'])
    assert thigh == pytest.approx(np.linalg.norm(rest.rest(JOINT_INDEX['left_knee'])[0]))


def test_sizes_are_those_of_a_web_page(walk: Motion, tmp_path: Path) -> None:
    assert written(walk, tmp_path, '.glb').stat().st_size < 450_000
    assert written(walk, tmp_path, '.vrma').stat().st_size < 60_000


def test_an_animation_of_an_avatar_is_read_by_its_named_bones(
    walk: Motion, tmp_path: Path
) -> None:
    """Of another body, names and no toes: it becomes the default body's, as a BVH would."""
    write_vrm_avatar(tmp_path / 'long.vrm')
    write_mixamo_avatar(tmp_path / 'child.glb')
    for name in ('long.vrm', 'child.glb'):
        avatar = avatars.load_avatar(tmp_path / name)
        avatars.write_avatar(tmp_path / 'played.glb', avatar, walk)
        found = Motion.load(tmp_path / 'played.glb')
        assert found.info['skeleton'] == ('VRM' if name == 'long.vrm' else 'Mixamo')
        error = found.joints - found.joints[:, :1] - walk.joints + walk.joints[:, :1]
        assert np.linalg.norm(error, axis=-1).mean() < 0.02, name
        assert abs(np.median(found.joints[:, 10, 1] - walk.joints[:, 10, 1])) < 0.05


def test_tracks_of_other_programs_are_read(tmp_path: Path) -> None:
    """Steps, cubic splines, keys at their own times, whole numbers for quaternions."""
    motion = Motion(swinging_motion(0, 41))
    path = written(motion, tmp_path, '.glb')
    gltf = Gltf.load(path)
    samplers = gltf.json['animations'][0]['samplers']
    knee = samplers[JOINT_INDEX['left_knee']]
    values = gltf.array(knee['output'])
    knee['output'] = gltf.add(np.rint(values * 32767), 5122, normalised=True)
    hip = samplers[JOINT_INDEX['left_hip']]
    values = gltf.array(hip['output'])
    cubic = np.stack([0 * values, values, 0 * values], axis=1).reshape(-1, 4)
    hip.update(output=gltf.add(cubic), interpolation='CUBICSPLINE')
    head = samplers[JOINT_INDEX['head']]
    head.update(
        input=gltf.add(np.array([0.5])), output=gltf.add(np.array([[0, 0, 0, 1.0]])),
        interpolation='STEP',
    )  # fmt: skip
    path.write_bytes(gltf.to_bytes())
    assert np.abs(read_glb(path).joints - motion.joints).max() < 1e-3


def spoilt(path: Path, change: str) -> None:
    gltf = Gltf.load(path)
    content = gltf.json
    if change == 'no animation':
        del content['animations']
    elif change == 'loop':
        gltf.nodes[3]['children'] = [0]
    elif change == 'beyond':
        content['accessors'][-1]['count'] = 10**9
    elif change == 'names':
        for node in gltf.nodes:
            node['name'] = 'x'
    elif change == 'still':
        content['animations'][0]['channels'] = []
    elif change == 'back':
        clock = content['animations'][0]['samplers'][0]['input']
        times = gltf.array(clock)[::-1, 0]
        new = gltf.add(times)
        for sampler in content['animations'][0]['samplers']:
            sampler['input'] = new
    elif change == 'elsewhere':
        gltf = Gltf(content, b'')
        content['buffers'] = [{'uri': 'motion.bin', 'byteLength': 4}]
    elif change == 'garbage':
        content['nodes'] = 7
    elif change == 'long':
        clock = content['animations'][0]['samplers'][0]['input']
        new = gltf.add(gltf.array(clock)[:, 0] ** 9 * 1e9)
        for sampler in content['animations'][0]['samplers']:
            sampler['input'] = new
    path.write_bytes(gltf.to_bytes())


@pytest.mark.parametrize(
    ('change', 'said'),
    [
        ('no animation', 'no animation'),
        ('loop', 'no tree'),
        ('beyond', 'beyond the data'),
        ('names', 'joints not found'),
        ('still', 'moves no bone'),
        ('back', 'do not rise'),
        ('elsewhere', 'one .glb'),
        ('garbage', 'damaged'),
        ('long', f'up to {MAX_FRAMES}'),
    ],
)
def test_spoilt_files_are_said(change: str, said: str, tmp_path: Path) -> None:
    path = written(Motion(swinging_motion(0, 20)), tmp_path, '.glb')
    spoilt(path, change)
    with pytest.raises(MotionError, match=said):
        Motion.load(path)


def test_any_cut_or_flipped_byte_is_an_error_or_a_motion(tmp_path: Path) -> None:
    path = written(Motion(swinging_motion(0, 10)), tmp_path, '.vrma')
    data = bytearray(path.read_bytes())
    rng = np.random.default_rng(0)
    for _ in range(60):
        spoiled = bytearray(data)
        for place in rng.integers(12, 4000, 3):
            spoiled[place] = rng.integers(256)
        path.write_bytes(spoiled[: rng.integers(100, len(data) + 1)])
        with contextlib.suppress(MotionError):  # anything else fails the test
            Motion.load(path)


def test_a_huge_file_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(Motion(swinging_motion(0, 20)), tmp_path, '.glb')
    monkeypatch.setattr(gltf_file, 'MAX_BYTES', 100_000)
    with pytest.raises(MotionError, match=r'the file has 0 MB; up to 0 are read'):
        Motion.load(path)


def test_an_avatar_is_no_motion(walk: Motion, tmp_path: Path) -> None:
    with pytest.raises(MotionError, match='give it as --avatar'):
        Motion.load(written(walk, tmp_path, '.vrm'))


def test_bones_that_change_their_length_are_kept(walk: Motion, tmp_path: Path) -> None:
    joints = walk.joints.copy()
    blend = np.linspace(0.0, 0.02, walk.num_frames, dtype=np.float32)
    joints[:, JOINT_INDEX['left_ankle'], 0] += blend  # as where two motions are blended
    joints[:, JOINT_INDEX['left_foot'], 0] += blend
    stretched = Motion(joints, walk.fps)
    path = written(stretched, tmp_path, '.glb')
    assert np.abs(Motion.load(path).joints - joints).max() < 1e-4
    issues = run_reader('validate.js', path)
    assert (issues['numErrors'], issues['numWarnings']) == (0, 0), issues['messages']
    places = run_reader('joints.mjs', path, walk.fps, walk.num_frames)
    for name, index in JOINT_INDEX.items():
        assert np.abs(np.array(places[name]) - joints[:, index]).max() < 1e-3, name
