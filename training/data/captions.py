# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Saying the same in other words: captions in a mirror, as commands, and with synonyms.

The captions of a small data set are few and all of one form ("a person waves the left hand."),
while users write commands ("wave your left hand"). ``wordings.yaml`` holds phrases for each
action, made of lists of words, and ``sentences.yaml`` what all kinds of people would say; both are
put into the imperative, the third person or the progressive. Sentences about motions that the data
set does not have (``text_only``) are borrowed where they plainly name an action that it has.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from mgpt3_ros.model.config import load_yaml
from mgpt3_ros.model.errors import ConfigError
from mgpt3_ros.training.data.mocap22 import Clip, action_side
from mgpt3_ros.training.evaluation.reading import read_action

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
def wordings() -> dict[str, Any]:
    """``wordings.yaml``, and ``sentences.yaml`` as its ``sentences``.

    The others are actions, words, styles, manners, requests, subjects and held_out.
    """
    folder = Path(__file__).parent
    sentences = load_yaml(folder / 'sentences.yaml')
    return {**load_yaml(folder / 'wordings.yaml'), 'sentences': sentences}


def normalised(text: str) -> str:
    """A text in lower case, without full stops, commas and question marks."""
    return ' '.join(re.sub('[.,?]', ' ', text.lower()).split())


@cache
def _held_out() -> re.Pattern[str]:
    return re.compile('|'.join(rf'\b{re.escape(text)}\b' for text in wordings()['held_out']))


_CHOICE = re.compile(r'\(([^()]*\|[^()]*)\)')
_WORD = re.compile(r'{(\w+)}')
ACTIONS, SENTENCES = KINDS = ('actions', 'sentences')


@cache
def _templates(action: str, kind: str) -> tuple[tuple[tuple[str, ...], ...], ...]:
    """An action's lines, each as a row of alternatives: one of each, joined, makes a phrase."""
    side = action_side(action)
    general = action if side is None else action.replace(side, 'SIDE')
    words: dict[str, list[str]] = wordings()['words']
    found = []
    for line in wordings()[kind].get(general, []):
        row: list[tuple[str, ...]] = []
        for index, piece in enumerate(_CHOICE.split(line)):
            if (
                index % 2
            ):  # words inside of a choice stay marked: draw_phrase and phrases fill them
                row.append(tuple(piece.split('|')))
                continue
            for part, text in enumerate(_WORD.split(piece)):
                if part % 2 and text in words:
                    row.append(tuple(words[text]))
                elif part % 2:
                    row.append((f'{{{text}}}',))
                else:
                    row.append((text,))
        found.append(tuple(row))
    return tuple(found)


@cache
def phrases(action: str) -> tuple[str, ...]:
    """All phrases of an action, verbs still marked; empty for an unknown one."""
    side = action_side(action) or ''
    drawn = (
        ''.join(choice).replace('{side}', side)
        for row in (*_templates(action, ACTIONS), *_templates(action, SENTENCES))
        for choice in product(
            *([text for one in piece for text in _fillings(one)] for piece in row)
        )
    )
    return tuple(dict.fromkeys(drawn))


def _fillings(text: str) -> list[str]:
    """A text with each word of the lists that it names."""
    words: dict[str, list[str]] = wordings()['words']
    named = next((match for match in _WORD.finditer(text) if match[1] in words), None)
    if named is None:
        return [text]
    return [f for word in words[named[1]] for f in _fillings(text.replace(named[0], word, 1))]


def draw_phrase(action: str, rng: np.random.Generator, kind: str = ACTIONS) -> str | None:
    """One phrase of an action, verbs still marked; None for an unknown action.

    A line with many choices is drawn more often than one with few, by the square root of them.
    What is held out is not drawn.

    Args:
        action: its name.
        rng: source of chance.
        kind: one of ``KINDS``: composed of word lists, or whole sentences.
    """
    if not _templates(action, kind):
        return None
    while _held_out().search(normalised(command(phrase := _draw_phrase(action, rng, kind)))):
        pass
    return phrase


def _draw_phrase(action: str, rng: np.random.Generator, kind: str) -> str:
    rows = _templates(action, kind)
    row = rows[int(np.searchsorted(_cumulative(action, kind), rng.random()))]

    def choose(words: Sequence[str]) -> str:
        return words[int(rng.integers(len(words)))]

    def word(match: re.Match[str]) -> str:
        words: dict[str, list[str]] = wordings()['words']
        return choose(words[match[1]]) if match[1] in words else match[0]

    return _WORD.sub(word, ''.join(map(choose, row))).replace('{side}', action_side(action) or '')


@cache
def _cumulative(action: str, kind: str) -> np.ndarray:
    counts = [math.prod(map(len, row)) for row in _templates(action, kind)]
    weights = np.cumsum(np.sqrt(counts))
    return weights / weights[-1]


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


_DOUBLED = {
    *('get', 'run', 'jog', 'put', 'step', 'sidestep', 'bid', 'cut', 'flag'),
    *('trot', 'plod', 'flap'),
}


def progressive_form(verb: str) -> str:
    """Raise -> raising, run -> running, say -> saying, tiptoe -> tiptoeing."""
    head, _, last = verb.rpartition(' ')
    if last in _DOUBLED:
        last += last[-1]
    elif last.endswith('e') and not last.endswith(('ee', 'oe')):
        last = last[:-1]
    return f'{head} {last}ing'.strip()


# A sentence with one of these speaks of more than one plain action, or of another one.
_NOT_PLAIN = re.compile(
    r'\b(?:then|after|before|while|when|and|but|or|if|as|until|again|without|push|shov|throw|catch|'
    r'jump|hop|skip|leap|cartwheel|flip|kneel|knee|squat|crouch|crawl|sit|danc|kick|punch|swing|'
    r'stumbl|trip|fall|limp|drunk|pick|drink|eat|stair|ramp|slope|climb|spin|360|180|circl|u-turn|'
    r'zig|hold|carry|grab|touch|clap|wip|swim|fly|flap|stir|dig|shak|down|object|head|bent?|bend|'
    r'around|forth|diagonal|over|tiptoe|sneak|balanc|handrail|beam|twice|times|lateral|bowl|tie|'
    r'cricket|face|chest|pray|mouth|look|shelf|chicken|bird|defensive|shoulder|place|spot)\w*\b',
    re.IGNORECASE,
)
_TURN_WORD = re.compile(
    r'\b(?:turn|curv|arc|bend|corner|veer|left|right|back)\w*\b', re.IGNORECASE
)
_LONGEST_BORROWED = 11  # words


def borrow(sentences: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Sentences that plainly name one action, and their mirror images, by action."""
    found: dict[str, dict[str, None]] = {}
    for sentence in sentences:
        action = _plain_action(sentence)
        if action is not None:
            found.setdefault(action, {})[sentence] = None
            found.setdefault(str(mirror_action(action)), {})[mirror_caption(sentence)] = None
    return {action: tuple(lines) for action, lines in found.items()}


def _plain_action(sentence: str) -> str | None:
    """The action of a sentence that speaks of nothing else."""
    action = read_action(sentence)
    if action is None or len(sentence.split()) > _LONGEST_BORROWED:
        return None
    turns = action.startswith('walk-turn')
    rest = re.sub(r'\b(?:and|then|bend|bends|while|as)\b', '', sentence) if turns else sentence
    rest = re.sub(r'\b(?:down|over|bends?)\b', '', rest) if action == 'bow' else rest
    if _NOT_PLAIN.search(rest):
        return None
    sided = action_side(action) is not None
    if not sided and re.search(r'\b(?:left|right)', sentence, re.IGNORECASE):
        return None
    if action in ('walk', 'run') and _TURN_WORD.search(sentence):
        return None
    if 'hand' in action and re.search(r'\b(?:walk|run|step|forward|side|stretch)', sentence):
        return None
    return action


@dataclass(frozen=True)
class CaptionOptions:
    """In whose words a clip with a known action is described; what is left is the data set's.

    rewritten: share of the captions that are composed from ``wordings.yaml``.
    sentences: share of them that come from ``sentences.yaml``, or are composed for an action that
        it does not have.
    borrowed: share of them that are sentences of other motions which say the same.
    gaps: share of the captions of these three kinds in which a word is left out, so that none
        of no weight decides.
    commanded: share of the data set's and the borrowed captions that are put as a command ("walk
        forward"), where that is possible: users command, captions describe.
    """

    rewritten: float = 0.4
    sentences: float = 0.3
    borrowed: float = 0.1
    gaps: float = 0.2
    commanded: float = 0.4

    def __post_init__(self) -> None:
        """Refuse impossible values."""
        for name in ('rewritten', 'sentences', 'borrowed', 'gaps', 'commanded'):
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise ConfigError(f'captions.{name} is {getattr(self, name)}; it must be 0 to 1')
        if self.rewritten + self.sentences + self.borrowed > 1.0:
            raise ConfigError(
                'captions.rewritten, captions.sentences and captions.borrowed '
                'are more than 1 together'
            )


_TRIES = 100  # a clip of another data set may have no caption but one that is held out


class CaptionSampler:
    """Draws a caption of a clip: one of the data set's, or the same in other words.

    Args:
        options: shares of the kinds.
        borrowed: sentences of other motions, by the action that they name; see :func:`borrow`.
    """

    def __init__(
        self,
        options: CaptionOptions | None = None,
        borrowed: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        self.options, self.borrowed = options or CaptionOptions(), borrowed or {}

    def original(self, clip: Clip, rng: np.random.Generator) -> str:
        """One of the data set's captions."""
        return clip.captions[int(rng.integers(len(clip.captions)))]

    def __call__(self, clip: Clip, rng: np.random.Generator) -> str:
        """A caption, in the data set's words or others; none that is held out if it has others."""
        for _ in range(_TRIES):
            text = self._draw(clip, rng)
            if not _held_out().search(normalised(text)):
                break
        return text

    def _draw(self, clip: Clip, rng: np.random.Generator) -> str:
        if clip.action is not None:
            kind, told = rng.random(), self.options.rewritten + self.options.sentences
            if kind < told:
                source = ACTIONS if kind < self.options.rewritten else SENTENCES
                phrase = draw_phrase(clip.action, rng, source) or draw_phrase(clip.action, rng)
                if phrase is not None:
                    return self._with_gaps(self._reword(phrase, clip.style, rng), rng)
            lines = self.borrowed.get(clip.action, ())
            if lines and kind < told + self.options.borrowed:
                line = lines[int(rng.integers(len(lines)))]
                return self._with_gaps(
                    as_command(line) if rng.random() < self.options.commanded else line, rng
                )
        caption = self.original(clip, rng)
        return as_command(caption) if rng.random() < self.options.commanded else caption

    def _reword(self, phrase: str, style: str | None, rng: np.random.Generator) -> str:
        told = wordings()

        def choose(words: Sequence[str]) -> str:
            return words[int(rng.integers(len(words)))]

        form = rng.random()
        if form < 0.3:
            text = command(phrase)
        elif form < 0.5 and '*' in phrase:
            text = choose(told['requests']).replace('{command}', command(phrase))
        else:
            text = statement(phrase, choose(told['subjects']), progressive=form > 0.8)
        adverbs = told['styles'].get(style or '', [])
        if adverbs and rng.random() < 0.6:
            text = f'{text} {choose(adverbs)}'
        elif rng.random() < 0.15:
            text = f'{text} {choose(told["manners"])}'
        if rng.random() < 0.4:
            text += '.'
        return text[0].upper() + text[1:] if rng.random() < 0.15 else text

    def _with_gaps(self, text: str, rng: np.random.Generator) -> str:
        words = text.split()
        if len(words) < 4 or rng.random() >= self.options.gaps:
            return text
        gap = int(rng.integers(len(words)))
        if _KEPT.search(words[gap]):
            return text
        return ' '.join(words[:gap] + words[gap + 1 :])


# Words that a caption does not lose: without them it would say another action.
_KEPT = re.compile(
    r'left|right|both|two|arms|hands|back|revers|side|turn|bow|wav|bye|farewell|run|jog|walk|'
    r'rais|lift|way|rear|curve|corner',
    re.IGNORECASE,
)


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
