# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the T2M evaluator reads of a caption: word vectors, and kinds of words.

HumanML3D's captions come with their words as ``walk/VERB``: lemma and part of speech. Other
captions, such as generated ones, are read by what the data set's own words say: each word as it
is most often written there.
"""

from __future__ import annotations

import logging
import pickle
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mgpt3_ros.model.config import load_yaml
from mgpt3_ros.model.errors import CheckpointError
from mgpt3_ros.training.data.humanml3d import TEXT_FOLDER
from mgpt3_ros.training.data.phrases import base_form
from mgpt3_ros.training.evaluation.metrics.captions import words
from mgpt3_ros.training.evaluation.t2m_evaluator import WORD_KINDS, WORD_VECTOR

MAX_WORDS = 20  # of a caption; its beginning and end are two more
BEGIN, END, UNKNOWN, OTHER = 'sos', 'eos', 'unk', 'OTHER'
_LOG = logging.getLogger(__name__)

# The order of the 15 kinds in the published weights: parts of speech, then words of places,
# bodies, objects, actions and manners, which count before their part of speech.
_PARTS_OF_SPEECH = ('VERB', 'NOUN', 'DET', 'ADP', 'NUM', 'AUX', 'PRON', 'ADJ', 'ADV')
_KIND = {name: number for number, name in enumerate(_PARTS_OF_SPEECH)} | {OTHER: WORD_KINDS - 1}
_KIND_OF_WORD: dict[str, int] = {
    word: number
    for number, group in enumerate(
        load_yaml(Path(__file__).with_suffix('.yaml')).values(), len(_PARTS_OF_SPEECH)
    )
    for word in group
}


class WordVectors:
    """GloVe vectors of the words that the evaluator knows."""

    def __init__(self, vectors: Mapping[str, np.ndarray]) -> None:
        if UNKNOWN not in vectors:
            raise CheckpointError(f'the word vectors have none of {UNKNOWN!r}')
        self._vectors = vectors

    @classmethod
    def load(cls, folder: str | Path) -> WordVectors:
        """Read ``our_vab_data.npy``, ``our_vab_words.pkl`` and ``our_vab_idx.pkl``.

        The pickles hold a list and a dictionary; nothing else is read from them, no code is run.

        Raises:
            CheckpointError: a file is missing, damaged or holds something else.
        """
        folder = Path(folder)
        files = [folder / f'our_vab_{name}' for name in ('data.npy', 'words.pkl', 'idx.pkl')]
        missing = [file.name for file in files if not file.is_file()]
        if missing:
            raise CheckpointError(f'no word vectors in {folder}: {", ".join(missing)} not found')
        try:
            data = np.load(files[0], allow_pickle=False)
            known, places = (_plain_pickle(file) for file in files[1:])
            if data.ndim != 2 or data.shape[1] != WORD_VECTOR or not np.isfinite(data).all():
                raise ValueError(f'vectors of shape {data.shape}, not (words, {WORD_VECTOR})')
            data = data.astype(np.float32)
            return cls({word: data[places[word]] for word in known})
        except CheckpointError:
            raise
        except Exception as error:  # numpy and pickle have a dozen kinds for damaged files
            raise CheckpointError(
                f'the word vectors in {folder} cannot be read: {error}'
            ) from error

    def __call__(self, tokens: Sequence[str]) -> tuple[np.ndarray, np.ndarray, int]:
        """Vectors (22, 300) and kinds (22, 15) of ``word/POS`` tokens, and how many count."""
        inner = list(tokens)[:MAX_WORDS]
        whole = [f'{BEGIN}/{OTHER}', *inner, f'{END}/{OTHER}']
        padded = whole + [f'{UNKNOWN}/{OTHER}'] * (MAX_WORDS + 2 - len(whole))
        vectors = np.zeros((len(padded), WORD_VECTOR), dtype=np.float32)
        kinds = np.zeros((len(padded), WORD_KINDS), dtype=np.float32)
        for number, token in enumerate(padded):
            word, _, part = token.rpartition('/')
            known = word in self._vectors
            vectors[number] = self._vectors[word if known else UNKNOWN]
            kind = _KIND_OF_WORD.get(word, _KIND.get(part, _KIND[OTHER]))
            kinds[number, kind if known else _KIND[OTHER]] = 1
        return vectors, kinds, len(whole)


class _PlainUnpickler(pickle.Unpickler):
    """Reads lists, dictionaries, strings and numbers."""

    def find_class(self, module: str, name: str) -> Any:
        raise pickle.UnpicklingError(f'it asks for {module}.{name}, which is not read')


def _plain_pickle(file: Path) -> Any:
    with file.open('rb') as opened:
        return _PlainUnpickler(opened).load()


class CaptionTokens:
    """Tokens of captions, by the files of a data set in HumanML3D's layout.

    Args:
        lines: pairs of a caption and its tokens.
    """

    def __init__(self, lines: Iterable[tuple[str, Sequence[str]]]) -> None:
        self._known: dict[str, Sequence[str]] = {}
        seen: dict[str, Counter[str]] = defaultdict(Counter)
        for caption, tokens in lines:
            self._known[caption] = tokens
            written = words(caption)
            if len(written) == len(tokens):
                for word, token in zip(written, tokens, strict=True):
                    seen[word][token] += 1
        self._usual = {word: counts.most_common(1)[0][0] for word, counts in seen.items()}

    @classmethod
    def read(cls, folder: str | Path) -> CaptionTokens:
        """Read all caption files; none where the data set has no such folder."""
        lines = []
        for file in sorted((Path(folder) / TEXT_FOLDER).glob('*.txt')):
            for line in file.read_text(encoding='utf-8-sig', errors='replace').splitlines():
                caption, _, rest = line.partition('#')
                tokens = rest.split('#')[0].split()
                if tokens:
                    lines.append((caption.strip(), tokens))
        if not lines:
            _LOG.warning(
                '%s has no captions with parts of speech: kinds of words are guessed', folder
            )
        return cls(lines)

    def __call__(self, caption: str) -> Sequence[str]:
        """Tokens of a caption: those of the data set, or of its words as it mostly writes them."""
        found = self._known.get(caption.strip())
        return found if found is not None else [self._token(word) for word in words(caption)]

    def _token(self, word: str) -> str:
        if word in self._usual:
            return self._usual[word]
        base = base_form(word) or word
        return f'{base if base in _KIND_OF_WORD else word}/{OTHER}'
