# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Text to token ids and back: a BPE, with the ids of motions beyond its own."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from mgpt3_ros.model.atomic_files import whole_file
from mgpt3_ros.model.errors import CheckpointError
from mgpt3_ros.model.language.vocabulary import Vocabulary

END_OF_TEXT = '<|endoftext|>'
FILE = 'tokenizer.json'
# What ends a text, in the vocabularies of SmolLM2, GPT-2 and Llama; of several the first counts: a
# model that was taught to talk ends its turns with it.
ENDS = ('<|im_end|>', END_OF_TEXT, '<|eot_id|>', '<|end_of_text|>', '</s>')
# GPT-2's vocabulary and merges, by the names that transformers and OpenAI gave them.
_GPT2_FILES = (('vocab.json', 'merges.txt'), ('encoder.json', 'vocab.bpe'))


class MotionTokenizer(Vocabulary):
    """A vocabulary whose words are those of a BPE, GPT-2's or that of another language model.

    Special tokens are never read out of a user's text: what looks like one is spelled out.
    """

    def __init__(self, bpe: Tokenizer) -> None:
        super().__init__(bpe.get_vocab_size())
        self._bpe = bpe
        ends = [bpe.token_to_id(name) for name in ENDS]
        known = [token for token in ends if token is not None]
        if not known:
            raise CheckpointError(f'the tokenizer has no token {END_OF_TEXT}')
        self.eos_id: int = known[0]

    def encode(self, text: str) -> list[int]:
        """Token ids of a text."""
        if not text:
            return []
        return self._bpe.encode(text, add_special_tokens=False).ids

    def decode(self, ids: Sequence[int]) -> str:
        """Text of token ids; ids of motions and the end of the text are left out."""
        known = [i for i in ids if i < self.vocab_size and i != self.eos_id]
        return self._bpe.decode(known, skip_special_tokens=False)

    def token_id(self, name: str) -> int | None:
        """Id of one entry of the vocabulary, such as ``<|im_start|>``; None: it has none."""
        return self._bpe.token_to_id(name)

    def save(self, folder: str | Path) -> None:
        """Write ``tokenizer.json``, whole or not at all."""
        with whole_file(Path(folder) / FILE) as partial:
            partial.write_text(self._bpe.to_str(pretty=True), encoding='utf-8')

    @classmethod
    def load(cls, folder: str | Path) -> MotionTokenizer:
        """Read ``tokenizer.json``, or GPT-2's vocabulary and merges, from a local folder.

        Raises:
            CheckpointError: the folder holds neither, or they cannot be read.
        """
        path = Path(folder)
        try:
            if (path / FILE).is_file():
                return cls(_without_special_tokens(path / FILE))
            for vocab, merges in _GPT2_FILES:
                if (path / vocab).is_file() and (path / merges).is_file():
                    return cls(
                        _byte_level(models.BPE.from_file(str(path / vocab), str(path / merges)))
                    )
        except CheckpointError:
            raise
        except Exception as error:  # the tokenizers library raises bare Exception
            raise CheckpointError(f'the tokenizer in {path} cannot be read: {error}') from error
        raise CheckpointError(
            f"no tokenizer in {path}: expected {FILE}, or GPT-2's vocab.json and merges.txt"
        )

    @classmethod
    def train(cls, texts: Iterable[str], vocab_size: int) -> MotionTokenizer:
        """Learn a byte-level BPE; the 256 bytes and the end of text are always in it."""
        bpe = _byte_level(models.BPE())
        trainer = trainers.BpeTrainer(
            vocab_size=vocab_size,
            special_tokens=[END_OF_TEXT],
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        )
        bpe.train_from_iterator(texts, trainer)
        return cls(_byte_level(bpe.model))


def _byte_level(model: models.Model) -> Tokenizer:
    """GPT-2's reading of a BPE model.

    The end of text is a plain entry of the vocabulary, no special token: so a user's text that
    contains its name is spelled in bytes and cannot end the text.
    """
    bpe = Tokenizer(model)
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    return bpe


def _without_special_tokens(file: Path) -> Tokenizer:
    """The tokenizer of a ``tokenizer.json``, its special tokens plain entries of the vocabulary.

    How it splits a text (GPT-2 by words, SmolLM2 also into digits) stays its own.
    """
    data: dict[str, Any] = json.loads(file.read_text(encoding='utf-8'))
    if data['model'].get('type', 'BPE') != 'BPE':
        raise CheckpointError(f'{file} holds no BPE, but a {data["model"]["type"]}')
    for added in data.get('added_tokens') or ():
        data['model']['vocab'].setdefault(added['content'], added['id'])
    data.update(added_tokens=[], post_processor=None, truncation=None, padding=None)
    bpe = Tokenizer.from_str(json.dumps(data))
    return _byte_level(bpe.model) if bpe.pre_tokenizer is None else bpe
