# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What is said to the model: prompts of the tasks, and texts of users made clean."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

from mgpt3_ros.model.errors import TextError
from mgpt3_ros.model.language.vocabulary import MOTION


@dataclass(frozen=True)
class PromptConfig:
    """How each task is put to the model; the object replacement character is a motion.

    The defaults are the bare forms that stages 1 and 2 of the paper train on. ``normalise`` says
    whether texts are brought to their normal form first; the authors' models read them as they
    are.
    """

    generate: str = '{text}'
    caption: str = MOTION
    predict: str = f'Predict motion: {MOTION}'
    inbetween: str = f'Fill in between: {MOTION} {MOTION}'
    normalise: bool = True


def clean_text(text: str) -> str:
    """Text without control characters and surrounding blanks.

    Raises:
        TextError: nothing is left.
    """
    if not isinstance(text, str):
        raise TextError(f'a text must be a string, got {type(text).__name__}')
    kept = ''.join(
        ' ' if unicodedata.category(c) in ('Cc', 'Cs', 'Zl', 'Zp') else c
        for c in text.replace(MOTION, ' ')
    )
    words = ' '.join(kept.split())
    if not words:
        raise TextError('the text is empty: say what the body should do, such as "a person waves"')
    return words
