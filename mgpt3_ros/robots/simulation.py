# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A robot in MuJoCo that does what it is told as well as its motors can (extra ``sim``).

Joints are driven within the URDF's effort limits; the base is *guided*: it is where it is told to
be. So arms are as slow, as weak and as heavy as they are, legs bend and touch the floor, but the
robot does not balance and cannot fall.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mgpt3_ros.model.errors import RobotError
from mgpt3_ros.model.extras import extra
from mgpt3_ros.robots.robot import Robot
from mgpt3_ros.robots.simulation_model import SimulationModel

with extra('sim'):
    import mujoco

Array = NDArray[np.float64]

STEP_S = 0.002
_FREQUENCY = 2 * np.pi * 10.0  # [rad/s] of a joint that is let go: 10 Hz, critically damped
_LEAST = 0.1  # of a motor's torque that is left to it where its load takes all
_BRAKING = 30.0  # [rad/s^2] that a joint far from where it shall be counts on to stop there
_ARMATURE = 0.02  # [kg m^2] of a motor's rotor behind its gears, which URDFs do not tell
_GUIDED = 1e6  # [kg], [kg m^2] on the base and on stuck joints: no force moves them
_FLOOR = 'floor'
_DEEP_M = 0.001  # links that are so deep in each other touch


@dataclass(frozen=True)
class Target:
    """What a robot shall do at a moment.

    positions, velocities (n,) [rad], [rad/s]. base_pos (3,) [m], base_rot (4,) xyzw, base_lin (3,)
    [m/s] and base_ang (3,) [rad/s] of its base link in the world.
    """

    positions: Array
    velocities: Array
    base_pos: Array
    base_rot: Array
    base_lin: Array
    base_ang: Array


class Simulation:
    """One robot, at first in its stand pose at the origin.

    Attributes:
        robot: which.
        time_s: how long it has been simulated.
        positions, velocities: (n,) of its joints [rad], [rad/s].
        torques: (n,) [N m] of the last step.
        saturated: (n,) whether a motor was at its limit in one of the steps of the last call.
        contacts: pairs of links that touch, without the soles on the floor.
        has_shapes: whether there is any that MuJoCo can read; else no link touches another.
    """

    def __init__(self, robot: Robot) -> None:
        """Build the model; see :class:`SimulationModel` for what it raises."""
        self.robot = robot
        alone = SimulationModel(robot)
        alone.data.qpos[:] = alone.standing()
        mujoco.mj_kinematics(alone.model, alone.data)
        mujoco.mj_collision(alone.model, alone.data)
        # Shapes are coarse: pairs that touch as the robot stands would push each other for ever.
        self._built = SimulationModel(robot, floor=True, apart=_touching(alone.model, alone.data))
        self._data, self._model = self._built.data, self._built.model
        self._seen = mujoco.MjData(self._model)  # where contacts are looked for
        self._feel_floor(False)
        self.has_shapes = self._model.ngeom > 1
        self._model.opt.timestep = STEP_S
        self._model.opt.integrator = mujoco.mjtIntegrator.mjINT_IMPLICITFAST
        self._model.dof_armature[6:] = _ARMATURE
        self._data.qpos[:] = self._built.standing()
        mujoco.mj_forward(self._model, self._data)
        rates = self._built.dof
        self._others = np.setdiff1d(np.arange(6, self._model.nv), rates)
        self._inertia = np.zeros((self._model.nv, self._model.nv))
        self._free = np.ones(len(rates), dtype=bool)
        self._model.dof_armature[:6] = _GUIDED
        soles = {_carrier(self._model, sole.link) for sole in robot.config.soles.values()}
        self._on_floor = {(min(sole, _FLOOR), max(sole, _FLOOR)) for sole in soles}
        self._pushes: list[tuple[int, Array, float]] = []  # body, force, until
        self.time_s = 0.0
        self.torques = np.zeros(len(rates))
        self.saturated = np.zeros(len(rates), dtype=bool)
        self.contacts: set[tuple[str, str]] = set()

    @property
    def positions(self) -> Array:
        """Joint positions (n,) [rad]."""
        return np.array(self._data.qpos[self._built.qpos])

    @property
    def velocities(self) -> Array:
        """Joint velocities (n,) [rad/s]."""
        return np.array(self._data.qvel[self._built.dof])

    def push(self, link: str, force: Array, seconds: float) -> None:
        """Push a link's centre of mass with a force (3,) [N], in the world, for so long.

        Raises:
            RobotError: there is no such link.
        """
        if link not in self.robot.urdf.links:
            raise RobotError(f'{self.robot.name} has no link {link!r}')
        body = self._model.body(link).id
        self._pushes.append((body, np.asarray(force, dtype=np.float64), self.time_s + seconds))

    def stick(self, joint: str, stuck: bool = True) -> None:
        """Have a joint stay where it is, whatever moves it, or let it go again.

        Raises:
            RobotError: there is no such joint.
        """
        if joint not in self.robot.joint_names:
            raise RobotError(f'{self.robot.name} has no joint {joint!r} that is commanded')
        column = self.robot.joint_names.index(joint)
        rate = self._built.dof[column]
        self._free[column] = not stuck
        self._model.dof_armature[rate] = _GUIDED if stuck else _ARMATURE
        if stuck:
            self._data.qvel[rate] = 0.0

    def run(self, target: Callable[[float], Target], seconds: float) -> None:
        """Simulate so long; ``target`` tells what the robot shall do at a time of ``time_s``."""
        self.saturated[:] = False
        for _ in range(max(1, round(seconds / STEP_S))):
            self._step(target(self.time_s))
            self.time_s += STEP_S
        self._feel_floor(True)
        self._seen.qpos[:] = self._data.qpos
        mujoco.mj_kinematics(self._model, self._seen)
        mujoco.mj_collision(self._model, self._seen)
        self._feel_floor(False)
        self.contacts = _touching(self._model, self._seen, _DEEP_M) - self._on_floor

    def _feel_floor(self, felt: bool) -> None:
        """Let the floor touch what is on it, or not: it must not push, or a guided leg jams."""
        self._model.geom(_FLOOR).contype[:] = felt
        self._model.geom(_FLOOR).conaffinity[:] = felt

    def _step(self, target: Target) -> None:
        """One step: ``tau = s M 2 w (v(e) + de/dt) + bias``, no more than the motors give.

        M is the inertia of the joints on a base that stands, ``bias`` what gravity and speed ask
        for. ``v(e)`` is w e / 2, critically damped; far away no faster than can be braked in time.
        Where a motor is too weak, ``s`` < 1 holds all back alike: cut each for itself, they would
        throw each other about, for minutes at times.
        """
        data, rates = self._data, self._built.dof
        self._guide(target)
        error = target.positions - self.positions
        slip = target.velocities - self.velocities
        mujoco.mj_fullM(self._model, data, self._inertia)
        inertia = self._inertia[np.ix_(rates, rates)]
        far = np.abs(error)
        back = np.sign(error) * np.minimum(_FREQUENCY / 2 * far, np.sqrt(2 * _BRAKING * far))
        push = inertia @ (self._free * 2 * _FREQUENCY * (back + slip))
        bias, limits = data.qfrc_bias[rates], self.robot.effort_limits
        left = np.maximum(limits - np.sign(push) * bias, _LEAST * limits)
        enough = (left / np.maximum(np.abs(push), 1e-9))[self._free]
        share = float(enough.min(initial=1.0))
        self.torques = np.where(self._free, np.clip(bias + share * push, -limits, limits), 0.0)
        self.saturated |= self._free & (np.abs(bias + push) > limits)
        data.qfrc_applied[rates] = self.torques
        data.xfrc_applied[:] = 0.0
        self._pushes = [push for push in self._pushes if push[2] > self.time_s]
        for body, force, _ in self._pushes:
            data.xfrc_applied[body, :3] += force
        mujoco.mj_step(self._model, data)
        stuck = rates[~self._free]
        data.qvel[stuck] = 0.0
        data.qvel[self._others] = 0.0

    def _guide(self, target: Target) -> None:
        """Put the base where it shall be, and the joints that nobody commands."""
        base = target.base_pos[None], target.base_rot[None]
        self._data.qpos[:] = self._built.rows(self.positions[None], *base)[0]
        x, y, z, w = target.base_rot
        turn = np.zeros(3)  # of MuJoCo's base, in its own axes
        back = np.array([w, -x, -y, -z])
        mujoco.mju_rotVecQuat(turn, np.asarray(target.base_ang, dtype=np.float64), back)
        self._data.qvel[:6] = [*target.base_lin, *turn]


def _touching(model: Any, data: Any, deeper: float = 0.0) -> set[tuple[str, str]]:
    """Return the pairs of links that are so deep [m] in each other, in order of their names.

    A link that is fixed to another counts as that one.
    """
    deep = data.contact.dist[: data.ncon] <= -deeper
    bodies = model.body_weldid[model.geom_bodyid[data.contact.geom[: data.ncon][deep]]]
    pairs = set()
    for one, other in np.unique(np.sort(bodies, axis=1), axis=0):
        names = sorted(model.body(body).name if body else _FLOOR for body in (one, other))
        pairs.add((names[0], names[1]))
    return pairs


def _carrier(model: Any, link: str) -> str:
    """Return the link that a link is fixed to, or itself."""
    return str(model.body(model.body_weldid[model.body(link).id]).name)
