# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""BVH: what is written comes back, other programs read it, and their files are read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mgpt3_ros.model.formats.bvh import read_bvh, write_bvh
from mgpt3_ros.model.formats.bvh_file import parse_bvh
from mgpt3_ros.model.kinematics.skeleton import JOINT_NAMES
from mgpt3_ros.model.kinematics.t_pose import REST_JOINTS
from mgpt3_ros.model.motion import Motion
from tests.support import mocap
from tests.support.bvh import error_mm
from tests.support.tiny import swinging_motion


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
