# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The stage that the figure stands on: background, floor grid, path and shadow."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import cv2
import numpy as np

from mgpt3_ros.model.figure.cones import SOLE, Figure, build_figure
from mgpt3_ros.model.motion import Motion
from mgpt3_ros.model.render.camera import Camera, follow
from mgpt3_ros.model.render.shading import draw_figure

# sRGB
HORIZON_COLOUR = np.array([238, 241, 245])
ZENITH_COLOUR = np.array([222, 228, 236])
FLOOR_COLOUR = np.array([228, 232, 238])
PATH_COLOUR = (92, 84, 190)
PATH_AHEAD_COLOUR = (188, 188, 220)
SHORTEST_PATH = 0.4  # m: the sway of who stands is no path
GRID = ((0.5, 0.006, 12.0), (1.0, 0.010, 18.0))  # spacing [m], half width [m], darkening of 255
FADE_START, FADE_END = 2.5, 11.0  # m from the target, over which the grid fades away
FLOOR = -SOLE  # m: height of the drawn floor
SHADOW = 0.42  # darkness of the shadow of the key light
CONTACT = 0.30  # darkness under what is near the floor
CONTACT_HEIGHT = 0.35  # m: what is higher darkens the floor no more
SUN = np.array([-0.35, 0.86, 0.30])  # direction to the light, camera-right, up, towards the eye
SHADOW_SPAN = 5.0  # m: side of the square of floor that shadows are drawn on
SHADOW_PIXELS = 320
MOST_THREADS = 4  # that draw; with more of them the encoder waits for none


def pictures(
    motion: Motion, size: tuple[int, int], frames: Sequence[int], path: np.ndarray
) -> Iterator[np.ndarray]:
    """Yield a motion's body on its stage at each of ``frames``: (H, W, 3) uint8 RGB.

    ``size`` is (width, height) [px]; ``path`` (T, 2) is what :meth:`Stage.draw` takes.
    """
    joints = np.asarray(motion.joints, dtype=np.float64)
    cameras = follow(joints, motion.fps, size)
    stage = Stage(cameras[0])
    figures = build_figure(joints)

    def picture(frame: int) -> np.ndarray:
        figure = figures.at(frame)
        image = stage.draw(cameras[frame], figure, path, frame)
        draw_figure(image, figure, cameras[frame])
        return image

    # NumPy and OpenCV let go of the interpreter while they work, so threads draw side by side.
    threads = min(os.cpu_count() or 1, MOST_THREADS)
    ahead: deque[Future[np.ndarray]] = deque()
    pool = ThreadPoolExecutor(threads, thread_name_prefix='mgpt3_draw')
    try:
        for frame in frames:
            ahead.append(pool.submit(picture, frame))
            if len(ahead) > 2 * threads:
                yield ahead.popleft().result()
        while ahead:
            yield ahead.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


def title_of(motion: Motion, title: str | None) -> str:
    """Return the caption of a picture: ``title``, or the motion's own text where it is None."""
    return str(motion.info.get('text', '')) if title is None else title


_TURN = 2**16  # of a spacing, in the whole numbers that places of lines are kept in


@dataclass(frozen=True)
class _Lines:
    """Lines of one spacing in one direction, for the rows of pixels that show them.

    Lengths are in 2^-16 spacings.
    """

    rows: slice
    spacing: float  # m
    place: np.ndarray  # uint16, of a pixel between two lines
    reach: np.ndarray  # uint16, how far from a line a pixel still shows it
    slope: np.ndarray  # darkness per length of what is left of the reach
    darkness: np.ndarray  # at most


class Stage:
    """Draws the surroundings for one camera direction; what does not change is kept."""

    def __init__(self, camera: Camera) -> None:
        self.camera = camera
        rays = camera.rays()
        down = rays[..., 1] < -1e-3
        self.first_row = int(np.argmax(down.any(axis=1)))  # of those that see the floor
        rays = rays[self.first_row :]
        reach = (FLOOR - camera.position[1]) / np.minimum(rays[..., 1], -1e-3)
        floor = camera.position + reach[..., None] * rays
        offset = (floor - camera.target)[..., [0, 2]]
        away = np.linalg.norm(offset, axis=-1)
        fade = np.clip((FADE_END - away) / (FADE_END - FADE_START), 0.0, 1.0) ** 2
        self.background = self._paint_background(fade)
        self._floor_shape = fade.shape
        self.grids = [line for grid in GRID for line in self._prepare_grid(offset, fade, *grid)]
        # The camera keeps its direction, so that its light keeps it too.
        ground = camera.axes[2][[0, 2]] / np.linalg.norm(camera.axes[2][[0, 2]])
        right = camera.axes[0][[0, 2]]
        side = SUN[0] * right - SUN[2] * ground
        self.slope = side / SUN[1]  # floor metres towards the light per metre of height

    def _paint_background(self, fade: np.ndarray) -> np.ndarray:
        height, width = self.camera.height, self.camera.width
        image = np.empty((height, width, 3), np.float32)
        rise = np.linspace(1.0, 0.0, max(self.first_row, 1))[:, None, None]
        image[: self.first_row] = (HORIZON_COLOUR + rise * (ZENITH_COLOUR - HORIZON_COLOUR))[
            : self.first_row
        ]
        image[self.first_row :] = HORIZON_COLOUR + fade[..., None] * (
            FLOOR_COLOUR - HORIZON_COLOUR
        )
        x = np.linspace(-1, 1, width)[None, :]
        y = np.linspace(-1, 1, height)[:, None]
        image *= (1.0 - 0.05 * (x * x + y * y) / 2)[..., None]  # a little darker at the corners
        # Fine noise, lest the slow gradients show as bands.
        dither = np.random.RandomState(0).uniform(-0.5, 0.5, (height, width, 1))
        return np.clip(image + dither + 0.5, 0, 255).astype(np.uint8)

    def _prepare_grid(
        self, offset: np.ndarray, fade: np.ndarray, spacing: float, half_width: float, dark: float
    ) -> list[_Lines]:
        """Return the lines of one spacing, in both directions.

        Args:
            offset: (h, w, 2) x and z [m] of what the pixels see, from the camera's target.
            fade: (h, w), 1 near and 0 far away.
            spacing: [m].
            half_width: of a line [m].
            dark: how much it darkens.
        """
        lines = []
        for axis in range(2):
            place = offset[..., axis] / spacing
            pixel = np.abs(np.hypot(*np.gradient(place))) + 1e-9
            half = half_width / spacing
            # A line thinner than a pixel is drawn a pixel wide and fainter.
            drawn = np.maximum(half, pixel / 2)
            darkness = dark * fade * np.minimum(1.0, half / (pixel / 2))
            reach = np.minimum((drawn + pixel / 2) * _TURN, _TURN / 2 - 1)
            seen = np.flatnonzero((darkness >= 1.0).any(axis=1))  # rows that show any of them
            rows = slice(int(seen[0]), int(seen[-1]) + 1) if len(seen) else slice(0, 0)
            lines.append(
                _Lines(
                    rows,
                    spacing,
                    np.rint(place[rows] * _TURN).astype(np.int64).astype(np.uint16),
                    reach[rows].astype(np.uint16),
                    (darkness / pixel / _TURN)[rows].astype(np.float32),
                    darkness[rows].astype(np.float32),
                )
            )
        return lines

    def draw(self, camera: Camera, figure: Figure, path: np.ndarray, frame: int) -> np.ndarray:
        """Return the image (H, W, 3) uint8 RGB without the figure itself.

        Args:
            camera: of this frame; its direction is that of the stage.
            figure: casts the shadow.
            path: (T, 2) x and z [m] of the pelvis over the whole motion; may be empty.
            frame: index of the present into ``path``.
        """
        image = self.background.copy()
        floor = image[self.first_row :]
        lines = self._grid_lines(camera)
        cv2.subtract(floor, cv2.merge([lines, lines, lines]), dst=floor)
        if len(path) > 1 and np.ptp(path, axis=0).max() > SHORTEST_PATH:
            self._draw_path(image, camera, path, frame)
        self._draw_shadow(image, camera, figure)
        return image

    def _grid_lines(self, camera: Camera) -> np.ndarray:
        """Return how much the grid darkens the rows that see the floor, (h, W) uint8."""
        total = np.zeros(self._floor_shape, np.float32)
        for number, line in enumerate(self.grids):
            shift = round(float(camera.target[2 * (number % 2)]) / line.spacing * _TURN) % _TURN
            # From the nearest line: 16 bits turn over at half of a spacing by themselves.
            away = np.abs((line.place + np.uint16(shift)).view(np.int16)).view(np.uint16)
            inside = cv2.subtract(line.reach, away)  # 0 beyond its reach
            darkness = inside * line.slope
            np.minimum(darkness, line.darkness, out=darkness)
            np.maximum(total[line.rows], darkness, out=total[line.rows])
        return total.astype(np.uint8)

    def _draw_path(self, image: np.ndarray, camera: Camera, path: np.ndarray, frame: int) -> None:
        points = np.column_stack([path[:, 0], np.full(len(path), FLOOR), path[:, 1]])
        in_front = camera.view(points)[:, 2] > 0.5
        pixels = np.round(camera.project(points) * 16).astype(np.int32)
        thick = max(2, round(camera.height / 200))
        parts = (
            (pixels[frame:][in_front[frame:]], PATH_AHEAD_COLOUR),
            (pixels[: frame + 1][in_front[: frame + 1]], PATH_COLOUR),
        )
        for part, colour in parts:
            if len(part) > 1:
                cv2.polylines(image, [part], False, colour, thick, cv2.LINE_AA, shift=4)

    def _draw_shadow(self, image: np.ndarray, camera: Camera, figure: Figure) -> None:
        per_metre = SHADOW_PIXELS / SHADOW_SPAN
        centre = camera.target[[0, 2]]
        cast = np.zeros((SHADOW_PIXELS, SHADOW_PIXELS), np.uint8)
        near = np.zeros_like(cast)
        ends = np.stack([figure.start, figure.end], axis=1)
        height = np.maximum(ends[..., 1] - FLOOR, 0.0)
        straight = (ends[..., [0, 2]] - centre + SHADOW_SPAN / 2) * per_metre
        slanted = straight - height[..., None] * self.slope * per_metre
        width = np.maximum(np.round(2 * figure.radius.mean(axis=1) * per_metre), 1).astype(int)
        lowest = np.maximum((height - figure.radius).min(axis=1), 0.0)
        strength = 255 * np.clip(1.0 - lowest / CONTACT_HEIGHT, 0.0, 1.0) ** 2
        for i in np.argsort(strength):  # the strongest last, over the others
            _thick_line(cast, slanted[i], width[i], 255)
            if strength[i] > 0:
                _thick_line(near, straight[i], width[i], int(strength[i]))
        soft_cast = cv2.GaussianBlur(cast, (0, 0), 0.035 * per_metre) / 255.0
        soft_near = cv2.GaussianBlur(near, (0, 0), 0.05 * per_metre) / 255.0
        light = 255.0 * (1 - SHADOW * soft_cast) * (1 - CONTACT * soft_near)
        square = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float32)
        corners = (square - 0.5) * SHADOW_SPAN + centre
        world = np.column_stack([corners[:, 0], np.full(4, FLOOR), corners[:, 1]])
        on_image = camera.project(world).astype(np.float32) - [0, self.first_row]
        matrix = cv2.getPerspectiveTransform(square * SHADOW_PIXELS, on_image.astype(np.float32))
        floor = image[self.first_row :]
        warped = cv2.warpPerspective(
            light.astype(np.uint8), matrix, floor.shape[1::-1], borderValue=255
        )
        cv2.multiply(floor, cv2.merge([warped, warped, warped]), dst=floor, scale=1 / 255)


def _thick_line(mask: np.ndarray, ends: np.ndarray, width: int, value: int) -> None:
    (x0, y0), (x1, y1) = np.round(ends * 16).astype(int).tolist()
    cv2.line(mask, (x0, y0), (x1, y1), value, int(width), cv2.LINE_AA, shift=4)
