# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a model knows: whether a command is within it is decided here, and nowhere else.

The rule is a list: the actions of which the training data has ten takes or more. A confidence that
is measured on the model itself would take its place.
"""

from __future__ import annotations

from mgpt3_ros.body.commands.meaning import ARMS, LEGS, WHOLE_BODY, Action
from mgpt3_ros.model.errors import TextError

KNOWN = (*LEGS, *ARMS, *WHOLE_BODY)


def require_known(action: Action) -> Action:
    """Return an action that the model knows.

    Raises:
        TextError: it does not; the message lists what it knows.
    """
    if action.name not in KNOWN:
        raise TextError(f'I do not know {action.name}; I know: {", ".join(KNOWN)}')
    return action
