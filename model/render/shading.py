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
    """What the pixels of a window see; ``n`` of them see the figure."""

    depth: np.ndarray  # (h, w) [m], FAR where nothing is
    hit: np.ndarray  # (n,) indices into the flat window
    place: np.ndarray  # (2, n) column and row
    normal: np.ndarray  # (3, n) in view coordinates
    colour: np.ndarray  # (n,) indices into PALETTE


@dataclass(frozen=True)
class Layer:
    """A figure by itself, to be laid over an image: colour times coverage, and coverage."""

    corner: tuple[int, int]  # x and y [px] in the image
    rgba: np.ndarray  # (h, w, 4) uint8

    def put_on(self, image: np.ndarray) -> None:
        """Lay it over ``image`` (H, W, 3) uint8 RGB."""
        (x, y), (h, w) = self.corner, self.rgba.shape[:2]
        if not self.rgba.size:
            return
        window = image[y : y + h, x : x + w]
        behind = cv2.bitwise_not(cv2.extractChannel(self.rgba, 3))
        cv2.multiply(window, cv2.merge([behind, behind, behind]), dst=window, scale=1 / 255)
        cv2.add(window, cv2.cvtColor(self.rgba, cv2.COLOR_RGBA2RGB), dst=window)


def draw_figure(figure: Figure, camera: Camera) -> Layer:
    """Draw ``figure`` as ``camera`` sees it, smoothed at its edges."""
    cones = _project(figure, camera, SUPERSAMPLING)
    lowest, highest = cones.boxes[:, :2].min(axis=0), cones.boxes[:, 2:].max(axis=0)
    # Multiples of 16, so that a quarter of the traced window has a whole number of pixels.
    limit = np.array([camera.width, camera.height]) // 16 * 16
    corner = np.clip(16 * np.floor(lowest / SUPERSAMPLING / 16).astype(int), 0, limit)
    size = np.clip(16 * np.ceil(highest / SUPERSAMPLING / 16).astype(int), 0, limit) - corner
    x, y, w, h = (int(n) for n in (*corner, *size))
    if min(w, h) <= 0:
        return Layer((x, y), np.empty((0, 0, 4), np.uint8))
    surface = _trace(cones, SUPERSAMPLING * corner, (SUPERSAMPLING * size).astype(int))
    _melt_trunk(surface, camera)
    return Layer((x, y), cv2.resize(_light(surface, camera), (w, h)))


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
    depth = np.full((h, w), FAR, np.float32)
    along = np.zeros((h, w), np.float32)  # how far from the cone's start to its end, 0 to 1
    nearest = np.zeros((h, w), np.uint8)  # the cone
    boxes = (cones.boxes - np.tile(origin, 2)).astype(int)
    boxes[:, 2:] += 1
    boxes = np.clip(boxes, 0, [w, h, w, h])
    drawn = np.flatnonzero((boxes[:, 2:] > boxes[:, :2]).all(axis=1))
    every_t, every_depth = _trace_boxes(cones, drawn, boxes[drawn], origin)
    begin = 0
    for i in drawn:
        x0, y0, x1, y1 = (int(n) for n in boxes[i])
        window, shape = (slice(y0, y1), slice(x0, x1)), (y1 - y0, x1 - x0)
        end = begin + shape[0] * shape[1]
        its_depth = every_depth[begin:end].reshape(shape)
        nearer = its_depth < depth[window]
        np.copyto(depth[window], its_depth, where=nearer)
        np.copyto(along[window], every_t[begin:end].reshape(shape), where=nearer)
        np.copyto(nearest[window], np.uint8(i), where=nearer)
        begin = end
    hit = np.flatnonzero(depth < FAR)
    cone = nearest.ravel().take(hit)
    row, column = np.divmod(hit.astype(np.int32), np.int32(w))
    place = np.stack([column, row]).astype(np.float32)
    normal = _normals(cones, cone, along.ravel().take(hit), origin, place)
    return _Surface(depth, hit, place, normal, cones.colour.take(cone))


def _trace_boxes(
    cones: _Cones, drawn: np.ndarray, boxes: np.ndarray, origin: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return t and depth [m] of the cones ``drawn`` over their boxes, one after the other, flat.

    Of all of them at once, as NumPy's calls take longer than what they compute of one. With
    b and c divided by -a, t = b + k sqrt(b^2 + c) and R = (2 b - t) t + c; b and c are sums of
    a column and a row. Depths beyond a cone are FAR or more.
    """
    step, radius, scale = cones.step[drawn], cones.radius[drawn, 0], cones.scale[drawn]
    change = cones.radius[drawn, 1] - radius
    rise = (cones.depth[drawn, 0] - cones.depth[drawn, 1]) * scale  # heights rise towards the eye
    a = change**2 - np.square(step).sum(axis=1)
    e = a - rise**2
    # Seen along its axis: the nearer ball hides the other.
    ball = (a > -1e-3) | (e > -1e-3)
    end = (rise + change > 0).astype(float)
    part = np.where(ball, 1.0, -a)
    k = np.where(ball, 0.0, rise / np.sqrt(np.maximum(-e, 1e-3)))
    start = cones.start[drawn] - origin - 0.5
    axis = np.where(ball[:, None], 0.0, step)
    known = np.where(ball, end, radius * change)
    added = np.where(ball, end * (a - 1 + 2 * radius * change), 0.0)
    slant = np.where(ball[:, None], 2 * end[:, None] * step, 0.0)
    widths, heights = (boxes[:, 2:] - boxes[:, :2]).T
    counts = widths * heights
    x = _ranges(boxes[:, 0] - start[:, 0], widths)
    y = _ranges(boxes[:, 1] - start[:, 1], heights)

    def along_x(values: np.ndarray) -> np.ndarray:
        return np.repeat(values / part, widths)

    def along_y(values: np.ndarray) -> np.ndarray:
        return np.repeat(values / part, heights)

    b_x = along_x(known) + x * along_x(axis[:, 0])
    b_y = y * along_y(axis[:, 1])
    c_x = along_x(radius**2 + added) + x * (along_x(slant[:, 0]) - x * along_x(np.ones_like(a)))
    c_y = y * (along_y(slant[:, 1]) - y * along_y(np.ones_like(a)))
    b = _outer_sums(b_x, b_y, widths, heights)
    c = _outer_sums(c_x, c_y, widths, heights)

    def each(values: np.ndarray) -> np.ndarray:
        return np.repeat(values.astype(np.float32), counts)

    t = b * b
    t += c
    np.maximum(t, 0.0, out=t)
    np.sqrt(t, out=t)
    t *= each(k)
    t += b
    np.maximum(t, 0.0, out=t)
    np.minimum(t, 1.0, out=t)
    b *= 2.0
    b -= t
    b *= t
    b += c
    outside = b <= 0.0
    np.maximum(b, 0.0, out=b)
    np.sqrt(b, out=b)
    b *= each(-np.sqrt(part) / scale)
    b += each(cones.depth[drawn, 0])
    b += t * each(cones.depth[drawn, 1] - cones.depth[drawn, 0])
    np.copyto(b, FAR, where=outside)
    return t, b


def _ranges(begins: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """``lengths[i]`` numbers from ``begins[i]`` on, for each i, flat."""
    shift = begins - (np.cumsum(lengths) - lengths)
    return np.arange(lengths.sum()) + np.repeat(shift, lengths)


def _outer_sums(
    x: np.ndarray, y: np.ndarray, widths: np.ndarray, heights: np.ndarray
) -> np.ndarray:
    """Every x plus every y of each box, row by row, box by box, flat float32."""
    x, y = x.astype(np.float32), y.astype(np.float32)[:, None]
    sums = np.empty(int((widths * heights).sum()), np.float32)
    right = below = stop = 0
    for w, h in zip(widths.tolist(), heights.tolist(), strict=True):
        right, below, begin, stop = right + w, below + h, stop, stop + w * h
        np.add(x[right - w : right], y[below - h : below], out=sums[begin:stop].reshape(h, w))
    return sums


def _normals(
    cones: _Cones, cone: np.ndarray, t: np.ndarray, origin: np.ndarray, place: np.ndarray
) -> np.ndarray:
    """Return the normals (3, n) at ``place`` of the balls of ``cone`` (n,) at ``t`` (n,)."""
    start = (cones.start - origin - 0.5).astype(np.float32)
    step, radius = cones.step.astype(np.float32), cones.radius.astype(np.float32)
    inverse = (radius[:, 1] - radius[:, 0]).take(cone)
    inverse *= t
    inverse += radius[:, 0].take(cone)
    np.divide(1.0, inverse, out=inverse)
    normal = np.empty((3, len(cone)), np.float32)
    for axis in range(2):
        centre = step[:, axis].take(cone)
        centre *= t
        centre += start[:, axis].take(cone)
        np.subtract(place[axis], centre, out=normal[axis])
        normal[axis] *= inverse
    flat = normal[0] * normal[0]
    flat += normal[1] * normal[1]
    np.sqrt(np.maximum(1.0 - flat, 0.0), out=normal[2])
    np.negative(normal[2], out=normal[2])
    return normal


def _melt_trunk(surface: _Surface, camera: Camera) -> None:
    """Smooth the normals of the trunk, whose many cones would show as creases."""
    trunk = np.flatnonzero(surface.colour == TRUNK)
    if not len(trunk):
        return
    w = surface.depth.shape[1]
    normal = surface.normal.take(trunk, axis=1)
    column, row = surface.place.take(trunk, axis=1).astype(np.int32)
    top, rows = int(row[0]) // 4, int(row[-1]) // 4 + 1
    seen = np.flatnonzero((column & 3 == 2) & (row & 3 == 2))
    planes = np.zeros((rows - top, w // 4, 4), np.float32)
    at = (row.take(seen) // 4 - top, column.take(seen) // 4)
    for axis in range(3):
        planes[(*at, axis)] = normal[axis].take(seen)
    smooth = cv2.GaussianBlur(planes[..., :3], (0, 0), MELT * camera.height * SUPERSAMPLING / 4)
    smooth = cv2.resize(smooth, (w, 4 * (rows - top)), interpolation=cv2.INTER_LINEAR)
    pixels = surface.hit.take(trunk) - 4 * top * w
    for axis, plane in enumerate(cv2.split(smooth)):
        normal[axis] = plane.ravel().take(pixels)
    length = normal[0] * normal[0]
    length += normal[1] * normal[1]
    length += normal[2] * normal[2]
    length += 1e-12
    np.sqrt(length, out=length)
    for axis in range(3):
        surface.normal[axis, trunk] = normal[axis] / length


def _light(surface: _Surface, camera: Camera) -> np.ndarray:
    """Return sRGB and coverage, 0 where nothing is, (h, w, 4) uint8."""
    normal = surface.normal
    key, fill = unit(KEY_LIGHT), unit(FILL_LIGHT)
    halfway = unit(key + np.array([0.0, 0.0, -1.0]))
    up = camera.axes[:, 1]  # the world's up in view coordinates
    lights = np.stack([key, fill, halfway, up]).astype(np.float32) @ normal  # (4, n)
    to_key, to_fill = np.maximum(lights[0], 0.0), np.maximum(lights[1], 0.0)
    ambient = GROUND + (SKY - GROUND) * (0.5 + 0.5 * lights[3])
    shade = _occlusion(surface, camera)
    diffuse = (KEY * to_key + FILL * to_fill) * (0.4 + 0.6 * shade) + ambient * shade
    facing = -normal[2]
    highlight = np.maximum(lights[2], 0.0)
    for _ in range(5):  # to the power of 32
        highlight *= highlight
    edge = np.square(np.square(1.0 - facing))
    gloss = GLOSS * highlight + RIM * edge * shade
    rgba = np.full((len(gloss), 4), 255, np.uint8)
    for channel in range(3):
        linear = _LINEAR_PALETTE[:, channel].take(surface.colour)
        linear *= diffuse
        linear += gloss
        np.minimum(linear, 1.0, out=linear)
        np.sqrt(linear, out=linear)
        linear *= 255.0
        rgba[:, channel] = linear
    lit = np.zeros(surface.depth.size, np.uint32)
    lit[surface.hit] = rgba.view(np.uint32).ravel()
    return lit.view(np.uint8).reshape(*surface.depth.shape, 4)


def _occlusion(surface: _Surface, camera: Camera) -> np.ndarray:
    """Return the share of light (n,) that reaches the hit pixels past what lies before them.

    What is farther than the mean depth around it is darkened: an arm before the chest shows. The
    mean is wide, so every fourth pixel of every fourth row will do.
    """
    h, w = surface.depth.shape
    depth = surface.depth[2::4, 2::4]
    covered = (depth < FAR).astype(np.float32)
    sigma = OCCLUSION_RADIUS * camera.height * SUPERSAMPLING / 8
    share = cv2.GaussianBlur(covered, (0, 0), sigma)
    mean = cv2.GaussianBlur(depth * covered, (0, 0), sigma)
    whole = cv2.resize(mean / np.maximum(share, 1e-3), (w, h), interpolation=cv2.INTER_LINEAR)
    around = whole.ravel().take(surface.hit)
    behind = surface.depth.ravel().take(surface.hit)
    behind -= around
    behind *= OCCLUSION
    np.clip(behind, 0.0, OCCLUSION_MAX, out=behind)
    return 1.0 - behind
