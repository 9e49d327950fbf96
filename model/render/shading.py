# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Draws a figure: finds the nearest round cone of each pixel, and lights it.

Each round cone is drawn under its own parallel projection, scaled at both ends as perspective
asks. There the height of the swept ball over a pixel has a closed form: with the ball's centre at
c(t) and its radius r(t) = r0 + t dr, 0 <= t <= 1, the height over the pixel p is
z(t) + sqrt(R(t)), R(t) = r(t)^2 - |p - c(t)|^2 = a t^2 + 2 b t + c, and its largest value lies at
t = -b / a + dz sqrt((b^2 - a c) / -e) / |a|, with e = a - dz^2.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from mgpt3_ros.model.figure.cones import PALETTE, TRUNK, Figure, unit
from mgpt3_ros.model.render.camera import Camera

SUPERSAMPLING = 1.25  # pixels traced per pixel and direction: edges are smooth, few see more
FAR = np.float32(1e6)
# Directions to the lights in view coordinates (x right, y down, z away from the eye).
KEY_LIGHT = np.array([-0.45, -0.72, -0.53])
FILL_LIGHT = np.array([0.80, -0.10, -0.59])
KEY, FILL, SKY, GROUND = 0.74, 0.16, 0.40, 0.17  # strengths, in linear light
GLOSS, RIM = 0.22, 0.16
OCCLUSION_RADIUS = 0.03  # of the image height
OCCLUSION = 6.0  # darkening per metre behind what is near in the image
OCCLUSION_MAX = 0.45
MELT = 0.011  # of the image height: how widely the cones of the trunk melt into one another
# Light is added where brightness is the square of the screen's value: near enough to sRGB's curve,
# and a square root is cheap.
_LINEAR_PALETTE = ((PALETTE / 255.0) ** 2).astype(np.float32)


@dataclass
class _Surface:
    """What each pixel of a window sees: depth [m], normal in view coordinates, cone colour."""

    depth: np.ndarray  # (h, w), FAR where nothing is
    normal: np.ndarray  # (3, h, w)
    colour: np.ndarray  # (h, w) indices into PALETTE


def draw_figure(image: np.ndarray, figure: Figure, camera: Camera) -> None:
    """Draw ``figure`` into ``image`` (H, W, 3) uint8 RGB, smoothed at its edges."""
    cones = _project(figure, camera, SUPERSAMPLING)
    lowest, highest = cones.boxes[:, :2].min(axis=0), cones.boxes[:, 2:].max(axis=0)
    # Multiples of 4, so that the traced window has a whole number of pixels.
    limit = np.array([camera.width, camera.height]) // 4 * 4
    x0, y0 = np.clip(4 * np.floor(lowest / SUPERSAMPLING / 4).astype(int), 0, limit)
    x1, y1 = np.clip(4 * np.ceil(highest / SUPERSAMPLING / 4).astype(int), 0, limit)
    if x1 <= x0 or y1 <= y0:
        return
    traced = SUPERSAMPLING * np.array([x0, y0, x1, y1])
    surface = _trace(cones, traced[:2], (traced[2:] - traced[:2]).astype(int))
    _melt_trunk(surface, camera)
    lit = _light(surface, camera)  # (h, w, 4): colour times coverage, and coverage
    small: np.ndarray = cv2.resize(lit, (int(x1 - x0), int(y1 - y0)), interpolation=cv2.INTER_AREA)
    window = image[y0:y1, x0:x1]
    blended = window * (1.0 - small[..., 3:])
    small *= 255.0
    blended += small[..., :3]
    np.add(blended, 0.5, out=window, casting='unsafe')  # neither part nor their sum is above 255


@dataclass(frozen=True)
class _Cones:
    """Round cones on the image [px], their depths [m], bounding boxes (P, 4) and colours."""

    start: np.ndarray  # (P, 2)
    step: np.ndarray  # (P, 2): from start to end
    radius: np.ndarray  # (P, 2)
    depth: np.ndarray  # (P, 2)
    scale: np.ndarray  # (P,): px per metre
    boxes: np.ndarray
    colour: np.ndarray


def _project(figure: Figure, camera: Camera, factor: float) -> _Cones:
    ends = np.stack([figure.start, figure.end], axis=1)  # (P, 2, 3)
    depth = np.maximum(camera.view(ends)[..., 2], 0.05)
    scale = factor * camera.focal / depth
    radius = figure.radius * scale
    centre = factor * camera.project(ends)
    lowest = (centre - radius[..., None]).min(axis=1)
    highest = (centre + radius[..., None]).max(axis=1)
    boxes = np.concatenate([lowest, highest], axis=1)
    step = centre[:, 1] - centre[:, 0]
    return _Cones(centre[:, 0], step, radius, depth, scale.mean(axis=1), boxes, figure.colour)


def _trace(cones: _Cones, origin: np.ndarray, size: np.ndarray) -> _Surface:
    """Find what the pixels of the window at ``origin`` see; origin and size are (x, y) [px]."""
    w, h = (int(n) for n in size)
    surface = _Surface(
        np.full((h, w), FAR, np.float32),
        np.zeros((3, h, w), np.float32),
        np.zeros((h, w), np.uint8),
    )
    boxes = cones.boxes - np.tile(origin, 2)
    for i, (left, top, right, bottom) in enumerate(boxes):
        x0, x1 = max(int(left), 0), min(int(right) + 1, w)
        y0, y1 = max(int(top), 0), min(int(bottom) + 1, h)
        if x1 > x0 and y1 > y0:
            _trace_cone(surface, cones, i, origin, (slice(y0, y1), slice(x0, x1)))
    return surface


def _trace_cone(
    surface: _Surface,
    cones: _Cones,
    i: int,
    origin: np.ndarray,
    window: tuple[slice, slice],
) -> None:
    rows, columns = window
    dx, dy = (float(v) for v in cones.step[i])
    r0, r1 = (float(v) for v in cones.radius[i])
    z0, z1 = (float(v) for v in cones.depth[i])
    scale = float(cones.scale[i])
    dr, dz = r1 - r0, (z0 - z1) * scale  # heights rise towards the eye
    x = np.arange(columns.start, columns.stop) + 0.5 + (origin[0] - cones.start[i, 0])
    y = np.arange(rows.start, rows.stop) + 0.5 + (origin[1] - cones.start[i, 1])
    x, y = x.astype(np.float32)[None, :], y.astype(np.float32)[:, None]
    c = (r0 * r0 - x * x) - y * y
    a = dr * dr - dx * dx - dy * dy
    e = a - dz * dz
    if a > -1e-3 or e > -1e-3:  # seen along its axis: the nearer ball hides the other
        t = np.full_like(c, float(dz + dr > 0))
        b = (r0 * dr + x * dx) + y * dy
    else:
        b = (r0 * dr + x * dx) + y * dy
        lift = np.sqrt(np.maximum(b * b - a * c, 0.0))
        t = np.clip((b + (dz / np.sqrt(-e)) * lift) / -a, 0.0, 1.0)
    inside = (a * t + 2.0 * b) * t + c
    height = np.sqrt(np.maximum(inside, 0.0))
    depth = z0 + (z1 - z0) * t - height / scale
    nearer = (inside > 0.0) & (depth < surface.depth[rows, columns])
    if not nearer.any():
        return
    inverse = 1.0 / (r0 + dr * t)
    np.copyto(surface.depth[rows, columns], depth, where=nearer)
    np.copyto(surface.normal[0, rows, columns], (x - dx * t) * inverse, where=nearer)
    np.copyto(surface.normal[1, rows, columns], (y - dy * t) * inverse, where=nearer)
    np.copyto(surface.normal[2, rows, columns], -height * inverse, where=nearer)
    surface.colour[rows, columns][nearer] = cones.colour[i]


def _melt_trunk(surface: _Surface, camera: Camera) -> None:
    """Smooth the normals of the trunk, whose many cones would show as creases."""
    inside = (surface.colour == TRUNK) & (surface.depth < FAR)
    planes = cv2.merge([*(surface.normal * inside), inside.astype(np.float32)])
    smooth = _blur(planes, MELT * camera.height * SUPERSAMPLING).reshape(-1, 4)
    trunk = np.flatnonzero(inside)
    normals = smooth.take(trunk, axis=0)[:, :3]
    normals /= np.sqrt(np.einsum('nc,nc->n', normals, normals) + 1e-12)[:, None]
    surface.normal.reshape(3, -1)[:, trunk] = normals.T


def _blur(planes: np.ndarray, sigma: float) -> np.ndarray:
    """Blur (h, w, C) widely, hence on a quarter of the resolution."""
    h, w = planes.shape[:2]
    quarter = (max(w // 4, 1), max(h // 4, 1))
    small = cv2.resize(planes, quarter, interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), sigma / 4)
    return cv2.resize(small, (w, h), interpolation=cv2.INTER_LINEAR)


def _light(surface: _Surface, camera: Camera) -> np.ndarray:
    """Return sRGB and coverage, both 0 to 1 and 0 where nothing is, (h, w, 4) float32."""
    hit = np.flatnonzero(surface.depth < FAR)
    normal = surface.normal.reshape(3, -1).take(hit, axis=1)  # (3, n)
    key, fill = unit(KEY_LIGHT), unit(FILL_LIGHT)
    halfway = unit(key + np.array([0.0, 0.0, -1.0]))
    up = camera.axes[:, 1]  # the world's up in view coordinates
    lights = np.stack([key, fill, halfway, up]).astype(np.float32) @ normal  # (4, n)
    to_key, to_fill = np.maximum(lights[0], 0.0), np.maximum(lights[1], 0.0)
    ambient = GROUND + (SKY - GROUND) * (0.5 + 0.5 * lights[3])
    shade = _occlusion(surface, hit, camera)
    diffuse = (KEY * to_key + FILL * to_fill) * (0.4 + 0.6 * shade) + ambient * shade
    facing = -normal[2]
    highlight = np.maximum(lights[2], 0.0)
    for _ in range(5):  # to the power of 32
        highlight *= highlight
    edge = np.square(np.square(1.0 - facing))
    gloss = GLOSS * highlight + RIM * edge * shade
    linear = np.empty((len(gloss), 4), np.float32)
    np.multiply(
        _LINEAR_PALETTE.take(surface.colour.ravel().take(hit), axis=0),
        diffuse[:, None],
        out=linear[:, :3],
    )
    linear[:, :3] += gloss[:, None]
    linear[:, 3] = 1.0
    lit = np.zeros((surface.depth.size, 4), np.float32)
    lit[hit] = np.sqrt(np.minimum(linear, 1.0, out=linear), out=linear)
    return lit.reshape(*surface.depth.shape, 4)


def _occlusion(surface: _Surface, hit: np.ndarray, camera: Camera) -> np.ndarray:
    """Return the share of light (n,) that reaches the hit pixels past what lies before them.

    What is farther than the mean depth around it is darkened: an arm before the chest shows.
    """
    covered = surface.depth < FAR
    planes = cv2.merge([surface.depth * covered, covered.astype(np.float32)])
    blurred = _blur(planes, OCCLUSION_RADIUS * camera.height * SUPERSAMPLING / 2)
    blurred = blurred.reshape(-1, 2).take(hit, axis=0)
    around = blurred[:, 0] / np.maximum(blurred[:, 1], 1e-3)
    behind = np.maximum(surface.depth.ravel().take(hit) - around, 0.0)
    return 1.0 - np.minimum(OCCLUSION * behind, OCCLUSION_MAX)
