# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The stage that the figure stands on: background, floor grid, path and shadow."""

from __future__ import annotations

import itertools
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
from mgpt3_ros.model.render.shading import Layer, draw_figure

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
CAST_BLUR, CONTACT_BLUR = 0.035, 0.05  # m: standard deviations of the two shadows
MOST_THREADS = 4  # that draw; with more of them the encoder waits for none


def pictures(
    motion: Motion, size: tuple[int, int], frames: Sequence[int], path: np.ndarray
) -> Iterator[np.ndarray]:
    """Yield a motion's body on its stage at each of ``frames``: (H, W, 3) uint8 RGB.

    ``size`` is (width, height) [px]; ``path`` (T, 2) is what :meth:`Stage.draw` takes.
    """
    joints = np.asarray(motion.joints, dtype=np.float64)
    cameras = follow(joints, motion.fps, size)
    figures = build_figure(joints)
    if len(path) and np.ptp(path, axis=0).max() <= SHORTEST_PATH:
        path = path[:0]
    stage = Stage(cameras[0])

    def floor(frame: int) -> np.ndarray:
        return stage.draw(cameras[frame], figures.at(frame), path, frame)

    def body(frame: int) -> Layer:
        return draw_figure(figures.at(frame), cameras[frame])

    # NumPy and OpenCV let go of the interpreter while they work, so threads draw side by side. A
    # body is many small steps, and two threads at such wait for each other: hence two tasks.
    threads = min(os.cpu_count() or 1, MOST_THREADS)
    left = iter(frames)
    ahead: deque[tuple[Future[np.ndarray], Future[Layer]]] = deque()
    pool = ThreadPoolExecutor(threads, thread_name_prefix='mgpt3_draw')

    def draw_next(count: int) -> None:
        for frame in itertools.islice(left, count):
            ahead.append((pool.submit(floor, frame), pool.submit(body, frame)))

    try:
        draw_next(2 * threads)
        while ahead:
            drawn, layer = ahead.popleft()
            image = drawn.result()
            draw_next(1)
            layer.result().put_on(image)
            yield image
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

    axis: int  # 0 across x, 1 across z
    spacing: float  # m
    rows: slice
    place: np.ndarray  # uint16, of a pixel between two lines
    reach: np.ndarray  # uint16, how far from a line a pixel still shows it
    slope: np.ndarray  # darkness per length of what is left of the reach
    darkness: np.ndarray  # uint8, at most


class Stage:
    """Draws the surroundings for one camera direction; what does not change is kept."""

    def __init__(self, camera: Camera) -> None:
        self.camera = camera
        rays = camera.rays()
        down = rays[..., 1] < -1e-3
        self.first_row = int(np.argmax(down.any(axis=1)))  # of those that see the floor
        rays = rays[self.first_row :]
        reach = np.float32(FLOOR - camera.position[1]) / np.minimum(
            rays[..., 1], np.float32(-1e-3)
        )
        start = (camera.position - camera.target).astype(np.float32)
        offset = np.stack([start[axis] + reach * rays[..., axis] for axis in (0, 2)])
        away = cv2.magnitude(offset[0], offset[1])
        fade = np.clip((FADE_END - away) / (FADE_END - FADE_START), 0.0, 1.0) ** 2
        self.background = self._paint_background(fade)
        self._floor_shape = fade.shape
        wide = [cv2.magnitude(*np.gradient(each)) + np.float32(1e-9) for each in offset]
        self.grids = [
            line for grid in GRID for line in self._prepare_grid(offset, wide, fade, *grid)
        ]
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
        x = np.linspace(-1, 1, width, dtype=np.float32)[None, :]
        y = np.linspace(-1, 1, height, dtype=np.float32)[:, None]
        image *= (1.0 - 0.05 * (x * x + y * y) / 2)[..., None]  # a little darker at the corners
        # Fine noise, lest the slow gradients show as bands.
        image += np.random.RandomState(0).random_sample((height, width, 1)).astype(np.float32)
        return np.clip(image, 0, 255, out=image).astype(np.uint8)

    def _prepare_grid(
        self,
        offset: np.ndarray,
        wide: list[np.ndarray],
        fade: np.ndarray,
        spacing: float,
        half_width: float,
        dark: float,
    ) -> list[_Lines]:
        """Return the lines of one spacing, in both directions.

        Args:
            offset: (2, h, w) x and z [m] of what the pixels see, from the camera's target.
            wide: two of (h, w), how much of x and of z [m] a pixel sees.
            fade: (h, w), 1 near and 0 far away.
            spacing: [m].
            half_width: of a line [m].
            dark: how much it darkens.
        """
        lines = []
        for axis in range(2):
            place = offset[axis] / spacing
            pixel = wide[axis] / spacing
            half = half_width / spacing
            # A line thinner than a pixel is drawn a pixel wide and fainter.
            drawn = np.maximum(half, pixel / 2)
            darkness = dark * fade * np.minimum(1.0, half / (pixel / 2))
            reach = np.minimum((drawn + pixel / 2) * _TURN, _TURN / 2 - 1)
            seen = np.flatnonzero((darkness >= 1.0).any(axis=1))  # rows that show any of them
            if not len(seen):
                continue
            rows = slice(int(seen[0]), int(seen[-1]) + 1)
            lines.append(
                _Lines(
                    axis,
                    spacing,
                    rows,
                    np.rint(place[rows] * _TURN).astype(np.int64).astype(np.uint16),
                    reach[rows].astype(np.uint16),
                    (darkness / pixel / _TURN)[rows],
                    np.rint(darkness[rows]).astype(np.uint8),
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
        if len(path) > 1:
            self._draw_path(image, camera, path, frame)
        self._draw_shadow(image, camera, figure)
        return image

    def _grid_lines(self, camera: Camera) -> np.ndarray:
        """Return how much the grid darkens the rows that see the floor, (h, W) uint8."""
        total = np.zeros(self._floor_shape, np.uint8)
        for line in self.grids:
            shift = round(float(camera.target[2 * line.axis]) / line.spacing * _TURN) % _TURN
            # From the nearest line: 16 bits turn over at half of a spacing by themselves.
            away = line.place + np.uint16(shift)
            np.abs(away.view(np.int16), out=away.view(np.int16))
            inside = cv2.subtract(line.reach, away, dst=away)  # 0 beyond its reach
            darkness = cv2.multiply(inside, line.slope, dtype=cv2.CV_8U)
            cv2.min(darkness, line.darkness, dst=darkness)
            rows = total[line.rows]
            cv2.max(rows, darkness, dst=rows)
        return total

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
        for thick in np.unique(width):
            _thick_lines(cast, slanted[width == thick], int(thick), 255)
        for i in np.argsort(strength)[np.sum(strength <= 0) :]:  # the strongest last, over others
            _thick_lines(near, straight[i : i + 1], int(width[i]), int(strength[i]))
        # From here on only what is dark, and as far as its blur reaches.
        reach = width.max() + 3 * CONTACT_BLUR * per_metre
        drawn = np.concatenate([straight, slanted]).reshape(-1, 2)
        x0, y0 = np.clip(np.floor(drawn.min(axis=0) - reach), 0, SHADOW_PIXELS).astype(int)
        x1, y1 = np.clip(np.ceil(drawn.max(axis=0) + reach), 0, SHADOW_PIXELS).astype(int)
        if x1 <= x0 or y1 <= y0:
            return
        soft_cast = cv2.GaussianBlur(cast[y0:y1, x0:x1], (0, 0), CAST_BLUR * per_metre) / 255.0
        soft_near = cv2.GaussianBlur(near[y0:y1, x0:x1], (0, 0), CONTACT_BLUR * per_metre) / 255.0
        light = 255.0 * (1 - SHADOW * soft_cast) * (1 - CONTACT * soft_near)
        self._darken(image, camera, light.astype(np.uint8), np.array([x0, y0]))

    def _darken(
        self, image: np.ndarray, camera: Camera, light: np.ndarray, at: np.ndarray
    ) -> None:
        """Lay light (h, w) uint8 on the floor: the part ``at`` of the square of shadows."""
        corners = np.array([[0, 0], [1, 0], [1, 1], [0, 1]]) * light.shape[::-1]
        floor = (corners + at) * SHADOW_SPAN / SHADOW_PIXELS - SHADOW_SPAN / 2
        floor += camera.target[[0, 2]]
        world = np.column_stack([floor[:, 0], np.full(4, FLOOR), floor[:, 1]])
        on_image = camera.project(world)
        limit = (self.camera.width, self.camera.height)
        first = (0, self.first_row)
        left, top = np.clip(np.floor(on_image.min(axis=0)), first, limit).astype(int)
        right, bottom = np.clip(np.ceil(on_image.max(axis=0)), first, limit).astype(int)
        if right <= left or bottom <= top:
            return
        matrix = cv2.getPerspectiveTransform(
            corners.astype(np.float32), (on_image - [left, top]).astype(np.float32)
        )
        size = (int(right - left), int(bottom - top))
        warped = cv2.warpPerspective(light, matrix, size, borderValue=255)
        window = image[top:bottom, left:right]
        cv2.multiply(window, cv2.merge([warped, warped, warped]), dst=window, scale=1 / 255)


def _thick_lines(mask: np.ndarray, ends: np.ndarray, width: int, value: int) -> None:
    """Draw lines with ends (n, 2, 2) [px]."""
    points = np.round(ends * 16).astype(np.int32)
    cv2.polylines(mask, list(points), False, value, width, cv2.LINE_AA, shift=4)
