# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Actions that only some checkpoints know: asked for in the command's own words, or refused."""

from __future__ import annotations

import pytest

from mgpt3_ros.body.commands.carrying_out import carry_out_all
from mgpt3_ros.body.commands.confidence import KNOWN, UnknownActionError, further
from mgpt3_ros.body.commands.meaning import Action, Rest
from mgpt3_ros.body.commands.reading import understand
from mgpt3_ros.model.errors import TextError
from mgpt3_ros.model.motiongpt3 import MotionGPT3
from mgpt3_ros.model.sampling import SamplingOptions, noise_source

ALSO = ('box', 'jump-forward', 'karate', 'kick-left', 'kick-right', 'sit-down', 'stand-up')


@pytest.mark.parametrize(
    ('text', 'label', 'words'),
    [
        ('Kick with your left foot!', 'kick-left', 'kick with your left foot'),
        ('a person kicks with the right leg', 'kick-right', 'a person kicks with the right leg'),
        ('practice karate', 'karate', 'practice karate'),
        ('Please do some karate moves', 'karate', 'do some karate moves'),
        ('stand up', 'stand-up', 'stand up'),
        ('sit down on a chair', 'sit-down', 'sit down on a chair'),
        ('box for 3 seconds', 'box', 'box'),
    ],
)
def test_what_a_checkpoint_knows_is_asked_in_its_words(text, label, words):
    (action,) = understand(text, ALSO)
    assert (action.name, action.words) == (label, words)
    with pytest.raises(UnknownActionError):
        understand(text)


def test_times_are_kept_and_other_numbers_told():
    (action,) = understand('kick with the left leg three times for 2 seconds', ALSO)
    assert action.duration_s == 2.0
    assert 'three times' in action.unmet


def test_parts_of_either_kind_follow_on_each_other():
    walk, sit = understand('walk forward, then sit down', ALSO)
    assert (walk.name, sit.name) == ('walk', 'sit-down')
    assert understand('kick with the left leg, then stop', ALSO)[1] == Rest()


@pytest.mark.parametrize(
    'text',
    [
        *('climb onto the box', 'sit', 'the weather kicks', 'jump up and down'),
        *('I kicked the ball', 'if you can, kick', 'he kicked me with his left foot yesterday'),
    ],
)
def test_what_only_sounds_alike_is_refused(text):
    with pytest.raises(TextError):
        understand(text, ALSO)


@pytest.mark.parametrize('text', ['do not kick', "don't sit down", 'stop kicking', 'never jump'])
def test_a_negation_never_becomes_motion(text):
    assert understand(text, ALSO) == (Rest(),)


def test_the_shipped_stream_kicks():
    model = MotionGPT3.from_pretrained('stream', device='cpu')
    also = further(action.label for action in model.known_actions())
    assert 'kick-left' in also
    assert not set(also) & set(KNOWN)
    parts = understand('kick with your left foot for 2 seconds', also)
    assert parts == (Action('kick-left', duration_s=2.0),)
    motion = carry_out_all(model, parts, SamplingOptions(generator=noise_source(0)))
    assert motion.duration_s == pytest.approx(2.0, abs=0.7)


def test_what_is_asked_in_other_words_is_drawn_from_a_known_sentence():
    model = MotionGPT3.from_pretrained('stream', device='cpu', encoder='off')
    examples = {action.label: action.examples[0] for action in model.known_actions()}
    said = 'kick at the piano with your left foot'
    (action,) = understand(said, further(examples))
    motion = carry_out_all(model, (action,), SamplingOptions(generator=noise_source(0)))
    assert motion.info['understood_as'] == examples['kick-left'].rstrip('.')
    assert motion.info['text'] == said
    assert motion.info['confidence']['prompt'] > 0.5
