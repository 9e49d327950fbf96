# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""All parameters of all nodes, each with its type, range and meaning, in one table.

A node declares those that it names; README and launch files speak of the same ones.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from rcl_interfaces.msg import (
    FloatingPointRange,
    IntegerRange,
    ParameterDescriptor,
    SetParametersResult,
)
from rclpy.node import Node
from rclpy.parameter import Parameter

from mgpt3_ros.body.profiles import PROFILES
from mgpt3_ros.nodes.commands import POLICIES, UNKNOWN_TEXT
from mgpt3_ros.nodes.controllers import FOLLOW_BY
from mgpt3_ros.nodes.robot_motion import AVOID


@dataclass(frozen=True)
class Spec:
    """One parameter: its default (which gives the type), meaning and bounds."""

    default: bool | int | float | str
    description: str
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()
    read_only: bool = False

    def descriptor(self) -> ParameterDescriptor:
        """Return what ``ros2 param describe`` shows."""
        told = self.description + (' Read when the process starts.' if self.read_only else '')
        descriptor = ParameterDescriptor(description=told, read_only=self.read_only)
        if self.choices:
            descriptor.additional_constraints = 'one of: ' + ', '.join(self.choices)
        if self.low is not None and self.high is not None:
            if isinstance(self.default, float):
                descriptor.floating_point_range = [
                    FloatingPointRange(from_value=float(self.low), to_value=float(self.high))
                ]
            else:
                descriptor.integer_range = [
                    IntegerRange(from_value=int(self.low), to_value=int(self.high), step=1)
                ]
        return descriptor


PARAMETERS: dict[str, Spec] = {
    'checkpoint': Spec(
        '',
        'Folder of the model; empty for the checkpoint that comes with the package.',
        read_only=True,
    ),
    'device': Spec(
        'auto',
        'Where the model runs: auto (CUDA where there is one), cpu, cuda or cuda:N.',
        read_only=True,
    ),
    'dtype': Spec(
        'auto',
        'Number format of the model: auto, float32, bfloat16 or float16.',
        choices=('auto', 'float32', 'bfloat16', 'float16'),
        read_only=True,
    ),
    'num_threads': Spec(
        0,
        'Threads of the CPU that the model uses. 0: one for a small model, all for a large one.',
        0,
        256,
        read_only=True,
    ),
    'autostart': Spec(
        True,
        'Configure and activate at start; false leaves it to a lifecycle manager.',
        read_only=True,
    ),
    'mode': Spec(
        'clip',
        'clip: each command is a motion with an end. stream: the body goes on from where it is '
        'until the next command; needs a checkpoint of the stream form.',
        choices=('clip', 'stream'),
        read_only=True,
    ),
    'chunks_ahead': Spec(
        2,
        'Mode stream: how many chunks of 0.4 s are known ahead of what the body does now. New '
        'words do not wait for them; 2 bridge a second in which the machine is busy.',
        1,
        10,
    ),
    'closed_loop': Spec(
        False,
        'Mode stream: each chunk goes on from the body as joint_states and odom show it, not as '
        'it was drawn.',
    ),
    'seed': Spec(
        -1,
        'Seed of the noise: the same text then gives the same motion. -1 draws anew each time.',
        -1,
        2**31 - 1,
    ),
    'guidance_scale': Spec(
        -1.0,
        'How strongly the motion is held to the text. -1.0 takes the value of the checkpoint.',
        -1.0,
        20.0,
    ),
    'num_inference_steps': Spec(
        0,
        'Steps in which a motion is drawn: fewer are faster. 0 takes the value of the checkpoint.',
        0,
        1000,
    ),
    'duration_s': Spec(
        0.0,
        'Length of each motion [s], also of each action of a command that has several. 0.0: as '
        'the text states, else as the model predicts.',
        0.0,
        60.0,
    ),
    'fps_out': Spec(20.0, 'Points per second in the published trajectories [1/s].', 1.0, 200.0),
    'lead_in_s': Spec(
        0.5,
        'Time from publishing to the first point of a motion [s], in which a body comes to it '
        'from its state. A body that is on its way is told that way from 0.2 s on.',
        0.05,
        10.0,
    ),
    'stamp_mode': Spec(
        'zero',
        'Stamp of trajectories: zero (start when received) or now (start at the stamp).',
        choices=('zero', 'now'),
    ),
    'start_from': Spec(
        'trajectory',
        'What tells where the body is: the trajectory that was published last, or joint_states '
        '(and odom).',
        choices=('trajectory', 'joint_states'),
    ),
    'blend_s': Spec(
        0.3,
        'Time in which a new motion leaves the state of the old one [s]; more for far poses.',
        0.05,
        5.0,
    ),
    'require_joint_state': Spec(
        False,
        'Refuse commands until a current joint state was heard. True where a robot listens.',
    ),
    'max_gap_s': Spec(
        0.5,
        'A joint state older than this is no longer current; after such a pause what was observed '
        'before is forgotten [s].',
        0.01,
        60.0,
    ),
    'min_joint_coverage': Spec(
        0.6,
        "Share of the profile's joints that a joint state must name; the others count as zero.",
        0.0,
        1.0,
    ),
    'joint_profile': Spec(
        'human_full',
        'The body and its joint names: human_full (63 joints), ros4hri (the 20 of REP-155), a '
        'robot by name, as `mgpt3 robot list` shows, or by the path of its YAML.',
        read_only=True,
    ),
    'human_profile': Spec(
        'human_full',
        'Joint names of the human on human/joint_states: human_full (63 joints) or ros4hri (the '
        '20 of REP-155).',
        choices=PROFILES,
        read_only=True,
    ),
    'human_id': Spec(
        'human',
        'Name of the human: suffix of ros4hri names on human/joint_states.',
        read_only=True,
    ),
    'body_id': Spec(
        'human',
        'Name of the body: suffix of ros4hri names, and of the base frame where that is empty.',
        read_only=True,
    ),
    'world_frame': Spec('map', 'Frame in which the base moves; Z up.'),
    'base_frame': Spec(
        'base_link',
        'Name of the pelvis frame; empty for body_<body_id>, and so is base_link with the joints '
        'of ros4hri. Of a robot both mean its base link.',
    ),
    'publish_base': Spec(True, 'Publish the motion of the pelvis on base_trajectory.'),
    'publish_markers': Spec(False, 'Publish the moving body for RViz on markers.'),
    'max_text_length': Spec(512, 'Longer commands are cut to this many characters.', 1, 10000),
    'split_actions': Spec(
        True,
        'Carry out the actions of a command one after another ("walk forward, then wave"), each '
        'by a motion of its own. False: one motion for the whole text.',
    ),
    'refuse_unknown': Spec(
        True,
        'Refuse commands that are not understood (docs/commands.md). False: the model makes of '
        'their words what it can.',
    ),
    'unknown_text': Spec(
        'auto',
        'What becomes of a command that is not understood, or that the checkpoint does not know '
        'well (docs/commands.md). refuse: it is refused, with what comes near. warn: it is drawn, '
        'and ~/status says so; what is no command in English is refused. draw: it is drawn. auto: '
        'refuse, but draw where refuse_unknown and require_joint_state are false.',
        choices=('auto', *UNKNOWN_TEXT),
    ),
    'queue_size': Spec(8, 'How many commands may wait (policy fifo).', 1, 64),
    'queue_policy': Spec(
        'latest',
        'latest: a new command replaces what waits and follows on the motion that plays. fifo: '
        'it waits until the motion before it has ended. reject: it is refused while busy.',
        choices=POLICIES,
    ),
    'max_command_age_s': Spec(
        5.0,
        'A command that was published longer ago than this is refused [s], by the clocks of both '
        'machines. 0.0: never.',
        0.0,
        3600.0,
    ),
    'deadman_topic': Spec(
        '',
        "Topic of a dead man's switch (std_msgs/Bool, true while held): released or silent, "
        'commands are refused and the body comes to rest. Empty: none.',
        read_only=True,
    ),
    'deadman_timeout_s': Spec(
        0.5, "Silence of the dead man's switch that counts as a release [s].", 0.05, 60.0
    ),
    'steering': Spec(
        False,
        'Listen to cmd_vel, goal_pose and path, which steer a walking body (docs/steering.md).',
        read_only=True,
    ),
    'cmd_vel_timeout_s': Spec(
        0.5, 'Silence of cmd_vel after which a body that it steers comes to rest [s].', 0.05, 60.0
    ),
    'steering_speed': Spec(
        1.0, 'Speed at which a body walks to goal_pose and along path, at most [m/s].', 0.2, 1.5
    ),
    'max_joint_velocity': Spec(
        0.0,
        "Bound on every joint's speed [rad/s]; a motion beyond it is slowed down as a whole. 0.0: "
        "the body's own bounds.",
        0.0,
        100.0,
    ),
    'max_joint_acceleration': Spec(
        0.0,
        "Bound on every joint's acceleration [rad/s^2]; a motion beyond it is slowed down as a "
        'whole. 0.0: none.',
        0.0,
        10000.0,
    ),
    'follow_by': Spec(
        'auto',
        'How the controllers of a robot get trajectories: topic, action (FollowJointTrajectory, '
        'of the package control_msgs), or auto: by action where it is installed and a server '
        'answers.',
        choices=FOLLOW_BY,
        read_only=True,
    ),
    'path_tolerance': Spec(
        0.0,
        'By action: how far a joint may be off on its way [rad]. 0.0: as the controller has it.',
        0.0,
        10.0,
    ),
    'goal_tolerance': Spec(
        0.0,
        'By action: how far a joint may be off at the end [rad]. 0.0: as the controller has it.',
        0.0,
        10.0,
    ),
    'goal_time_tolerance_s': Spec(
        2.0,
        'By action: how much later the end may come [s]. 0.0: as the controller has it.',
        0.0,
        60.0,
    ),
    'avoid_self_collision': Spec(
        'off',
        'Where links of a robot would collide (MuJoCo, extra sim): refuse the motion, or shrink '
        "the arms' swing until they do not. off: nobody looks.",
        choices=AVOID,
    ),
    'reliability': Spec(
        'best_effort',
        'How joint_states and odom are subscribed: best_effort (hears both kinds of publisher) or '
        'reliable.',
        choices=('best_effort', 'reliable'),
        read_only=True,
    ),
    'input_rate_hz': Spec(
        0.0,
        'Rate at which the joint states are known to come [1/s]: stamps that jitter are evened '
        'out around it. 0.0: stamps are taken as they are, the rate is measured.',
        0.0,
        1000.0,
    ),
    'window_s': Spec(6.0, 'The last seconds of motion that the model looks at [s].', 0.5, 10.0),
    'min_window_s': Spec(
        1.0, 'Less motion than this is not looked at, as at the start [s].', 0.2, 10.0
    ),
    'caption_period_s': Spec(1.0, 'Time between two captions [s].', 0.05, 60.0),
    'repeat_unchanged': Spec(
        False, 'Publish a caption also where it is the same as the one before.'
    ),
    'horizon_s': Spec(2.0, 'How far motion is predicted [s].', 0.1, 9.9),
    'num_hypotheses': Spec(
        1, 'How many futures are drawn; each is a message, all with the same stamp.', 1, 20
    ),
    'predict_rate_hz': Spec(2.0, 'How often motion is predicted [1/s].', 0.05, 20.0),
    'push_s': Spec(0.2, 'How long a push on ~/push lasts [s].', 0.01, 10.0),
    'host': Spec(
        '127.0.0.1',
        'Address that the page is served on; 0.0.0.0 shows it to everyone on the network.',
        read_only=True,
    ),
    'port': Spec(8080, 'Port of the page; 0 for any that is free.', 0, 65535, read_only=True),
    'commanded_node': Spec(
        'generate_node',
        'Node whose ~/status the page shows, and whose ~/cancel its stop button calls.',
        read_only=True,
    ),
    'rate': Spec(50.0, 'Joint states and odometry per second [1/s].', 1.0, 1000.0, read_only=True),
    'publish_tf': Spec(
        True,
        'Publish world_frame -> base_frame on /tf, where tf2_ros is installed.',
        read_only=True,
    ),
}


class Parameters:
    """The parameters that one node declares; read by name, always current."""

    def __init__(self, node: Node, names: Iterable[str]) -> None:
        self._node, self.names = node, tuple(names)
        node.add_on_set_parameters_callback(_check)
        for name in self.names:
            node.declare_parameter(name, PARAMETERS[name].default, PARAMETERS[name].descriptor())

    def __getitem__(self, name: str) -> Any:
        return self._node.get_parameter(name).value


def _check(parameters: list[Parameter]) -> SetParametersResult:
    """Refuse what ranges cannot: words outside the choices."""
    for parameter in parameters:
        spec = PARAMETERS.get(parameter.name)
        if spec is None:
            continue
        if spec.choices and parameter.value not in spec.choices:
            choices = ', '.join(spec.choices)
            reason = f'{parameter.name}: {parameter.value!r} is none of {choices}'
            return SetParametersResult(successful=False, reason=reason)
    return SetParametersResult(successful=True)
