# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Several bodies in one process, over DDS: what waits at one time is drawn as one batch."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip('rclpy', reason='rclpy is not installed: nothing can talk over DDS')

from mgpt3_ros.model.errors import ConfigError
from mgpt3_ros.nodes.bodies import body_names
from mgpt3_ros.nodes.messages import joint_path
from tests.nodes.conftest import processes_of_nodes
from tests.support.domains import free_domain
from tests.support.jtc_rules import violations
from tests.support.listener import NAMES, Listener
from tests.support.streams import save_calm_model

BODIES = ('anna', 'bert', 'cleo')
SENTENCES = ('a person walks forward.', 'wave', 'someone turns around and then goes on')
NODE = 'generate_node'
ATTEMPTS = 5


@contextlib.contextmanager
def bodies_of(
    folder: Path, names: tuple[str, ...], executable: str = NODE, **parameters: object
) -> Iterator[list[Listener]]:
    """A process of several bodies, and who speaks to each of them."""
    with (
        free_domain() as number,
        processes_of_nodes(folder) as make,
        contextlib.ExitStack() as stack,
    ):
        process = make(executable, bodies=names, device='cpu', seed=3, **parameters)
        bodies = [stack.enter_context(Listener(number, name)) for name in names]
        for body in bodies:
            body.ready(NODE)
            body.until(body.commands.get_subscription_count, 'an ear for command')
            body.process = process
        yield bodies


def together(body: Listener) -> int:
    return int(body.health(f'{body.node.get_namespace()}/{NODE}')['drawn_together'])


def moves(body: Listener) -> bool:
    return body.health(f'{body.node.get_namespace()}/{NODE}')['moving'] == 'true'


def at_rest(bodies: list[Listener]) -> None:
    """Let bodies stand where trajectories begin that nothing went before, all heard forgotten."""
    for body in bodies:
        assert body.trigger(f'{NODE}/cancel')[0]
        assert body.change_of(NODE, 'deactivate')
        assert body.change_of(NODE, 'activate')
    for body in bodies:
        body.until(lambda body=body: not moves(body), 'rest')
        body.forget()


@pytest.fixture(scope='module')
def bodies(tiny_checkpoint, tmp_path_factory) -> Iterator[list[Listener]]:
    folder = tmp_path_factory.mktemp('together')
    with bodies_of(folder, BODIES, checkpoint=str(tiny_checkpoint), duration_s=2.0) as made:
        yield made


def test_what_waits_at_one_time_is_drawn_as_one_batch_as_it_would_be_alone(
    bodies, tiny_checkpoint, tmp_path
):
    expected = []
    for body, text in zip(bodies, SENTENCES, strict=True):  # one after the other
        body.say(text)
        expected.append(body.trajectory())
    assert together(bodies[0]) == 1
    for number in range(ATTEMPTS):  # on a busy machine they may come apart
        folder = tmp_path / str(number)
        folder.mkdir()
        with bodies_of(folder, BODIES, checkpoint=str(tiny_checkpoint), duration_s=2.0) as made:
            for body, text in zip(made, SENTENCES, strict=True):
                body.say(text)
            found = [body.trajectory() for body in made]
            batch = together(made[0])
        for one, other in zip(found, expected, strict=True):
            assert violations(one, NAMES, lead_in_s=0.5) == []
            ours, theirs = joint_path(one), joint_path(other)
            np.testing.assert_allclose(ours.times, theirs.times, atol=1e-3)
            np.testing.assert_allclose(ours.positions, theirs.positions, atol=1e-3)
        if batch > 1:
            break
    assert batch > 1


def test_bad_input_a_refusal_and_a_cancel_of_one_touch_no_other(bodies):
    anna, bert, cleo = bodies
    at_rest(bodies)
    assert anna.set_of(NODE, num_inference_steps=1000) == (True, '')
    anna.say(SENTENCES[0])
    anna.status('generating')
    bert.say('')
    cleo.say(SENTENCES[1])
    cleo.status('generating')
    assert anna.trigger(f'{NODE}/cancel')[0]
    assert anna.status('cancelled')
    assert violations(cleo.trajectory(), NAMES, lead_in_s=0.5) == []
    assert not anna.heard['joint_trajectory']
    assert bert.status('refused')
    assert anna.change_of(NODE, 'deactivate')
    assert {body.state_of(NODE) for body in (bert, cleo)} == {'active'}
    assert anna.change_of(NODE, 'activate')
    assert anna.set_of(NODE, num_inference_steps=0) == (True, '')
    anna.forget()
    anna.say(SENTENCES[0])
    assert violations(anna.trajectory(), NAMES, lead_in_s=0.5) == []


def test_the_process_ends_in_good_order(bodies):
    code, _ = bodies[0].process.end(signal.SIGTERM)
    assert code == 0, bodies[0].process.output
    assert 'Traceback' not in bodies[0].process.output


def test_live_bodies_move_on_each_by_itself(tmp_path):
    checkpoint = str(save_calm_model(tmp_path))
    names = BODIES[:2]
    with bodies_of(tmp_path, names, 'motion_server', mode='stream', checkpoint=checkpoint) as (
        anna,
        bert,
    ):
        anna.say('walk')
        bert.say('wave')
        for body in (anna, bert):
            body.until(lambda body=body: len(body.heard['joint_trajectory']) >= 4, 'chunks')
            for trajectory in body.heard['joint_trajectory']:
                assert violations(trajectory, NAMES) == []
        anna.trigger(f'{NODE}/cancel')
        anna.until(lambda: not moves(anna), 'rest')
        bert.forget()
        bert.until(lambda: len(bert.heard['joint_trajectory']) >= 2, 'more of the other')
        anna.play(2.0)
        anna.until(lambda: anna.heard['predicted_trajectory'], 'a prediction')
        assert not bert.heard['predicted_trajectory']


@pytest.mark.parametrize(
    ('given', 'named'),
    [
        ([], ['']),
        (['--bodies', 'anna,bert'], ['anna', 'bert']),
        (['--bodies', '/fleet/anna, bert', '--ros-args', '-p', 'seed:=1'], ['fleet/anna', 'bert']),
    ],
)
def test_bodies_are_named_on_the_command_line(given, named):
    assert body_names(given) == named


@pytest.mark.parametrize(
    ('given', 'wrong'),
    [
        ('anna,anna', 'is there twice'),
        ('anna,,bert', 'no name'),
        (','.join(f'b{number}' for number in range(33)), 'one process takes 32'),
    ],
)
def test_bodies_that_cannot_be_are_refused(given, wrong):
    with pytest.raises(ConfigError, match=wrong):
        body_names(['--bodies', given])


def test_another_namespace_beside_bodies_is_refused(tiny_checkpoint, tmp_path):
    with free_domain(), processes_of_nodes(tmp_path) as make:
        process = make(namespace='fleet', bodies=BODIES[:2], checkpoint=str(tiny_checkpoint))
        assert process.wait() == 2
    assert 'write --bodies fleet/anna' in process.output
