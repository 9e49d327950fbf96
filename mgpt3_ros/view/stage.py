# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The scene: bodies on a floor, with captions, paths and contacts, at one time."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from typing import Any

import numpy as np

from mgpt3_ros.view.clip import Clip, Track
from mgpt3_ros.view.mannequin import Mannequin
from mgpt3_ros.view.robot_body import RobotBody
from mgpt3_ros.view.robot_clip import RobotClip

CAMERA_FROM, CAMERA_TO = np.array([4.1, 2.6, 1.75]), np.array([0.0, 0.0, 0.95])  # m, of a body
_STEP_BACK = 0.3  # for each further body
CAMERA_FOV = np.radians(34.0)
WORLD = '/world'
_PATH_COLOUR, _CONTACT_COLOUR = (92, 84, 190), (30, 160, 90)


class Actor:
    """One body in the scene and what belongs to it; its motion begins at ``start_s``."""

    def __init__(
        self, scene: Any, name: str, clip: Track, ghost: bool = False, start_s: float = 0.0
    ) -> None:
        self.clip = clip
        self.start_s = start_s
        self.ghost = ghost
        self.body = body_of(scene, name, clip, ghost)
        self._label = scene.add_label(
            f'{name}/caption', '', anchor='bottom-center', font_screen_scale=1.1
        )
        line = clip.path + np.array([0.0, 0.0, 0.005])  # over the floor, lest they flicker
        points = np.stack([line[:-1], line[1:]], axis=1)
        self._path = scene.add_line_segments(
            f'{name}/path', points, _PATH_COLOUR, thickness=0.02, visible=False
        )
        self._contacts = [
            scene.add_cylinder(
                f'{name}/contact{side}',
                radius=0.09,
                height=0.006,
                color=_CONTACT_COLOUR,
                opacity=0.7,
                visible=False,
            )
            for side in range(2)
        ]
        self.show_path = self.show_contacts = False
        self.show_caption = not ghost

    def show(self, time_s: float) -> None:
        """Show the body as it is at a time [s] of the scene."""
        time_s -= self.start_s
        pose = self.clip.pose(time_s)
        self.body.show(pose)
        words = self.clip.caption(time_s) if self.show_caption else ''
        if self._label.text != words:
            self._label.text = words
        self._label.visible = bool(words)
        self._label.position = pose.top
        if self._path.visible != self.show_path:
            self._path.visible = self.show_path
        stand = self.clip.standing(time_s)
        for mark, foot, stands in zip(self._contacts, pose.feet, stand, strict=True):
            if mark.visible != (stands and self.show_contacts):
                mark.visible = stands and self.show_contacts
            if mark.visible:
                mark.position = [*foot[:2], 0.004]

    def remove(self) -> None:
        """Take it out of the scene."""
        self.body.remove()
        for item in (self._label, self._path, *self._contacts):
            item.remove()


def body_of(scene: Any, name: str, clip: Track, ghost: bool = False) -> Mannequin | RobotBody:
    """Add who does a clip to the scene."""
    if isinstance(clip, RobotClip):
        return RobotBody(scene, name, clip.robot, ghost)
    assert isinstance(clip, Clip)
    return Mannequin(scene, name, clip.offsets, ghost)


class Stage:
    """A floor, light and the bodies on it."""

    def __init__(self, server: Any) -> None:
        self.server = server
        self.actors: dict[str, Actor] = {}
        scene = server.scene
        scene.set_up_direction('+z')
        scene.set_background_image(_sky())
        # All stands in a frame that moves under the camera where that follows: so people may turn
        # it while it does, each on a page of their own.
        self.world = scene.add_frame(WORLD, show_axes=False)
        scene.add_grid(
            f'{WORLD}/floor',
            infinite_grid=True,
            cell_size=0.5,
            cell_color=(221, 226, 234),
            section_size=1.0,
            section_color=(201, 207, 218),
            section_thickness=1.4,
            fade_distance=22.0,
            fade_strength=2.0,
            shadow_opacity=0.4,
        )
        self._away = 1.0  # times as far as from one body
        self.step_back()
        server.initial_camera.look_at = tuple(CAMERA_TO)
        server.initial_camera.fov = CAMERA_FOV

    def add(self, key: str, clip: Track, ghost: bool = False, start_s: float = 0.0) -> Actor:
        """Add a body, in the place of one of the same key."""
        self.remove(key)
        actor = Actor(self.server.scene, f'{WORLD}/{key}', clip, ghost, start_s)
        self.actors[key] = actor
        return actor

    def step_back(self, pages: Iterable[Any] = ()) -> None:
        """Move the cameras so far away that all bodies are in sight; they keep their direction.

        Args:
            pages: clients of viser's whose cameras move along; new ones begin so.
        """
        count = sum(not actor.ghost for actor in self.actors.values())
        away = 1.0 + _STEP_BACK * max(count - 1, 0)
        for page in pages if away != self._away else ():
            with contextlib.suppress(AssertionError):  # viser's: it has not told its camera yet
                looks_at = np.asarray(page.camera.look_at)
                from_there = np.asarray(page.camera.position) - looks_at
                page.camera.position = looks_at + from_there * away / self._away
                page.camera.look_at = looks_at  # a new position moves it along
        self._away = away
        self.server.initial_camera.position = tuple(CAMERA_TO + away * (CAMERA_FROM - CAMERA_TO))

    def remove(self, key: str) -> None:
        """Take a body away, if it is there."""
        actor = self.actors.pop(key, None)
        if actor is not None:
            actor.remove()

    def clear(self) -> None:
        """Take all bodies away."""
        for key in list(self.actors):
            self.remove(key)

    @property
    def duration_s(self) -> float:
        """Until the last body has ended [s]; 0 without a body."""
        return max((a.start_s + a.clip.duration_s for a in self.actors.values()), default=0.0)

    @property
    def parts(self) -> list[tuple[float, str]]:
        """Start [s] and words of the parts of the first body; none without one."""
        return next((actor.clip.parts for actor in self.actors.values()), [])

    def show(self, time_s: float, follow: bool = True) -> None:
        """Show all bodies at a time [s]; ``follow`` keeps the middle of them in sight."""
        actors = list(self.actors.values())
        with self.server.atomic():
            for actor in actors:
                actor.show(time_s)
            seen = [a.clip.focus(time_s - a.start_s) for a in actors if not a.ghost]
            if follow and seen:
                self.world.position = -np.mean(seen, axis=0)


def _sky() -> np.ndarray:
    """The background, as in our videos: brightest at the horizon, (H, W, 3) uint8."""
    rows = np.interp(np.linspace(0, 1, 128), (0.0, 0.38, 1.0), (0.0, 1.0, 0.55))
    zenith, horizon = (np.array(colour) for colour in ((214, 222, 233), (243, 245, 249)))
    image = zenith + rows[:, None, None] * (horizon - zenith)
    return np.repeat(np.round(image), 2, axis=1).astype(np.uint8)
