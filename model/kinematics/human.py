# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The 63-joint human: names, axes, zero pose and limits, for angles and for the URDF alike.

Each of the 21 ball joints is three revolute joints in a row, ``<joint>_x|_y|_z``, about the body
axes x forward, y left, z up. At zero every link frame has the body axes, and the person stands
upright with the arms hanging, facing x.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mgpt3_ros.model.kinematics.skeleton import JOINT_NAMES, REST_OFFSETS

JOINT_INDEX = {name: index for index, name in enumerate(JOINT_NAMES)}
ANGLE_NAMES: tuple[str, ...] = tuple(
    f'{name}_{axis}' for name in JOINT_NAMES[1:] for axis in 'xyz'
)

# Reordering of coordinates: model (x left, y up, z forward) <-> body (x forward, y left, z up).
MODEL_TO_BODY = [2, 0, 1]
BODY_TO_MODEL = [1, 2, 0]

# The three joints of each limb.
LEG_NAMES = (('left_hip', 'left_knee', 'left_ankle'), ('right_hip', 'right_knee', 'right_ankle'))
ARM_NAMES = (
    ('left_shoulder', 'left_elbow', 'left_wrist'),
    ('right_shoulder', 'right_elbow', 'right_wrist'),
)


def axis_order(joint: str) -> str:
    """Intrinsic order of a joint's axes: the first turns in the parent, the last in the child.

    ``yxz`` (bend, lean, twist) serves all but the shoulder: it locks where the limb points
    straight sideways, which everyday legs and trunks do not. Arms do (a T pose), and in forward
    and upward directions lie the locks of other orders. With ``yzx`` a shoulder locks only where
    the forearm folds straight sideways. Share of mocap22's frames with a bent elbow that come
    within 20 degrees of the lock: yzx 0.3 %, xyz 0.5, zxy 0.5, yxz 2.8, zyx 2.9, xzy 3.0; at the
    hip yxz has 0.02 %.
    """
    return 'yzx' if joint.endswith('shoulder') else 'yxz'


def _zero_offsets() -> NDArray[np.float64]:
    """The T pose's offsets with arms and legs straight down and the feet straight ahead."""
    offsets = np.asarray(REST_OFFSETS, dtype=np.float64)[:, MODEL_TO_BODY]
    for limb in LEG_NAMES + ARM_NAMES:
        for name in limb[1:]:
            index = JOINT_INDEX[name]
            offsets[index] = 0.0, 0.0, -np.linalg.norm(offsets[index])
    for name in ('left_foot', 'right_foot'):
        forward, left, up = offsets[JOINT_INDEX[name]]
        offsets[JOINT_INDEX[name]] = np.hypot(forward, left), 0.0, up
    return offsets


# (22, 3) [m]: from the parent joint to the joint at zero angles, in body axes.
ZERO_OFFSETS = _zero_offsets()
ZERO_OFFSETS.setflags(write=False)

# Limits of the left side and the middle [deg] per axis x, y, z, and the fastest turn [rad/s] per
# axis. Generous anatomy: of mocap22, acrobatics included, 0.02 % of the angles (0.8 % of the
# frames) lie beyond, most of them at shoulders that pass gimbal lock, and 0.0014 % of the speeds.
# Joints that positions leave at zero have the range that another source may use.
_Range = tuple[float, float]
_RANGES: dict[str, tuple[_Range, _Range, _Range, tuple[float, float, float]]] = {
    'hip': ((-35, 85), (-140, 50), (-50, 60), (12, 18, 12)),
    'knee': ((-15, 15), (-10, 165), (-15, 15), (6, 20, 6)),
    'ankle': ((-45, 45), (-80, 75), (-55, 55), (10, 18, 12)),
    'foot': ((-10, 10), (-45, 45), (-10, 10), (10, 10, 10)),
    'spine1': ((-35, 35), (-45, 75), (-35, 35), (6, 6, 6)),
    'spine2': ((-25, 25), (-25, 45), (-25, 25), (6, 6, 6)),
    'spine3': ((-25, 25), (-25, 45), (-25, 25), (6, 6, 6)),
    'neck': ((-45, 45), (-75, 45), (-45, 45), (6, 6, 6)),
    'head': ((-45, 45), (-45, 45), (-60, 60), (6, 6, 6)),
    'collar': ((-25, 35), (-15, 15), (-35, 40), (6, 6, 6)),
    'shoulder': ((-60, 150), (-190, 95), (-115, 80), (16, 18, 14)),
    'elbow': ((-20, 20), (-165, 10), (-90, 90), (8, 20, 8)),
    'wrist': ((-45, 45), (-80, 80), (-45, 45), (10, 10, 10)),
}


def _limits(joint: str) -> list[tuple[float, float]]:
    """Ranges of a joint's three axes [deg]; in a mirror, turns about x and z change their sign."""
    x, y, z, _ = _RANGES[joint.split('_')[-1]]
    if joint.startswith('right'):
        x, z = (-x[1], -x[0]), (-z[1], -z[0])
    return [x, y, z]


# (63, 2) [rad], lower and upper, and (63,) [rad/s], in the order of ANGLE_NAMES.
ANGLE_LIMITS = np.deg2rad([limit for name in JOINT_NAMES[1:] for limit in _limits(name)])
VELOCITY_LIMITS = np.ravel([_RANGES[name.split('_')[-1]][3] for name in JOINT_NAMES[1:]]) * 1.0
for _constant in (ANGLE_LIMITS, VELOCITY_LIMITS):
    _constant.setflags(write=False)


def _orders() -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for position, name in enumerate(JOINT_NAMES[1:]):
        found.setdefault(axis_order(name), []).append(position)
    return found


# Which of the 21 joints share an axis order.
ORDERS = _orders()
