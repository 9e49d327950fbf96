# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from mgpt3_ros.model.config import load_yaml
from mgpt3_ros.model.errors import ConfigError
from mgpt3_ros.model.language.caption_actions import read_action
from mgpt3_ros.training.data.captions import CaptionOptions, CaptionSampler, borrow
from mgpt3_ros.training.data.clip import Clip
from mgpt3_ros.training.data.mirroring import mirror_action, mirror_caption
from mgpt3_ros.training.data.packs import load_pack
from mgpt3_ros.training.data.phrases import (
    KINDS,
    as_command,
    command,
    draw_phrase,
    normalised,
    phrases,
    progressive_form,
    statement,
    third_person,
    wordings,
)
from tests.support import mocap

ROOT = Path(__file__).resolve().parents[3]
ACTIONS = [
    'raise-up-left-hand', 'raise-up-both-hands', 'wave-right-hand', 'wave-both-hands', 'bye',
    'run', 'walk', 'walk-back', 'walk-left', 'walk-turn-right', 'bow', 'guide',
]  # fmt: skip


@pytest.mark.parametrize(
    ('text', 'mirrored'),
    [
        ('wave the left hand', 'wave the right hand'),
        ('Left foot first, then the right.', 'Right foot first, then the left.'),
        ('walks clockwise', 'walks counterclockwise'),
        ('turns counter-clockwise', 'turns clockwise'),
        ('turns counter clockwise', 'turns clockwise'),
        ('walks anti-clockwise', 'walks clockwise'),
        ('walks a circle clock-wise', 'walks a circle counterclockwise'),
        # HumanML3D's own mirror images of "counter clockwise": clockwise is what they show.
        ('jumps counter counterclockwise', 'jumps counterclockwise'),
        ('sidesteps leftwards, righthanded', 'sidesteps rightwards, lefthanded'),
        ('goes to the right before stopping', 'goes to the left before stopping'),
        ('turns right after three steps', 'turns left after three steps'),
        ('stops right before the wall', 'stops right before the wall'),
        ('falls to the back right after the push', 'falls to the back right after the push'),
        ('do it right away', 'do it right away'),
        ('uprights and leftovers', 'uprights and leftovers'),
    ],
)
def test_mirrored_captions(text: str, mirrored: str) -> None:
    assert mirror_caption(text) == mirrored


def test_mirrored_actions_swap_sides() -> None:
    assert mirror_action('walk-turn-left') == 'walk-turn-right'
    assert mirror_action('wave-both-hands') == 'wave-both-hands'
    assert mirror_action(None) is None


@pytest.mark.parametrize(
    ('base', 'third', 'progressive'),
    [
        ('raise', 'raises', 'raising'),
        ('hurry', 'hurries', 'hurrying'),
        ('say', 'says', 'saying'),
        ('run', 'runs', 'running'),
        ('stretch', 'stretches', 'stretching'),
        ('side step', 'side steps', 'side stepping'),
        ('go', 'goes', 'going'),
    ],
)
def test_conjugation(base: str, third: str, progressive: str) -> None:
    assert third_person(base) == third
    assert progressive_form(base) == progressive


def test_a_phrase_in_three_forms() -> None:
    phrase = '*raise* {their} left hand and *wave*'
    assert command(phrase) == 'raise your left hand and wave'
    assert statement(phrase, 'the man') == 'the man raises his left hand and waves'
    assert statement(phrase, 'someone', True) == 'someone is raising their left hand and waving'


@pytest.mark.parametrize(
    ('caption', 'expected'),
    [
        ('a person walks forward.', 'walk forward'),
        ('the man waves with his left hand', 'wave with your left hand'),
        ('someone carries a box.', 'carry a box'),
        ('a person crosses their arms', 'cross your arms'),
        ('walking man', 'walking man'),
    ],
)
def test_captions_as_commands(caption: str, expected: str) -> None:
    assert as_command(caption) == expected


@pytest.mark.parametrize('action', ACTIONS)
def test_every_action_has_wordings_without_leftovers(action: str) -> None:
    found = phrases(action)
    assert len(found) >= 4
    for phrase in found:
        for text in (command(phrase), statement(phrase, 'a person', True)):
            assert not set('*{}()|') & set(text)
        other = 'left' if 'right' in action else 'right'
        if action.rpartition('-')[0] or 'hand' in action:
            assert f'{other} ' not in f'{command(phrase)} ' or action in ('guide',)


def test_the_wordings_of_a_side_name_it_or_none() -> None:
    for action in ('raise-up-left-hand', 'wave-left-hand', 'walk-left', 'walk-turn-left'):
        said = [command(phrase) for phrase in phrases(action)]
        assert not [text for text in said if 'right' in text]
        sided = sum('left' in text for text in said)
        # "wave" alone is either hand; a way has a side.
        assert sided == len(said) if action.startswith('walk') else sided > 0.8 * len(said)


def bare(prompt: str) -> str:
    """A prompt without the request around it and the manner behind it, of "a person"."""
    text = normalised(prompt)
    for request in wordings()['requests']:
        before, after = (normalised(part) for part in request.split('{command}'))
        if (before or after) and text.startswith(before) and text.endswith(after):
            text = text[len(before) : len(text) - len(after)].strip()
    for manner in wordings()['manners']:
        text = text.removesuffix(f' {manner}')
    for subject in wordings()['subjects']:
        if text.startswith(f'{subject} '):
            return 'a person' + text[len(subject) :]
    return text


def test_a_bare_prompt_has_no_request_manner_or_subject() -> None:
    assert bare('Can you wave to them, please?') == 'wave to them'
    assert bare('the robot is waving for a while.') == 'a person is waving'


def pattern(line: str) -> re.Pattern[str]:
    """What a line of wordings or sentences can become, said by "a person" or as a command."""
    words = wordings()['words']

    def word(match: re.Match[str]) -> str:
        if match[1] in words:
            return f'(?:{"|".join(fill(text) for text in words[match[1]])})'
        own = {'their': 'your|the', 'they': 'you|they'}
        if '*' in line:
            own = {'their': 'your|his|her|their', 'they': 'you|he|she|they'}
        return f'(?:{own[match[1]]})'

    def fill(text: str) -> str:
        return re.sub(r'{(\w+)}', word, text)

    def verb(match: re.Match[str]) -> str:
        verbs = words.get(match[1].strip('{}'), [match[1]])
        forms = [f(v) for v in verbs for f in (str, third_person, progressive_form)]
        return f'(?:is )?(?:{"|".join(forms)})'

    text = normalised(line).replace('{side}', '(?:left|right)')
    text = re.sub(r'\*([^*]+)\*', verb, re.sub(r'\((?!\?)', '(?:', text))
    return re.compile(('(?:a person )?' if '*' in line else '') + fill(text))


def test_patterns_match_what_is_drawn() -> None:
    rng = np.random.default_rng(0)
    for kind in KINDS:
        for action, lines in wordings()[kind].items():
            patterns = [pattern(line) for line in lines]
            for _ in range(50):
                phrase = draw_phrase(action.replace('SIDE', 'left'), rng, kind)
                assert phrase is not None
                for text in (command(phrase), statement(phrase, 'a person', True)):
                    assert any(p.fullmatch(normalised(text)) for p in patterns), text


def held_out_prompts(file: str) -> set[str]:
    listed = load_yaml(ROOT / 'benchmarks' / file)
    groups = listed.get('known', listed).values()  # of those of confidence.yaml the known ones
    return {normalised(prompt) for group in groups for prompt in group}


HELD_OUT = ('paraphrases.yaml', 'blind_prompts.yaml', 'blind_prompts_new.yaml', 'confidence.yaml')


@pytest.mark.parametrize('file', HELD_OUT)
def test_held_out_prompts_are_never_trained_on(file: str) -> None:
    held_out = held_out_prompts(file)
    assert len(held_out) >= 60
    named = re.compile('|'.join(rf'\b{text}\b' for text in wordings()['held_out']))
    others = {prompt for prompt in held_out if not named.search(prompt)}
    lines = [pattern(line) for k in KINDS for group in wordings()[k].values() for line in group]
    for text in others | set(map(bare, others)):
        assert not any(line.fullmatch(text) for line in lines), text


@pytest.mark.parametrize('name', ['mocap22', 'motion52'])
def test_held_out_prompts_are_no_captions_of_the_real_data(name: str) -> None:
    folder = mocap.FOLDER.parent / name
    if not folder.is_dir():
        pytest.skip(f'no motion capture in {folder}')
    pack = load_pack(folder)
    captions = [c for clip in [*pack.train, *pack.val] for c in clip.captions] + pack.text_only
    captions += [mirror_caption(caption) for caption in captions]
    captions += [as_command(caption) for caption in captions]
    held_out = set().union(*map(held_out_prompts, HELD_OUT[:3]))
    assert not held_out & {normalised(caption) for caption in captions}


def test_the_sampler_keeps_action_and_side() -> None:
    clip = Clip('x', np.zeros((20, 22, 3)), ('a person waves the left hand.',), 'train', 'bandai',
                'wave-left-hand', 'sad')  # fmt: skip
    rng = np.random.default_rng(0)
    sampler = CaptionSampler()
    texts = {sampler(clip, rng) for _ in range(200)}
    assert len(texts) > 60
    assert not any('right' in text.lower() for text in texts)
    assert sum('left' in text.lower() for text in texts) > 0.75 * len(texts)
    assert any(word in text for text in texts for word in ('sadly', 'sadness'))


def test_the_sampler_never_draws_what_is_held_out() -> None:
    clip = Clip(
        'x', np.zeros((20, 22, 3)), ('Jog ahead.', 'a person jogs.'), 'train', 'bandai', 'run'
    )
    rng = np.random.default_rng(0)
    for options in (CaptionOptions(), CaptionOptions(rewritten=0, sentences=0, borrowed=0)):
        sampler = CaptionSampler(options, {'run': ('a person hurries forward.',)})
        texts = {normalised(sampler(clip, rng)) for _ in range(300)}
        assert not any('jog ahead' in text for text in texts)


def test_sentences_of_one_plain_action_are_borrowed() -> None:
    sentences = [
        'a person walks slowly.', 'a man walks and then sits down.', 'someone steps to the left.',
        'a person raises his right hand to his face.', 'a bowler is bowling', 'he sings',
    ]  # fmt: skip
    found = borrow(sentences)
    assert found == {
        'walk': ('a person walks slowly.',),
        'walk-left': ('someone steps to the left.',),
        'walk-right': ('someone steps to the right.',),
    }
    rng = np.random.default_rng(0)
    clip = Clip('x', np.zeros((20, 22, 3)), ('a person walks.',), 'train', 'bandai', 'walk')
    sampler = CaptionSampler(CaptionOptions(rewritten=0, sentences=0, borrowed=1, gaps=0), found)
    assert {sampler(clip, rng) for _ in range(20)} == {'a person walks slowly.', 'walk slowly'}


@pytest.mark.parametrize(
    'wrong',
    [{'rewritten': 1.2}, {'rewritten': 0.7, 'sentences': 0, 'borrowed': 0.4}, {'sentences': 0.6}],
)
def test_impossible_shares_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match='captions'):
        CaptionOptions(**wrong)


def test_actions_are_read_from_sentences() -> None:
    assert read_action('a man waves with his left hand sadly.') == 'wave-left-hand'
    assert read_action('the person raises both arms') == 'raise-up-both-hands'
    assert read_action('someone walks forward, then turns right') == 'walk-turn-right'
    assert read_action('a person sings') is None
    assert read_action('wave the left or the right hand') is None
