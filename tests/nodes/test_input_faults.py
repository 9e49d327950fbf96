# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the three nodes of motion_server do with input that is wrong or hostile, over real DDS.

One process for all tests, in folders of its own: the last test looks whether anything was written.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip('rclpy', reason='rclpy is not installed: nothing can talk over DDS')

from builtin_interfaces.msg import Duration, Time
from nav_msgs.msg import Odometry
from sensor_msgs.msg import JointState
from trajectory_msgs.msg import JointTrajectory, JointTrajectoryPoint

from tests.support.jtc_rules import violations
from tests.support.listener import NAMES, Listener, swing

NODES = ('generate_node', 'caption_node', 'predict_node')
SENTENCE = 'a person walks forward for 1 seconds.'
HOSTILE = (
    '%s%n%x %d {0} {} {text!r} $(touch owned) `touch owned`; touch owned | tee owned',
    '../../owned',
    "'; import os; os.system('touch owned') #",
    'checkpoint:=/etc/passwd --ros-args -r a:=b',
)


@pytest.fixture(scope='module')
def folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Path]]:
    """Folders of the process: it works in ``cwd`` and may write to ``log`` alone."""
    names = ('HOME', 'ROS_HOME', 'XDG_CACHE_HOME', 'ROS_LOG_DIR')
    made = {name: tmp_path_factory.mktemp(name.lower()) for name in names}
    with pytest.MonkeyPatch.context() as patch:
        for name, folder in made.items():
            patch.setenv(name, str(folder))
        yield made


@pytest.fixture(scope='module')
def shared(folders: dict[str, Path], shared_listener: tuple, tiny_checkpoint: Path) -> Listener:
    make, body = shared_listener
    body.server = make(
        'motion_server',
        forked=False,  # the last test ends it
        checkpoint=str(tiny_checkpoint),
        device='cpu',
        start_from='joint_states',
        require_joint_state=True,
        caption_period_s=0.2,
        predict_rate_hz=5.0,
    )
    make('playback_node', namespace='player', publish_tf=False)
    body.listen('played', JointState, 'player/joint_states')
    body.trajectories = body.node.create_publisher(JointTrajectory, 'player/joint_trajectory', 10)
    for name in NODES:
        body.ready(name)
    body.until(body.trajectories.get_subscription_count, 'an ear for trajectories')
    body.until(lambda: body.commands.get_subscription_count(), 'an ear for command')
    body.before, body.ended = files(folders, body), False
    return body


@pytest.fixture
def body(shared: Listener) -> Iterator[Listener]:
    shared.clock_s += 100.0
    shared.forget()
    yield shared
    assert shared.server.alive or shared.ended
    assert 'fault in a callback' not in shared.server.output


def files(folders: dict[str, Path], body: Listener) -> set[Path]:
    """All files that the process could have written, but for logs."""
    watched = [folder for name, folder in folders.items() if name != 'ROS_LOG_DIR']
    watched.append(body.server.log.parent)  # where it runs
    found = {path for folder in watched for path in folder.rglob('*')}
    return found - set(body.server.log.parent.glob('*.log'))  # of the test


def dropped(body: Listener) -> dict[str, int]:
    counts = {name: int(body.values(name)['dropped']) for name in NODES[1:]}
    counts[NODES[0]] = int(body.values(NODES[0])['joint_states_dropped'])
    return counts


def command_while(
    body: Listener, beat: Callable[[], None], text: str, word: str
) -> dict[str, str]:
    """Say ``text`` as soon as a current joint state is known; go on until a status ``word``."""
    if word == 'published':
        beat()
        body.spin_for(0.1)
    body.say(text)

    def told() -> bool:
        beat()
        body.spin_for(0.02)
        return any(status['text'] == text for status in body.messages(word))

    body.until(told, f'{text!r} to be {word}')
    return next(status for status in body.messages(word) if status['text'] == text)


def stand(body: Listener) -> None:
    body.clock_s += 0.02
    body.send([0.1] * len(NAMES))


def test_faulty_joint_states_are_dropped_counted_and_do_no_harm(body):
    body.play(0.5)
    before = dropped(body)
    for value in (np.nan, np.inf, -np.inf, 1e300):
        body.send([0.0] * 62 + [value], base=False)
    body.send([0.0] * 62, base=False)
    body.send([0.0] * 64, base=False)
    body.send([], base=False)
    body.send([0.0] * 64, names=[*NAMES, NAMES[0]], base=False)
    body.send([0.0] * 63, base=False)  # the stamp of the last good one
    body.clock_s -= 0.2
    body.send([0.0] * 63, base=False)  # an older one
    body.clock_s += 0.2
    negative = JointState(name=list(NAMES), position=[0.0] * 63)
    negative.header.stamp = Time(sec=-5)
    body.joint_states.publish(negative)

    def all_counted() -> bool:
        now = dropped(body)
        listening = all(now[name] - before[name] == 11 for name in NODES[1:])
        return listening and now['generate_node'] - before['generate_node'] >= 10

    body.until(all_counted, 'eleven joint states to be dropped')
    command_while(body, lambda: stand(body), SENTENCE, 'published')
    assert violations(body.trajectory(), NAMES, lead_in_s=0.5) == []
    body.play(2.0)
    body.until(lambda: body.heard['predicted_trajectory'], 'a prediction')
    for message in body.heard['predicted_trajectory']:
        assert all(np.isfinite(point.positions).all() for point in message.points)
    assert body.trigger('caption_node/reset')[0]


def test_ten_in_a_row_are_an_error_of_each_node_until_one_is_usable(body):
    for _ in range(12):
        body.clock_s += 0.02
        body.send([np.nan] * 63, base=False)

    def levels() -> set[bytes]:
        return {body.values(name)['level'] for name in NODES}

    body.until(lambda: levels() == {b'\x02'}, 'three errors')
    assert '10 joint states in a row' in body.values('generate_node')['last_error']
    body.play(0.3)
    body.until(lambda: levels() == {b'\x00'}, 'three that are well again')


def test_few_joints_are_ignored_with_one_warning_for_each_set_of_names(body):
    for count in (20, 21):
        for _ in range(4):
            body.clock_s += 0.02
            body.send([0.0] * count, names=NAMES[:count], base=False)
    output = body.until(
        lambda: o if (o := body.server.output).count('with 21 names ignored') >= 3 else '',
        'the warnings of all three',
    )
    body.play(0.2)
    assert output.count('with 20 names ignored') == 3
    assert body.server.output.count('with 21 names ignored') == 3


def test_permuted_and_extra_joints_mean_the_same(body):
    order = np.random.default_rng(1).permutation(63)
    names = [*(NAMES[i] for i in order), 'gripper']
    pose = 0.01 * np.arange(63)

    def beat() -> None:
        body.clock_s += 0.02
        body.send([*pose[order], 9.9], names=names)

    command_while(body, beat, SENTENCE, 'published')
    first = body.trajectory().points[0]
    np.testing.assert_allclose(first.positions, pose, atol=1e-6)


def test_odometry_without_sense_is_dropped(body):
    body.play(0.5)
    before = int(body.values('caption_node')['dropped'])
    for numbers in ((np.nan, 1.0), (0.0, 0.0), (1e300, 1.0), (0.0, np.inf)):
        message = Odometry()
        message.pose.pose.position.x, message.pose.pose.orientation.w = numbers
        body.odometry.publish(message)
    body.until(lambda: int(body.values('caption_node')['dropped']) == before + 4, 'four drops')
    assert body.values('caption_node')['dropped_because'].split('base ')[1].startswith('4')
    command_while(body, lambda: stand(body), SENTENCE, 'published')
    transform = body.base().points[0].transforms[0]
    assert np.isfinite([transform.translation.x, transform.rotation.w]).all()


@pytest.mark.parametrize('rate', [13.0, 60.0])
def test_any_rate_with_jitter_is_measured_and_answered(body, rate):
    jitter = np.random.default_rng(2).uniform(-0.3, 0.3, 1000)
    begun_s = body.clock_s
    for step in range(round(2.0 * rate)):
        body.clock_s = begun_s + (step + jitter[step]) / rate
        body.send(swing(step / rate))
        body.spin_for(0.5 / rate)
    values = body.values('predict_node')
    assert float(values['input_rate_hz']) == pytest.approx(rate, rel=0.25)
    stamps = {round(begun_s + (s + jitter[s]) / rate, 6) for s in range(round(2.0 * rate))}

    def predicted() -> list[float]:
        """Stamps of predictions of this body, none of the one that the test before played."""
        heard = [message.header.stamp for message in body.heard['predicted_trajectory']]
        found = [round(stamp.sec + 1e-9 * stamp.nanosec, 6) for stamp in heard]
        return [stamp for stamp in found if stamp > begun_s - 50.0]

    assert body.until(predicted, 'a prediction')[-1] in stamps


def test_two_publishers_of_joint_states_are_noticed(body):
    other = body.node.create_publisher(JointState, 'joint_states', 10)
    body.until(other.get_subscription_count, 'the nodes')  # which take each message once
    robot = JointState(name=[*NAMES, 'gripper'], position=[0.0] * 64)

    def noticed() -> bool:
        stand(body)
        robot.header.stamp.sec = int(body.clock_s)
        other.publish(robot)
        body.spin_for(0.02)
        return 'more than one publisher' in body.server.output

    body.until(noticed, 'the warning')
    body.node.destroy_publisher(other)
    body.play(0.2)


def ended_without_states(body: Listener) -> str:
    """How a command ends whose joint states stop when its generation begins, of a body at rest."""
    body.trigger('generate_node/cancel')
    body.until(lambda: body.values('generate_node')['moving'] == 'false', 'a body at rest')
    body.forget()
    stand(body)
    body.spin_for(0.02)
    body.say(SENTENCE)

    def end() -> str:
        if not body.messages('generating'):
            stand(body)
        body.spin_for(0.005)
        return next((w for w in ('failed', 'published', 'refused') if body.messages(w)), '')

    return body.until(end, 'the command to end')


def test_nothing_is_sent_before_or_without_a_current_joint_state(body):
    def refused() -> bool:
        body.say(SENTENCE)
        body.spin_for(0.3)
        told = [status['reason'] for status in body.messages('refused')]
        return any('no current joint state' in reason for reason in told)

    body.until(refused, 'a command to be refused')  # max_gap_s after the last joint state
    body.trigger('generate_node/cancel')
    assert body.set_of('generate_node', num_inference_steps=1000) == (True, '')
    # How long 1000 steps take is the machine's: joint states must be old before these are done.
    for gap_s in (0.5, 0.2, 0.1, 0.05, 0.02):
        assert body.set_of('generate_node', max_gap_s=gap_s) == (True, '')
        if ended_without_states(body) == 'failed':
            break
    (told,) = body.messages('failed')
    assert 'the joint states have stopped' in told['reason']
    assert not body.heard['joint_trajectory']
    assert body.set_of('generate_node', max_gap_s=0.5) == (True, '')
    assert body.set_of('generate_node', num_inference_steps=0) == (True, '')
    command_while(body, lambda: stand(body), SENTENCE, 'published')


@pytest.mark.parametrize('bad', [[np.nan] * 63, [0.0] * 62 + [np.nan], [1e9] * 63])
def test_positions_beside_velocities_that_are_none_are_used(body, bad):
    told = int(body.values('generate_node')['without_velocity'])
    lost = dropped(body)

    def bent() -> None:
        body.clock_s += 0.02
        stamp = Time(sec=int(body.clock_s), nanosec=int(body.clock_s % 1 * 1e9))
        message = JointState(name=list(NAMES), position=[0.1] * 63, velocity=bad)
        message.header.stamp = stamp
        body.joint_states.publish(message)

    # The last motion of before is stopped meanwhile, for want of joint states.
    body.until(lambda: body.values('generate_node')['moving'] == 'false', 'a body at rest')
    body.forget()
    command_while(body, bent, SENTENCE, 'published')
    start = body.trajectory().points[0].positions
    np.testing.assert_allclose(start, 0.1, atol=0.05)
    assert dropped(body) == lost
    assert int(body.values('generate_node')['without_velocity']) > told


def test_a_body_that_is_lost_on_its_way_is_stopped_once(body):
    command_while(body, lambda: stand(body), 'a person walks forward for 6 seconds.', 'published')
    body.until(lambda: body.messages('cancelled'), 'the loss to be told')
    assert 'the joint states have stopped' in body.messages('cancelled')[0]['reason']
    body.until(lambda: body.values('generate_node')['moving'] == 'false', 'a body at rest')
    _, halt = body.heard['joint_trajectory']  # the motion, then one stop
    assert not np.any(halt.points[-1].velocities)


@pytest.mark.parametrize('text', HOSTILE)
def test_texts_come_out_as_they_went_in(body, text):
    assert body.set_of('generate_node', unknown_text='draw') == (True, '')
    command_while(body, lambda: stand(body), text, 'published')
    assert text in body.messages('queued')[0]['text']
    body.trajectory()


def test_no_message_makes_a_file(body, folders):
    for text in HOSTILE:
        names = [text, *NAMES[1:]]
        body.clock_s += 0.02
        body.send([0.0] * 63, names=names, base=False)
        odometry = Odometry()
        odometry.header.frame_id = odometry.child_frame_id = text
        odometry.pose.pose.orientation.w = 1.0
        body.odometry.publish(odometry)
        point = JointTrajectoryPoint(positions=[0.5], time_from_start=Duration(nanosec=10**8))
        trajectory = JointTrajectory(joint_names=[text], points=[point])
        trajectory.header.frame_id = text
        body.trajectories.publish(trajectory)
    body.play(1.0)
    body.until(lambda: list(body.heard['played'][-1].name) == [HOSTILE[-1]], 'the name as it is')
    body.trigger('caption_node/caption_now')
    assert files(folders, body) == body.before
    assert any(folders['ROS_LOG_DIR'].iterdir())  # the one place that is written to
    assert 'owned' not in ' '.join(path.name for path in Path.cwd().iterdir())


def test_a_signal_while_the_model_looks_at_a_body_ends_it_within_a_second(body):
    assert body.set_of('predict_node', num_inference_steps=1000) == (True, '')
    body.play(1.5)
    code, took_s = body.server.end(signal.SIGTERM)
    body.ended = True
    assert (code, took_s < 1.0) == (0, True), f'{took_s:.2f} s: {body.server.output}'
    assert 'Traceback' not in body.server.output
