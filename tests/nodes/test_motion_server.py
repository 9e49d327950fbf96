# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The three functions on one model, over real DDS: commands, what they look like, what follows."""

from __future__ import annotations

import signal
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip('rclpy', reason='rclpy is not installed: nothing can talk over DDS')

from nav_msgs.msg import Odometry
from sensor_msgs.msg import JointState

from mgpt3_ros.body.frames import quaternions_to_model, vectors_to_model
from mgpt3_ros.body.observation import Limits, MotionBuffer
from mgpt3_ros.body.profiles import make_profile
from mgpt3_ros.model.kinematics.joint_angles import BodyAngles, angles_to_joints
from mgpt3_ros.nodes.messages import base_path, joint_path
from mgpt3_ros.nodes.predict_node import PARAMETER_NAMES
from tests.support.listener import Listener

pytestmark = pytest.mark.slow

HUMAN = make_profile('human_full', 'human')
NODES = ('generate_node', 'caption_node', 'predict_node')


def stamp_ns(message: object) -> int:
    stamp = message.header.stamp
    return stamp.sec * 10**9 + stamp.nanosec


def joints_of(angles: np.ndarray, pos: np.ndarray, rot: np.ndarray) -> np.ndarray:
    """Joints (T, 22, 3) in the model's frame."""
    return angles_to_joints(BodyAngles(vectors_to_model(pos), quaternions_to_model(rot), angles))


def buffer_of(body: Listener, stop_ns: int = 2**62, window_s: float = 6.0) -> MotionBuffer:
    """All that was heard up to a stamp."""
    buffer = MotionBuffer(HUMAN, Limits(window_s=window_s))
    for odometry in body.heard['odometry']:
        place, turn = odometry.pose.pose.position, odometry.pose.pose.orientation
        if stamp_ns(odometry) <= stop_ns:
            buffer.hear_base(
                (place.x, place.y, place.z), (turn.x, turn.y, turn.z, turn.w), stamp_ns(odometry)
            )
    for state in body.heard['states']:
        if stamp_ns(state) <= stop_ns:
            buffer.hear_joints(state.name, state.position, stamp_ns(state))
    return buffer


@pytest.fixture(scope='module')
def played(shared_listener: tuple, default_checkpoint: Path) -> Listener:
    """A walk to the left of four seconds, commanded and played to its end; the server goes on."""
    make, body = shared_listener
    options = {'seed': 1, 'window_s': 4.5, 'caption_period_s': 0.5, 'predict_rate_hz': 4.0}
    options |= {'checkpoint': str(default_checkpoint), 'device': 'cpu'}
    server = make('motion_server', forked=False, **options)  # the last test ends it
    make('playback_node')
    body.listen('states', JointState, 'joint_states')
    body.listen('odometry', Odometry, 'odom')
    for name in NODES:
        body.until(lambda name=name: body.state_of(name) == 'active', f'{name} to be active')
    body.until(lambda: body.heard['states'] and body.heard['odometry'], 'the playback')
    body.say('walk forward and turn left for 4 seconds')
    trajectory = joint_path(body.trajectory())
    begun = body.heard['states'][-1]
    end_ns = stamp_ns(begun) + round(trajectory.times[-1] * 1e9) + 200_000_000
    body.until(lambda: stamp_ns(body.heard['states'][-1]) > end_ns, 'the end of the motion')
    body.said = body.trigger('caption_node/caption_now')
    body.server, body.begun_ns, body.end_ns = server, stamp_ns(begun), end_ns
    return body


def test_what_was_generated_comes_back_as_the_same_motion(played):
    joints, base = joint_path(played.trajectory()), base_path(played.base())
    window = buffer_of(played, played.end_ns).window()
    assert window is not None
    heard = window.resampled()
    motion = heard.motion(HUMAN).joints
    times = (heard.stamp_ns - played.begun_ns) * 1e-9 - np.arange(len(motion))[::-1] / 20

    def error(shift: float) -> float:
        at = times - shift
        inside = (at > joints.times[0]) & (at < joints.times[-1])
        assert inside.sum() > 70
        pos, rot, _, _ = base.sample(at[inside])
        planned = joints_of(joints.sample(at[inside])[0], pos, rot)
        return float(np.linalg.norm(motion[inside] - planned, axis=-1).mean())

    # When it began by the stamps is known but for the way of a message, long on a busy machine.
    coarse = min(np.arange(-0.1, 0.5, 0.02), key=error)
    assert min(error(coarse + shift) for shift in np.arange(-0.02, 0.02, 0.002)) < 0.010


def test_its_caption_names_its_action(played):
    success, message = played.said
    assert success
    assert 'walk' in message
    assert 'left' in message
    texts = [caption.data for caption in played.heard['caption']]
    assert any('walk' in text and 'left' in text for text in texts), texts


def test_predictions_go_on_from_the_last_observed_frame(played):
    stamps = {stamp_ns(state) for state in played.heard['states']}
    begun, ended = min(stamps) + 10**9, max(stamps)  # topics may come out of step at the end
    predicted = [
        pair
        for pair in zip(
            played.heard['predicted_trajectory'],
            played.heard['predicted_base_trajectory'],
            strict=True,
        )
        if begun < stamp_ns(pair[0]) <= ended
    ]
    assert len(predicted) >= 10
    jumps = []
    for trajectory, base in predicted:
        assert stamp_ns(trajectory) in stamps
        assert stamp_ns(trajectory) == stamp_ns(base)
        joints, path = joint_path(trajectory), base_path(base)
        np.testing.assert_allclose(joints.times, np.arange(1, 41) / 20, atol=1e-6)
        np.testing.assert_allclose(path.times, joints.times)
        seen = buffer_of(played, stamp_ns(trajectory), 1.0).window().resampled()
        before = seen.motion(HUMAN).joints[-2:].astype(np.float64)
        first = joints_of(joints.positions[:1], path.pos[:1], path.rot[:1])[0]
        extrapolated = 2 * before[1] - before[0]
        jumps.append(np.linalg.norm(first - extrapolated, axis=-1).mean())
    assert np.median(jumps) < 0.020
    assert max(jumps) < 0.05


def test_several_hypotheses_have_one_stamp(played):
    assert played.set_of('predict_node', num_hypotheses=3, horizon_s=1.0) == (True, '')
    played.forget()

    def triple() -> list:
        by_stamp: dict[int, list] = {}
        for message in played.heard['predicted_trajectory']:
            by_stamp.setdefault(stamp_ns(message), []).append(message)
        return next((group for group in by_stamp.values() if len(group) == 3), [])

    group = played.until(triple, 'three hypotheses')
    paths = [joint_path(message) for message in group]
    assert all(path.times[-1] == pytest.approx(1.0) for path in paths)
    assert played.set_of('predict_node', num_hypotheses=1, horizon_s=2.0) == (True, '')


def test_parameters_of_predictions_are_described(played):
    described = played.describe('predict_node')
    assert all(len(described[name].description) > 15 for name in PARAMETER_NAMES)


def test_each_node_has_its_own_lifecycle_and_health(played):
    assert {played.values(name)['state'] for name in NODES} == {'active'}
    assert played.change_of('predict_node', 'deactivate')
    assert played.change_of('predict_node', 'cleanup')
    assert played.trigger('caption_node/caption_now')[0]  # the model stays for the others
    played.forget()
    played.say('a person bows for 1 seconds.')
    assert played.status('published')['text'] == 'a person bows for 1 seconds.'
    assert not played.heard['predicted_trajectory']
    assert played.change_of('predict_node', 'configure')
    assert played.change_of('predict_node', 'activate')
    played.until(lambda: played.heard['predicted_trajectory'], 'predictions again')


def test_the_server_ends_within_a_second(played):
    code, took_s = played.server.end(signal.SIGTERM)
    assert (code, took_s < 1.0) == (0, True), played.server.output
    assert 'Traceback' not in played.server.output
