# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Saying the same in other words: captions in a mirror, as commands, and with synonyms.

The captions of a small data set are few and all of one form ("a person waves the left hand."),
while users write commands ("wave your left hand"). ``wordings.yaml`` holds phrases for each
action, which are put into the imperative, the third person or the progressive.
"""

from __future__ import annotations

import re
from functools import cache
from itertools import product
from pathlib import Path

import numpy as np

from mgpt3_ros.model.config import load_yaml
from mgpt3_ros.training.data.mocap22 import Clip, action_side

# Words of one side, with the endings that captions join to them: leftwards, righthanded.
_SIDED = re.compile(r'\b(left|right)(?=(?:s|wards?|sides?|hand|handed|most)?\b)', re.IGNORECASE)
# HumanML3D writes "counter clockwise", "anti-clockwise", "clock wise" and more.
_TURNING = re.compile(
    r'\b((?:(?:counter|conter|anti)[ -]*)*)(clock[ -]*w(?:ai|i)se)\b', re.IGNORECASE
)
_AGAINST = re.compile('counter|conter|anti', re.IGNORECASE)
# "right away" names no side. "Right before" does so after words like these ("to the right before
# stopping", "turns right after that"), and does not after others ("stops right before the wall").
_AT_ONCE = re.compile(r'right (?:away|now)\b', re.IGNORECASE)
_JUST = re.compile(r'right (?:before|after|in front)\b', re.IGNORECASE)
_SIDE_FOLLOWS = re.compile(
    r'\b(?:the|his|her|their|its|your|to|from|and|or|left|(?:turn|veer|step|lean|look)\w*) $',
    re.IGNORECASE,
)


def mirror_caption(text: str) -> str:
    """The caption of the mirrored motion: left and right, and senses of turning, swapped."""

    def swap(match: re.Match[str]) -> str:
        word = match[0]
        if _AT_ONCE.match(text, match.start()):
            return word
        if _JUST.match(text, match.start()) and not _SIDE_FOLLOWS.search(text[: match.start()]):
            return word
        return _cased('right' if word.lower() == 'left' else 'left', word)

    def reverse(match: re.Match[str]) -> str:
        # Each "counter" turns the sense round; its mirror image is the other one.
        clockwise = len(_AGAINST.findall(match[1])) % 2 == 0
        return _cased('counterclockwise' if clockwise else 'clockwise', match[0])

    # Sides first: what reverse() writes holds none of their words.
    return _TURNING.sub(reverse, _SIDED.sub(swap, text))


def _cased(word: str, like: str) -> str:
    return word.capitalize() if like[0].isupper() else word


def mirror_action(action: str | None) -> str | None:
    """The action that the mirrored motion shows."""
    return None if action is None else mirror_caption(action.replace('-', ' ')).replace(' ', '-')


@cache
def wordings() -> dict[str, dict[str, list[str]] | list[str]]:
    """The phrases of ``wordings.yaml``: 'actions', 'styles' and 'subjects'."""
    return load_yaml(Path(__file__).with_name('wordings.yaml'))


_CHOICE = re.compile(r'\(([^()]*\|[^()]*)\)')


@cache
def phrases(action: str) -> tuple[str, ...]:
    """All phrases of an action, choices expanded, verbs still marked; empty for unknown ones."""
    side = action_side(action)
    general = action if side is None else action.replace(side, 'SIDE')
    actions = wordings()['actions']
    assert isinstance(actions, dict)
    expanded: list[str] = []
    for line in actions.get(general, []):
        pieces = _CHOICE.split(line)
        options = [
            piece.split('|') if index % 2 else [piece] for index, piece in enumerate(pieces)
        ]
        expanded += [''.join(choice) for choice in product(*options)]
    return tuple(line.replace('{side}', side or '') for line in expanded)


def command(phrase: str) -> str:
    """The imperative: "*raise* {their} hand" -> "raise your hand"."""
    text = phrase.replace('{their}', 'your').replace('{they}', 'you')
    return re.sub(r'\*([^*]+)\*', r'\1', text)


def statement(phrase: str, subject: str, progressive: bool = False) -> str:
    """The third person: "a person raises their hand", or "... is raising their hand"."""
    verbs = re.findall(r'\*([^*]+)\*', phrase)
    if not verbs:
        return phrase.replace('{their}', 'the').replace('{they}', 'they')
    count = 0

    def conjugate(match: re.Match[str]) -> str:
        nonlocal count
        count += 1
        after_they = phrase[: match.start()].rstrip().endswith('{they}')
        if after_they or not progressive:
            return third_person(match[1])
        return f'is {progressive_form(match[1])}' if count == 1 else progressive_form(match[1])

    text = re.sub(r'\*([^*]+)\*', conjugate, phrase)
    own = {'he': 'his', 'she': 'her', 'a man': 'his', 'the man': 'his'}
    own |= {'a woman': 'her', 'the woman': 'her'}
    pronoun = {'his': 'he', 'her': 'she'}.get(own.get(subject, ''), 'he')
    text = text.replace('{their}', own.get(subject, 'their')).replace('{they}', pronoun)
    return f'{subject} {text}'


def third_person(verb: str) -> str:
    """Raise -> raises, wave -> waves, go -> goes, say -> says, hurry -> hurries."""
    head, _, last = verb.rpartition(' ')
    if last.endswith(('s', 'sh', 'ch', 'x', 'z', 'o')):
        last += 'es'
    elif last.endswith('y') and last[-2] not in 'aeiou':
        last = last[:-1] + 'ies'
    else:
        last += 's'
    return f'{head} {last}'.strip()


_DOUBLED = {'run', 'jog', 'put', 'step', 'sidestep', 'bid', 'cut', 'flag'}


def progressive_form(verb: str) -> str:
    """Raise -> raising, run -> running, say -> saying."""
    head, _, last = verb.rpartition(' ')
    if last in _DOUBLED:
        last += last[-1]
    elif last.endswith('e') and not last.endswith('ee'):
        last = last[:-1]
    return f'{head} {last}ing'.strip()


class CaptionSampler:
    """Draws a caption of a clip: one of the data set's, or the same in other words.

    Args:
        rewritten: share of the captions of a clip with a known action that come from
            ``wordings.yaml``; of the others, half are put as a command where that is possible.
    """

    def __init__(self, rewritten: float = 0.6) -> None:
        self.rewritten = rewritten

    def original(self, clip: Clip, rng: np.random.Generator) -> str:
        """One of the data set's captions."""
        return clip.captions[int(rng.integers(len(clip.captions)))]

    def __call__(self, clip: Clip, rng: np.random.Generator) -> str:
        """A caption, in the data set's words or others."""
        known = phrases(clip.action) if clip.action else ()
        if known and rng.random() < self.rewritten:
            return self._reword(known[int(rng.integers(len(known)))], clip.style, rng)
        caption = self.original(clip, rng)
        return as_command(caption) if rng.random() < 0.4 else caption

    def _reword(self, phrase: str, style: str | None, rng: np.random.Generator) -> str:
        styles, subjects = wordings()['styles'], wordings()['subjects']
        assert isinstance(styles, dict)
        assert isinstance(subjects, list)
        form = rng.random()
        if form < 0.5:
            text = command(phrase)
        else:
            subject = subjects[int(rng.integers(len(subjects)))]
            text = statement(phrase, subject, progressive=form > 0.8)
        adverbs = styles.get(style or '', [])
        if adverbs and rng.random() < 0.6:
            text = f'{text} {adverbs[int(rng.integers(len(adverbs)))]}'
        if rng.random() < 0.4:
            text += '.'
        return text[0].upper() + text[1:] if rng.random() < 0.15 else text


_SUBJECT = re.compile(
    r'^(?:a|the|this) (?:person|man|woman|figure|human|guy|character|sim)(?: is)? |'
    r'^(?:someone|somebody|he|she|they)(?: is| are)? ',
    re.IGNORECASE,
)


def as_command(caption: str) -> str:
    """Put "a person walks forward." as "walk forward"; what has another form stays as it is."""
    match = _SUBJECT.match(caption)
    if not match:
        return caption
    verb, space, rest = caption[match.end() :].rstrip('. ').partition(' ')
    base = base_form(verb)
    if base is None:
        return caption
    rest = re.sub(r'\b(?:his|her|their)\b', 'your', rest)
    return base + space + rest


_BASE_ENDINGS = (
    *(('ies', 'y'), ('shes', 'sh'), ('ches', 'ch')),
    *(('sses', 'ss'), ('oes', 'o'), ('xes', 'x')),
)


def base_form(verb: str) -> str | None:
    """Walks -> walk, waves -> wave, hurries -> hurry; None for what is no third person."""
    for ending, base in _BASE_ENDINGS:
        if verb.endswith(ending):
            return verb[: -len(ending)] + base
    if verb.endswith('s') and not verb.endswith('ss') and len(verb) > 3:
        return verb[:-1]
    return None
