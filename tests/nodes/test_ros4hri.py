# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A body of ros4hri (REP-155) is heard, captioned and continued, over real DDS."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip('rclpy', reason='rclpy is not installed: nothing can talk over DDS')

import torch

from mgpt3_ros.body.body_trajectory import BasePath, JointPath
from mgpt3_ros.body.bounds import Timing
from mgpt3_ros.body.frames import quaternions_to_model, vectors_to_model
from mgpt3_ros.body.from_motion import clip_of
from mgpt3_ros.body.planning import plan
from mgpt3_ros.body.profiles import make_profile
from mgpt3_ros.model.kinematics.joint_angles import BodyAngles, angles_to_joints
from mgpt3_ros.model.motiongpt3 import MotionGPT3
from mgpt3_ros.nodes.messages import base_path, joint_path
from tests.support.listener import Listener

BODY = 'ktpbw'
PROFILE = make_profile('ros4hri', BODY)


def joints_of(joints: JointPath, base: BasePath) -> np.ndarray:
    """Joints (T, 22, 3) [m] of a path of the profile, in the model's frame."""
    return angles_to_joints(
        BodyAngles(
            vectors_to_model(base.pos),
            quaternions_to_model(base.rot),
            PROFILE.to_angles(joints.positions),
        )
    )


@pytest.fixture(scope='module')
def walked(shared_listener: tuple, default_checkpoint: Path) -> Listener:
    """One who walks and turns left for 4.5 s, as a publisher of ros4hri says it."""
    make, body = shared_listener
    options = {'joint_profile': 'ros4hri', 'body_id': BODY, 'predict_rate_hz': 2.0, 'seed': 1}
    make('motion_server', checkpoint=str(default_checkpoint), device='cpu', **options)
    model = MotionGPT3.from_pretrained(default_checkpoint, device='cpu')
    noise = torch.Generator().manual_seed(1)
    motion = model.generate('walk forward and turn left', 5.0, generator=noise)
    trajectory, _ = plan(clip_of(motion, PROFILE), Timing())
    order = np.random.default_rng(0).permutation(len(PROFILE.names))
    names = [PROFILE.names[index] for index in order]

    def pose(at: float) -> tuple:
        state = trajectory.state_at(0.5 + at)
        return state.positions[order].tolist(), state.base_pos, state.base_rot

    for node in ('caption_node', 'predict_node'):
        body.ready(node)
    body.play(4.5, pose, names=names)
    body.said = body.trigger('caption_node/caption_now')
    body.until(lambda: body.heard['predicted_trajectory'], 'a prediction')
    body.trajectory_played, body.end_s = trajectory, body.clock_s
    return body


def test_its_action_is_named(walked):
    success, caption = walked.said
    assert success
    assert 'walk' in caption
    assert 'left' in caption


def test_its_caption_carries_its_id(walked):
    assert walked.heard['caption_marker'][-1].ns == f'{BODY}/caption'


def test_predictions_have_its_names_and_its_frame(walked):
    joints = walked.heard['predicted_trajectory'][-1]
    base = walked.heard['predicted_base_trajectory'][-1]
    assert list(joints.joint_names) == list(PROFILE.names)
    assert all(name.endswith(f'_{BODY}') for name in joints.joint_names)
    assert list(base.joint_names) == [f'body_{BODY}']


def test_predictions_go_on_from_where_it_is(walked):
    message = walked.heard['predicted_trajectory'][-1]
    stamp_s = message.header.stamp.sec + 1e-9 * message.header.stamp.nanosec
    at = 0.5 + 4.5 - (walked.end_s - stamp_s) - 0.02  # the first sample was of time 0
    joints, base = walked.trajectory_played.sample(np.array([at - 0.05, at]))
    before, last = joints_of(joints, base)
    predicted = walked.heard['predicted_base_trajectory'][-1]
    first = joints_of(joint_path(message), base_path(predicted))[0]
    assert np.linalg.norm(first - (2 * last - before), axis=-1).mean() < 0.04
