# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Is a prompt within what a checkpoint knows? And if not, what comes near?

An action is looked up by the words of the prompt (``action_lookup``); what decides is whether the
checkpoint lists it, whether it would be done to a thing that nobody does it to ("run the
dishwasher"), whether the prompt asks or tells something, and how many of its words are not
understood. Four weights make a probability of these; ``python -m benchmarks.confidence`` fits them
and says how good it is. No network is asked, so that nodes judge a command at once; where a
sentence encoder is at hand, how near the prompt is to known sentences is a fifth.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from mgpt3_ros.model.language.action_lookup import (
    found_actions,
    listed,
    matches,
    stems,
    unexplained,
    words_of,
)
from mgpt3_ros.model.language.durations import stated_duration
from mgpt3_ros.model.language.splitting import split_actions

BOUND = 0.5  # below it a prompt is held to be unknown
NEAREST = 3
# Of a logistic regression on `evidence`: the choosing half of benchmarks/confidence.yaml. The
# third is set by hand: no question of that half names a listed action, so that a fit cannot know
# that "do you know how to walk?" asks for no walk.
WEIGHTS = (5.9, -4.7, -4.0, -2.1)
BIAS = -2.8
PLAINLY_KNOWN = (1.0, 0.0, 0.0, 0.0)  # evidence beside which nearness would say nothing more
# The same with nearness as the last, of the choosing half for both shipped checkpoints together.
NEAR_WEIGHTS = (4.1, -2.1, -3.0, -1.2, 1.6)
NEAR_BIAS = -3.0
# Of a text to the sentences of some actions: ``language.sentence_lookup``.
Nearness = Callable[[str, Sequence[str]], float]

_ASKS = re.compile(
    r'^(what|who|whom|whose|why|when|where|which|how)\b'
    r'|^(is|are|was|were|am|does|did|has)\b|^(do|have) (you|we|they|i|people)\b'
)
_TELLS = re.compile(
    r'^(i|we)\b(?! (want|would|need))|^(thank|thanks|tell|explain)\b'
    r'|^(this|that|it|the \w+) (is|looks|seems)\b'
)


@dataclass(frozen=True)
class PromptKnowledge:
    """What is known of a prompt before anything is drawn.

    probability: that it is within what the checkpoint knows, among as many known as unknown
    prompts. label: the listed action that it names; a side that nobody said stays SIDE or HAND;
    None where it names none. reason: what speaks against it; '' where nothing does. command:
    whether it asks for a motion at all, in English. nearest: listed actions that come near, the
    nearest first. alien: a thing to which the action is never done.
    """

    probability: float
    label: str | None
    reason: str
    command: bool
    nearest: tuple[str, ...]
    alien: str = ''

    @property
    def known(self) -> bool:
        """Whether the probability reaches ``BOUND``."""
        return self.probability >= BOUND


def knowledge_of(
    text: str, labels: Sequence[str], nearness: Nearness | None = None
) -> PromptKnowledge:
    """Judge a prompt by its least known action.

    Args:
        text: what a body shall do, one action or several in turn.
        labels: the actions that a checkpoint lists, those that it draws best first.
        nearness: asked where a prompt is not plainly known.
    """
    parts = split_actions(text) if text.strip() else [text]
    judged = [_judged(part, labels, nearness) for part in parts or [text]]
    return min(judged, key=lambda one: one.probability)


def evidence(text: str, labels: Sequence[str]) -> tuple[float, float, float, float]:
    """What ``WEIGHTS`` weigh: action listed, odd object, question or talk, unread words."""
    words = words_of(stated_duration(text)[1])
    found = found_actions(words)
    listed = bool(found) and any(matches(found[0].label, label) for label in labels)
    alien = bool(found) and bool(found[0].alien)
    share = len(unexplained(words)) / max(len(words), 1)
    return float(listed), float(alien), float(_talks(text)), share


def known_probability(seen: Sequence[float], near: float | None = None) -> float:
    """The probability that a prompt is known, by its evidence and, if asked for, its nearness."""
    if near is None:
        logit = BIAS + sum(weight * value for weight, value in zip(WEIGHTS, seen, strict=True))
    else:
        logit = NEAR_BIAS + NEAR_WEIGHTS[-1] * near
        logit += sum(w * value for w, value in zip(NEAR_WEIGHTS[:-1], seen, strict=True))
    return 1 / (1 + math.exp(-logit))


def _judged(text: str, labels: Sequence[str], nearness: Nearness | None) -> PromptKnowledge:
    seen = evidence(text, labels)
    plain = seen == PLAINLY_KNOWN or nearness is None
    near = None if plain or nearness is None else nearness(stated_duration(text)[1], labels)
    probability = known_probability(seen, near)
    words = words_of(stated_duration(text)[1])
    found = found_actions(words)
    named = found[0].label if found else None
    listed = named is not None and any(matches(named, label) for label in labels)
    reason, command = _reason(text, words, labels)
    near_labels = _nearest(words, named, labels)
    if near is not None and nearness is not None and named is None:
        told = {label: nearness(' '.join(words), [label]) for label in labels}
        near_labels = tuple(sorted(labels, key=lambda label: -told[label])[:NEAREST])
    if probability >= BOUND:
        reason, command = '', True
    return PromptKnowledge(
        round(probability, 3),
        named if listed else None,
        reason,
        command,
        near_labels,
        found[0].alien if found else '',
    )


def _reason(text: str, words: list[str], labels: Sequence[str]) -> tuple[str, bool]:
    """Why a prompt is not known, and whether it is a command at all."""
    found, unread = found_actions(words), unexplained(words)
    if _is_foreign(text, words):
        return 'it is not English, as far as I see', False
    if _talks(text):
        return 'it asks or tells something, and names no motion', False
    if not found and len(unread) == len(words):
        return 'none of its words names a motion that I know', False
    if not found:
        return f'I do not know how to do that: {_plainly(unread) or repr(text.strip())}', True
    if found[0].alien:
        return f'I do not know how that is done to {found[0].alien!r}', True
    if not any(matches(found[0].label, label) for label in labels):
        return f'I do not know {found[0].label}', True
    return f'I do not understand {_plainly(unread)}', True


def _plainly(words: Sequence[str]) -> str:
    return ', '.join(repr(word) for word in words[:NEAREST])


def _talks(text: str) -> bool:
    """Whether a text asks or tells something, instead of asking for a motion."""
    said = ' '.join(words_of(text))
    return bool(_ASKS.search(said) or _TELLS.search(said))


def _is_foreign(text: str, words: Sequence[str]) -> bool:
    letters = [c for c in text if c.isalpha()]
    strange = [c for c in letters if not c.isascii()]
    other_script = [c for c in strange if not unicodedata.name(c, '').startswith('LATIN')]
    if other_script:
        return True
    foreign = sum(word in listed('foreign') or not word.isascii() for word in words)
    return foreign >= 2 or foreign * 3 >= max(len(words), 1) > 0 < foreign


def _nearest(words: list[str], named: str | None, labels: Sequence[str]) -> tuple[str, ...]:
    """The listed actions whose names share most with a prompt, else those drawn best."""
    said = set().union(*(stems(word) for word in words), set())
    own, *rest = (named or '').lower().split('-')

    def near(label: str) -> int:
        parts = set(label.split('-'))
        same = bool(own) and own in label  # dance: breakdance
        return 4 * same + len(parts & set(rest)) + len(parts & said)

    return tuple(sorted(labels, key=lambda label: -near(label))[:NEAREST])
