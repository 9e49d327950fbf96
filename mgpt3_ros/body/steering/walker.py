# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A body that steps where it is steered, with feet that stay where they land.

The pose comes from a drawn cycle at its phase; the place is what the velocities add up to. A foot
that stands is held where it landed; one that swings goes to where it will be in its neutral place,
as seen from the body, in the middle of its next stance. So feet do not slide, whatever is asked.

Steps are longer and more frequent with speed, length with the 0.42th power of it, as in
``finishing.way``. A body that shall rest slows down, sets both feet beside one another and stands.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from mgpt3_ros.body.steering.gait import BALLS, LANDS, PHASES, Gaits
from mgpt3_ros.model.finishing.leg_pose import LEGS, lowering, pose_leg
from mgpt3_ros.model.finishing.way import LENGTH_SHARE
from mgpt3_ros.model.kinematics.heading import heading, rotate_about_y, turn
from mgpt3_ros.model.kinematics.joint_angles import angles_to_joints, joints_to_angles
from mgpt3_ros.model.kinematics.skeleton import FPS

Array = NDArray[np.float64]

# Ahead, to the left [m/s] and turning [rad/s]: what a walk can be steered at, and how fast it
# changes [per s].
FASTEST = np.array([1.55, 0.6, 1.2])
FASTEST_BACK = 1.0
CHANGES = np.array([1.3, 1.0, 2.5])

_STILL = 0.02  # [m/s], [rad/s]: less is standing
_BESIDE, _TURNED = 0.035, 0.1  # [m], [rad]: so far off its place a foot may rest
_WAKES_S = 0.4  # in which a standing body takes on the pose of its walk, or gives it up
_CADENCE = (0.7, 1.35)  # of the drawn time of two steps
_CADENCE_TO_REST = 0.85  # of a body that brakes
_SLOWEST = 0.25  # [m/s] for which the cadence is that of a walk
_TURN_LEVER = 0.3  # [m]: turning by a radian counts as so much of a way
_WIDEST_TURN = 0.5  # [rad] that a foot is turned ahead of the body
_FADE_S = 0.5  # in which the pose that the body came in dies away
_LIVELY = 0.5  # [m/s]: a walk that is slower is partly like standing
_CLEARS = 0.06  # [m]: so high a foot swings at least
_UP, _DOWN = 0.08, 0.95  # shares of its swing between which a foot goes on


@dataclass(frozen=True)
class Foot:
    """A foot: where its ball is (2,) [m] (x, z) and its yaw; what it left, and since which share.

    swings: since which share of its swing it goes from there; None: it stands.
    """

    place: Array
    yaw: float
    left_place: Array
    left_yaw: float
    swings: float | None = None


@dataclass(frozen=True)
class Walking:
    """A steered body at one frame, in the model's world (Y up, yaw 0 faces +Z).

    frame: counted from 0. place (2,) [m] (x, z). velocity (3,): ahead, left [m/s], turning
    [rad/s]. phase: of the cycle. awake: 0 stands, 1 walks. weights (4,): of the gaits.
    along: how far [m] it has come on a path. rests: it stands with its feet together. brakes: it
    shall come to rest.
    """

    frame: int
    place: Array
    yaw: float
    velocity: Array
    phase: float
    awake: float
    weights: Array
    feet: tuple[Foot, Foot]
    along: float = 0.0
    rests: bool = True
    brakes: bool = False

    @property
    def still(self) -> bool:
        """Whether nothing of it moves any more."""
        return self.rests and self.awake == 0.0 and not self.velocity.any()


Course = Callable[[Walking], tuple[Array, float]]  # the velocity that is wanted; and ``along``


@dataclass
class Walker:
    """How a body steps.

    gaits: what it steps with. came (22, 3), came_rate (22, 3), came_frame: by how much the pose
    it came in differs from its gait's, and when [m], [m/s], seen from the body.
    """

    gaits: Gaits
    came: Array = field(default_factory=lambda: np.zeros((22, 3)))
    came_rate: Array = field(default_factory=lambda: np.zeros((22, 3)))
    came_frame: int = 0

    def enter(self, joints: NDArray, frame: int = 0) -> Walking:
        """Begin from a body (T, 22, 3) [m], Y up, of which the last frames are known; T >= 2."""
        seen = joints.astype(np.float64)
        yaws = np.unwrap(heading(seen))
        rate = float(yaws[-1] - yaws[0]) * FPS / (len(yaws) - 1)
        drift = (seen[-1, 0] - seen[0, 0])[[0, 2]] * FPS / (len(seen) - 1)
        left, ahead = turn(drift[0], drift[1], -yaws[-1])
        velocity = np.array([ahead, left, rate])
        moves = bool(np.abs(velocity).max() > 0.15)
        place, yaw = seen[-1, 0, [0, 2]], float(yaws[-1])
        local = [rotate_about_y(pose - pose[0] * (1, 0, 1), -yaw) for pose in seen[-2:]]
        weights = gait_weights(velocity)
        phase = self._nearest(local, weights) if moves else 0.0
        feet = []
        for side, ball in enumerate(BALLS):
            at = seen[-1, ball, [0, 2]]
            share = self._swing(phase, side, weights) if moves else None
            feet.append(Foot(at, yaw, at, yaw, share))
        state = Walking(
            frame,
            place,
            yaw,
            velocity if moves else np.zeros(3),
            phase,
            1.0 if moves else 0.0,
            weights,
            (feet[0], feet[1]),
            rests=not moves,
        )
        own, after = self._local(state), self._local(self._later(state))
        self.came, self.came_frame = local[1] - own, frame
        self.came_rate = (local[1] - local[0] - (after - own)) * FPS * float(moves)
        return state

    def walk(self, state: Walking, course: Course, frames: int) -> list[Walking]:
        """The next states of a body that follows a course."""
        states = []
        for _ in range(frames):
            wanted, along = course(state)
            state = replace(self._step(state, wanted), along=along)
            states.append(state)
        return states

    def stop(self, state: Walking, most: int) -> list[Walking]:
        """The states in which a body comes to stand, ``most`` at most."""
        states: list[Walking] = []
        while len(states) < most and not state.still:
            state = self._step(state, np.zeros(3))
            states.append(state)
        return states

    def joints(self, states: Sequence[Walking]) -> Array:
        """The joints (T, 22, 3) [m] of successive states."""
        # What lies between poses has no bones; angles give them back.
        poses = np.asarray(angles_to_joints(joints_to_angles(self._poses(states))))
        targets = np.stack([self._foot_targets(*pair) for pair in zip(states, poses, strict=True)])
        poses[..., 1] -= lowering(poses[:, LEGS], targets[:, :, 0], FPS)[:, None]
        for side, leg in enumerate(LEGS):
            foot = targets[:, side]
            poses[:, leg[1:]] = pose_leg(poses[:, leg], foot[:, 0], foot[:, 1])
        return poses

    # ------------------------------------------------------------------ stepping

    def _step(self, state: Walking, wanted: Array) -> Walking:
        """The state one frame later."""
        velocity = state.velocity + np.clip(
            bounded(wanted) - state.velocity, -CHANGES / FPS, CHANGES / FPS
        )
        asked = bool(np.abs(wanted).max() > _STILL)
        if not asked and np.abs(velocity).max() < _STILL:
            velocity = np.zeros(3)
        goal = gait_weights(velocity if np.abs(velocity).max() > _STILL else state.weights * 0.0)
        share = 1.0 / (_WAKES_S * FPS)
        weights = state.weights + np.clip(goal - state.weights, -share, share)
        weights = weights / weights.sum() if goal.any() else state.weights
        place, yaw = moved(state.place, state.yaw, velocity, 1.0 / FPS)
        state = replace(
            state,
            frame=state.frame + 1,
            place=place,
            yaw=yaw,
            velocity=velocity,
            weights=weights,
            brakes=not asked,
        )
        if state.rests and not asked:
            return replace(state, awake=max(state.awake - share, 0.0))
        if state.rests:
            state = self._woken(state, wanted)
        phase = (state.phase + 1.0 / (FPS * self._cycle_s(state))) % 1.0
        state = replace(state, phase=phase, awake=min(state.awake + share, 1.0))
        state = replace(state, feet=(self._foot(state, 0), self._foot(state, 1)))
        beside = self._beside(state, 0) and self._beside(state, 1)
        return replace(state, rests=beside and not velocity.any())

    def _woken(self, state: Walking, wanted: Array) -> Walking:
        """A body that begins to walk: first the foot steps that is further behind its way."""
        x, z = turn(wanted[1], wanted[0], state.yaw)
        turns = 0.1 * wanted[2] * np.array([1, -1])
        behind = [float(foot.place @ (x, z)) for foot in state.feet] - turns
        side = int(np.argmin(behind))
        phase = LANDS[side] + self.gaits.duty(state.weights)
        return replace(state, phase=phase % 1.0, rests=False)

    def _cycle_s(self, state: Walking) -> float:
        """How long two steps take [s] at the body's speed."""
        speed = float(np.hypot(*state.velocity[:2])) + _TURN_LEVER * abs(state.velocity[2])
        faster = max(speed, _SLOWEST) / self.gaits.speed(state.weights)
        factor = float(np.clip(faster ** (LENGTH_SHARE - 1), *_CADENCE))
        factor = min(factor, _CADENCE_TO_REST) if state.brakes else factor
        return self.gaits.duration_s(state.weights) * factor

    def _swing(self, phase: float, side: int, weights: Array) -> float | None:
        """The share of its swing that a foot has done at a phase; None: it stands."""
        duty = self.gaits.duty(weights)
        since = (phase - LANDS[side]) % 1.0
        return None if since < duty else (since - duty) / (1.0 - duty)

    def _foot(self, state: Walking, side: int) -> Foot:
        """Where a foot is in a state, from where it was one frame before."""
        foot = state.feet[side]
        share = self._swing(state.phase, side, state.weights)
        if share is None:
            if foot.swings is None:
                return foot
            place, yaw = self._landing(state, side, 0.0)
            return Foot(place, yaw, place, yaw)
        if foot.swings is None and not state.velocity.any() and self._beside(state, side):
            return foot  # it is where it shall rest
        begun = share if foot.swings is None else foot.swings
        begun = min(begun, share)
        if foot.swings is None:
            begun, foot = 0.0, replace(foot, left_place=foot.place, left_yaw=foot.yaw)
        left_s = (1.0 - share) * (1.0 - self.gaits.duty(state.weights)) * self._cycle_s(state)
        place, yaw = self._landing(state, side, left_s)
        before = _gone(begun)
        gone = (_gone(share) - before) / max(1.0 - before, 1e-6)
        turned = foot.left_yaw + gone * _wrapped(yaw - foot.left_yaw)
        here = foot.left_place + gone * (place - foot.left_place)
        return replace(foot, place=here, yaw=turned, swings=begun)

    def _landing(self, state: Walking, side: int, left_s: float) -> tuple[Array, float]:
        """Where a foot shall land ``left_s`` [s] from now, and its yaw there.

        In the middle of its stance it is in its neutral place under the body.
        """
        half_s = 0.5 * self.gaits.duty(state.weights) * self._cycle_s(state)
        rate = state.velocity[2]
        half_s = min(half_s, _WIDEST_TURN / max(abs(rate), 1e-6))
        seconds = np.full(3, left_s + half_s)
        if state.brakes:  # v^2 / 2a is left of its way
            seconds = np.minimum(seconds, 0.5 * np.abs(state.velocity) / CHANGES)
        place, yaw = moved(state.place, state.yaw, state.velocity, seconds)
        neutral = self._neutral(state, side)
        neutral[0] += (1, -1)[side] * abs(state.velocity[1]) * half_s
        x, z = turn(neutral[0], neutral[1], yaw)
        return place + np.array([x, z]), yaw

    def _neutral(self, state: Walking, side: int) -> Array:
        """Where (2,) [m] (left, ahead) a foot is under the body: that of standing when slow."""
        stand = self.gaits.stand[BALLS[side]][[0, 2]]
        share = self._liveliness(state)
        return np.asarray((1 - share) * stand + share * self.gaits.neutral(state.weights)[side])

    def _beside(self, state: Walking, side: int) -> bool:
        """Whether a foot stands where it does when the body rests."""
        foot, stand = state.feet[side], self.gaits.stand[BALLS[side]]
        x, z = turn(stand[0], stand[2], state.yaw)
        far = np.hypot(*(foot.place - state.place - (x, z)))
        turned = abs(_wrapped(foot.yaw - state.yaw))
        return bool(foot.swings is None and far < _BESIDE and turned < _TURNED)

    # ------------------------------------------------------------------ poses

    def _liveliness(self, state: Walking) -> float:
        """How much of its walk a body shows at its speed, 0 to 1."""
        speed = float(np.hypot(*state.velocity[:2]))
        return min(speed / _LIVELY, 1.0)

    def _local(self, state: Walking) -> Array:
        """The pose (22, 3) seen from the body's place and heading."""
        if state.awake == 0.0:
            return np.asarray(self.gaits.stand.copy())
        amount = _eased(state.awake) * (0.5 + 0.5 * self._liveliness(state))
        gait = self.gaits.pose(state.phase, state.weights)
        return np.asarray(self.gaits.stand + amount * (gait - self.gaits.stand))

    def _later(self, state: Walking) -> Walking:
        """The state with its phase one frame further on."""
        return replace(state, phase=(state.phase + 1 / (FPS * self._cycle_s(state))) % 1.0)

    def _poses(self, states: Sequence[Walking]) -> Array:
        """Poses (T, 22, 3) in the world, with what is left of the one the body came in."""
        local = np.stack([self._local(state) + self._left(state.frame) for state in states])
        world = rotate_about_y(local, np.array([[state.yaw] for state in states]))
        world[..., [0, 2]] += np.stack([state.place for state in states])[:, None]
        return np.asarray(world)

    def _left(self, frame: int) -> Array:
        """What is left (22, 3) of the pose that the body came in."""
        s = (frame - self.came_frame) / (_FADE_S * FPS)
        if not 0.0 <= s < 1.0:
            return np.zeros((22, 3))
        value = 1 - s**3 * (10 - s * (15 - 6 * s))
        slope = s - s**3 * (6 - s * (8 - 3 * s))
        return self.came * value + self.came_rate * slope * _FADE_S

    def _foot_targets(self, state: Walking, pose: Array) -> Array:
        """Ankle and ball (2, 2, 3) [m] of both feet in the world; ``pose`` (22, 3) has bones."""
        targets = np.empty((2, 2, 3))
        for side, leg in enumerate(LEGS):
            foot = state.feet[side]
            ankle, ball = pose[leg[2]], pose[leg[3]]
            share = 0.0
            if foot.swings is not None:
                share = self._swing(state.phase, side, state.weights) or 0.0
            height = max(ball[1], _CLEARS * np.sin(np.pi * share) ** 0.5, 0.0)
            targets[side, 1] = foot.place[0], height, foot.place[1]
            turned = foot.yaw - state.yaw
            targets[side, 0] = targets[side, 1] + rotate_about_y(ankle - ball, turned)
        return targets

    def _nearest(self, local: Sequence[Array], weights: Array) -> float:
        """The phase whose pose and motion are nearest to the last two poses seen."""
        phases = np.arange(PHASES) / PHASES
        step = 1.0 / (FPS * self.gaits.duration_s(weights))
        costs = []
        for phase in phases:
            own = self.gaits.pose(phase, weights)
            rate = (own - self.gaits.pose(phase - step, weights)) * FPS
            gap = np.linalg.norm(local[1] - own, axis=1)
            drift = np.linalg.norm((local[1] - local[0]) * FPS - rate, axis=1)
            costs.append(float((gap + 0.1 * drift)[[*LEGS[0], *LEGS[1]]].sum()))
        return float(phases[int(np.argmin(costs))])


def gait_weights(velocity: Array) -> Array:
    """How much (4,) of each of ``GAITS`` a velocity needs; plain walking where it turns alone."""
    ahead, left = float(velocity[0]), float(velocity[1])
    parts = np.square([max(ahead, 0.0), max(-ahead, 0.0), max(left, 0.0), max(-left, 0.0)])
    parts[0] += 1e-4
    return np.asarray(parts / parts.sum())


def bounded(velocity: Array) -> Array:
    """A velocity (3,) within what a walk can be steered at."""
    lowest = -FASTEST * (FASTEST_BACK / FASTEST[0], 1, 1)
    return np.clip(velocity, lowest, FASTEST)


def moved(
    place: Array, yaw: float, velocity: Array, seconds: Array | float
) -> tuple[Array, float]:
    """Where a body is after some time, of each component, at a velocity (3,): along an arc."""
    ahead, left, turned = velocity * seconds
    x, z = turn(left, ahead, yaw + 0.5 * turned)
    return place + np.array([x, z]), yaw + float(turned)


def _gone(share: float) -> float:
    """How much of its way a swinging foot has gone: it goes once it is up, until it comes down."""
    return _eased(min(max((share - _UP) / (_DOWN - _UP), 0.0), 1.0))


def _eased(share: float) -> float:
    return share * share * (3.0 - 2.0 * share)


def _wrapped(angle: float) -> float:
    return float((angle + np.pi) % (2 * np.pi) - np.pi)
