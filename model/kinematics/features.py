# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""HumanML3D's 263 features of a frame, from joints and back (Guo et al. 2022, section 3).

Channels: 0 turn of the root about Y [half of the rad per frame, sign of the inverse rotation],
1:3 root velocity in x and z [m per frame] in the heading frame, 3 root height [m], 4:67 positions
of joints 1 to 21 in the heading frame [m], 67:193 their rotations (6D) along the chains, 193:259
velocities of all joints in the heading frame [m per frame], 259:263 contacts of left ankle, left
foot, right ankle, right foot.

Everything is one torch implementation over any leading dimensions; numpy in gives numpy out.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable
from typing import Any, Protocol, TypeVar

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - the field's own abbreviation

from mgpt3_ros.model.errors import MotionError
from mgpt3_ros.model.kinematics import rotations
from mgpt3_ros.model.kinematics.heading import heading
from mgpt3_ros.model.kinematics.skeleton import CHAINS, FOOT_JOINTS, JOINT_NAMES

FEATURES = 263
ROOT, POSITIONS, ROTATIONS = slice(0, 4), slice(4, 67), slice(67, 193)
VELOCITIES, CONTACTS = slice(193, 259), slice(259, 263)
# Channels that share a unit: the root's turn, velocity and height each by themselves.
KINDS = (slice(0, 1), slice(1, 3), slice(3, 4), POSITIONS, ROTATIONS, VELOCITIES, CONTACTS)

CONTACT_THRESHOLD = 0.002  # squared displacement [m^2] of a foot between frames, HumanML3D
_FORWARD_SIGMA = 20.0  # frames: the heading is smoothed before rotations are read, HumanML3D
_LEFT_HIP, _RIGHT_HIP, _LEFT_SHOULDER, _RIGHT_SHOULDER = (
    JOINT_NAMES.index(n) for n in ('left_hip', 'right_hip', 'left_shoulder', 'right_shoulder')
)
_RIGHT_SHIN = (JOINT_NAMES.index('right_knee'), JOINT_NAMES.index('right_ankle'))

# Bones by the joints at their ends, and what each one's rotation is relative to: the bone before
# it on its chain, or the root (0) where a chain begins, as the data set has it, also the arms'.
_CHILD = list(range(1, 22))
_CHAIN = {joint: chain for chain in CHAINS for joint in chain[1:]}
_PARENT = [_CHAIN[joint][_CHAIN[joint].index(joint) - 1] for joint in _CHILD]
_ABOVE = [
    0 if parent == _CHAIN[joint][0] else parent
    for joint, parent in zip(_CHILD, _PARENT, strict=True)
]

# Directions of the bones in HumanML3D's rest pose, in which all rotations are zero.
BONE_DIRECTIONS = torch.zeros(22, 3)
for _axis, _sign, _names in (
    (0, 1.0, ('left_hip', 'left_collar')),
    (0, -1.0, ('right_hip', 'right_collar')),
    (1, 1.0, ('spine1', 'spine2', 'spine3', 'neck')),
    (2, 1.0, ('left_foot', 'right_foot', 'head')),
    (1, -1.0, ('left_knee', 'right_knee', 'left_ankle', 'right_ankle')),
    (1, -1.0, ('left_shoulder', 'right_shoulder', 'left_elbow', 'right_elbow')),
    (1, -1.0, ('left_wrist', 'right_wrist')),
):
    BONE_DIRECTIONS[[JOINT_NAMES.index(n) for n in _names], _axis] = _sign

Array = TypeVar('Array', np.ndarray, Tensor)
_TorchFunction = Callable[..., Tensor]


class _ArrayFunction(Protocol):
    def __call__(self, array: Array, /, *arguments: Any, **options: Any) -> Array: ...


def _numpy_too(function: _TorchFunction) -> _ArrayFunction:
    """Let a torch function take numpy arrays, and return one where its first argument is one."""

    @functools.wraps(function)
    def wrapper(array: Any, *arguments: Any, **options: Any) -> Any:
        if isinstance(array, Tensor):
            return function(array, *arguments, **options)
        tensors = [
            torch.from_numpy(np.require(a, requirements=['C', 'W']))
            if isinstance(a, np.ndarray)
            else a
            for a in (array, *arguments)
        ]
        with torch.no_grad():
            return function(*tensors, **options).numpy()

    return wrapper


@_numpy_too
def canonicalise(joints: Tensor) -> Tensor:
    """Put clips on the floor (lowest joint at y = 0), at the origin, frame 0 facing +Z.

    Args:
        joints: (..., T, 22, 3) [m], Y up.
    """
    joints = joints - joints[..., 1].amin(dim=(-1, -2))[..., None, None, None] * _UP.to(joints)
    joints = joints - joints[..., :1, :1, :] * (1 - _UP).to(joints)
    # By the angle, since no shortest turn leads from -Z to +Z.
    facing = rotations.about_y(-0.5 * heading(joints[..., 0, :, :]))
    return rotations.rotate(facing[..., None, None, :], joints)


_UP, _AHEAD = torch.tensor([0.0, 1.0, 0.0]), torch.tensor([0.0, 0.0, 1.0])


def _ahead_of(across: Tensor) -> Tensor:
    # Shorter than 1 where the body leans sideways, which counts less in HumanML3D's smoothing.
    return torch.linalg.cross(_UP.to(across).expand_as(across), F.normalize(across, dim=-1))


@_numpy_too
def joints_to_features(joints: Tensor, canonical: bool = True, reference: bool = False) -> Tensor:
    """Joints (..., T, 22, 3) [m] -> features (..., T - 1, 263).

    Args:
        joints: clips of two frames or more, Y up.
        canonical: first put the clip on the floor, at the origin and facing +Z.
        reference: turn as HumanML3D's code does, which has the wrong sign in the frame in which
            the heading passes from pi to -pi; what follows is then misplaced.

    Raises:
        MotionError: the shape is not (..., T, 22, 3) with T of 2 at least.
    """
    if joints.dim() < 3 or joints.shape[-2:] != (22, 3) or joints.shape[-3] < 2:
        raise MotionError(f'joints must be (..., T, 22, 3) with T >= 2, not {tuple(joints.shape)}')
    if canonical:
        joints = canonicalise(joints)
    turned = chain_rotations(joints)
    facing = turned[..., 0, :]  # world to heading frame, per frame
    moved = joints.diff(dim=-3)
    root_velocity = rotations.rotate(facing[..., 1:, :], moved[..., 0, :])
    turn = rotations.multiply(facing[..., 1:, :], rotations.inverse(facing[..., :-1, :]))
    if not reference:  # q and -q are one rotation, but only one of them has the turn in its sine
        turn = torch.where(turn[..., :1] < 0, -turn, turn)
    root = torch.stack(
        [
            torch.asin(turn[..., 2].clamp(-1, 1)),
            root_velocity[..., 0],
            root_velocity[..., 2],
            joints[..., :-1, 0, 1],
        ],
        dim=-1,
    )
    local = joints - joints[..., :1, :] * (1 - _UP).to(joints)
    local = rotations.rotate(facing[..., None, :], local)
    velocities = rotations.rotate(facing[..., :-1, None, :], moved)
    contacts = moved[..., FOOT_JOINTS, :].square().sum(dim=-1) < CONTACT_THRESHOLD
    return torch.cat(
        [
            root,
            local[..., :-1, 1:, :].flatten(-2),
            rotations.to_6d(turned)[..., :-1, 1:, :].flatten(-2),
            velocities.flatten(-2),
            contacts.to(joints),
        ],
        dim=-1,
    )


def chain_rotations(joints: Tensor) -> Tensor:
    """Rotations of joints (..., T, 22, 3) along HumanML3D's chains: quaternions (..., T, 22, 4).

    Entry 0 turns the world into the heading frame; entry i is the rotation of the bone that ends
    at joint i, relative to the bone before it on the chain.
    """
    # HumanML3D takes the hips the wrong way round here (and only here). The shoulders are three
    # times as broad, so that they decide; the data set is what it is, and so are its statistics.
    shoulders = joints[..., _RIGHT_SHOULDER, :] - joints[..., _LEFT_SHOULDER, :]
    across = shoulders - (joints[..., _RIGHT_HIP, :] - joints[..., _LEFT_HIP, :])
    root = rotations.between(_smooth(_ahead_of(across)), _AHEAD.to(joints))
    root = torch.cat([rotations.about_y(torch.zeros_like(root[..., :1, 0])), root[..., 1:, :]], -2)
    bones = F.normalize(joints[..., _CHILD, :] - joints[..., _PARENT, :], dim=-1)
    turned = rotations.between(BONE_DIRECTIONS[_CHILD].to(joints).expand_as(bones), bones)
    turned = torch.cat([root[..., None, :], turned], dim=-2)
    relative = rotations.multiply(rotations.inverse(turned[..., _ABOVE, :]), turned[..., 1:, :])
    return torch.cat([turned[..., :1, :], relative], dim=-2)


def _smooth(forward: Tensor) -> Tensor:
    """Gaussian over time of unit vectors (..., T, 3), ends held, normalised again."""
    radius = int(4 * _FORWARD_SIGMA + 0.5)  # scipy.ndimage's cut
    offsets = torch.arange(-radius, radius + 1, dtype=forward.dtype, device=forward.device)
    kernel = torch.exp(-0.5 * (offsets / _FORWARD_SIGMA).square())
    flat = forward.flatten(0, -3)[..., None] if forward.dim() > 2 else forward[None, ..., None]
    rows = flat[..., 0].transpose(1, 2)  # (B, 3, T)
    padded = F.pad(rows, (radius, radius), mode='replicate')
    mixed = F.conv1d(padded.flatten(0, 1)[:, None], (kernel / kernel.sum())[None, None])
    return F.normalize(mixed.view(rows.shape).transpose(1, 2).reshape(forward.shape), dim=-1)


def recover_root(features: Tensor) -> tuple[Tensor, Tensor]:
    """Integrate the root: rotations world to heading frame (..., T, 4), positions (..., T, 3)."""
    turn, velocity = features[..., 0], features[..., 1:3]
    facing = rotations.about_y(torch.cumsum(turn, dim=-1) - turn)
    step = torch.stack([velocity[..., 0], torch.zeros_like(turn), velocity[..., 1]], dim=-1)
    step = torch.cat([torch.zeros_like(step[..., :1, :]), step[..., :-1, :]], dim=-2)
    place = torch.cumsum(rotations.rotate(rotations.inverse(facing), step), dim=-2)
    return facing, torch.stack([place[..., 0], features[..., 3], place[..., 2]], dim=-1)


@_numpy_too
def features_to_joints(features: Tensor) -> Tensor:
    """Features (..., T, 263), not normalised -> joints (..., T, 22, 3) [m]; differentiable.

    Raises:
        MotionError: the last dimension is not 263.
    """
    if features.shape[-1] != FEATURES:
        raise MotionError(f'features must be (..., T, 263), not {tuple(features.shape)}')
    facing, root = recover_root(features)
    local = features[..., POSITIONS].unflatten(-1, (21, 3))
    world = rotations.rotate(rotations.inverse(facing)[..., None, :], local)
    world = world + root[..., None, :] * (1 - _UP).to(root)
    return torch.cat([root[..., None, :], world], dim=-2)


@_numpy_too
def uniform_skeleton(joints: Tensor, offsets: Tensor) -> Tensor:
    """Put motion on another body, as HumanML3D does with all of its sources.

    The root's path is scaled by the length of the right leg, and the rotations are applied to the
    other body's bones.

    Args:
        joints: (T, 22, 3) [m].
        offsets: (22, 3) [m], bones of the other body along ``BONE_DIRECTIONS``.
    """
    lengths = [
        (joints[0, j] - joints[0, p]).norm() for p, j in ((CHAINS[0][1], 5), (CHAINS[0][2], 8))
    ]
    scale = sum(float(offsets[j].abs().max()) for j in _RIGHT_SHIN) / float(sum(lengths))
    placed = [joints[..., 0, :] * scale] * 22
    for chain in CHAINS:
        for parent, child in itertools.pairwise(chain):
            bone = F.normalize(joints[..., child, :] - joints[..., parent, :], dim=-1)
            turned = rotations.between(BONE_DIRECTIONS[child].to(joints).expand_as(bone), bone)
            placed[child] = placed[parent] + rotations.rotate(turned, offsets[child].to(joints))
    return torch.stack(placed, dim=-2)
