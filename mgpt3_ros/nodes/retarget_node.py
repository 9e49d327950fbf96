# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A human's joint states in, a robot's trajectories out: the robot does what the human does.

For those who have another source of human motion than words: a motion capture, a camera, a bag.
The robot follows about half a second later, at rest on each trajectory's end should nothing come.
No model is needed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from nav_msgs.msg import Odometry
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import JointState
from std_srvs.srv import Trigger

from mgpt3_ros.body import quaternions as quat
from mgpt3_ros.body.body_trajectory import BodyState, BodyTrajectory
from mgpt3_ros.body.from_motion import BodyClip, clip_of
from mgpt3_ros.body.observation import Limits, MotionBuffer, UnusableError
from mgpt3_ros.body.profiles import make_profile
from mgpt3_ros.body.profiles.base import beyond
from mgpt3_ros.body.quaternions import Array
from mgpt3_ros.body.stream_plan import StreamPlan
from mgpt3_ros.body.window import Window
from mgpt3_ros.model.errors import RobotError
from mgpt3_ros.model.kinematics.skeleton import FPS
from mgpt3_ros.model.worker import Job
from mgpt3_ros.nodes.commands import Command, Step
from mgpt3_ros.nodes.lifecycle import WARN_EVERY_S
from mgpt3_ros.nodes.moving_node import MovingNode
from mgpt3_ros.nodes.process import run

PARAMETER_NAMES = ('human_profile', 'human_id')

_PERIOD_S = 0.2  # of motion that is added at once
_WINDOW_S = 1.5  # that is retargeted at once: feet and twists need what was before
_LEAD_S = 0.1  # from publishing to the first point, of a robot on its way
_FALLEN_BEHIND_S = 1.0  # of motion that waits: a slow robot leaves out what it has not done yet
_DEPTH = 50
_CHECK_S = 0.002


@dataclass(frozen=True)
class _Seen:
    """The human's last frames in the robot's joints: stamp of the last, and how many are new."""

    stop_ns: int
    new: int
    clip: BodyClip
    joints: Array


class RetargetNode(MovingNode):
    """The node; topics, services and parameters stand in docs/interface.md."""

    uses_model = False

    def __init__(self) -> None:
        """Make the node.

        Raises:
            RobotError: ``joint_profile`` names no robot.
        """
        super().__init__('retarget_node', PARAMETER_NAMES, None)
        if self.robot is None:
            raise RobotError(
                'retarget_node moves a robot: give joint_profile:=ROBOT, one of `mgpt3 robot '
                "list` or the path of a robot's YAML"
            )
        names = self.parameters['human_profile'], self.parameters['human_id']
        self._margin = self.robot.config.limits.margin
        self._human_profile = make_profile(*names)
        limits = Limits(
            _WINDOW_S, *(self.parameters[n] for n in ('max_gap_s', 'min_joint_coverage'))
        )
        self._human = MotionBuffer(self._human_profile, limits)
        self._human_s = -1e9  # when it was heard last
        self._told_ns = 0  # stamp of its last frame that the robot knows of
        self._running: Job[_Seen] | None = None
        self._plan: StreamPlan | None = None
        self._step: Step | None = None
        self._aligned: tuple[float, Array] = (0.0, np.zeros(3))  # turn and shift to the robot
        self._numbers = self._left_out = 0
        qos = QoSProfile(depth=_DEPTH, reliability=ReliabilityPolicy.BEST_EFFORT)
        self.create_subscription(JointState, 'human/joint_states', self._on_human, qos)
        self.create_subscription(Odometry, 'human/odom', self._on_human_odometry, qos)
        self.create_service(Trigger, '~/cancel', self._on_cancel)
        self.create_timer(_PERIOD_S, self._advance, clock=self.steady_clock)

    # ------------------------------------------------------------------ input

    def _on_human(self, message: JointState) -> None:
        stamp_ns = self._stamp_ns(message.header.stamp)
        arguments = message.name, message.position, stamp_ns, message.velocity
        if self._heard(lambda: self._human.hear_joints(*arguments)):
            self._human_s = self.steady_now_s()

    def _on_human_odometry(self, message: Odometry) -> None:
        place, turn = message.pose.pose.position, message.pose.pose.orientation
        pos, rot = (place.x, place.y, place.z), (turn.x, turn.y, turn.z, turn.w)
        stamp_ns = self._stamp_ns(message.header.stamp)
        self._heard(lambda: self._human.hear_base(pos, rot, stamp_ns))

    def _heard(self, hear: Callable[[], None]) -> bool:
        try:
            hear()
        except UnusableError as error:
            self.get_logger().warning(
                f'what is heard of the human is dropped: {error}',
                throttle_duration_sec=WARN_EVERY_S,
            )
            return False
        return True

    # ------------------------------------------------------------------ following

    def _ready(self) -> bool:
        """Whether the robot may follow now."""
        human = self.steady_now_s() - self._human_s <= self.parameters['max_gap_s']
        robot = self.sees_body or not self.parameters['require_joint_state']
        allowed = self.active and self.enabled and not self.emergency_stop.active
        return allowed and human and robot and self._running is None

    def _advance(self) -> None:
        """Have the worker look at what the human did since the last time."""
        if self._plan is not None and not self.moving():
            self._plan = None  # it has come to rest
        if not self._ready() or (self._plan is None and self.moving()):
            return
        window = self._human.window()
        if window is None or window.duration_s < 0.5 * _WINDOW_S:
            return
        new = round(_PERIOD_S * FPS)
        if self._plan is not None:
            new = int((window.stop_ns - self._told_ns) * 1e-9 * FPS + 1e-6)
            if new < 1:
                return
            # Frames at even steps after those that are known, however the joint states come.
            window = replace(window, stop_ns=self._told_ns + round(new * 1e9 / FPS))
        self._running = self.host.worker.submit(self._seeing(window, new), self.wake)

    def _seeing(self, window: Window, new: int) -> Callable[[Job[_Seen]], _Seen]:
        """Return the call that turns what was observed into the robot's joints."""

        def call(job: Job[_Seen]) -> _Seen:
            motion = window.resampled().motion(self._human_profile)
            count = min(new, len(motion.joints) - 2)
            return _Seen(window.stop_ns, count, clip_of(motion, self.profile), motion.joints)

        return call

    def on_worker(self) -> None:
        """Publish what follows from it."""
        if self._running is None or not self._running.done():
            return
        job, self._running = self._running, None
        try:
            seen = job.result()
            if self.active and self.enabled and not self.emergency_stop.active:
                self._publish(seen)
        except Exception as error:
            self._plan = None  # what was published ends at rest
            self.report_failure(f'the human is not followed: {error}', error, job.trace)

    def _publish(self, seen: _Seen) -> None:
        now_s = self.clock.motion_s()
        lead_s = _LEAD_S
        plan, joints = self._plan, seen.joints[-seen.new :]
        if plan is None:
            lead_s = float(self.parameters['lead_in_s'])
            _, state = self.body_state(lead_s)
            if state is None:
                state = self._standing()
            self._align(seen.clip, state)
            plan, frame = StreamPlan(state.at_rest(), seen.clip, seen.joints[-1]), 0
        else:
            frame = plan.last_frame
            if plan.ahead_s(now_s) > _FALLEN_BEHIND_S:
                soonest = int(np.ceil(plan.phase_at(now_s + 2 * _LEAD_S) * FPS)) + 1
                self._left_out += max(frame - soonest, 0)
                frame = min(frame, soonest)
        timing = self.timing(lead_s)
        clip = self._placed(seen.clip)
        longer = plan.longer(frame, clip, joints, timing, self.clock.motion_s)
        if longer is None:
            return
        self._told_ns = seen.stop_ns
        begins, self._plan = self._plan is None, longer
        if begins:
            self._numbers += 1
            text = 'follow the human'
            self._step = Step(Command(self._numbers, text, self.steady_now_s(), actions=(text,)))
        now_s = self.clock.motion_s()
        trajectory = longer.message(now_s)
        if not self._keeps_bounds(trajectory):
            # Too sudden a turn at the robot's speed: it comes to rest, and begins anew from there.
            self._plan = None
            self._left_out += seen.new
            self.bring_to_rest()
            return
        self.send(trajectory, self._step, begun_s=now_s)
        self.report_success()
        if begins and self._step is not None:
            self.tell(self._step, 'published')

    def _keeps_bounds(self, trajectory: BodyTrajectory) -> bool:
        """Whether no joint is too fast, or leaves its limits by more than a cubic adds."""
        times = np.arange(trajectory.times[0], trajectory.end_s, _CHECK_S)
        positions, velocities = trajectory.joints.sample(times)
        far = beyond(positions, self.profile.position_limits).max(initial=0.0)
        fast = (np.abs(velocities) / self.max_velocity()).max(initial=0.0)
        return bool(far < 0.5 * self._margin and fast <= 1.0)

    def _standing(self) -> BodyState:
        """Return where a robot stands that was never seen."""
        still, base = np.zeros(3), self.profile.standing_base
        pose = self.profile.standing
        return BodyState(pose, np.zeros_like(pose), base[:3], base[3:], still, still)

    def _align(self, clip: BodyClip, state: BodyState) -> None:
        """Choose the turn and shift that take the human's place to the robot's."""
        turn = float(quat.yaw(state.base_rot) - quat.yaw(clip.base_rot[-1]))
        there = quat.rotate(quat.about_z(turn), clip.base_pos[-1])
        self._aligned = turn, (state.base_pos - there) * [1.0, 1.0, 0.0]

    def _placed(self, clip: BodyClip) -> BodyClip:
        turn, shift = self._aligned
        about = quat.about_z(turn)
        return replace(
            clip,
            base_pos=quat.rotate(about, clip.base_pos) + shift,
            base_rot=quat.continuous(quat.multiply(about, clip.base_rot)),
        )

    # ------------------------------------------------------------------ stopping

    def stop_all(self, reason: str) -> str:
        """Bring the robot to rest; it follows again when ~/enable is called with true."""
        self.enabled = False
        playing = self.playing
        moved = playing is not None and not playing.stops and self.moving()
        self.bring_to_rest()
        self._plan = None
        if self._running is not None:
            self._running.stop()
            self._running = None
        if moved and self._step is not None:
            self.tell(self._step, 'cancelled', reason=reason)
        return f'stopped{"" if moved else ", it stood"}: call ~/enable to follow again'

    def halt(self, reason: str) -> None:
        """Bring the robot to rest on the way out of the active state."""
        enabled = self.enabled
        self.stop_all(reason)
        self.enabled = enabled

    def _on_cancel(self, request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        response.success = True
        response.message = self.stop_all('cancelled by request')
        self.get_logger().info(response.message)
        return response

    def health_values(self) -> dict[str, str]:
        """Return also what is heard of the human and how far behind the robot is."""
        behind_s = 0.0 if self._plan is None else self._plan.ahead_s(self.clock.motion_s())
        return {
            **super().health_values(),
            'human_joint_states': str(self._human.accepted),
            'human_dropped': str(sum(self._human.dropped.values())),
            'following': str(self._plan is not None).lower(),
            'ahead_s': f'{behind_s:.2f}',
            'frames_left_out': str(self._left_out),
        }


def main(args: Sequence[str] | None = None) -> None:
    """Run the node until the process is told to end."""
    run(RetargetNode, args)


if __name__ == '__main__':
    main()
