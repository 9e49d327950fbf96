# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Files of motion: a module for each format, chosen by the suffix in any case of letters."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mgpt3_ros.model.atomic_files import whole_file
from mgpt3_ros.model.errors import MotionError
from mgpt3_ros.model.formats.bvh import read_bvh, write_bvh
from mgpt3_ros.model.formats.bvh_names import Skeleton
from mgpt3_ros.model.formats.glb import write_glb, write_vrm, write_vrma
from mgpt3_ros.model.formats.gltf_motion import read_glb
from mgpt3_ros.model.formats.npy import read_npy, write_npy
from mgpt3_ros.model.formats.npz import read_npz, write_npz
from mgpt3_ros.model.kinematics.skeleton import FPS
from mgpt3_ros.model.kinematics.up_axis import UP_AXES, turn_up
from mgpt3_ros.model.motion import Motion

WRITERS = {
    '.npy': write_npy,
    '.npz': write_npz,
    '.bvh': write_bvh,
    '.glb': write_glb,
    '.vrma': write_vrma,
    '.vrm': write_vrm,
}
FORMATS = ('.npy', '.npz', '.bvh', '.glb', '.vrma')  # those that are read


def load(
    path: str | Path,
    fps: float | None = None,
    skeletons: Sequence[Skeleton] = (),
    up: str | None = None,
) -> Motion:
    """Read a motion.

    Args:
        path: ``.npz``, ``.bvh``, ``.glb`` or ``.vrma``; or ``.npy`` with joints (T, 22, 3) or
            (T, 66), or with HumanML3D's features (T, 263).
        fps: rate of a file that does not say it, as ``.npy``; None for 20.
        skeletons: mappings of the bones of a BVH or glTF file, tried before the known ones.
        up: the axis that points up, of ``UP_AXES``. None: that along which the body of a BVH
            stands, if it is plain, else Y; other files have Y up.

    Raises:
        MotionError: the file is missing or damaged, or holds no motion.
    """
    path, rate = Path(path), FPS if fps is None else fps
    if up is not None and up not in UP_AXES:
        raise MotionError(f'{up!r} does not point up: give one of {", ".join(UP_AXES)}')
    if not path.is_file():
        raise MotionError(f'no motion file at {path}')
    suffix = path.suffix.lower()
    if suffix == '.vrm':
        raise MotionError(f'{path.name}: an avatar at rest, no motion: give it as --avatar')
    if suffix not in FORMATS:
        raise MotionError(f'{path.name}: motions are read from {", ".join(FORMATS)}')
    try:
        if suffix == '.bvh':
            return read_bvh(path, skeletons, up)
        if suffix in ('.glb', '.vrma'):
            motion = read_glb(path, skeletons)
        else:
            motion = read_npz(path, rate) if suffix == '.npz' else read_npy(path, rate)
        if up in (None, 'y'):
            return motion
        return Motion(turn_up(motion.joints, up), motion.fps, motion.info).with_info(up=up)
    except MotionError as error:
        raise MotionError(f'{path}: {error}') from error
    except Exception as error:  # numpy, zipfile and zlib have a dozen kinds for damaged files
        raise MotionError(f'{path} cannot be read as a motion: {error}') from error


def assumptions(motion: Motion, up: str | None = None) -> list[str]:
    """What was taken for granted when a motion was read, a line each.

    ``up`` is what :func:`load` was told.
    """
    remarks = list(motion.info.get('remarks', ()))
    stood = motion.info.get('up', 'y')
    if up is None and stood != 'y':
        remarks.append(f'the body stands along {stood.upper()}: it was turned (--up=y keeps it)')
    return remarks


def save(motion: Motion, path: str | Path) -> None:
    """Write a motion, whole or not at all.

    ``.npy`` holds the joints alone, ``.npz`` joints, fps and info, ``.bvh`` rotations for
    animation programs, ``.glb`` a mannequin that moves, ``.vrma`` an animation for VRM avatars,
    ``.vrm`` the mannequin without a motion.

    Raises:
        MotionError: the suffix is none of these, or ``info`` holds what JSON cannot say.
    """
    path = Path(path)
    write = WRITERS.get(path.suffix.lower())
    if write is None:
        raise MotionError(f'{path.name}: motions are saved as {", ".join(WRITERS)}')
    with whole_file(path) as partial:
        write(partial, motion)
