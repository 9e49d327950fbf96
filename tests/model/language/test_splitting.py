# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0

import pytest

from mgpt3_ros.model.language.durations import stated_duration
from mgpt3_ros.model.language.splitting import means_rest, split_actions, without_steps
from mgpt3_ros.training.data.phrases import command, phrases, statement, wordings


@pytest.mark.parametrize(
    ('text', 'actions'),
    [
        ('walk forward, then wave, then bow', ['walk forward', 'wave', 'bow']),
        ('walk forward and then wave', ['walk forward', 'wave']),
        ('walk forward; wave; bow', ['walk forward', 'wave', 'bow']),
        ('walk forward\nwave\n\nbow', ['walk forward', 'wave', 'bow']),
        ('Walk forward. Then wave. Bow!', ['Walk forward', 'wave', 'Bow!']),
        ('walk forward, after that bow', ['walk forward', 'bow']),
        ('walk forward followed by a bow', ['walk forward', 'a bow']),
        ('walk forward, wave, and bow', ['walk forward', 'wave', 'bow']),
        ('first run, next wave, and finally bow', ['run', 'wave', 'bow']),
        ('run, then turn left', ['run', 'turn left']),
        ('walk backward, then turn left', ['walk backward', 'turn left']),
        ('walk forward, turn left, then bow', ['walk forward, turn left', 'bow']),
        ('Robot, wave, then bow', ['Robot, wave', 'bow']),
        ('surrender, bow', ['surrender', 'bow']),
        ('dancing, jump', ['dancing', 'jump']),
        ('With the left hand, wave. Then bow', ['With the left hand, wave', 'bow']),
    ],
)
def test_actions_after_one_another_are_parted(text, actions):
    assert split_actions(text) == actions


@pytest.mark.parametrize(
    ('text', 'actions'),
    [
        ('a person runs, then waves.', ['a person runs', 'a person waves.']),
        ('A tall man is walking, then waving', ['A tall man is walking', 'A tall man is waving']),
        ('walks forward, then bows', ['walks forward', 'a person bows']),
        ('walk, followed by waving', ['walk', 'a person is waving']),
        ('a man runs. They then bow', ['a man runs', 'They then bow']),
        ('a person stands still, then waves', ['a person waves']),
    ],
)
def test_an_action_gets_the_subject_that_it_lacks(text, actions):
    assert split_actions(text) == actions


@pytest.mark.parametrize(
    'text',
    [
        'walk forward and turn left',
        'walk, then turn right',
        'a person walks, then changes direction to the right like an old person.',
        'after a few steps, turn left',
        'walk forward and wave',
        'walk while waving',
        'run forward, waving both hands',
        'bow before walking away',
        'wave with the left hand, then the right hand',
        'raise your left arm and then lower it',
        'a man bows, then stands up',
        'walk forward, then back',
        'walk forward, then to the left',
        'a man walks. He is sad. His arms swing.',
        'holds both hands up slowly, like an old person.',
        'walk now and then',
        'walk next to the wall',
        'walk for 2.5 seconds',
        'Robot, wave your left hand',
        'Ok my friend, walk backwards',
        'Please, mister robot, make a bow',
        'You are too near to the stove, step back!',
        'then bow',
        'stop',
        '走路, 然后挥手',
        ', then ;',
        '',
    ],
)
def test_one_action_stays_one(text):
    assert split_actions(text) == [text]


@pytest.mark.slow
def test_nothing_that_the_shipped_model_was_trained_on_as_one_is_parted():
    actions = wordings()['actions']
    names = [name.replace('SIDE', 'left') for name in actions]
    found = [phrase for name in names for phrase in phrases(name)]
    texts = [command(phrase) for phrase in found]
    texts += [
        statement(phrase, 'a person', progressive) for phrase in found for progressive in (0, 1)
    ]
    tails = [line for lines in wordings()['styles'].values() for line in lines]
    texts += [f'a person walks, then turns to the left {tail}.' for tail in tails]
    assert len(texts) > 900
    assert [text for text in texts if split_actions(text) != [text]] == []


@pytest.mark.parametrize(
    ('text', 'seconds'),
    [
        ('walk for 3 seconds, then bow', [3.0, None]),
        ('walk, then bow for 2.5 s', [None, 2.5]),
        ('walk for 3 sec. then turn left', [3.0, None]),
        ('walk for 40 frames; bow for two seconds', [2.0, 2.0]),
    ],
)
def test_a_length_stays_with_its_action(text, seconds):
    assert [stated_duration(action)[0] for action in split_actions(text)] == seconds


@pytest.mark.parametrize(
    ('text', 'actions'),
    [
        ('walk forward, then stop', ['walk forward']),
        ('walk, stop, then bow', ['walk', 'bow']),
        ('a person walks, then stands still.', ['a person walks']),
    ],
)
def test_stopping_needs_no_motion_of_its_own(text, actions):
    assert split_actions(text) == actions


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    'made_of', [' ', ', ', 'then ', '\n', 'ly', '. ', ' then turn left', 'a;']
)
def test_no_text_takes_long(made_of):
    text = 'walk' + (made_of * 2000)[:4000] + 'bow'
    actions = split_actions(text)  # milliseconds; with a pattern that backtracks, hours
    assert all(action.strip(' ,;.') for action in actions)


def test_what_means_rest():
    assert means_rest('Stop!')
    assert means_rest(' a person stands still. ')
    assert not means_rest('stop the car')
    assert not means_rest('walk')


@pytest.mark.parametrize(
    ('text', 'actions'),
    [
        ('1. Walk forward. 2. Wave with both hands.', ['Walk forward', 'Wave with both hands.']),
        ('1) walk forward 2) wave', ['walk forward', 'wave']),
        ('a) walk forward b) wave', ['walk forward', 'wave']),
        ('1. walk forward\n2. wave', ['walk forward', 'wave']),
        ('(1) Walk forward. (2) Wave.', ['Walk forward', 'Wave.']),
        ('Step 1: walk forward. Step 2: wave.', ['walk forward', 'wave.']),
        ('- walk forward\n- wave', ['walk forward', 'wave']),
        ('* walk forward\n* wave', ['walk forward', 'wave']),
        ('First, walk forward. Second, wave.', ['walk forward', 'wave.']),
        ('First walk forward. Secondly wave. Thirdly bow.', ['walk forward', 'wave', 'bow.']),
        ('walk approx. 3 steps forward', ['walk approx. 3 steps forward']),
        ('Dr. Smith waves.', ['Dr. Smith waves.']),
        ('Walk forward. OK. Wave.', ['Walk forward', 'Wave.']),
        ('Walk forward. Please. Thanks!', ['Walk forward']),
        ('Sure! Here is the plan. Walk forward. Wave.', ['Walk forward', 'Wave.']),
        ('OK. Wave.', ['Wave.']),
        ('walk forward ... wave', ['walk forward', 'wave']),
    ],
)
def test_numbers_of_steps_and_what_is_said_around_them_are_no_actions(
    text: str, actions: list[str]
) -> None:
    assert split_actions(text) == actions


@pytest.mark.parametrize('text', ['OK', '  wave  ', 'left arm up', 'a person walks 3. away', '1.'])
def test_a_single_text_stays_as_it_is(text: str) -> None:
    assert split_actions(text) == [text]


@pytest.mark.parametrize('text', ['walk 2 m. turn left', 'a person walks 3. away', '  wave'])
def test_a_text_without_steps_stays_as_it_is(text: str) -> None:
    assert without_steps(text) == text


def test_a_plan_becomes_its_sentences() -> None:
    plan = 'Sure! 1) walk approx. 3 steps\n2) wave'
    assert without_steps(plan) == 'walk approx 3 steps. wave.'
