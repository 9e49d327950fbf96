# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A motion as one file of HTML, which plays in any browser without a network."""

from __future__ import annotations

import html
from collections.abc import Sequence
from pathlib import Path

from mgpt3_ros.model.motion import Motion
from mgpt3_ros.robots import Robot
from mgpt3_ros.view.clip import Track
from mgpt3_ros.view.server import start_server, stop_server
from mgpt3_ros.view.side_by_side import ShownRobot, side_by_side
from mgpt3_ros.view.stage import Stage

FPS = 20.0  # of the recording; the page blends nothing in between


def write_page(
    path: str | Path,
    motions: Motion | Sequence[Motion],
    title: str | None = None,
    robot: Robot | None = None,
    robot_only: bool = False,
) -> None:
    """Write motions, side by side, as a page that plays them over and over.

    Args:
        path: file to write (.html); its folder must exist.
        motions: one, or several that begin together.
        title: of the page, and the caption of a motion without one; None for the first's text.
        robot: who does the same beside each of them; None for nobody.
        robot_only: whether it is shown in the human's place.

    Raises:
        MotionError, RobotError: a motion is too long to be shown.
        OSError: the file cannot be written.
    """
    motions = [motions] if isinstance(motions, Motion) else list(motions)
    if title is not None:
        motions = [Motion(m.joints, m.fps, {**m.info, 'text': title}) for m in motions]
    shown = None if robot is None else ShownRobot(robot, instead=robot_only)
    clips = [
        clip for number in range(len(motions)) for clip in side_by_side(motions, number, shown)
    ]
    server = start_server()
    try:
        content = _recorded(server, clips)
    finally:
        stop_server(server)
    said = html.escape(title or str(motions[0].info.get('text') or 'motion'))
    content = content.replace('<title>Viser</title>', f'<title>{said}</title>', 1)
    Path(path).write_text(content, encoding='utf-8')


def _recorded(server: object, clips: Sequence[Track]) -> str:
    """Play clips once on a server and return what was sent as a page."""
    stage = Stage(server)
    for number, clip in enumerate(clips):
        stage.add(str(number), clip)
    stage.step_back()
    stage.show(0.0)
    recording = stage.server.get_scene_serializer()
    for frame in range(round(stage.duration_s * FPS) + 1):
        stage.show(frame / FPS)
        recording.insert_sleep(1.0 / FPS)
    return str(recording.as_html())
