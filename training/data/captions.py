# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Saying the same in other words: the captions that training draws.

The captions of a small data set are few and all of one form ("a person waves the left hand."),
while users write commands ("wave your left hand"). So a clip with a known action is described by
phrases of that action too (`phrases`), and by sentences about motions that the data set does not
have (``text_only``), borrowed where they plainly name an action that it has.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from mgpt3_ros.model.errors import ConfigError
from mgpt3_ros.model.language.caption_actions import read_action
from mgpt3_ros.training.data.clip import Clip, action_side
from mgpt3_ros.training.data.mirroring import mirror_action, mirror_caption
from mgpt3_ros.training.data.phrases import (
    ACTIONS,
    SENTENCES,
    as_command,
    command,
    draw_phrase,
    held_out,
    pick,
    statement,
    wordings,
)

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
        return pick(clip.captions, rng)

    def __call__(self, clip: Clip, rng: np.random.Generator) -> str:
        """A caption, in the data set's words or others; none that is held out if it has others."""
        for _ in range(_TRIES):
            text = self._draw(clip, rng)
            if not held_out(text):
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
                return self._with_gaps(self._as_told(pick(lines, rng), rng), rng)
        return self._as_told(self.original(clip, rng), rng)

    def _as_told(self, caption: str, rng: np.random.Generator) -> str:
        return as_command(caption) if rng.random() < self.options.commanded else caption

    def _reword(self, phrase: str, style: str | None, rng: np.random.Generator) -> str:
        told, form = wordings(), rng.random()
        if form < 0.3:
            text = command(phrase)
        elif form < 0.5 and '*' in phrase:
            text = pick(told['requests'], rng).replace('{command}', command(phrase))
        else:
            text = statement(phrase, pick(told['subjects'], rng), progressive=form > 0.8)
        adverbs = told['styles'].get(style or '', [])
        if adverbs and rng.random() < 0.6:
            text = f'{text} {pick(adverbs, rng)}'
        elif rng.random() < 0.15:
            text = f'{text} {pick(told["manners"], rng)}'
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
