# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What physics says of a robot's motion: collisions, torques, balance (MuJoCo, extra ``sim``).

The motion is played, not simulated: joints and base follow it, and inverse dynamics says which
forces that needs. With M qdd + bias = S^T tau + J^T f, the floor pushes at the corners of the
soles that touch it, inside friction cones of four edges, so that f >= 0 fits the six rows of the
base as well as it can (non-negative least squares); what is left of those is the missing force,
which nothing gives, and tau are the other rows. The zero moment point is where the floor's force
would have to act alone (Vukobratovic and Borovac, Int. J. Humanoid Robotics 1(1), 2004).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline
from scipy.optimize import nnls
from scipy.spatial import ConvexHull, QhullError
from scipy.spatial.transform import Rotation, RotationSpline

from mgpt3_ros.model.extras import extra
from mgpt3_ros.robots.config import SIDES
from mgpt3_ros.robots.physics_report import Collision, PhysicsReport
from mgpt3_ros.robots.retargeting import RobotMotion
from mgpt3_ros.robots.robot import Robot
from mgpt3_ros.robots.simulation_model import SimulationModel

with extra('sim'):
    import mujoco

Array = NDArray[np.float64]

RATE = 50.0  # [1/s] at which a motion is looked at
PENETRATION = 0.003  # [m] from which two links collide
_TOUCHES = 0.015  # [m] above the floor, under which a sole's corner bears
_STANDS = 0.005  # [m]: a foot stands whose corners are all lower
_NEIGHBOURS = 2  # joints between links that may overlap
_FRICTION = 0.7
_LEVER = 0.2  # [m]: a torque on the base weighs as much as its force at that distance
_TIKHONOV = 1e-3  # spreads the force over corners that could bear it


class Physics:
    """A robot on MuJoCo's model, and what its motions ask of it."""

    def __init__(self, robot: Robot) -> None:
        """Build the model; see :class:`SimulationModel` for what it raises."""
        self.robot = robot
        self.sim = SimulationModel(robot)
        self._weight = float(self.sim.model.body_mass.sum() * np.linalg.norm(_GRAVITY))
        self._touching = set(self._pairs(self.sim.standing(), 0.0))

    def collisions(self, motion: RobotMotion, rate: float = RATE) -> tuple[Collision, ...]:
        """Return which links of a motion go into each other, and when.

        Pairs that touch when the robot stands do not count, nor those that only two joints part:
        the shapes of a ball joint's links always overlap somewhere.
        """
        times, rows, _, _ = self._sampled(motion, rate)
        hit: dict[tuple[str, str], list[bool]] = {}
        for frame, row in enumerate(rows):
            for pair in self._pairs(row):
                if pair not in self._touching and not self._near(*pair):
                    hit.setdefault(pair, [False] * len(rows))[frame] = True
        return tuple(
            Collision(*pair, _spans(times, np.array(frames))) for pair, frames in hit.items()
        )

    def _near(self, one: str, other: str) -> bool:
        first, second = (set(self.robot.kinematics.chain(link)) for link in (one, other))
        return len(first ^ second) <= _NEIGHBOURS and (first <= second or second <= first)

    def check(self, motion: RobotMotion) -> PhysicsReport:
        """Play a motion and report what it needs."""
        _, rows, rates, accelerations = self._sampled(motion, RATE)
        count = len(rows)
        torques = np.zeros((count, len(self.robot.joint_names)))
        missing, slide = np.zeros(count), []
        com_out, zmp_out = np.full(count, np.nan), np.full(count, np.nan)
        before: Array | None = None
        for frame in range(count):
            forces = self._inverse_dynamics(rows[frame], rates[frame], accelerations[frame])
            corners, bodies = self._corners()
            bearing = corners[:, 2] < _TOUCHES
            slide += _sliding(before, corners)
            before = corners
            pushed, left = self._floor(forces, corners[bearing], bodies[bearing])
            torques[frame] = (forces - pushed)[self.sim.dof]
            missing[frame] = left
            if bearing.any():
                support = corners[bearing, :2]
                com_out[frame] = outside(support, self.sim.data.subtree_com[0][:2])
                zmp_out[frame] = outside(support, self._zero_moment(forces))
        return PhysicsReport(
            robot=self.robot.name,
            joint_names=self.robot.joint_names,
            duration_s=motion.duration_s,
            collisions=self.collisions(motion),
            has_shapes=bool(self.sim.model.ngeom),
            torque_share=np.abs(torques) / self.robot.effort_limits,
            torques=torques,
            com_outside=com_out,
            zmp_outside=zmp_out,
            missing_force=missing,
            weight=self._weight,
            slide=np.array(slide),
            legs=self._leg_columns(),
        )

    def _leg_columns(self) -> tuple[int, ...]:
        follows = self.robot.config.follows
        links = [follows[f'{side}_ankle'] for side in SIDES if f'{side}_ankle' in follows]
        return tuple(sorted({int(c) for link in links for c in self.robot.kinematics.chain(link)}))

    def _sampled(self, motion: RobotMotion, rate: float) -> tuple[Array, Array, Array, Array]:
        """Return times (N,) [s], qpos, qvel and qacc of a motion on splines through its frames."""
        knots = np.arange(len(motion.positions)) / motion.fps
        times = np.arange(0.0, knots[-1] + 1e-9, 1.0 / rate)
        model = self.sim.model
        turn = RotationSpline(knots, Rotation.from_quat(motion.base_rot))
        base = CubicSpline(knots, motion.base_pos, bc_type='clamped')
        joints = CubicSpline(knots, motion.positions, bc_type='clamped')
        quaternions = turn(times)
        rows = self.sim.rows(joints(times), base(times), quaternions.as_quat())
        rates, accelerations = np.zeros((2, len(times), model.nv))
        for order, out in ((1, rates), (2, accelerations)):
            out[:, :3] = base(times, order)
            out[:, 3:6] = quaternions.inv().apply(turn(times, order))  # MuJoCo: in the base
            out[:, self.sim.dof] = joints(times, order)
        return times, rows, rates, accelerations

    def _pairs(self, row: Array, depth: float = PENETRATION) -> list[tuple[str, str]]:
        """Return the pairs of links that go into each other by more than ``depth`` [m]."""
        model, data = self.sim.model, self.sim.data
        data.qpos[:] = row
        mujoco.mj_kinematics(model, data)
        mujoco.mj_comPos(model, data)
        mujoco.mj_collision(model, data)
        pairs = []
        for index in range(data.ncon):
            contact = data.contact[index]
            if contact.dist > -depth:
                continue
            one, other = (
                model.body(model.body_weldid[model.geom_bodyid[geom]]).name
                for geom in (contact.geom1, contact.geom2)
            )
            pairs.append((min(one, other), max(one, other)))
        return pairs

    def _inverse_dynamics(self, row: Array, rate: Array, acceleration: Array) -> Array:
        """Return the generalised forces (nv,) of a moment, without the floor's."""
        model, data = self.sim.model, self.sim.data
        data.qpos[:], data.qvel[:], data.qacc[:] = row, rate, acceleration
        mujoco.mj_kinematics(model, data)
        mujoco.mj_comPos(model, data)
        mujoco.mj_crb(model, data)
        mujoco.mj_comVel(model, data)
        forces = np.zeros(model.nv)
        mujoco.mj_rne(model, data, 1, forces)
        return forces

    def _corners(self) -> tuple[Array, NDArray[np.intp]]:
        """Return the soles' corners (C, 3) [m] now, and the body (C,) of each."""
        model, data = self.sim.model, self.sim.data
        corners, bodies = [], []
        for side in SIDES if self.robot.config.soles else ():
            body = model.body(self.robot.config.soles[side].link).id
            points = self.robot.sole_points(side) @ data.xmat[body].reshape(3, 3).T
            corners.append(data.xpos[body] + points)
            bodies += [body] * len(points)
        return (np.concatenate(corners) if corners else np.zeros((0, 3))), np.array(bodies, int)

    def _floor(
        self, forces: Array, corners: Array, bodies: NDArray[np.intp]
    ) -> tuple[Array, float]:
        """Return what the floor does (nv,), and the force [N] on the base that nothing gives."""
        if not len(corners):
            return np.zeros_like(forces), float(np.linalg.norm(forces[:3]))
        columns = []
        jacobian = np.zeros((3, self.sim.model.nv))
        for corner, body in zip(corners, bodies, strict=True):
            mujoco.mj_jac(self.sim.model, self.sim.data, jacobian, None, corner, int(body))
            columns += [jacobian.T @ edge for edge in _CONE]
        pushes = np.array(columns).T
        weigh = np.repeat([1.0, 1.0 / _LEVER], 3)
        wide = np.concatenate([weigh[:, None] * pushes[:6], _TIKHONOV * np.eye(pushes.shape[1])])
        wanted = np.concatenate([weigh * forces[:6], np.zeros(pushes.shape[1])])
        pushed = pushes @ nnls(wide, wanted)[0]
        return pushed, float(np.linalg.norm((forces - pushed)[:3]))

    def _zero_moment(self, forces: Array) -> Array:
        """Return the point (2,) [m] on the floor about which the base's wrench tips nothing."""
        place = self.sim.data.qpos[:3]
        base = self.sim.data.xmat[self.sim.model.body(self.robot.base_link).id].reshape(3, 3)
        force = forces[:3]
        moment = np.cross(place, force) + base @ forces[3:6]
        if force[2] < 0.05 * self._weight:
            return np.full(2, np.nan)
        return np.array([-moment[1], moment[0]]) / force[2]


_GRAVITY = np.array([0.0, 0.0, -9.81])
_CONE = [np.array(edge) for edge in ((_FRICTION, 0, 1), (-_FRICTION, 0, 1))] + [
    np.array(edge) for edge in ((0, _FRICTION, 1), (0, -_FRICTION, 1))
]


def outside(support: Array, point: Array) -> float:
    """Return how far [m] a point lies outside the hull of the support (C, 2); 0 inside."""
    if not np.isfinite(point).all():
        return float('nan')
    try:
        hull = ConvexHull(support)
    except (QhullError, ValueError):  # fewer than three corners, or all on a line
        return float(np.linalg.norm(support - point, axis=1).min())
    if (hull.equations[:, :2] @ point + hull.equations[:, 2] <= 1e-9).all():
        return 0.0
    ring = support[hull.vertices]
    return min(_to_edge(point, a, b) for a, b in zip(ring, np.roll(ring, -1, 0), strict=True))


def _to_edge(point: Array, start: Array, end: Array) -> float:
    along = end - start
    share = float(np.clip((point - start) @ along / max(float(along @ along), 1e-12), 0.0, 1.0))
    return float(np.linalg.norm(point - start - share * along))


def _sliding(before: Array | None, corners: Array) -> list[float]:
    """Return the level speed [m/s] of the corner that slides least, of each foot that stands."""
    if before is None:
        return []
    speeds = []
    for foot in range(0, len(corners), 4):
        now, then = corners[foot : foot + 4], before[foot : foot + 4]
        if max(now[:, 2].max(), then[:, 2].max()) < _STANDS:
            speeds.append(float(np.linalg.norm((now - then)[:, :2], axis=1).min() * RATE))
    return speeds


def _spans(times: Array, hit: NDArray[np.bool_]) -> tuple[tuple[float, float], ...]:
    """Return when something was: (first, last) times [s] of its runs."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], hit.astype(int), [0]])))
    return tuple(
        (float(times[start]), float(times[stop - 1]))
        for start, stop in zip(edges[::2], edges[1::2], strict=True)
    )
