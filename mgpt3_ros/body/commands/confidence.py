# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a model knows: whether a command is within it is decided here, and nowhere else.

The rule is a list: the actions of which the training data has ten takes or more. A confidence that
is measured on the model itself would take its place.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from mgpt3_ros.body.commands.meaning import ARMS, LEGS, WHOLE_BODY, Action
from mgpt3_ros.model.errors import TextError

KNOWN = (*LEGS, *ARMS, *WHOLE_BODY)
_SIDES = ('left', 'right')
# Words before what is done: who does it, manners, and verbs that say no more than "do".
_LIGHT = re.compile(
    r'(a|an|the|some|one|please|now|and|then|someone|somebody|person|people|man|woman|figure|'
    r'robot|your|you|is|are|do|does|doing|make|makes|making|perform|performs|performing|'
    r'practi[cs]es?|practi[cs]ing|show|shows|showing|start|starts)'
)


def further(labels: Iterable[str]) -> tuple[str, ...]:
    """Those of a checkpoint's labels that are not among ``KNOWN``."""
    return tuple(label for label in labels if label not in KNOWN)


class UnknownActionError(TextError):
    """A command whose action is not among those that can be shaped to its numbers."""


def require_known(action: Action) -> Action:
    """Return an action that the model knows.

    Raises:
        UnknownActionError: it does not; the message lists what it knows.
    """
    if action.name not in KNOWN:
        raise UnknownActionError(f'I do not know {action.name}; I know: {", ".join(KNOWN)}')
    return action


def also_known(text: str, labels: Iterable[str]) -> str | None:
    """The one of a checkpoint's further labels that a clause asks for; None where none is.

    The first word of weight must be the label's first ("kicks with the left leg": kick-left), and
    its other parts must be said too; a side that is not said is free. "climb onto the box" does
    not box.
    """
    words = re.findall(r'[a-z]+', text.lower())
    content = [word for word in words if not _LIGHT.fullmatch(word)]
    if not content:
        return None
    sides = set(_SIDES) & set(words)
    found = []
    for label in labels:
        parts = label.split('-')
        own, side = [part for part in parts if part not in _SIDES], set(parts) & set(_SIDES)
        if not content[0].startswith(own[0]) or (sides and side and sides != side):
            continue
        if all(any(word.startswith(part) for word in content) for part in own[1:]):
            found.append((len(own), side == sides, label))
    return max(found)[2] if found else None
