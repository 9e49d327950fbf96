# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The known sentence that is nearest to a prompt, by a pretrained sentence encoder.

What an encoder confuses is read by rule: a sentence of another side is none. Sentences are known
for more actions than any checkpoint lists: what is nearest to one of the others is not understood.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Collection
from functools import cached_property

import numpy as np

from mgpt3_ros.model.atomic_files import whole_file
from mgpt3_ros.model.language.action_lookup import words_of
from mgpt3_ros.model.language.pretrained import user_cache
from mgpt3_ros.model.language.sentence_encoder import SentenceEncoder
from mgpt3_ros.model.language.understanding import Understood, known_sentences

# From this scalar product on a sentence says the same where no rule names an action: of the
# unknown prompts of benchmarks/confidence.yaml, choosing half, hardly one is as near.
NEAR = 0.5
_BOTH = re.compile(r'\b(?:both|two|arms|hands|fists)\b')
# What a sentence may say where a prompt says a side.
_FITTING = {'left': ('left',), 'right': ('right',), 'both': ('both', None)}


class SentenceLookup:
    """Known sentences by their vectors, which are made at the first question and kept."""

    def __init__(self, encoder: SentenceEncoder) -> None:
        self._encoder = encoder
        table: dict[str, list[str]] = known_sentences()['sentences']
        rows = [(label, text) for label, texts in table.items() for text in texts]
        self._labels = np.array([label for label, _ in rows])
        self._sentences = [text for _, text in rows]
        self._sides = [side_of(text) for text in self._sentences]
        self._asked: tuple[str | None, np.ndarray] = None, np.zeros(0)  # last, and its vector

    @cached_property
    def _vectors(self) -> np.ndarray:
        """(N, D) of all sentences: of the user's cache, where they were made before."""
        told = json.dumps([self._encoder.identity, self._sentences]).encode()
        file = user_cache() / f'sentences-{hashlib.sha256(told).hexdigest()[:16]}.npy'
        if file.is_file():
            return np.load(file, allow_pickle=False)
        vectors = self._encoder.embed(self._sentences)
        file.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(file) as partial, partial.open('wb') as opened:
            np.save(opened, vectors)
        return vectors

    def nearness(self, text: str, labels: Collection[str]) -> float:
        """How near the nearest sentence of some actions is: a scalar product, at most 1."""
        near = self._near(text)[np.isin(self._labels, list(labels))]
        return float(near.max(initial=-1.0))

    def nearest(
        self, text: str, labels: Collection[str], sure: bool = False, sides: bool = True
    ) -> Understood | None:
        """The sentence that is nearest to a prompt.

        Args:
            text: one action in free words.
            labels: the actions that count.
            sure: it is one of these; else sentences of other actions are looked at too.
            sides: whether a sentence of another side is none.

        Returns:
            None where nothing is near, of this side, or what is nearest is of another action.
        """
        near = self._near(text, sides)
        if sure:
            near = np.where(np.isin(self._labels, list(labels)), near, -1.0)
        best = int(near.argmax())
        label = str(self._labels[best])
        if label not in labels or near[best] < (0.0 if sure else NEAR):
            return None
        return Understood(label, self._sentences[best], round(float(near[best]), 3))

    def _near(self, text: str, sides: bool = True) -> np.ndarray:
        """Scalar products (N,) with the sentences; -1 for those of another side, if it counts."""
        if text != self._asked[0]:
            self._asked = text, self._encoder.embed([text])[0]
        near = self._vectors @ self._asked[1]
        asked = side_of(text) if sides else None
        if asked is None:
            return near
        fits = np.array([side in _FITTING[asked] for side in self._sides])
        return np.where(fits, near, -1.0)


def side_of(text: str) -> str | None:
    """'left', 'right' or 'both', as a text says; None where it says none."""
    words = words_of(text)
    sides = {side for side in ('left', 'right') if any(word.startswith(side) for word in words)}
    if len(sides) == 2 or (not sides and _BOTH.search(' '.join(words))):
        return 'both'
    return sides.pop() if sides else None
