# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a prompt is drawn from: its own words, or a known sentence that says the same.

Of some actions training has read what all kinds of people would say, and a prompt for one of them
is drawn from its own words. Of the others it has read a few wordings: who asks for one of these in
free words is understood, by the rules that look up actions, else as the nearest known sentence
where there is a sentence encoder (``language.sentence_lookup``), and what is drawn from is a
sentence that the model was taught. ``known_sentences.json`` holds these, and which actions need
none; ``python -m benchmarks.prompts --blind`` says what it brings.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mgpt3_ros.model.language.action_lookup import matches, unexplained, words_of
from mgpt3_ros.model.language.confidence import prompt_knowledge
from mgpt3_ros.model.language.durations import stated_duration
from mgpt3_ros.model.language.normalisation import normalised

if TYPE_CHECKING:
    from mgpt3_ros.model.language.known_actions import KnownAction
    from mgpt3_ros.model.language.sentence_lookup import SentenceLookup

SAME = 0.9  # a scalar product from which a prompt is in training's own words
FILE = Path(__file__).with_name('known_sentences.json')
# What no known sentence says as well: denied and counted things.
_DENIES = re.compile(r'\b(?:not|no|never|without|nobody|nothing|neither|nor|avoid|stop|instead)\b')
_COUNTS = re.compile(
    r'\b(?:\d[\d.]*|zero|three|four|five|six|seven|eight|nine|ten|eleven|twelve|dozen|twice|thrice)'
    r'\b|\btwo (?!hands|arms|fists|legs|feet)\w+'
)


@dataclass(frozen=True)
class Understood:
    """The known sentence that a prompt is taken for.

    label: its action. sentence: in words that the model was taught, with the time that the prompt
    states. nearness: scalar product of the two sentences' vectors, at most 1; None where the rules
    alone found it.
    """

    label: str
    sentence: str
    nearness: float | None = None


def understood(
    text: str,
    actions: Sequence[KnownAction],
    lookup: Callable[[], SentenceLookup | None] = lambda: None,
) -> Understood | None:
    """What a prompt is drawn from in place of its own words; None where these stay.

    Args:
        text: one action.
        actions: that the checkpoint lists.
        lookup: gives the look-up among known sentences, None without an encoder; called where a
            prompt needs it, since it takes a while to load.
    """
    if not actions or not other_than_words(text):
        return None
    labels = [action.label for action in actions]
    named = prompt_knowledge(text, actions).label
    fitting = labels if named is None else [label for label in labels if matches(named, label)]
    if named is not None and any(label in taught() for label in fitting):
        return None
    seconds, words = stated_duration(text)
    if (sentences := lookup()) is not None:
        found = sentences.nearest(words, fitting, sure=named is not None)
    elif named is not None and unexplained(words_of(words)):
        action = max((a for a in actions if a.label in fitting), key=lambda one: one.shown)
        found = Understood(action.label, action.examples[0].rstrip('.'))
    else:
        found = None
    if found is None or found.label in taught() or (found.nearness or 0.0) >= SAME:
        return None
    if seconds is not None:
        said = f'{found.sentence} for {seconds:g} seconds'
        found = Understood(found.label, said, found.nearness)
    return found


def other_than_words(text: str) -> bool:
    """Whether a known sentence could say the same: nothing is denied or counted but a time."""
    said = normalised(stated_duration(text)[1])
    return bool(said) and not _DENIES.search(said) and not _COUNTS.search(said)


@cache
def known_sentences() -> dict[str, Any]:
    """``taught``: actions that training has read in everybody's words; ``sentences`` of each."""
    found: dict[str, Any] = json.loads(FILE.read_text(encoding='utf-8'))
    return found


@cache
def taught() -> frozenset[str]:
    """The actions that a prompt may ask for in any words."""
    return frozenset(known_sentences()['taught'])
