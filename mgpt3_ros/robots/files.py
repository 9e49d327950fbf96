# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Files of a robot's motion: MuJoCo's qpos as CSV, and .npz with names.

A row of the CSV is what MuJoCo calls qpos of a robot with a free base, a frame of it: place of the
base link x, y, z [m], its quaternion w, x, y, z, then the joints [rad]. The first line begins with
``#``, so that ``numpy.loadtxt`` and others pass over it, and says what follows::

    # robot=g1 fps=20 base=pelvis columns=x,y,z,qw,qx,qy,qz,left_hip_pitch_joint,...

Files of others without that line are taken to have the joints in the URDF's order.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mgpt3_ros.model.atomic_files import whole_file
from mgpt3_ros.model.errors import RobotError
from mgpt3_ros.robots.retargeting import RobotMotion
from mgpt3_ros.robots.robot import Robot

Array = NDArray[np.float64]

SUFFIXES = ('.csv', '.npz')
_BASE = ('x', 'y', 'z', 'qw', 'qx', 'qy', 'qz')
_DEGREES = 4 * np.pi  # [rad]: joints beyond are in degrees
_LEANS = 60.0  # [deg] from upright, in the median: the quaternion's order is another


def save_robot_motion(path: str | Path, robot: Robot, motion: RobotMotion) -> None:
    """Write a motion, whole or not at all, as the suffix says.

    Raises:
        RobotError: the suffix is none of ``SUFFIXES``.
        OSError: the file cannot be written.
    """
    path = Path(path)
    if path.suffix.lower() not in SUFFIXES:
        raise RobotError(f'{path.name}: motions of robots are saved as {" or ".join(SUFFIXES)}')
    with whole_file(path) as partial:
        if path.suffix.lower() == '.npz':
            with partial.open('wb') as file:
                np.savez_compressed(
                    file,
                    robot=robot.name,
                    fps=motion.fps,
                    base_link=robot.base_link,
                    joint_names=np.array(motion.joint_names),
                    positions=motion.positions,
                    base_pos=motion.base_pos,
                    base_rot_xyzw=motion.base_rot,
                )
            return
        columns = ','.join((*_BASE, *motion.joint_names))
        rows = np.concatenate(
            [motion.base_pos, motion.base_rot[:, [3, 0, 1, 2]], motion.positions], axis=1
        )
        header = f'robot={robot.name} fps={motion.fps:g} base={robot.base_link} columns={columns}'
        np.savetxt(partial, rows, fmt='%.9g', delimiter=',', header=header)


def load_robot_motion(path: str | Path, robot: Robot, fps: float | None = None) -> RobotMotion:
    """Read a motion; joints may stand in any order where the file names them.

    Args:
        path: ``.csv`` or ``.npz``.
        robot: whose motion it is.
        fps: frames per second of a file that does not say it.

    Raises:
        RobotError: the file is missing, damaged, of another robot, states no rate, or holds what
            no robot does: joints in degrees, a base that lies on its side in most frames.
    """
    path = Path(path)
    if not path.is_file():
        raise RobotError(f'there is no motion file {path}')
    try:
        if path.suffix.lower() == '.npz':
            motion = _read_npz(path, robot, fps)
        elif path.suffix.lower() == '.csv':
            motion = _read_csv(path, robot, fps)
        else:
            raise RobotError(f'motions of robots are read from {" or ".join(SUFFIXES)}')
    except RobotError as error:
        raise RobotError(f'{path}: {error}') from error
    except (OSError, ValueError, KeyError, EOFError) as error:  # numpy's kinds for damaged files
        raise RobotError(f'{path} cannot be read as a motion of {robot.name}: {error}') from error
    return motion


def is_robot_file(path: Path) -> bool:
    """Whether a file holds a robot's motion and not a human's: a .csv, or an .npz with names."""
    if path.suffix.lower() != '.npz':
        return path.suffix.lower() == '.csv'
    try:
        with np.load(path, allow_pickle=False) as data:
            return 'joint_names' in data
    except (OSError, ValueError, EOFError):
        return False


def _read_npz(path: Path, robot: Robot, fps: float | None) -> RobotMotion:
    with np.load(path, allow_pickle=False) as data:
        missing = {'joint_names', 'positions', 'base_pos', 'base_rot_xyzw'} - set(data)
        if missing:
            raise RobotError(f'it has no {sorted(missing)[0]}: no motion of a robot')
        rate = float(data['fps']) if 'fps' in data else fps
        names = [str(name) for name in data['joint_names']]
        rows = np.concatenate(
            [data['base_pos'], data['base_rot_xyzw'][:, [3, 0, 1, 2]], data['positions']], axis=1
        )
    return _motion(rows, [*_BASE, *names], robot, rate)


def _read_csv(path: Path, robot: Robot, fps: float | None) -> RobotMotion:
    with path.open(encoding='utf-8-sig') as file:
        first = file.readline()
    stated = dict(part.split('=', 1) for part in first.lstrip('#').split() if '=' in part)
    rows = np.loadtxt(path, delimiter=',', ndmin=2, encoding='utf-8-sig')
    rate = float(stated['fps']) if 'fps' in stated else fps
    columns = [*_BASE, *robot.joint_names]
    if 'columns' in stated:
        columns = stated['columns'].split(',')
    elif rows.shape[1] != len(columns):
        raise RobotError(
            f'it has {rows.shape[1]} columns and names none; {robot.name} has {len(columns)}: 7 '
            f'of the base and {len(robot.joint_names)} joints'
        )
    return _motion(rows, columns, robot, rate)


def _motion(rows: Array, columns: list[str], robot: Robot, rate: float | None) -> RobotMotion:
    if len(columns) != rows.shape[1]:
        raise RobotError(f'it names {len(columns)} columns and has {rows.shape[1]}')
    if rate is None:
        raise RobotError('it does not state its frames per second: give them (--fps)')
    if not rate > 0 or len(rows) < 2:
        raise RobotError(f'{len(rows)} frames at {rate:g} per second are no motion')
    where = {name: column for column, name in enumerate(columns)}
    missing = [name for name in (*_BASE, *robot.joint_names) if name not in where]
    if missing:
        raise RobotError(
            f'it has no column {missing[0]!r} ({len(missing)} are missing): is it of another '
            f'robot than {robot.name}?'
        )
    if not np.isfinite(rows).all():
        raise RobotError('it holds values that are not finite')
    base = rows[:, [where[name] for name in _BASE]]
    positions = rows[:, [where[name] for name in robot.joint_names]]
    if np.abs(positions).max() > _DEGREES:
        raise RobotError(
            f'a joint turns to {np.abs(positions).max():.0f} rad: angles are in radians; are '
            'these degrees?'
        )
    return RobotMotion(
        robot.joint_names, positions, base[:, :3], _quaternions(base[:, 3:], robot), float(rate)
    )


def _quaternions(wxyz: Array, robot: Robot) -> Array:
    """Return (T, 4) x, y, z, w of length 1, and see that the order is the one that is meant."""
    lengths = np.linalg.norm(wxyz, axis=1, keepdims=True)
    if (np.abs(lengths - 1) > 0.05).any():
        raise RobotError('columns 4 to 7 are no unit quaternions')
    wxyz = wxyz / lengths
    turned = wxyz[:, [1, 2, 3, 0]]
    if _lean(turned) > _LEANS > _lean(wxyz):
        raise RobotError(
            'the quaternions seem to be x, y, z, w: MuJoCo has w, x, y, z; name the columns in a '
            'first line "# fps=30 columns=x,y,z,qx,qy,qz,qw,..." or reorder them'
        )
    return turned


def _lean(xyzw: Array) -> float:
    """Return how far [deg] from the vertical the z axis is turned, in the median."""
    upward = 1 - 2 * (xyzw[:, 0] ** 2 + xyzw[:, 1] ** 2)
    return float(np.degrees(np.median(np.arccos(np.clip(upward, -1, 1)))))
