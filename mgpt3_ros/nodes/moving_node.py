# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A node that moves a body: trajectories out, where it is by them, and what became of commands."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

import numpy as np
from builtin_interfaces.msg import Time
from diagnostic_msgs.msg import DiagnosticStatus, KeyValue
from rclpy.lifecycle import LifecycleState, TransitionCallbackReturn
from trajectory_msgs.msg import JointTrajectory, MultiDOFJointTrajectory
from visualization_msgs.msg import MarkerArray

from mgpt3_ros.body.body_trajectory import BodyState, BodyTrajectory
from mgpt3_ros.body.bounds import Timing
from mgpt3_ros.body.frames import vectors_to_ros
from mgpt3_ros.body.quaternions import Array
from mgpt3_ros.body.state_ahead import now_and_then
from mgpt3_ros.body.stopping import stop
from mgpt3_ros.body.window import model_joints
from mgpt3_ros.nodes.body_node import BodyNode
from mgpt3_ros.nodes.commands import Command, Step, status_values
from mgpt3_ros.nodes.controllers import Controllers
from mgpt3_ros.nodes.emergency_stop import STOPPED, EmergencyStop
from mgpt3_ros.nodes.follow_trajectory import Outcome, Tolerances
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
    *('follow_by', 'path_tolerance', 'goal_tolerance', 'goal_time_tolerance_s'),
)

_MARKER_PERIOD_S = 0.1
_WATCH_PERIOD_S = 0.05
BLIND = 'the joint states have stopped'


class MovingNode(BodyNode):
    """A node that publishes trajectories of a body.

    Attributes:
        playing: the trajectory that was published last.
        controllers: of a robot; None for another body.
        emergency_stop: whether the body must stand still.
        watchers: told what ``tell`` says.
    """

    def __init__(
        self,
        name: str,
        parameters: Iterable[str],
        host: ModelHost | None,
        namespace: str = '',
    ) -> None:
        super().__init__(name, (*MOVING_PARAMETERS, *parameters), host, namespace)
        self.playing: Playing | None = None
        self._trajectories = self.create_lifecycle_publisher(
            JointTrajectory, 'joint_trajectory', 10
        )
        self._bases = self.create_lifecycle_publisher(
            MultiDOFJointTrajectory, 'base_trajectory', 10
        )
        self.controllers: Controllers | None = None
        if self.robot is not None:
            self.controllers = Controllers(
                self, self.robot.controllers, self.parameters['follow_by'], self._on_outcome
            )
        self._failed: set[str] = set()  # controllers whose joints hold still by themselves
        self._markers = self.create_lifecycle_publisher(MarkerArray, 'markers', 1)
        self._statuses = self.create_publisher(DiagnosticStatus, '~/status', 10)
        self.emergency_stop = EmergencyStop(self, lambda: self.stop_all('emergency stop'))
        self.watchers: list[Callable[[Command | Step, str, dict[str, str]], None]] = []
        # Both run while there is something to show or to watch: an idle node does not wake up.
        self._marker_timer = self.create_timer(
            _MARKER_PERIOD_S, self._show, clock=self.steady_clock, autostart=False
        )
        self._watch_timer = self.create_timer(
            _WATCH_PERIOD_S,
            self._watch,
            clock=self.steady_clock,
            autostart=self.controllers is not None,
        )
        self.add_post_set_parameters_callback(lambda _: self._look_again())

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Begin to take input. SUCCESS always."""
        self._look_again()
        return super().on_activate(state)

    def stop_all(self, reason: str) -> str:
        """Drop all work and bring the body to rest; return a line that says what was stopped."""
        raise NotImplementedError

    def close(self, timeout_s: float) -> bool:
        """Give up what the node holds; return whether its worker ended in time."""
        if self.controllers is not None:
            self.controllers.close()
        return super().close(timeout_s)

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
        return Timing(fps_out, lead_in_s, blend_s, self.max_velocity(), self.max_acceleration())

    def max_velocity(self) -> Array:
        """The bounds on speeds (J,) [rad/s]."""
        asked = self.parameters['max_joint_velocity'] or np.inf
        return np.minimum(self.profile.velocity_limits, asked)

    def max_acceleration(self) -> float:
        """The bound on accelerations [rad/s^2]; infinite where there is none."""
        return self.parameters['max_joint_acceleration'] or np.inf

    def body_state(
        self, ahead_s: float, now_s: float | None = None
    ) -> tuple[BodyState | None, BodyState | None]:
        """Return where the body is and where it will be ``ahead_s`` later; None if unknown.

        ``now_s``: the moment, a little ago, by the body's clock; None: now.
        """
        now_s = self.clock.motion_s() if now_s is None else now_s
        elapsed_s, trajectory, planned, seen = 0.0, None, None, None
        if self.playing is not None:
            trajectory = self.playing.trajectory
            elapsed_s = self.playing.elapsed_s(now_s)
            planned = trajectory.state_at(elapsed_s)
        if self.parameters['start_from'] == 'joint_states' or self.parameters['closed_loop']:
            seen = self.buffer.state(planned) if self.sees_body else None
            if seen is None:
                self.get_logger().warning(
                    'no current joint state: starting from the last trajectory',
                    throttle_duration_sec=WARN_EVERY_S,
                )
        return now_and_then(seen, trajectory, elapsed_s, ahead_s, self._seen_ago_s())

    def _seen_ago_s(self) -> float:
        """How old the newest joint state is [s]; 0 where its stamp is of another clock."""
        ago_s = self.clock.now_s() - 1e-9 * self.buffer.stamp_ns
        return ago_s if 0.0 < ago_s <= self.parameters['max_gap_s'] else 0.0

    def bring_to_rest(self) -> Playing | None:
        """Send a moving body a stop within its bounds, from where it is, and have it stand there.

        A joint that is seen to lag is stopped where it is: it is not driven on to its goal.
        Returns the stop; None where nothing moves, or stops already.
        """
        playing = self.playing
        if playing is None or playing.stops or not self.moving():
            return None
        now_s = self.clock.motion_s()
        elapsed_s = playing.elapsed_s(now_s)
        seen = None
        if self.starts_from_joint_states():
            seen = self.buffer.state(playing.trajectory.state_at(elapsed_s))
        halted = stop(
            playing.trajectory,
            elapsed_s,
            self.max_acceleration(),
            self.profile.position_limits,
            self.max_velocity(),
            seen,
            self._seen_ago_s(),
        )
        self.send(halted, begun_s=now_s, stops=True)
        return self.playing

    def _on_outcome(self, outcome: Outcome) -> None:
        """Take what a controller says that got a trajectory by action."""
        playing, controllers = self.playing, self.controllers
        if playing is None or controllers is None:
            return
        step = playing.step
        if not outcome.error_code:
            if not controllers.active and step is not None and step.following is None:
                self.tell(step, 'done')
            return
        self.report_error(outcome.reason)
        if step is not None:
            self.tell(
                step,
                'failed',
                DiagnosticStatus.ERROR,
                reason=outcome.reason,
                controller=outcome.controller,
                error_code=str(outcome.error_code),
            )
            self.playing = replace(playing, step=None)
        self._failed = {outcome.controller}
        self.stop_all(outcome.reason)
        self._failed = set()

    def _watch(self) -> None:
        """Bring a body to rest that is no longer seen, where it must be."""
        if self.controllers is not None:
            self.controllers.watch()
        playing = self.playing
        needed = self.active and self.parameters['require_joint_state'] and not self.sees_body
        if needed and playing is not None and not playing.stops and self.moving():
            self.stop_all(BLIND)
        watched = self.parameters['require_joint_state'] and self.moving()
        if self.controllers is None and not watched:
            self._watch_timer.cancel()

    def _look_again(self) -> None:
        """Have the timers see what there is to show and to watch."""
        self._watch_timer.reset()
        self._marker_timer.reset()

    def warning(self) -> str:
        """Return what is wrong while the node works; '' if nothing is."""
        return STOPPED if self.emergency_stop.active else super().warning()

    def send(
        self,
        trajectory: BodyTrajectory,
        step: Step | None = None,
        slower: float = 1.0,
        begun_s: float | None = None,
        stops: bool = False,
    ) -> None:
        """Publish a trajectory, joints and base; ``stops``: it is a stop on request.

        Its time 0 is ``begun_s`` by the body's clock: what has passed since then, while it was
        planned, is left out. None: the moment at which it is sent.

        Raises:
            GenerationError: a number is not finite; nothing was sent.
        """
        sent_s, stamp = self.clock.motion_s(), self.get_clock().now().to_msg()
        if begun_s is not None and sent_s > begun_s:
            trajectory = trajectory.after(sent_s - begun_s)
        # Several controllers can only begin together by a stamp.
        several = self.controllers is not None and len(self.controllers.joints) > 1
        if not several and self.parameters['stamp_mode'] != 'now':
            stamp = Time()
        frames = self.parameters['world_frame'], self.base_frame()
        joints, base = to_messages(trajectory, stamp, *frames)
        if self.parameters['publish_base']:
            self._bases.publish(base)
        self._trajectories.publish(joints)
        if self.controllers is not None:
            names = ('path_tolerance', 'goal_tolerance', 'goal_time_tolerance_s')
            tolerances = Tolerances(*(self.parameters[name] for name in names))
            self.controllers.send(joints, tolerances, but=self._failed)
        self.playing = Playing(trajectory, sent_s, step, slower, stops)
        self._look_again()

    def health_values(self) -> dict[str, str]:
        """Return also what the controllers of a robot say."""
        values = super().health_values()
        if self.controllers is not None:
            values['by_action'] = ', '.join(self.controllers.by_action)
            values['tracking_error'] = f'{self.controllers.tracking_error:.3f}'
        return values

    def _show(self) -> None:
        if not (self.parameters['publish_markers'] and self.active and self.playing is not None):
            self._marker_timer.cancel()
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
