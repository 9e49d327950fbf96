# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Sentences with motions in them: from prompt and answer to token ids, labels and batches."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from mgpt3_ros.model.language.normalisation import normalised
from mgpt3_ros.model.language.tokenizer import MotionTokenizer
from mgpt3_ros.model.language.vocabulary import MASKED, MOTION, Vocabulary

SEPARATOR = ' \n '  # between prompt and answer, as the authors have it
IGNORED = -100  # label of a position whose next token is not learned


@dataclass(frozen=True)
class TokenSequence:
    """One sample: token ids and, per position, the token to be predicted there (not shifted)."""

    ids: list[int]
    labels: list[int]

    def up_to(self, token: int) -> TokenSequence:
        """The sequence up to the last such token, where what comes after it is not looked at."""
        end = len(self.ids) - self.ids[::-1].index(token)
        return TokenSequence(self.ids[:end], self.labels[:end])


@dataclass(frozen=True)
class Layout:
    """What stands where in a batch (B, N), as flat positions, and whether there is padding.

    Found while the batch is still here: on a GPU each of them is a wait.

    text_at, motion_at: (P,) tokens of each modality that are computed. inputs_at, outputs_at:
    holders. learned_at: in (B, N - 1), where the next token is a label.
    """

    text_at: Tensor
    motion_at: Tensor
    inputs_at: Tensor
    outputs_at: Tensor
    learned_at: Tensor
    padded: bool

    @classmethod
    def of(cls, batch: TokenBatch, vocabulary: Vocabulary, with_padding: bool = False) -> Layout:
        """The layout of a batch; ``with_padding`` where padding is computed, too."""
        computed = batch.mask | with_padding
        is_motion = batch.ids >= vocabulary.first_motion
        return cls(
            places_of(computed & ~is_motion),
            places_of(computed & is_motion),
            places_of(batch.ids == vocabulary.input_holder),
            places_of(batch.ids == vocabulary.output_holder),
            places_of(batch.labels[:, 1:] != IGNORED),
            not bool(batch.mask.all()),
        )

    def to(self, device: torch.device | str) -> Layout:
        """Move all positions."""
        return Layout(
            self.text_at.to(device),
            self.motion_at.to(device),
            self.inputs_at.to(device),
            self.outputs_at.to(device),
            self.learned_at.to(device),
            self.padded,
        )


def places_of(chosen: Tensor) -> Tensor:
    """Flat positions (P,) of what is True."""
    return chosen.flatten().nonzero()[:, 0]


@dataclass(frozen=True)
class TokenBatch:
    """Padded samples: ``ids``, ``labels`` (B, N) int64 and ``mask`` (B, N), True on tokens.

    ``layout`` spares a network that is on a GPU from looking for it.
    """

    ids: Tensor
    labels: Tensor
    mask: Tensor
    layout: Layout | None = None

    def to(self, device: torch.device | str) -> TokenBatch:
        """Move all tensors."""
        layout = None if self.layout is None else self.layout.to(device)
        return TokenBatch(
            self.ids.to(device), self.labels.to(device), self.mask.to(device), layout
        )


def build_sequence(
    tokenizer: MotionTokenizer,
    holders: int,
    prompt: str,
    answer: str | None = None,
    max_tokens: int | None = None,
) -> TokenSequence:
    """Tokenise ``prompt``, the separator and ``answer``; ``MOTION`` in them stands for a motion.

    Without an answer the sequence ends after the separator, ready to be continued: without its
    last blank, which belongs to the word that follows. A prompt that would not fit is cut so that
    separator and answer stay whole.

    Args:
        tokenizer: text and holder tokens.
        holders: K, the number of holder tokens of one motion.
        prompt: text before the separator; its motions are inputs.
        answer: text after the separator; its motions are outputs. An end-of-text token follows.
        max_tokens: the longest sequence that the backbone takes.
    """
    inputs = _motion_ids(tokenizer, tokenizer.input_holder, holders)
    outputs = _motion_ids(tokenizer, tokenizer.output_holder, holders)
    # Text on both sides of the separator is tokenised in one piece, as the authors do: a space
    # belongs to the word that follows it. Motions split the text.
    text = prompt + (SEPARATOR.rstrip(' ') if answer is None else SEPARATOR + answer)
    motions = iter([inputs] * prompt.count(MOTION) + [outputs] * (answer or '').count(MOTION))
    ids: list[int] = []
    for piece in re.split(f'([{MOTION}{MASKED}])', text):
        if piece == MOTION:
            ids += next(motions)
        elif piece == MASKED:
            ids += [tokenizer.masked_motion] * holders
        else:
            ids += tokenizer.encode(piece)
    if answer is not None:
        ids = [*ids, tokenizer.eos_id]
    if max_tokens is not None and len(ids) > max_tokens:
        if MOTION in prompt or not prompt:
            ids = ids[:max_tokens]
        else:
            words = tokenizer.encode(prompt)
            kept = max(len(words) - (len(ids) - max_tokens), 0)
            # A cut within a character leaves a stand-in that may need as many tokens again; one
            # character less in any case, so that this ends.
            shorter = tokenizer.decode(words[:kept]).rstrip('\ufffd')[: len(prompt) - 1]
            return build_sequence(tokenizer, holders, shorter, answer, max_tokens)
    unlearned = {
        tokenizer.end_of_motion,  # follows the holders by rule
        tokenizer.output_holder,
        tokenizer.input_holder,
        tokenizer.masked_motion,
        tokenizer.pad_motion,
    }
    return TokenSequence(ids, [IGNORED if i in unlearned else i for i in ids])


def _motion_ids(tokenizer: MotionTokenizer, holder: int, holders: int) -> list[int]:
    return [tokenizer.start_of_motion, *[holder] * holders, tokenizer.end_of_motion]


def with_codes(
    sequence: TokenSequence,
    inputs: Iterable[Sequence[int]],
    outputs: Iterable[Sequence[int]],
    vocabulary: Vocabulary,
) -> TokenSequence:
    """Put the codes of motions into a sequence that has one holder for each of them.

    Codes of an input motion take the place of its holder. Those of an output motion follow theirs,
    and are learned, as is the marker after them.

    Args:
        sequence: of `build_sequence` with one holder a motion.
        inputs: token ids of the input motions' codes, in reading order.
        outputs: those of the output motions.
        vocabulary: which ids are holders.
    """
    shown, drawn = iter(inputs), iter(outputs)
    ids: list[int] = []
    labels: list[int] = []
    before = None
    for token, label in zip(sequence.ids, sequence.labels, strict=True):
        if token == vocabulary.input_holder:
            codes = next(shown)
            ids += codes
            labels += [IGNORED] * len(codes)
        elif token == vocabulary.output_holder:
            codes = next(drawn)
            ids += [token, *codes]
            labels += [IGNORED, *codes]
        else:
            ids.append(token)
            labels.append(token if before == vocabulary.output_holder else label)
        before = token
    return TokenSequence(ids, labels)


def collate(
    sequences: Sequence[TokenSequence],
    pad_id: int,
    pad_to: int | None = None,
    learn_padding: bool = False,
    left: bool = False,
) -> TokenBatch:
    """Pad sequences on the right, or on the left, so that all can be continued.

    Args:
        sequences: the samples.
        pad_id: token id to pad with (GPT-2: end of text).
        pad_to: pad to this length instead of the longest sample's. The authors pad to 192.
        learn_padding: count padding in the text loss, as the authors do. It makes up 95 % of
            their loss, so the default leaves it out. Only a backbone with ``reference_masking``
            computes padding at all.
        left: pad on the left.
    """
    longest = max(len(sequence.ids) for sequence in sequences)
    width = longest if pad_to is None else pad_to
    ids = torch.full((len(sequences), width), pad_id)
    labels = torch.full((len(sequences), width), pad_id if learn_padding else IGNORED)
    mask = torch.zeros(len(sequences), width, dtype=torch.bool)
    for row, sequence in enumerate(sequences):
        kept = min(len(sequence.ids), width)
        place = slice(width - kept, width) if left else slice(kept)
        ids[row, place] = torch.tensor(sequence.ids[:kept])
        labels[row, place] = torch.tensor(sequence.labels[:kept])
        mask[row, place] = True
    return TokenBatch(ids, labels, mask)


def prompt_tokens(
    tokenizer: MotionTokenizer, texts: Sequence[str | None], most: int
) -> tuple[Tensor, Tensor]:
    """Words of prompts and the marker that begins motion (B, N), padded on the left, and a mask.

    Texts are read in their normal form. None stands for no words at all, not even the marker.
    """
    rows = [
        []
        if text is None
        else [*tokenizer.encode(normalised(text) or text)[:most], tokenizer.start_of_motion]
        for text in texts
    ]
    width = max(map(len, rows), default=0)
    ids = torch.full((len(rows), width), tokenizer.eos_id)
    mask = torch.zeros(len(rows), width, dtype=torch.bool)
    for row, words in enumerate(rows):
        if words:
            ids[row, -len(words) :] = torch.tensor(words)
            mask[row, -len(words) :] = True
    return ids, mask
