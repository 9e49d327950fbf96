# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How sure a generated motion is, in two parts that are kept apart.

``prompt``: the probability that the prompt is within what the checkpoint knows, among as many
known as unknown prompts (``language.known_prompts``). ``shown``: whether the model's own caption
of the drawn motion names the asked action; None where that was not looked at, or where the prompt
names no action that the checkpoint lists. ``python -m benchmarks.confidence`` measures both.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, TypedDict

from mgpt3_ros.model.language.action_lookup import found_actions, matches, words_of
from mgpt3_ros.model.language.known_prompts import (
    BOUND,
    Nearness,
    PromptKnowledge,
    knowledge_of,
)

if TYPE_CHECKING:  # it would bring NumPy, which help on the command line does without
    from mgpt3_ros.model.language.known_actions import KnownAction


class Confidence(TypedDict):
    """What ``info['confidence']`` holds.

    prompt, shown: see the head of this file. reason: what speaks against the prompt, '' for
    nothing. nearest: the listed actions that come nearest, with words that ask for them. caption:
    what the model says that the motion shows; '' where it was not asked.
    """

    prompt: float
    shown: bool | None
    reason: str
    nearest: list[str]
    caption: str


def prompt_knowledge(
    text: str, actions: Sequence[KnownAction], nearness: Nearness | None = None
) -> PromptKnowledge:
    """Judge a prompt by the actions that a checkpoint lists; see ``knowledge_of``."""
    ranked = sorted(actions, key=lambda action: -action.shown)
    return knowledge_of(text, [action.label for action in ranked], nearness)


def confidence_of(
    text: str,
    actions: Sequence[KnownAction],
    caption: str | None = None,
    nearness: Nearness | None = None,
    label: str | None = None,
) -> Confidence:
    """The confidence of a motion that was drawn from ``text``.

    Args:
        text: the prompt.
        actions: that the checkpoint lists.
        caption: what the model says that the motion shows; None: it was not asked.
        nearness: of texts to known sentences, where there is a sentence encoder.
        label: the action that the prompt was taken for, where its own words name none.
    """
    knowledge = prompt_knowledge(text, actions, nearness)
    asked = knowledge.label or label
    shown = None
    if caption is not None and asked is not None:
        # Among others: who walks forward and then turns does walk forward.
        named = found_actions(words_of(caption))
        shown = any(_is(found.label, asked) for found in named)
    examples = {action.label: action.examples[0] for action in actions}
    return {
        'prompt': knowledge.probability,
        'shown': shown,
        'reason': knowledge.reason,
        'nearest': [examples[label] for label in knowledge.nearest],
        'caption': caption or '',
    }


def names_action(caption: str, asked: str) -> bool:
    """Whether an action, whose side may be open (SIDE, HAND), is what a sentence names first."""
    found = found_actions(words_of(caption))
    return bool(found) and _is(found[0].label, asked)


def _is(found: str, asked: str) -> bool:
    return found == asked or matches(asked, found)


def least(judged: Sequence[Confidence]) -> Confidence:
    """The confidence of a motion of several actions: that of the one that is doubted most."""
    return min(judged, key=lambda one: (one['prompt'] >= BOUND, one['shown'] is not False))


def hint(knowledge: PromptKnowledge, actions: Sequence[KnownAction]) -> str:
    """What comes near a prompt that is not known, in words that can be said instead."""
    examples = {action.label: action.examples[0].rstrip('.') for action in actions}
    return f' (it knows: {"; ".join(examples[label] for label in knowledge.nearest)})'


def doubt(confidence: Confidence) -> str:
    """A line that warns of a motion; '' where nothing speaks against it."""
    if confidence['prompt'] < BOUND:
        near = '; '.join(confidence['nearest'])
        return (
            f'this may be beyond what the model knows (confidence {confidence["prompt"]:.2f}): '
            f'{confidence["reason"]}; it knows: {near}'
        )
    if confidence['shown'] is False:
        return f'the motion may not show it: the model sees {confidence["caption"]!r} in it'
    return ''
