# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which captions say the same: a motion that any of them describes is a right answer.

Two captions say the same if, without their subject and articles, they are the same words; a
caption also says what a clip shows whose action and style are those of its own clip. How alike
other captions are, is told by their words alone, rare ones counting more.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from mgpt3_ros.model.extras import extra
from mgpt3_ros.training.data.clip import Clip
from mgpt3_ros.training.data.phrases import as_command
from mgpt3_ros.training.evaluation.metrics.captions import Words, words

with extra('train'):
    from sklearn.feature_extraction.text import TfidfVectorizer

# Who moves, and whose hand it is, makes no difference to the motion.
_SILENT = frozenset(
    (
        *('a', 'an', 'the', 'this', 'that', 'person', 'man', 'woman', 'human', 'figure', 'guy'),
        *('character', 'sim', 'someone', 'somebody', 'he', 'she', 'they', 'it', 'is', 'are'),
        *('his', 'her', 'their', 'its', 'your'),
    )
)
_SIDES = frozenset(
    (
        *('left', 'right', 'clockwise', 'counterclockwise', 'anticlockwise'),
        *('forward', 'backward'),
    )
)


def caption_key(text: str) -> Words:
    """The words of a caption that say what is done.

    "A man walks forward." gives ("walk", "forward"). Where nothing is left ("a person."), it is
    all of its words.
    """
    return tuple(w for w in words(as_command(text)) if w not in _SILENT) or words(text)


def describes(texts: Sequence[str], clips: Sequence[Clip]) -> np.ndarray:
    """Whether text i says what clip j shows.

    Args:
        texts: a caption of each clip, its own or in other words.
        clips: N clips.

    Returns:
        (N, N) bool, True on the diagonal.
    """
    said: dict[Words, list[int]] = defaultdict(list)
    shown: dict[tuple[str, str | None], list[int]] = defaultdict(list)
    for index, clip in enumerate(clips):
        for key in {caption_key(caption) for caption in clip.captions}:
            said[key].append(index)
        if clip.action is not None:
            shown[clip.action, clip.style].append(index)
    found = np.eye(len(clips), dtype=bool)
    for row, text, clip in zip(found, texts, clips, strict=True):
        row[said.get(caption_key(text), [])] = True
        if clip.action is not None:
            row[shown[clip.action, clip.style]] = True
    return found


class TextSimilarity:
    """How alike captions are, 0 to 1: the cosine of their words, weighted by how rare they are.

    Captions that name different sides or directions are not alike at all, however many words they
    share. Words are weighted by the texts given here (TF-IDF).
    """

    def __init__(self, texts: Sequence[str]) -> None:
        self._vectors = TfidfVectorizer(analyzer=caption_key, dtype=np.float32).fit(texts)

    def __call__(self, texts: Sequence[str]) -> np.ndarray:
        """(N, N) of N texts."""
        rows = self._vectors.transform(texts)
        alike = (rows @ rows.T).toarray()
        numbers: dict[frozenset[str], int] = {}
        sides = np.array([numbers.setdefault(_sides(text), len(numbers)) for text in texts])
        alike[sides[:, None] != sides[None]] = 0.0
        return alike


def _sides(text: str) -> frozenset[str]:
    return frozenset(word.rstrip('s') for word in words(text)) & _SIDES
