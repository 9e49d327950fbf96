# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The camera: a pinhole that keeps its direction and follows the body smoothly.

View coordinates: x right, y down, z depth [m]. World: Y up. Pixels: x right, y down.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy.ndimage import gaussian_filter1d

from mgpt3_ros.model.kinematics.heading import across_body, heading_across

FOCAL = 2.2  # in image heights: a short telephoto, so that near limbs do not swell
ELEVATION = np.radians(13.0)
FRONT_ANGLE = np.radians(32.0)  # off the body's mean heading, so that steps and arms both show
FOLLOW_S = 0.6  # standard deviation of the smoothing of the path that the camera follows
FIGURE_SHARE = 0.66  # of the image height, that a standing figure may fill
BORDER = (0.44, 0.36)  # joints stay within these shares of the width and height of the centre
STANDING_HEIGHT = 1.75  # m


@dataclass(frozen=True)
class Camera:
    """Looks at ``target`` from ``distance``, raised by ``elevation``, around by ``azimuth``.

    Azimuth 0 stands on +Z and sees the front of a body that faces +Z. Angles are in radians.
    """

    width: int
    height: int
    azimuth: float
    distance: float
    target: np.ndarray  # (3,) [m]
    elevation: float = float(ELEVATION)

    @property
    def focal(self) -> float:
        """Focal length [px]."""
        return FOCAL * self.height

    @cached_property
    def axes(self) -> np.ndarray:
        """(3, 3): right, down and depth axis, one a row, in world coordinates."""
        sin_a, cos_a = np.sin(self.azimuth), np.cos(self.azimuth)
        sin_e, cos_e = np.sin(self.elevation), np.cos(self.elevation)
        right = [cos_a, 0.0, -sin_a]
        depth = [-sin_a * cos_e, -sin_e, -cos_a * cos_e]
        return np.array([right, np.cross(depth, right), depth])

    @cached_property
    def position(self) -> np.ndarray:
        """(3,) [m] in the world."""
        return self.target - self.distance * self.axes[2]

    def at(self, target: np.ndarray) -> Camera:
        """Return this camera, moved to look at another ``target``."""
        return replace(self, target=target)

    def view(self, points: np.ndarray) -> np.ndarray:
        """Map world points (..., 3) to view coordinates (..., 3)."""
        return (points - self.position) @ self.axes.T

    def project(self, points: np.ndarray) -> np.ndarray:
        """Map world points (..., 3) to pixels (..., 2)."""
        view = self.view(points)
        centre = np.array([self.width / 2, self.height / 2])
        return self.focal * view[..., :2] / np.maximum(view[..., 2:], 0.05) + centre

    def rays(self) -> np.ndarray:
        """Return the directions (H, W, 3) float32 in the world of the pixels' rays, at depth 1."""
        x = (np.arange(self.width) + 0.5 - self.width / 2) / self.focal
        y = (np.arange(self.height) + 0.5 - self.height / 2) / self.focal
        across = x[None, :, None] * self.axes[0]
        down = y[:, None, None] * self.axes[1] + self.axes[2]
        return across.astype(np.float32) + down.astype(np.float32)


def follow(joints: np.ndarray, fps: float, size: tuple[int, int]) -> list[Camera]:
    """Return one camera a frame, that all of the motion ``joints`` (T, 22, 3) stays in sight of.

    Direction and distance are the same in all frames; only the place moves, along the smoothed
    path of the pelvis.
    """
    width, height = size
    path = gaussian_filter1d(joints[:, 0], FOLLOW_S * fps, axis=0, mode='nearest')
    path[:, 1] = 0.5 * max(STANDING_HEIGHT, float(joints[..., 1].max()))
    camera = Camera(width, height, _heading(joints) + FRONT_ANGLE, 1.0, np.zeros(3))
    relative = (joints - path[:, None]) @ camera.axes.T  # view coordinates, but for the distance
    needed = [
        FOCAL * STANDING_HEIGHT / FIGURE_SHARE,
        (np.abs(relative[..., 0]) * FOCAL * height / (BORDER[0] * width) - relative[..., 2]).max(),
        (np.abs(relative[..., 1]) * FOCAL / BORDER[1] - relative[..., 2]).max(),
    ]
    camera = replace(camera, distance=float(max(needed)))
    return [camera.at(target) for target in path]


def _heading(joints: np.ndarray) -> float:
    """Mean heading of the body about Y [rad]; 0 faces +Z."""
    across = across_body(joints)
    level = np.linalg.norm(across[:, [0, 2]], axis=-1, keepdims=True)
    return float(heading_across((across / np.maximum(level, 1e-6)).mean(axis=0)))
