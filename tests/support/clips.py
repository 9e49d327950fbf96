# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Made-up clips and body states, for tests that need no model."""

from __future__ import annotations

import numpy as np

from mgpt3_ros.body import quaternions as quat
from mgpt3_ros.body.body_trajectory import BodyState, JointPath
from mgpt3_ros.body.from_motion import BodyClip
from mgpt3_ros.body.profiles.base import beyond

LIMITS = np.array([[-0.4, 0.6]] * 5)  # [rad]


def random_clip(seed: int, frames: int = 60, joints: int = 5, far: float = 1.0) -> BodyClip:
    """A smooth clip: joints swing at up to 1.5 Hz, the base walks, turns and bobs."""
    rng = np.random.default_rng(seed)
    time = np.arange(frames)[:, None] / 20
    positions = rng.uniform(-far, far, joints) + sum(
        rng.uniform(-0.5, 0.5, joints)
        * np.sin(2 * np.pi * rng.uniform(0.1, 1.5, joints) * time + rng.uniform(0, 6.3, joints))
        for _ in range(3)
    )
    heading = rng.uniform(-3, 3) + rng.uniform(-0.5, 0.5) * time[:, 0]
    lean = 0.1 * np.sin(3 * time + rng.uniform(0, 6.3, 3)) * [1, 1, 0]
    speed = rng.uniform(0, 1.5)
    way = np.cumsum(np.stack([np.cos(heading), np.sin(heading)], 1) * speed / 20, axis=0)
    height = 0.9 + 0.05 * np.sin(5 * time)
    return BodyClip(
        names=tuple(f'joint_{index}' for index in range(joints)),
        positions=positions,
        base_pos=np.concatenate([way + rng.uniform(-3, 3, 2), height], axis=1),
        base_rot=quat.multiply(quat.about_z(heading), quat.exp(lean)),
        fps=20.0,
    )


def random_state(seed: int, joints: int = 5) -> BodyState:
    """A body somewhere, in some pose, moving."""
    rng = np.random.default_rng(seed)
    return BodyState(
        rng.uniform(-1, 1, joints),
        rng.uniform(-2, 2, joints),
        np.append(rng.uniform(-3, 3, 2), 0.9),
        quat.multiply(quat.about_z(rng.uniform(-3, 3)), quat.exp(rng.uniform(-0.1, 0.1, 3))),
        rng.uniform(-1, 1, 3) * [1, 1, 0.1],
        rng.uniform(-0.5, 0.5, 3),
    )


def states_match(one: BodyState, other: BodyState, tolerance: float = 1e-6) -> None:
    """Check that two states are the same within a tolerance."""
    for name in ('positions', 'velocities', 'base_pos', 'base_lin'):
        np.testing.assert_allclose(getattr(one, name), getattr(other, name), atol=tolerance)
    turn = quat.log(quat.multiply(one.base_rot, quat.inverse(other.base_rot)))
    assert np.linalg.norm(turn) < tolerance
    np.testing.assert_allclose(one.base_ang, other.base_ang, atol=tolerance)


def beyond_limits(path: JointPath) -> float:
    """How far [rad] a path goes beyond LIMITS anywhere on the way, not at its knots alone."""
    positions, _ = path.sample(np.linspace(path.times[0], path.times[-1], 5000))
    return float(beyond(positions, LIMITS).max())
