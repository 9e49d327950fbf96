# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Whether a robot's YAML fits its URDF: what is wrong with the mapping, in sentences.

What makes a robot unusable, such as an unknown link, is an error where it is read; here is what
can be computed with and is wrong all the same, and what a robot's build does not allow.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mgpt3_ros.model.errors import RobotError
from mgpt3_ros.robots.config import SIDES
from mgpt3_ros.robots.human import ENDS
from mgpt3_ros.robots.packages import resolve
from mgpt3_ros.robots.robot import Robot

Array = NDArray[np.float64]

_MIRROR = 0.02  # [m] between a link and the mirror image of the other side's
_HANGS = 30.0  # [deg] from the vertical of who stands upright; shoulders and hips have offsets
_LEVEL = 0.005  # [m] between the soles
_BENDS = 0.01  # [m] that a bent knee takes the ankle back at least
_STRONGEST = 1e4  # [N m]: a joint that is said to be stronger has no limit in its URDF
_TURNS = {'hip': 3, 'shoulder': 3, 'spine3': 3, 'head': 2}  # joints that a human's part turns by


@dataclass(frozen=True)
class Findings:
    """problems: what is wrong with a mapping. remarks: what the robot cannot do, or assumes."""

    problems: tuple[str, ...]
    remarks: tuple[str, ...]


def check_robot(robot: Robot) -> Findings:
    """Look a robot's mapping through."""
    problems = [*_not_followed(robot), *_hanging(robot), *_mirrored(robot), *_soles(robot)]
    problems += [*_bending(robot), *_unmoved(robot)]
    remarks = [*_beyond(robot), *_build(robot), *_efforts(robot), *_meshes(robot)]
    return Findings(tuple(problems), tuple(remarks))


def _place(robot: Robot, name: str) -> Array | None:
    link = robot.config.follows.get(name)
    return None if link is None else robot.stand_places[link]


def _not_followed(robot: Robot) -> list[str]:
    if not robot.config.follows:
        return ['follows is empty: no link follows the human']
    found = []
    for name in robot.config.follows:
        side, _, limb = name.partition('_')
        if limb and f'{_other(side)}_{limb}' not in robot.config.follows:
            found.append(f'{name} is followed and {_other(side)}_{limb} is not')
    links = list(robot.config.follows.values())
    for link in sorted({link for link in links if links.count(link) > 1}):
        names = [name for name, other in robot.config.follows.items() if other == link]
        found.append(f'the link {link!r} follows {" and ".join(names)}: one link, one follower')
    return found


def _other(side: str) -> str:
    return 'right' if side == 'left' else 'left'


def _hanging(robot: Robot) -> list[str]:
    """Look at limbs: at stand they hang, as the human's do at zero."""
    found = []
    for name in ENDS:
        if name.endswith('ankle'):
            continue
        start, end = _place(robot, name), _place(robot, ENDS[name])
        if start is None or end is None:
            continue
        bone = end - start
        length = float(np.linalg.norm(bone))
        if length < 1e-6:
            found.append(f'the links of {name} and {ENDS[name]} begin in the same place')
            continue
        leans = float(np.degrees(np.arccos(np.clip(-bone[2] / length, -1, 1))))
        if leans > _HANGS:
            found.append(
                f'at stand the {_said(name)} leans {leans:.0f} degrees from hanging straight down '
                f'({robot.config.follows[name]} to {robot.config.follows[ENDS[name]]}): mend stand'
            )
    return found


def _said(name: str) -> str:
    side, limb = name.split('_')
    parts = {'hip': 'thigh', 'knee': 'shank', 'shoulder': 'upper arm', 'elbow': 'forearm'}
    return f'{side} {parts.get(limb, limb)}'


def _mirrored(robot: Robot) -> list[str]:
    found = []
    for name in robot.config.follows:
        if not name.startswith('left_'):
            continue
        left, right = _place(robot, name), _place(robot, name.replace('left', 'right'))
        if left is None or right is None:
            continue
        apart = float(np.linalg.norm(left * [1, -1, 1] - right))
        if left[1] < right[1] - _MIRROR:
            found.append(
                f'{name} is on the right of {name.replace("left", "right")}: sides are swapped, '
                f'or faces {list(robot.config.faces)} is backward'
            )
        elif apart > _MIRROR:
            found.append(
                f'at stand {name} and {name.replace("left", "right")} are {100 * apart:.0f} cm '
                "from each other's mirror image: mend stand or follows"
            )
    return found


def _soles(robot: Robot) -> list[str]:
    legs = [f'{side}_ankle' for side in SIDES]
    if not robot.config.soles:
        return ['there are no soles: the feet are not placed'] if _any(robot, legs) else []
    if not robot.has_legs:
        return ['soles need hip, knee and ankle of both sides in follows, and both soles']
    found = []
    heights = [float(robot.sole_corners(side)[:, 2].min()) for side in SIDES]
    if abs(heights[0] - heights[1]) > _LEVEL:
        found.append(f'the soles are {1000 * abs(heights[0] - heights[1]):.0f} mm apart in height')
    for side in SIDES:
        ankle = robot.stand_places[robot.config.follows[f'{side}_ankle']]
        corners = robot.sole_corners(side)
        if corners[:, 2].max() > ankle[2]:
            found.append(f'the {side} sole lies above its ankle: is z of its box negative?')
        inside = (corners[:, :2].min(0) - 0.05 <= ankle[:2]) & (
            ankle[:2] <= corners[:, :2].max(0) + 0.05
        )
        if not inside.all():
            found.append(f'the {side} sole does not lie under its ankle')
    return found


def _any(robot: Robot, names: list[str]) -> bool:
    return any(name in robot.config.follows for name in names)


def _bending(robot: Robot) -> list[str]:
    """Bend each knee half way to where it can go: the ankle goes back, or it faces backward."""
    found = []
    for side in SIDES:
        knee, ankle = (robot.config.follows.get(f'{side}_{part}') for part in ('knee', 'ankle'))
        if knee is None or ankle is None or not len(robot.kinematics.chain(knee)):
            continue
        column = robot.kinematics.chain(knee)[-1]
        lower, upper = np.clip(robot.position_limits[column], -2.0, 2.0)
        bent = robot.stand.copy()
        bent[column] = upper if abs(upper - bent[column]) > abs(lower - bent[column]) else lower
        poses = robot.kinematics.forward(bent[None], robot.facing[None])
        moved = poses.places[ankle][0] - robot.stand_places[ankle]
        if moved[0] > _BENDS:
            found.append(
                f'the {side} knee bends forward: is faces {list(robot.config.faces)} backward?'
            )
    return found


def _unmoved(robot: Robot) -> list[str]:
    return [
        f'no joint moves {link!r}, which follows {name}: are they held?'
        for name, link in robot.config.follows.items()
        if not len(robot.kinematics.chain(link))
    ]


def _beyond(robot: Robot) -> list[str]:
    found = []
    for name, value in robot.config.stand.items():
        if name not in robot.joint_names:
            continue
        lower, upper = robot.position_limits[robot.joint_names.index(name)]
        if not lower - 0.02 <= value <= upper + 0.02:
            found.append(
                f'{name} stands at {value:g} rad, beyond its limits [{lower:.2f}, {upper:.2f}]'
            )
    return found


def _build(robot: Robot) -> list[str]:
    """Say which parts have fewer joints than a human's: what they cannot follow is structural."""
    found = []
    if 'head' not in robot.config.follows:
        found.append('no link follows the head: it goes with the chest')
    for name, link in robot.config.follows.items():
        limb = name.rpartition('_')[2]
        before = robot.config.follows.get('spine3') if limb in ('shoulder', 'head') else None
        above = set(robot.kinematics.chain(before)) if before else set()
        joints = len(set(robot.kinematics.chain(link)) - above)
        if limb in _TURNS and joints < _TURNS[limb]:
            part = {'spine3': 'chest'}.get(name, name.replace('_', ' '))
            found.append(f'the {part} has {joints} of {_TURNS[limb]} joints of its own')
    return found


def _efforts(robot: Robot) -> list[str]:
    unknown = [
        name
        for name, effort in zip(robot.joint_names, robot.effort_limits, strict=True)
        if effort > _STRONGEST
    ]
    if not unknown:
        return []
    return [
        f'{len(unknown)} joints have no usable effort limit in the URDF ({unknown[0]}, ...): '
        'their torques are not judged'
    ]


def _meshes(robot: Robot) -> list[str]:
    found = []
    for uri in robot.urdf.meshes:
        try:
            resolve(uri, robot.urdf.path.parent)
        except RobotError:
            found.append(uri)
    if not found:
        return []
    return [f'{len(found)} meshes are not found ({found[0]}, ...): pictures leave them out']
