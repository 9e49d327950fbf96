# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A node that moves a body: trajectories out, where it is by them, and what became of commands."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
from builtin_interfaces.msg import Time
from diagnostic_msgs.msg import DiagnosticStatus, KeyValue
from rclpy.duration import Duration
from trajectory_msgs.msg import JointTrajectory, MultiDOFJointTrajectory
from visualization_msgs.msg import MarkerArray

from mgpt3_ros.body.body_trajectory import BodyState, BodyTrajectory
from mgpt3_ros.body.frames import vectors_to_ros
from mgpt3_ros.body.planning import Timing, now_and_then
from mgpt3_ros.body.window import model_joints
from mgpt3_ros.nodes.body_node import BodyNode
from mgpt3_ros.nodes.commands import Command, Step, status_values
from mgpt3_ros.nodes.lifecycle import WARN_EVERY_S
from mgpt3_ros.nodes.markers import body_markers
from mgpt3_ros.nodes.messages import to_messages
from mgpt3_ros.nodes.model_host import ModelHost
from mgpt3_ros.nodes.playing import Playing

MOVING_PARAMETERS = (
    *('fps_out', 'lead_in_s', 'stamp_mode', 'start_from', 'blend_s'),
    *('require_joint_state', 'max_gap_s', 'min_joint_coverage', 'closed_loop'),
    *('joint_profile', 'body_id', 'world_frame', 'base_frame'),
    *('publish_base', 'publish_markers', 'max_text_length'),
    *('max_joint_velocity', 'max_joint_acceleration'),
)

_MARKER_PERIOD_S = 0.1


class MovingNode(BodyNode):
    """A node that publishes trajectories of a body.

    Attributes:
        playing: the trajectory that was published last.
        watchers: told what ``tell`` says.
    """

    def __init__(self, name: str, parameters: Iterable[str], host: ModelHost | None) -> None:
        super().__init__(name, (*MOVING_PARAMETERS, *parameters), host)
        self.playing: Playing | None = None
        self._trajectories = self.create_lifecycle_publisher(
            JointTrajectory, 'joint_trajectory', 10
        )
        self._bases = self.create_lifecycle_publisher(
            MultiDOFJointTrajectory, 'base_trajectory', 10
        )
        self._markers = self.create_lifecycle_publisher(MarkerArray, 'markers', 1)
        self._statuses = self.create_publisher(DiagnosticStatus, '~/status', 10)
        self.watchers: list[Callable[[Command | Step, str, dict[str, str]], None]] = []
        self.create_timer(_MARKER_PERIOD_S, self._show, clock=self.steady_clock)

    @property
    def needs_body(self) -> bool:
        """Whether the node waits for joint states: where they tell from where a motion starts."""
        asked = ('require_joint_state', 'closed_loop')
        started = self.parameters['start_from'] == 'joint_states'
        return started or any(self.parameters[name] for name in asked)

    def moving(self) -> bool:
        """Whether what was published last still moves the body."""
        return self.playing is not None and not self.playing.ended(self.clock.motion_s())

    def starts_from_joint_states(self) -> bool:
        """Whether joint states tell where the body is, and are heard."""
        asked = self.parameters['start_from'] == 'joint_states' or self.parameters['closed_loop']
        return asked and self.sees_body

    def timing(self, lead_in_s: float) -> Timing:
        """The rates and bounds of trajectories."""
        fps_out, blend_s = (self.parameters[name] for name in ('fps_out', 'blend_s'))
        max_velocity = self.parameters['max_joint_velocity'] or np.inf
        return Timing(
            fps_out,
            lead_in_s,
            blend_s,
            np.minimum(self.profile.velocity_limits, max_velocity),
            self.max_acceleration(),
        )

    def max_acceleration(self) -> float:
        """The bound on accelerations [rad/s^2]; infinite where there is none."""
        return self.parameters['max_joint_acceleration'] or np.inf

    def body_state(self, ahead_s: float) -> tuple[BodyState | None, BodyState | None]:
        """Return where the body is now and where it will be ``ahead_s`` later; None if unknown."""
        elapsed_s, trajectory, planned, seen = 0.0, None, None, None
        if self.playing is not None:
            trajectory = self.playing.trajectory
            elapsed_s = self.playing.elapsed_s(self.clock.motion_s())
            planned = trajectory.state_at(elapsed_s)
        if self.parameters['start_from'] == 'joint_states' or self.parameters['closed_loop']:
            seen = self.buffer.state(planned) if self.sees_body else None
            if seen is None:
                self.get_logger().warning(
                    'no current joint state: starting from the last trajectory',
                    throttle_duration_sec=WARN_EVERY_S,
                )
        return now_and_then(seen, trajectory, elapsed_s, ahead_s)

    def send(
        self,
        trajectory: BodyTrajectory,
        step: Step | None = None,
        slower: float = 1.0,
        begun_s: float | None = None,
    ) -> None:
        """Publish a trajectory, joints and base.

        Its time 0 is ``begun_s`` by the body's clock; None: the moment at which it is sent.

        Raises:
            GenerationError: a number is not finite; nothing was sent.
        """
        stamp = Time()
        sent_s = self.clock.motion_s()
        begun_s = sent_s if begun_s is None else begun_s
        if self.parameters['stamp_mode'] == 'now':
            ago = Duration(nanoseconds=round(1e9 * (sent_s - begun_s)))
            stamp = (self.get_clock().now() - ago).to_msg()
        frames = self.parameters['world_frame'], self.base_frame()
        joints, base = to_messages(trajectory, stamp, *frames)
        if self.parameters['publish_base']:
            self._bases.publish(base)
        self._trajectories.publish(joints)
        self.playing = Playing(trajectory, begun_s, step, slower)

    def _show(self) -> None:
        if not (self.parameters['publish_markers'] and self.active and self.playing is not None):
            return
        playing = self.playing
        state = playing.trajectory.state_at(playing.elapsed_s(self.clock.motion_s()))
        pose = (values[None] for values in (state.positions, state.base_pos, state.base_rot))
        joints = vectors_to_ros(model_joints(self.profile, *pose)[0])
        stamp = self.get_clock().now().to_msg()
        world, body = self.parameters['world_frame'], self.parameters['body_id']
        text = playing.step.text if playing.step is not None else ''
        self._markers.publish(body_markers(joints, text, body, stamp, world))

    def tell(
        self, what: Command | Step, message: str, level: bytes = DiagnosticStatus.OK, **values: str
    ) -> None:
        """Publish a change of a command, or of one of its actions, on ~/status."""
        pairs = status_values(what, self.parameters['max_text_length']) | values
        self._log(what, message, pairs)
        for watch in self.watchers:
            watch(what, message, pairs)
        self._statuses.publish(
            DiagnosticStatus(
                level=level,
                name=self.get_fully_qualified_name(),
                message=message,
                values=[KeyValue(key=key, value=value) for key, value in pairs.items()],
            )
        )

    def _log(self, what: Command | Step, message: str, pairs: dict[str, str]) -> None:
        """Log what became of a command: one line each for what an operator asks about."""
        step = str(what) if isinstance(what, Step) else ''
        said = f'command {pairs["id"]}{step} {message}: {pairs["action_text"] or pairs["text"]!r}'
        length = f', {pairs["duration_s"]} s' if pairs['duration_s'] else ''
        why = f' ({pairs["reason"]})' if pairs['reason'] else ''
        if message == 'generating':
            self.get_logger().debug(said)
        elif message != 'failed':  # report_failure says that
            self.get_logger().info(f'{said}{length}{why}')
