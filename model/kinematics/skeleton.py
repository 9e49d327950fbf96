# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The 22-joint body of HumanML3D (SMPL without hands): names, tree, chains and bone lengths."""

from __future__ import annotations

import numpy as np

from mgpt3_ros.model.errors import MotionError

FPS = 20.0  # HumanML3D's frame rate, and the model's
MAX_FRAMES = 200  # longest clip that is trained on, 10 s

# T pose of the default body: offset [m] from the parent joint, X left, Y up, Z forward. Bone
# lengths are the medians of the mocap22 clips, which have those of a HumanML3D sample.
_REST: dict[str, tuple[str | None, tuple[float, float, float]]] = {
    'pelvis': (None, (0.0, 0.0, 0.0)),
    'left_hip': ('pelvis', (0.0543, -0.0823, -0.0300)),
    'right_hip': ('pelvis', (-0.0663, -0.0823, -0.0300)),
    'spine1': ('pelvis', (0.0033, 0.1314, 0.0077)),
    'left_knee': ('left_hip', (0.0, -0.3936, 0.0)),
    'right_knee': ('right_hip', (0.0, -0.3902, 0.0)),
    'spine2': ('spine1', (0.0, 0.1432, 0.0)),
    'left_ankle': ('left_knee', (0.0, -0.4324, 0.0)),
    'right_ankle': ('right_knee', (0.0, -0.4256, 0.0)),
    'spine3': ('spine2', (0.0, 0.0574, 0.0)),
    'left_foot': ('left_ankle', (0.0, -0.0641, 0.1283)),
    'right_foot': ('right_ankle', (0.0, -0.0668, 0.1336)),
    'neck': ('spine3', (-0.0067, 0.2192, -0.0062)),
    'left_collar': ('spine3', (0.0661, 0.1191, -0.0185)),
    'right_collar': ('spine3', (-0.0777, 0.1191, -0.0185)),
    'head': ('neck', (0.0, 0.0930, 0.0444)),
    'left_shoulder': ('left_collar', (0.1316, 0.0, 0.0)),
    'right_shoulder': ('right_collar', (-0.1230, 0.0, 0.0)),
    'left_elbow': ('left_shoulder', (0.2568, 0.0, 0.0)),
    'right_elbow': ('right_shoulder', (-0.2631, 0.0, 0.0)),
    'left_wrist': ('left_elbow', (0.2660, 0.0, 0.0)),
    'right_wrist': ('right_elbow', (-0.2699, 0.0, 0.0)),
}

JOINT_NAMES: tuple[str, ...] = tuple(_REST)
PARENTS: tuple[int, ...] = tuple(
    -1 if parent is None else JOINT_NAMES.index(parent) for parent, _ in _REST.values()
)
REST_OFFSETS: np.ndarray = np.array([offset for _, offset in _REST.values()])
REST_OFFSETS.setflags(write=False)

# HumanML3D's kinematic chains: right leg, left leg, spine, left arm, right arm. Its feature
# extraction numbers them so, and its rotations depend on the order of the joints within a chain.
CHAINS: tuple[tuple[int, ...], ...] = (
    (0, 2, 5, 8, 11),
    (0, 1, 4, 7, 10),
    (0, 3, 6, 9, 12, 15),
    (9, 14, 17, 19, 21),
    (9, 13, 16, 18, 20),
)


def _mirrored(name: str) -> str:
    side, _, rest = name.partition('_')
    return {'left': f'right_{rest}', 'right': f'left_{rest}'}.get(side, name)


# MIRRORED[i] is the joint that joint i becomes in a mirror.
MIRRORED: tuple[int, ...] = tuple(JOINT_NAMES.index(_mirrored(name)) for name in JOINT_NAMES)
FOOT_JOINTS: tuple[int, ...] = tuple(
    JOINT_NAMES.index(name) for name in ('left_ankle', 'left_foot', 'right_ankle', 'right_foot')
)


def checked_joints(joints: np.ndarray) -> np.ndarray:
    """Joints (T, 22, 3) as they are.

    Raises:
        MotionError: another shape, no frame, NaN or infinity.
    """
    joints = np.asarray(joints)
    if joints.ndim != 3 or joints.shape[1:] != (len(JOINT_NAMES), 3) or len(joints) == 0:
        raise MotionError(f'joints must be (T, 22, 3) with T >= 1, not {joints.shape}')
    if not np.isfinite(joints).all():
        raise MotionError('joints hold NaN or infinity: drop or interpolate those frames')
    return joints
