# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
import pytest

from mgpt3_ros.body.commands.memory import Memory
from mgpt3_ros.model.errors import TextError
from mgpt3_ros.model.language.known_actions import KnownAction
from mgpt3_ros.nodes.commands import (
    Command,
    CommandQueue,
    Step,
    actions_of,
    fit_text,
    printable,
    read_command,
    status_values,
)


@pytest.mark.parametrize('text', ['', ' ', '\t\n', '\u200b', '\u3000 \u200d'])
def test_blank_texts_are_refused(text):
    with pytest.raises(TextError, match='empty'):
        fit_text(text, 512)


@pytest.mark.parametrize('text', ['walk\x00', 'a\x1b[31mred', '\x07'])
def test_control_characters_are_refused_and_named(text):
    with pytest.raises(TextError, match='control character'):
        fit_text(text, 512)


@pytest.mark.parametrize(
    'text',
    ['eine Person läuft', '一个人在走路', '💃🕺🏽', '👩‍🚀 walks', 'naïve', 'a; rm -rf {} %s'],
)
def test_any_language_passes(text):
    assert fit_text(f'  {text}\n', 512) == (text, '')


def test_long_texts_are_cut_and_say_so():
    text, note = fit_text('walk ' * 1000, 512)
    assert len(text) <= 512
    assert note == 'text cut from 4999 to 512 characters'


def test_printable_is_bounded_and_has_no_control_characters():
    assert printable('a\x1b\x00b', 10) == 'a\\x1b\\x00b'
    assert printable('é' * 20, 10) == 'é' * 10 + '...'


def command(number):
    return Command(number, f'text {number}', 0.0)


def test_latest_keeps_only_the_newest():
    queue = CommandQueue()
    assert queue.offer(command(1), 'latest', 8, busy=True) == []
    assert queue.offer(command(2), 'latest', 8, busy=True) == [command(1)]
    assert (queue.take(), queue.take()) == (command(2), None)


def test_fifo_keeps_the_order_and_is_bounded():
    queue = CommandQueue()
    for number in (1, 2):
        queue.offer(command(number), 'fifo', 2, busy=True)
    with pytest.raises(TextError, match='full'):
        queue.offer(command(3), 'fifo', 2, busy=True)
    assert [queue.take(), queue.take(), queue.take()] == [command(1), command(2), None]


def test_reject_refuses_while_busy():
    queue = CommandQueue()
    with pytest.raises(TextError, match='busy'):
        queue.offer(command(1), 'reject', 8, busy=True)
    queue.offer(command(2), 'reject', 8, busy=False)
    with pytest.raises(TextError, match='busy'):
        queue.offer(command(3), 'reject', 8, busy=False)
    assert queue.clear() == [command(2)]
    assert len(queue) == 0


def test_what_lies_beyond_the_longest_text_is_not_looked_at():
    text, note = fit_text('walk ' * 200_000 + '\x07', 512)
    assert len(text) <= 512
    assert 'cut from 1000001' in note


def test_a_command_is_cut_into_actions_where_that_is_wanted():
    text = 'walk, then bow'
    assert actions_of(text, split=True) == ('walk', 'bow')
    assert actions_of(text, split=False) == (text,)
    with pytest.raises(TextError, match='cancel'):
        actions_of('stop', split=False)


def test_steps_follow_on_one_another_and_say_which_they_are():
    first = Step(Command(3, 'walk, then bow', 0.0, actions=('walk', 'bow')))
    second = first.following
    assert (first.text, second.text, second.following) == ('walk', 'bow', None)
    values = status_values(second, 512)
    assert [values[key] for key in ('id', 'action', 'actions', 'action_text')] == [
        *('3', '2', '2', 'bow')
    ]
    assert status_values(second.command, 512)['action'] == ''


KNOWN = (
    KnownAction('walk', ('a person walks.',), 0.9, 10),
    KnownAction('kick-left', ('a person kicks with the left leg.',), 1.0, 10),
)


def read(text, unknown_text, split=True, known=KNOWN):
    given = Command(1, text, 0.0)
    return read_command(given, Memory(), False, False, split, unknown_text, known)


@pytest.mark.parametrize('text', ['juggle three balls', 'run the dishwasher', 'what time is it'])
def test_what_is_not_known_is_refused_with_what_comes_near(text):
    with pytest.raises(TextError, match=r'\(it knows: a person '):
        read(text, 'refuse')


@pytest.mark.parametrize('text', ['what time is it', 'eine Person geht', 'Berlin', 'asdf qwer'])
def test_what_is_no_command_in_english_is_refused_also_where_unknown_ones_are_drawn(text):
    with pytest.raises(TextError, match=r'\(it knows: '):
        read(text, 'warn')
    assert read(text, 'draw').actions == (text,)


def test_unknown_commands_are_drawn_with_a_warning_where_that_is_wanted():
    warned = read('juggle three balls', 'warn')
    assert warned.actions == ('juggle three balls',)
    assert 'juggle' in warned.note
    assert 'it knows: ' in warned.note
    assert warned.confidence < 0.5
    assert read('juggle three balls', 'draw').note == ''


def test_known_commands_say_how_sure_they_are():
    known = read('walk two metres, then kick with your left foot', 'refuse')
    assert known.confidence > 0.9
    assert status_values(known, 512)['confidence'] == f'{known.confidence:.2f}'
    assert status_values(Command(1, 'walk', 0.0), 512)['confidence'] == ''
    assert read('stop', 'refuse').confidence is None
    assert read('walk', 'refuse', known=()).confidence is None


def test_what_the_grammar_understands_is_doubted_and_not_refused():
    told = read('wave goodbye', 'refuse')  # an action that is shaped, and that is not listed
    assert told.confidence < 0.5
    assert 'I do not know bye' in told.note
    assert read('strafe left until further notice', 'refuse', known=KNOWN).parts
    assert read('walk to the dishwasher', 'refuse').confidence > 0.5


def test_a_text_that_is_one_motion_is_judged_too():
    assert read('kick with the left leg', 'refuse', split=False).confidence > 0.9
    with pytest.raises(TextError, match='how to do that'):
        read('juggle three balls', 'refuse', split=False)
