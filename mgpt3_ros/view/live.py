# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A body that is heard of, as it is now: what view_node shows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from mgpt3_ros.body.frames import quaternions_to_ros, vectors_to_ros
from mgpt3_ros.model.figure.cones import SOLE
from mgpt3_ros.model.kinematics.skeleton import REST_OFFSETS
from mgpt3_ros.model.kinematics.t_pose import to_t_pose_motion
from mgpt3_ros.model.motion import Motion
from mgpt3_ros.robots import Robot, RobotMotion
from mgpt3_ros.view.clip import Clip, Pose, Track, body_pose
from mgpt3_ros.view.mannequin import Mannequin
from mgpt3_ros.view.robot_body import RobotBody
from mgpt3_ros.view.robot_clip import RobotClip, poses_of
from mgpt3_ros.view.stage import WORLD, Stage

Array = NDArray[np.float64]

_FOLLOW_SHARE = 0.12  # of the way to the body that the camera goes with each picture
GHOST = 'ghost'


class LiveScene:
    """One server's page: a body, its words, what may follow, a text box and a stop button."""

    def __init__(
        self,
        server: Any,
        say: Callable[[str], None],
        stop: Callable[[], None],
        robot: Robot | None = None,
    ) -> None:
        """Build it.

        Args:
            server: viser's.
            say: told the text of the box; called in a thread of the server's.
            stop: called likewise when the button is clicked.
            robot: whose body it is; None for the human's.
        """
        self._stage = Stage(server)
        self._server = server
        self._robot = robot
        name = f'{WORLD}/body'
        self._body: Mannequin | RobotBody
        if robot is None:
            self._body = Mannequin(server.scene, name, np.asarray(REST_OFFSETS))
        else:
            self._body = RobotBody(server.scene, name, robot)
        self._body.set_visible(False)
        self._seen = False
        self._label = server.scene.add_label(f'{WORLD}/caption', '', anchor='bottom-center')
        self._focus = np.zeros(3)
        gui = server.gui
        with gui.add_folder('Say'):
            text = gui.add_text('Command', 'a person walks forward')
            send = gui.add_button('Send', color='blue')
            halt = gui.add_button('Stop', color='red')
        with gui.add_folder('Hears'):
            self._caption = gui.add_markdown('no body yet')
            self._status = gui.add_markdown('')
            self._follow = gui.add_checkbox('Follow', True)
            self._ghosts = gui.add_checkbox('Predictions', True)
        send.on_click(lambda _: say(text.value))
        halt.on_click(lambda _: stop())

    @property
    def is_watched(self) -> bool:
        """Whether a page is open."""
        return bool(self._server.get_clients())

    def show_body(self, positions: Array, base_pos: Array, base_rot: Array, human: Array) -> None:
        """Show a body as it is.

        Args:
            positions: (n,) [rad] of a robot's joints.
            base_pos: (3,) [m] of its base link, in the world.
            base_rot: (4,) x, y, z, w of it.
            human: (22, 3) [m], the model's joints, which are shown where there is no robot.
        """
        if self._robot is None:
            pose = pose_of(human)
        else:
            rows = poses_of(self._robot, positions[None], base_pos[None], base_rot[None])
            pose = Pose(rows.wxyz[0], rows.position[0], rows.top[0], rows.feet[0])
        with self._server.atomic():
            if not self._seen:
                self._seen = True
                self._body.set_visible(True)
            self._body.show(pose)
            self._label.position = pose.top
            if self._follow.value:
                way = pose.position[0] * [1.0, 1.0, 0.0] - self._focus
                self._focus += _FOLLOW_SHARE * way
                self._stage.world.position = -self._focus

    def show_caption(self, text: str) -> None:
        """Show what the body does, in words."""
        self._label.text = text
        self._caption.content = _plain(text)

    def show_status(self, text: str) -> None:
        """Show how a command fares."""
        self._status.content = _plain(text)

    def predict(self, positions: Array, base_pos: Array, base_rot: Array, human: Motion) -> None:
        """Show what may follow, as a ghost, in the place of the last; frames as of ``human``."""
        clip: Track = Clip(human)
        if self._robot is not None:
            rows = (positions, base_pos, base_rot)
            clip = RobotClip(self._robot, RobotMotion(self._robot.joint_names, *rows, human.fps))
        self._stage.add(GHOST, clip, ghost=True)

    def show_prediction(self, time_s: float) -> None:
        """Show the ghost at a time [s] after its beginning; take it away when it is over."""
        ghost = self._stage.actors.get(GHOST)
        if ghost is None:
            return
        if time_s > ghost.clip.duration_s or not self._ghosts.value:
            self._stage.remove(GHOST)
        else:
            ghost.show(time_s)


def pose_of(joints: np.ndarray) -> Pose:
    """The pose in the scene of joints (22, 3) [m], Y up, of the default body."""
    posed = to_t_pose_motion(joints[None])
    quaternions = quaternions_to_ros(Rotation.from_matrix(posed.world[0]).as_quat())
    places = vectors_to_ros(posed.joints()[0]) + np.array([0.0, 0.0, SOLE])
    return body_pose(quaternions[:, [3, 0, 1, 2]], places)


def _plain(text: str) -> str:
    """Text that Markdown shows as it is."""
    return ''.join(f'\\{letter}' if letter in '\\`*_{}[]<>#|!' else letter for letter in text)
