# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What was found when a motion was played on a robot's physics, and the verdict in words."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_MOSTLY = 0.95  # share of moments from which a robot counts as balanced
_SELDOM = 0.02  # share of moments above an effort limit that a motor's peak allows
_SHOWN = 3  # joints and pairs that are named


@dataclass(frozen=True)
class Collision:
    """Two links that go into each other, and when: (first, last) [s] of each time."""

    one: str
    other: str
    spans: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class PhysicsReport:
    """What a motion asks of a robot, at N moments.

    collisions: of the robot with itself. has_shapes: whether its URDF has shapes that collide.
    torques (N, n) [N m] and torque_share (N, n), over effort limits. com_outside, zmp_outside
    (N,) [m]: how far centre of mass and zero moment point lie outside the support; NaN in the air.
    missing_force (N,) [N]: what nothing gives. weight [N]. slide (M,) [m/s] of standing feet.
    legs: columns of the joints that carry.
    """

    robot: str
    joint_names: tuple[str, ...]
    duration_s: float
    collisions: tuple[Collision, ...]
    has_shapes: bool
    torque_share: Array
    torques: Array
    com_outside: Array
    zmp_outside: Array
    missing_force: Array
    weight: float
    slide: Array
    legs: tuple[int, ...]

    @property
    def balanced(self) -> float:
        """The share of moments in which the zero moment point lies in the support."""
        return float(np.mean(np.nan_to_num(self.zmp_outside, nan=np.inf) <= 0.0))

    def over(self, columns: list[int]) -> float:
        """Return the share of moments in which one of these joints is over its effort limit."""
        return float((self.torque_share[:, columns] > 1.0).any(axis=1).mean()) if columns else 0.0

    def sentences(self) -> list[str]:
        """Say it, a line for each topic, the verdict last."""
        lines = self._collisions()
        peaks = np.percentile(self.torque_share, 99, axis=0)
        worst = np.argsort(-peaks)[:_SHOWN]
        named = ', '.join(f'{self.joint_names[i]} {100 * peaks[i]:.0f} %' for i in worst)
        lines.append(f'torque over effort limits (99th percentile): {named}')
        bears = np.isfinite(self.com_outside)
        if bears.any():
            com = float(np.mean(self.com_outside[bears] <= 0))
            zmp = float(np.mean(np.nan_to_num(self.zmp_outside[bears], nan=1.0) <= 0))
            lines.append(
                f'of the time on its feet: centre of mass over them {100 * com:.0f} %, zero '
                f'moment point within them {100 * zmp:.0f} %'
            )
        if len(self.slide):
            lines.append(f'standing feet slide {100 * self.slide.mean():.1f} cm/s in the mean')
        lines.append(
            f'force that nothing gives: {np.percentile(self.missing_force, 95):.0f} N '
            f'(95th percentile) of {self.weight:.0f} N weight'
        )
        return [*lines, f'verdict: {self.verdict()}']

    def verdict(self) -> str:
        """Say in a sentence whether the motion may be played."""
        arms = [c for c in range(len(self.joint_names)) if c not in self.legs]
        if self.collisions:
            links = f'{self.collisions[0].one} and {self.collisions[0].other}'
            return f'not as it is: {links} collide'
        weak = self.over(arms) > _SELDOM
        if weak:
            return 'not as it is: the arms or the trunk need more torque than their motors have'
        if self.balanced >= _MOSTLY and self.over(list(self.legs)) <= _SELDOM:
            return 'it can be played as it is, as far as balance without a controller goes'
        return 'arms may be played while it stands; the legs need a balance controller'

    def _collisions(self) -> list[str]:
        if not self.has_shapes:
            return ['self-collision is not looked at: its URDF has no shape that MuJoCo can read']
        if not self.collisions:
            return ['no self-collision']
        longest = sorted(self.collisions, key=lambda c: -sum(b - a for a, b in c.spans))
        lines = []
        for collision in longest[:_SHOWN]:
            when = ', '.join(f'{a:.2f}-{b:.2f} s' for a, b in collision.spans[:_SHOWN])
            lines.append(f'{collision.one} and {collision.other} collide at {when}')
        more = len(longest) - _SHOWN
        return [*lines, *([f'and {more} more pairs collide'] if more > 0 else [])]
