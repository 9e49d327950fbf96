# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""generate_node as a process, over real DDS: what it does when something goes wrong."""

from __future__ import annotations

import json
import shutil
import signal
import time
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip('rclpy', reason='rclpy is not installed: nothing can talk over DDS')

from diagnostic_msgs.msg import DiagnosticStatus
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState

from mgpt3_ros.body.profiles import make_profile
from mgpt3_ros.body.spline import extreme_rates
from mgpt3_ros.nodes.messages import joint_path
from tests.support.jtc_rules import time_s, violations

HUMAN = make_profile('human_full', 'human').names
SENTENCE = 'a person walks forward for 1 seconds.'


# ---------------------------------------------------------------------- texts


@pytest.mark.parametrize('text', ['', '   ', '\n\t', '\u200b', 'walk\x07', 'a\x1b[2Jb'])
def test_texts_that_say_nothing_are_refused(spoken_to, text):
    spoken_to.say(text)
    refused = spoken_to.status('refused')
    assert 'empty' in refused['reason'] or 'control character' in refused['reason']
    spoken_to.say(SENTENCE)
    assert spoken_to.status('published')['text'] == SENTENCE
    spoken_to.trajectory(1)
    assert len(spoken_to.heard['joint_trajectory']) == 1


@pytest.mark.parametrize(
    'text',
    [
        *('eine Person läuft', '一个人在走路。', 'человек идёт', 'شخص يمشي'),
        *('💃🕺🏽', '\U0001f469\u200d\U0001f680 walks', '%s%n {0} $(reboot) ../../x', 'a' * 511),
    ],
)
def test_any_language_is_answered(spoken_to, text):
    assert spoken_to.set(refuse_unknown=False) == (True, '')
    spoken_to.say(text)
    assert spoken_to.status('published')['text'] == text
    assert violations(spoken_to.trajectory(1), HUMAN, lead_in_s=0.2) == []


@pytest.mark.parametrize('length', [513, 100_000])
def test_a_long_text_is_cut_and_says_so(spoken_to, length):
    spoken_to.say(('walk ' * length)[:length])
    published = spoken_to.status('published')
    assert len(published['text']) <= 512
    assert 'cut' in published['reason']


def test_a_flood_leaves_the_newest_answered(spoken_to):
    # A busy machine reads them late.
    assert spoken_to.set(max_command_age_s=0.0) == (True, '')
    for number in range(300):
        spoken_to.say(f'a person walks for {1 + number / 1000:.3f} seconds.')
    newest = 'a person walks for 1.299 seconds.'
    spoken_to.until(
        lambda: newest in [s['text'] for s in spoken_to.messages('published')], 'the newest'
    )
    assert len(spoken_to.messages('published')) < 150
    health = spoken_to.health()
    assert (health['queue_length'], int(health['dropped']) > 0) == ('0', True)
    ids = [int(status['id']) for status in spoken_to.messages('published')]
    assert ids == sorted(ids)
    for message in spoken_to.heard['joint_trajectory']:
        assert violations(message, HUMAN, lead_in_s=0.2) == []


# ---------------------------------------------------------------------- checkpoints and devices


def truncated(folder: Path) -> None:
    weights = folder / 'model.safetensors'
    weights.write_bytes(weights.read_bytes()[: weights.stat().st_size // 2])


def foreign(folder: Path) -> None:
    (folder / 'config.json').write_text(json.dumps({'architectures': ['LlamaForCausalLM']}))


def garbage(folder: Path) -> None:
    (folder / 'model.safetensors').write_bytes(b'not a checkpoint' * 100)


def half_there(folder: Path) -> None:
    (folder / 'tokenizer.json').unlink()


def test_bad_checkpoints_leave_the_node_to_be_configured_later(
    start, probe, tiny_checkpoint, tmp_path
):
    folder = tmp_path / 'model'
    node = start(checkpoint=str(folder))  # where nothing is yet
    probe.matched()
    probe.until(lambda: 'cannot load the model' in node.output, 'the reason in the log')
    for count, spoil in enumerate((shutil.rmtree, truncated, foreign, garbage, half_there), 1):
        shutil.copytree(tiny_checkpoint, folder)
        spoil(folder)
        assert not probe.change('configure')
        assert probe.state() == 'unconfigured'
        health = probe.health()
        assert health['level'] == DiagnosticStatus.ERROR
        reason = health['last_error']
        assert reason.startswith('cannot load the model: ')
        assert '\n' not in reason
        assert str(folder) in reason
        assert 'Traceback' not in node.output
        assert node.alive

        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(tiny_checkpoint, folder)
        assert probe.change('configure')
        assert probe.change('activate')
        probe.say(SENTENCE)
        probe.status('published', count)
        assert probe.health()['last_error'] == ''
        assert probe.change('deactivate')
        assert probe.change('cleanup')
        shutil.rmtree(folder)


def test_cuda_asked_for_but_absent_is_a_failure_and_auto_takes_the_cpu(
    start, probe, tiny_checkpoint
):
    torch = pytest.importorskip('torch')
    if torch.cuda.is_available():
        pytest.skip('this machine has CUDA')
    node = start(checkpoint=str(tiny_checkpoint), device='cuda')
    probe.matched()
    probe.until(lambda: 'cannot load the model' in node.output, 'the reason in the log')
    assert probe.state() == 'unconfigured'
    assert 'cuda' in probe.health()['last_error'].lower()
    assert node.end(signal.SIGINT)[0] == 0

    node = start(checkpoint=str(tiny_checkpoint), device='auto')
    probe.until(lambda: ' on cpu' in node.output, 'the device in the log')
    probe.active()


@pytest.mark.parametrize('device', ['tpu', 'cuda:99'])
def test_a_device_that_is_none_is_a_failure(start, probe, tiny_checkpoint, device):
    node = start(checkpoint=str(tiny_checkpoint), device=device)
    probe.until(lambda: 'cannot load the model' in node.output, 'the reason in the log')
    assert 'Traceback' not in node.output
    assert probe.state() == 'unconfigured'


@pytest.fixture(scope='module')
def nan_checkpoint(tmp_path_factory):
    """A checkpoint whose weights went wrong in training."""
    import torch

    from tests.support.tiny import tiny_model

    model = tiny_model()
    with torch.no_grad():
        for parameter in model.network.head.parameters():
            parameter.fill_(float('nan'))
    folder = tmp_path_factory.mktemp('nan')
    model.save_pretrained(folder)
    return folder


def test_nan_from_the_model_is_never_published(start, probe, nan_checkpoint):
    node = start(checkpoint=str(nan_checkpoint))
    probe.active()
    for count in (1, 2):
        probe.say(SENTENCE)
        probe.status('failed', count)
    assert probe.heard['joint_trajectory'] == []
    assert probe.heard['base_trajectory'] == []
    assert probe.state() == 'active'
    health = probe.health()
    assert health['level'] == DiagnosticStatus.ERROR
    assert 'failed' in health['last_error']
    assert node.alive


# ---------------------------------------------------------------------- ends


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_a_signal_during_a_generation_ends_it_within_a_second(
    start, probe, tiny_checkpoint, number
):
    node = start(forked=False, checkpoint=str(tiny_checkpoint), num_inference_steps=1000)
    probe.active()
    probe.say(SENTENCE)
    probe.status('generating')
    code, took_s = node.end(number)
    probe.spin_for(0.5)
    assert (code, took_s < 1.0) == (0, True), f'code {code} after {took_s:.2f} s: {node.output}'
    assert probe.messages('published') == []
    assert probe.heard['joint_trajectory'] == []
    assert 'Traceback' not in node.output


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_a_signal_while_a_motion_plays_publishes_nothing_more(
    start, probe, tiny_checkpoint, number
):
    node = start(forked=False, checkpoint=str(tiny_checkpoint))
    probe.active()
    probe.say('a person walks forward for 5 seconds.')
    probe.trajectory(1)
    code, took_s = node.end(number)
    probe.spin_for(0.5)
    assert (code, took_s < 1.0) == (0, True), node.output
    assert len(probe.heard['joint_trajectory']) == 1
    assert (
        violations(probe.heard['joint_trajectory'][0], HUMAN) == []
    )  # it ends by itself, at rest


def test_a_signal_while_the_model_loads(start, probe, tiny_checkpoint):
    node = start(forked=False, checkpoint=str(tiny_checkpoint))
    probe.until(lambda: probe.node.count_publishers('generate_node/status'), 'the node')
    code, took_s = node.end(signal.SIGTERM)
    assert (code, took_s < 1.0) == (0, True), f'code {code} after {took_s:.2f} s: {node.output}'


def test_a_second_interrupt_does_not_spoil_the_end(start, probe, tiny_checkpoint):
    node = start(forked=False, checkpoint=str(tiny_checkpoint))
    probe.active()
    node.send(signal.SIGINT)
    code, _ = node.end(signal.SIGINT)
    assert (code, 'Traceback' in node.output) == (0, False), node.output


def test_deactivating_while_a_motion_plays_publishes_a_hold(spoken_to):
    probe = spoken_to
    probe.under_way('a person walks forward for 5 seconds.')
    assert probe.change('deactivate')
    hold = probe.trajectory(2)
    assert violations(hold, HUMAN) == []
    assert len(hold.points) <= 10
    assert 'deactivated' in probe.status('cancelled')['reason']
    probe.say(SENTENCE)
    assert probe.status('refused')['reason'] == 'the node is inactive'
    assert probe.change('activate')
    probe.spin_for(0.3)
    count, rest = len(probe.heard['joint_trajectory']), probe.heard['joint_trajectory'][-1]
    ended = probe.times['joint_trajectory'][-1] + time_s(rest, -1)
    probe.until(lambda: time.monotonic() > ended, 'the body to be at rest')
    probe.say(SENTENCE)
    first = probe.trajectory(count + 1).points[0]
    np.testing.assert_allclose(first.positions, rest.points[-1].positions, atol=1e-6)


def test_shutting_down_while_a_motion_plays_publishes_a_hold(start, probe, tiny_checkpoint):
    start(checkpoint=str(tiny_checkpoint), max_joint_velocity=3.0, max_joint_acceleration=20.0)
    probe.active()
    probe.under_way('a person walks forward for 5 seconds.')
    assert probe.change('shutdown')
    hold = joint_path(probe.trajectory(2))
    assert violations(probe.trajectory(2), HUMAN) == []
    speed, acceleration = extreme_rates(hold.times, hold.positions, hold.velocities)
    assert (speed.max() <= 3.003, acceleration.max() <= 20.02) == (True, True)
    assert probe.state() == 'finalized'


def test_deactivating_during_a_generation_publishes_nothing(spoken_to):
    assert spoken_to.set(num_inference_steps=1000) == (True, '')
    spoken_to.say(SENTENCE)
    spoken_to.status('generating')
    assert spoken_to.change('deactivate')
    spoken_to.status('cancelled')
    assert spoken_to.change('cleanup')
    assert spoken_to.heard['joint_trajectory'] == []
    assert spoken_to.change('configure')
    assert spoken_to.change('activate')


def test_memory_is_flat_over_twenty_lives(start, probe, tiny_checkpoint):
    node = start(checkpoint=str(tiny_checkpoint))
    probe.active()
    memory = []
    for life in range(1, 21):
        probe.say(SENTENCE)
        probe.status('published', life)
        for transition in ('deactivate', 'cleanup', 'configure', 'activate'):
            assert probe.change(transition)
        memory.append(node.memory_mb())
    assert abs(memory[-1] - memory[2]) < 30, memory


def test_a_transition_that_is_not_allowed_does_no_harm(start, probe, tiny_checkpoint):
    node = start(checkpoint=str(tiny_checkpoint))
    probe.active()
    assert not probe.change('cleanup')
    assert not probe.change('nonsense')
    by_number = ChangeState.Request()
    by_number.transition.id = Transition.TRANSITION_CONFIGURE
    client = probe.node.create_client(ChangeState, 'generate_node/change_state')
    probe.until(client.service_is_ready, 'the service')
    client.call_async(by_number)  # rclpy raises, and never answers
    probe.until(lambda: 'fault in a callback' in node.output, 'the fault in the log')
    assert node.alive
    assert probe.state() == 'active'
    probe.say(SENTENCE)
    probe.status('published')


def test_before_it_is_configured_it_refuses(start, probe, tiny_checkpoint):
    start(checkpoint=str(tiny_checkpoint), autostart=False)
    probe.matched()
    assert probe.state() == 'unconfigured'
    probe.say(SENTENCE)
    assert probe.status('refused')['reason'] == 'the node is unconfigured'


@pytest.mark.parametrize(
    ('name', 'value'), [('fps_out', 500.0), ('fps_out', 20), ('queue_policy', 'newest')]
)
def test_an_unfit_parameter_at_the_start_is_one_line(start, name, value):
    node = start(autostart=False, **{name: value})
    assert node.wait() == 2
    (line,) = node.output.strip().splitlines()
    assert name in line


def test_without_a_home_a_line_says_what_to_set(start, probe, monkeypatch, tmp_path):
    for name in ('HOME', 'ROS_HOME', 'ROS_LOG_DIR'):
        monkeypatch.delenv(name, raising=False)
    node = start('playback_node')
    assert node.wait() == 2
    assert node.output.strip().splitlines()[-1].startswith('error: ')
    assert 'set HOME, ROS_HOME or ROS_LOG_DIR' in node.output
    assert 'Traceback' not in node.output
    monkeypatch.setenv('ROS_LOG_DIR', str(tmp_path / 'log'))
    node = start('playback_node')
    assert probe.health('/playback_node')['message'] == 'playing'
