# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A human and a robot side by side in one picture, at moments of a motion (extra ``view``)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from mgpt3_ros.model.extras import extra
from mgpt3_ros.model.kinematics.human import BODY_TO_MODEL, JOINT_INDEX, ZERO_OFFSETS
from mgpt3_ros.model.kinematics.joint_angles import positions as joints_of
from mgpt3_ros.model.motion import Motion
from mgpt3_ros.robots.human import stand_place, stand_rotation
from mgpt3_ros.robots.kinematics import Poses
from mgpt3_ros.robots.retargeting import retarget
from mgpt3_ros.robots.robot import Robot
from mgpt3_ros.robots.shapes import shapes_of, side_of

with extra('view'):
    import cv2

    from mgpt3_ros.model.render.camera import Camera, follow
    from mgpt3_ros.model.render.labels import BOLD, INK, write
    from mgpt3_ros.model.render.stage import Stage, pictures

Array = NDArray[np.float64]

PANEL = (300, 480)  # px
MOMENTS = 3
_COLOURS = {'left': (38, 118, 214), 'right': (240, 112, 44), '': (200, 205, 214)}  # the human's
_LIGHT = np.array([0.35, 0.80, 0.49])  # to the light, in the model's frame
_DARKEST = 0.35
_SOLE = 0.035  # [m]: so far the human's feet reach below its joints
_NOWHERE = np.empty((0, 2))


def arm_raised() -> Motion:
    """Return two seconds in which a person who stands raises the left arm to the side and up."""
    frames = 41
    share = 0.5 - 0.5 * np.cos(np.pi * np.minimum(np.arange(frames) / 30, 1.0))
    world = np.tile(np.eye(3), (frames, len(JOINT_INDEX), 1, 1))
    raised = Rotation.from_euler('x', 2.4 * share[:, None]).as_matrix()
    for name, joint in JOINT_INDEX.items():
        world[:, joint] = stand_rotation(name)
    for name in ('left_shoulder', 'left_elbow', 'left_wrist'):
        world[:, JOINT_INDEX[name]] = raised
    root = np.tile([0.0, 0.0, -stand_place('left_foot')[2]], (frames, 1))
    joints = joints_of(world, root, ZERO_OFFSETS)[..., BODY_TO_MODEL]
    return Motion(joints.astype(np.float32))


def draw_side_by_side(robot: Robot, motion: Motion, path: Path) -> list[str]:
    """Draw moments of a motion, the human above and the robot below, at the human's size.

    Returns:
        Remarks on what could not be drawn.

    Raises:
        OSError: the picture cannot be written.
    """
    joints = np.asarray(motion.joints, dtype=np.float64)
    moments = np.round(np.linspace(0, len(joints) - 1, MOMENTS)).astype(int).tolist()
    moved = retarget(robot, joints, motion.fps)
    base = np.asarray(Rotation.from_quat(moved.base_rot).as_matrix())
    poses = robot.kinematics.forward(moved.positions, base, moved.base_pos)
    shapes = shapes_of(robot)
    cameras = follow(joints, motion.fps, PANEL)
    stage = Stage(cameras[0])
    lower: list[NDArray[np.uint8]] = []
    for frame in moments:
        image = stage.background.copy()
        faces, colours = _faces(robot, shapes.triangles, poses, frame)
        if not lower:
            scale = np.ptp(joints[frame][:, 1]) / np.ptp(faces[..., 2])
        _paint(image, cameras[frame], _beside(faces, scale, joints[frame]), colours)
        lower.append(image)
    upper = list(pictures(motion, PANEL, moments, _NOWHERE))
    for image, text in ((upper[0], 'human'), (lower[0], robot.name)):
        write(image, text, (14, 28), 17, INK, BOLD)
    _save(path, np.vstack([np.hstack(upper), np.hstack(lower)]))
    left_out = len(shapes.missing)
    return [f'{left_out} shapes could not be read and are left out'] if left_out else []


def _faces(
    robot: Robot, triangles: dict[str, Array], poses: Poses, frame: int
) -> tuple[Array, Array]:
    """Return a robot's triangles (F, 3, 3) [m] in the world and their colours (F, 3)."""
    faces, colours = [], []
    for link, own in triangles.items():
        world = own @ poses.rotations[link][frame].T + poses.places[link][frame]
        faces.append(world)
        colours.append(np.tile(_COLOURS[side_of(robot, link)], (len(own), 1)))
    return np.concatenate(faces), np.concatenate(colours).astype(np.float64)


def _beside(faces: Array, scale: float, human: Array) -> Array:
    """Turn triangles into the model's frame, at the human's size, where the human stands."""
    model = scale * faces[..., BODY_TO_MODEL]
    shift = 0.5 * (human.max(axis=0) + human.min(axis=0))
    shift -= 0.5 * (model.reshape(-1, 3).max(axis=0) + model.reshape(-1, 3).min(axis=0))
    shift[1] = human[:, 1].min() - model[..., 1].min() - _SOLE
    return model + shift


def _paint(image: NDArray[np.uint8], camera: Camera, faces: Array, colours: Array) -> None:
    """Draw triangles (F, 3, 3), the farthest first, lit from one side."""
    normals = np.cross(faces[:, 1] - faces[:, 0], faces[:, 2] - faces[:, 0])
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)
    towards = np.sum(normals * (camera.position - faces.mean(axis=1)), axis=1)
    normals *= np.where(towards < 0, -1.0, 1.0)[:, None]  # seen from behind, as from before
    depth = camera.view(faces)[..., 2].mean(axis=1)
    pixels = np.round(camera.project(faces) * 8).astype(np.int32)  # eighths of a pixel
    light = _DARKEST + (1 - _DARKEST) * (0.5 + 0.5 * normals @ _LIGHT)
    shades = np.clip(colours * light[:, None], 0, 255)
    for index in np.argsort(-depth):
        colour = tuple(float(value) for value in shades[index])
        cv2.fillConvexPoly(image, pixels[index], colour, cv2.LINE_AA, 3)


def _save(path: Path, image: NDArray[np.uint8]) -> None:
    options = [] if path.suffix.lower() == '.png' else [cv2.IMWRITE_JPEG_QUALITY, 80]
    good, data = cv2.imencode(path.suffix.lower(), image[..., ::-1], options)
    if not good:
        raise OSError(f'OpenCV could not encode {path}')
    path.write_bytes(data.tobytes())
