# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Videos and strips: they decode, they move, and left is drawn in left's colour."""

from __future__ import annotations

import itertools
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from mgpt3_ros.model.errors import MotionError
from mgpt3_ros.model.figure.cones import TRUNK, Figure, build_figure
from mgpt3_ros.model.kinematics.skeleton import JOINT_NAMES
from mgpt3_ros.model.motion import Motion
from mgpt3_ros.model.render import (
    LEFT_COLOUR,
    RIGHT_COLOUR,
    draw_frames,
    render_strip,
    render_video,
)
from mgpt3_ros.model.render.camera import Camera, follow
from mgpt3_ros.model.render.labels import text_width, wrap
from mgpt3_ros.model.render.shading import FAR, _project, _trace
from mgpt3_ros.model.render.stage import Stage
from tests.support.tiny import rest_pose

SIZE = (320, 180)


def index(name: str) -> int:
    return JOINT_NAMES.index(name)


def t_pose(frames: int = 1) -> np.ndarray:
    joints = rest_pose()
    joints[:, 1] -= joints[:, 1].min()
    return np.repeat(joints[None], frames, axis=0)


def walking(frames: int = 12, metres: float = 2.0) -> Motion:
    joints = t_pose(frames)
    joints[..., 2] += np.linspace(0, metres, frames)[:, None]
    for wrist in ('left_wrist', 'right_wrist'):
        joints[:, index(wrist), 1] += 0.2 * np.sin(np.arange(frames))
    return Motion(joints, 20.0, {'text': 'a person walks forward'})


def read(path: Path) -> tuple[list[np.ndarray], av.VideoStream]:
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        return [f.to_ndarray(format='rgb24') for f in container.decode(stream)], stream


def hue_distance(pixel: np.ndarray, colour: tuple[int, int, int]) -> float:
    """How far a pixel's colour is from another one, their brightness aside."""
    a, b = (np.asarray(v, float) / np.linalg.norm(v) for v in (pixel, colour))
    return float(np.linalg.norm(a - b))


def test_video_is_what_browsers_play(tmp_path: Path) -> None:
    path = tmp_path / 'walk.mp4'
    motion = walking()
    render_video(motion, path, size=SIZE)
    images, stream = read(path)
    assert len(images) == motion.num_frames
    assert stream.codec_context.name == 'h264'
    assert stream.codec_context.pix_fmt == 'yuv420p'
    assert (stream.width, stream.height) == SIZE
    assert stream.average_rate == 20
    data = path.read_bytes()
    assert data.index(b'moov') < data.index(b'mdat')  # so that it plays while it loads
    assert all(image.std() > 5 for image in images)
    for before, after in itertools.pairwise(images):
        assert np.abs(before.astype(int) - after).max() > 40


def test_video_at_another_rate(tmp_path: Path) -> None:
    render_video(walking(12), tmp_path / 'walk.mp4', size=SIZE, fps=40)
    images, stream = read(tmp_path / 'walk.mp4')
    assert stream.average_rate == 40
    assert abs(len(images) - 24) <= 1


def test_left_is_drawn_in_lefts_colour() -> None:
    joints = t_pose(2)
    (camera, _), (image, _) = (
        follow(joints, 20, SIZE),
        draw_frames(Motion(joints, 20.0), size=SIZE),
    )
    for limb in ('elbow', 'wrist', 'knee'):
        parent = {'elbow': 'shoulder', 'wrist': 'elbow', 'knee': 'hip'}[limb]
        for side, own, other in (
            ('left', LEFT_COLOUR, RIGHT_COLOUR),
            ('right', RIGHT_COLOUR, LEFT_COLOUR),
        ):
            middle = (
                joints[0, index(f'{side}_{limb}')] + joints[0, index(f'{side}_{parent}')]
            ) / 2
            x, y = camera.project(middle).astype(int)
            assert hue_distance(image[y, x], own) < 0.35 < hue_distance(image[y, x], other)


def test_the_left_arm_of_who_faces_the_camera_is_on_the_right_of_the_picture() -> None:
    joints = t_pose(2)
    camera = Camera(*SIZE, azimuth=0.0, distance=4.0, target=np.array([0.0, 0.9, 0.0]))
    left, right = (camera.project(joints[0, index(f'{s}_wrist')]) for s in ('left', 'right'))
    head = camera.project(joints[0, index('head')])
    assert right[0] < head[0] < left[0]
    assert head[1] < camera.project(joints[0, 0])[1]


@pytest.mark.parametrize('turn', [0.0, 1.0, 2.5, -2.0])
def test_the_camera_sees_the_face_however_the_body_stands(turn: float) -> None:
    joints = Motion(t_pose(3), 20.0).transform(yaw=turn).joints
    camera = follow(joints, 20, SIZE)[0]
    left, right = (joints[0, index(f'{side}_shoulder')] for side in ('left', 'right'))
    forward = np.cross(left - right, [0.0, 1.0, 0.0])
    assert forward @ (camera.position - camera.target) > 0.5 * np.linalg.norm(forward)


def test_the_camera_keeps_all_joints_in_sight_and_moves_smoothly() -> None:
    joints = walking(60, metres=12.0).joints.astype(float)
    joints[30:, :, 0] += 1.5  # a leap aside
    cameras = follow(joints, 20, SIZE)
    assert len({(c.azimuth, c.distance, c.elevation) for c in cameras}) == 1
    for camera, frame in zip(cameras, joints, strict=True):
        pixels = camera.project(frame)
        assert (pixels > 0).all()
        assert (pixels < SIZE).all()
    steps = np.diff([c.target for c in cameras], axis=0)
    assert np.linalg.norm(steps, axis=1).max() < 0.3


def test_rays_invert_projection() -> None:
    camera = Camera(*SIZE, azimuth=0.7, distance=5.0, target=np.array([1.0, 0.9, -2.0]))
    x, y, depth = 100, 120, 4.0
    point = camera.position + depth * camera.rays()[y, x]
    np.testing.assert_allclose(camera.project(point), [x + 0.5, y + 0.5], atol=1e-6)
    np.testing.assert_allclose(camera.view(point)[2], depth)


@pytest.mark.parametrize(
    ('start', 'end', 'radii'),
    [
        ((-0.4, 1.0, 0.0), (0.5, 1.2, 0.6), (0.1, 0.2)),
        ((0.0, 0.6, -0.8), (0.1, 1.3, 0.8), (0.25, 0.05)),
        ((0.2, 1.0, 0.0), (0.2, 1.0, 0.0), (0.2, 0.2)),  # a ball
        ((0.0, 0.9, -0.5), (0.0, 0.9, 0.5), (0.1, 0.1)),  # seen along its axis
        ((0.0, 0.9, 0.0), (0.05, 0.9, 0.0), (0.3, 0.1)),  # one end inside the other
    ],
)
def test_traced_cones_are_swept_balls(start: tuple, end: tuple, radii: tuple) -> None:
    camera = Camera(160, 160, 0.0, 5.0, np.array([0.0, 0.9, 0.0]), elevation=0.0)
    figure = Figure(
        *(np.array([value]) for value in (start, end, radii, TRUNK)), bones=np.zeros((1, 2), int)
    )
    cones = _project(figure, camera, 1)
    surface = _trace(cones, np.zeros(2), np.array([160, 160]))
    # The same by brute force: the nearest of 2,000 balls over each pixel.
    x, y = np.meshgrid(np.arange(160) + 0.5, np.arange(160) + 0.5)
    best = np.full((160, 160), np.inf)
    for t in np.linspace(0, 1, 2000):
        centre = cones.start[0] + t * cones.step[0]
        radius = cones.radius[0] @ [1 - t, t]
        square = radius**2 - (x - centre[0]) ** 2 - (y - centre[1]) ** 2
        depth = cones.depth[0] @ [1 - t, t] - np.sqrt(np.maximum(square, 0)) / cones.scale[0]
        best = np.minimum(best, np.where(square > 0, depth, np.inf))
    seen, expected = surface.depth < FAR, np.isfinite(best)
    assert expected.sum() > 100
    assert (seen != expected).sum() <= 0.01 * expected.sum()
    both = seen & expected
    assert np.abs(surface.depth - best)[both].max() < 0.02
    assert np.abs(surface.depth - best)[both].mean() < 0.002
    np.testing.assert_allclose(np.linalg.norm(surface.normal, axis=0), 1, atol=1e-3)


def test_the_shadow_falls_where_the_body_is() -> None:
    joints = t_pose(2)
    away = joints + np.array([0.0, 0.0, 50.0])
    camera = follow(joints, 20, SIZE)[0]
    stage = Stage(camera)
    empty = np.empty((0, 2))
    with_shadow = stage.draw(camera, build_figure(joints[0]), empty, 0).astype(int)
    without = stage.draw(camera, build_figure(away[0]), empty, 0).astype(int)
    darker = (without - with_shadow).max(axis=-1)
    assert darker.max() > 40
    x, y = camera.project(joints[0, index('left_foot')] * [1, 0, 1]).astype(int)
    assert darker[y - 4 : y + 5, x - 4 : x + 5].max() > 20
    assert darker[: y - 60].max() <= 1


def test_caption_is_written_above_and_can_be_left_out() -> None:
    motion = walking(2)
    own, none, other = (
        next(draw_frames(motion, title=title, size=SIZE)).astype(int)
        for title in (None, '', 'something else')
    )
    assert np.abs(own - none)[: SIZE[1] // 4].max() > 100
    assert np.abs(own - none)[SIZE[1] // 2 :].max() == 0
    assert np.abs(own - other).max() > 100


def test_long_captions_are_broken_and_cut() -> None:
    lines = wrap('a person walks forward and then turns around and sits down ' * 5, 10, 250)
    assert len(lines) == 3
    assert all(text_width(line, 10) <= 250 for line in lines)
    assert lines[-1].endswith('...')
    assert wrap('abcdefgh' * 30, 10, 250)[0].endswith('...')
    assert wrap('', 10, 250) == []


@pytest.mark.parametrize('suffix', ['.png', '.jpg'])
def test_strip_shows_as_many_moments_as_asked(tmp_path: Path, suffix: str) -> None:
    sizes = {}
    for frames in (1, 3):
        path = tmp_path / f'{frames}{suffix}'
        render_strip(walking(), path, frames=frames)
        sizes[frames] = cv2.imread(str(path)).shape
    assert sizes[1][0] == sizes[3][0]
    assert sizes[3][1] > 2.9 * sizes[1][1]


def test_wrong_names_and_sizes_say_what_to_do(tmp_path: Path) -> None:
    motion = walking(2)
    with pytest.raises(MotionError, match=r'\.mp4'):
        render_video(motion, tmp_path / 'walk.avi')
    with pytest.raises(MotionError, match='even'):
        render_video(motion, tmp_path / 'walk.mp4', size=(321, 180))
    with pytest.raises(MotionError, match=r'\.png'):
        render_strip(motion, tmp_path / 'walk.gif')
    with pytest.raises(OSError, match='nowhere'):
        render_video(motion, tmp_path / 'nowhere' / 'walk.mp4', size=SIZE)
    with pytest.raises(OSError, match='nowhere'):
        render_strip(motion, tmp_path / 'nowhere' / 'walk.png', frames=1)


def test_a_video_that_fails_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError('the drawing failed')

    monkeypatch.setattr('mgpt3_ros.model.render.stage.draw_figure', fail)
    with pytest.raises(RuntimeError):
        render_video(walking(2), tmp_path / 'walk.mp4', size=SIZE)
    assert list(tmp_path.iterdir()) == []
