# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Batches of the stream form: a function of the seed and the step, made in tensors at once."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from mgpt3_ros.model.language.tokenizer import MotionTokenizer
from mgpt3_ros.model.language.vocabulary import MOTION
from mgpt3_ros.model.network.sequences import prompt_tokens
from mgpt3_ros.training.data.dataset import MotionDataset
from mgpt3_ros.training.data.instructions import load_instructions
from mgpt3_ros.training.data.stream_windows import WindowCutter, WindowOptions
from mgpt3_ros.training.own_answers import Answered
from mgpt3_ros.training.samples import Split

NO_GOAL = -1
MOVES_ON = 0.2  # share of the motions that are asked about, in which they shall be gone on with


@dataclass(frozen=True)
class StreamOptions:
    """What the rows of a stage are made of.

    dropped_text: share of the rows whose words are dropped, as guidance needs it.
    noise: of the latents of the history, up to so many of their deviations; the state's pose and
        velocity get ``state_noise`` of that.
    own_draws: share of the steps in which the first chunks are drawn by the model itself and the
        truth is led over from where they ended; from ``own_draws_after`` of the stage on.
    most_own_draws: how many of them at most.
    caption_chunks: the most chunks that a caption row shows.
    most_words: tokens of a prompt that are read.
    instructions: file of wordings for the tasks (see ``data/instructions.yaml``), or 'shipped';
        None to ask in the bare words of captions.
    instructed: share of the rows that are asked in those wordings. A motion's place in them is
        left out: it stands before or after the words.
    chats: file of conversations (see ``data/chats.yaml``), or 'shipped', that the rows of task
        ``text`` are taken from, with what the language model itself answers; None for sentences.
    cache_text: 'float16' or 'float32', in which what a frozen text branch says of prompts is kept
        on disk (:mod:`~mgpt3_ros.training.text_cache`); None computes it at every step.
    """

    windows: WindowOptions = field(default_factory=WindowOptions)
    dropped_text: float = 0.1
    noise: float = 0.25
    state_noise: float = 0.15
    own_draws: float = 0.33
    own_draws_after: float = 0.35
    most_own_draws: int = 5
    caption_chunks: int = 16
    most_words: int = 40
    instructions: str | None = None
    instructed: float = 0.6
    chats: str | None = None
    cache_text: str | None = None


@dataclass(frozen=True)
class StreamBatch:
    """Rows of one step.

    frames: (B, 2 + F K, 22, 3) [m]. count: (B,) frames that the motion really has.
    told: (B,) chunk from which on the text holds. show_told: (B,) whether the token says so.
    left: (B,) frames from there to the clip's end; 0 where that is not known.
    ids, mask: (B, N) the words, padded on the left; a row without words is all padding.
    goal: (B,) frame that the body shall run into, or ``NO_GOAL``.
    own_draws: chunks that the model draws by itself first, in all rows.
    asked: (B,) whether the words are an instruction, after which motion shall begin by itself.
    captions: windows to be described: frames, count, the words that follow on them, padded on the
        right, their mask, and which of them are learned.
    texts: (Q, N) sentences alone, padded on the right, their mask, and which words are learned.
    seed: of the noise.
    """

    frames: Tensor
    count: Tensor
    told: Tensor
    show_told: Tensor
    left: Tensor
    ids: Tensor
    mask: Tensor
    goal: Tensor
    asked: Tensor
    own_draws: int
    seed: int
    captions: tuple[Tensor, Tensor, Tensor, Tensor, Tensor] | None = None
    texts: tuple[Tensor, Tensor, Tensor] | None = None

    def to(self, device: torch.device) -> StreamBatch:
        """Move all tensors."""

        def moved(value: object) -> object:
            if isinstance(value, Tensor):
                return value.to(device)
            return tuple(part.to(device) for part in value) if isinstance(value, tuple) else value

        fields = {f.name: moved(getattr(self, f.name)) for f in dataclasses.fields(self)}
        return StreamBatch(**fields)  # type: ignore[arg-type]


class StreamBatcher:
    """Makes the batch of a step.

    Args:
        shares: of the tasks ``generate``, ``predict``, ``inbetween``, ``caption`` and ``text``
            among the rows.
        steps: of the whole stage.
        answered: conversations and what answers them, in tokens, for the rows of task ``text``;
            None for sentences of the data.
    """

    def __init__(
        self,
        dataset: MotionDataset,
        tokenizer: MotionTokenizer,
        chunk_frames: int,
        shares: dict[str, float],
        options: StreamOptions,
        split: Split,
        steps: int,
        answered: Sequence[Answered] | None = None,
    ) -> None:
        self.answered = answered
        self.dataset, self.tokenizer, self.options = dataset, tokenizer, options
        self.split, self.steps = split, steps
        wordings = options.instructions
        self.instructions = None if wordings is None else load_instructions(wordings)
        self.cutter = WindowCutter(dataset.clips, chunk_frames, options.windows)
        total = sum(shares.values())
        rows = {name: split.batch_size * share / total for name, share in shares.items()}
        self.captions, self.texts = (round(rows.get(name, 0)) for name in ('caption', 'text'))
        self.rows = split.batch_size - self.captions - self.texts
        drawn = [rows.get(name, 0.0) for name in ('generate', 'predict', 'inbetween')]
        self.kinds = np.cumsum(drawn) / max(sum(drawn), 1e-9)

    def __call__(self, step: int, micro: int, device: torch.device) -> tuple[StreamBatch]:
        """The batch of a step."""
        rng = self._rng(step, micro)
        options = self.options
        late = step >= options.own_draws_after * self.steps
        own = 0
        if late and rng.random() < options.own_draws:
            own = int(rng.integers(1, options.most_own_draws + 1))
        clips = self.dataset.sample_indices(rng, self.rows)
        others = self.dataset.sample_indices(rng, self.rows)
        history = 0 if own else options.windows.history
        windows = self.cutter.cut_and_join(clips, others, rng, history)
        kind = np.searchsorted(self.kinds, rng.random(self.rows), side='right')
        worded = (kind == 0) & (rng.random(self.rows) >= options.dropped_text)
        worded |= (kind == 2) & (rng.random(self.rows) < 0.3)  # an in-between may be told too
        words, asked = self._words(clips, kind, worded, windows.left.numpy(), rng)
        ids, mask = self.prompts(words)
        goal = np.full(self.rows, NO_GOAL)
        if not own:
            least = 3 + self.cutter.chunk_frames * windows.told.numpy()
            latest = np.maximum(windows.count.numpy() - 2, least)
            goal = np.where(kind == 2, rng.integers(least, latest + 1), NO_GOAL)
        return (
            StreamBatch(
                windows.frames,
                windows.count,
                windows.told,
                torch.from_numpy((kind == 0) | worded | asked),
                windows.left * torch.from_numpy(worded),
                ids,
                mask,
                torch.from_numpy(goal),
                torch.from_numpy(asked),
                own,
                int(rng.integers(2**62)),
                self._captions(rng),
                self._texts(rng),
            ).to(device),
        )

    def clip_ids(self, step: int, micro: int) -> list[str]:
        """Names of the clips that this batch may have drawn."""
        rng = self._rng(step, micro)
        return [self.dataset.clips[i].id for i in self.dataset.sample_indices(rng, self.rows)]

    def _rng(self, step: int, micro: int) -> np.random.Generator:
        return np.random.default_rng([self.split.seed, step, micro, self.split.process])

    def prompts(self, texts: list[str | None]) -> tuple[Tensor, Tensor]:
        """Words (B, N), padded on the left, and their mask; None for a row without words."""
        return prompt_tokens(self.tokenizer, texts, self.options.most_words)

    def _words(
        self,
        clips: np.ndarray,
        kind: np.ndarray,
        worded: np.ndarray,
        left: np.ndarray,
        rng: np.random.Generator,
    ) -> tuple[list[str | None], np.ndarray]:
        """What each row is asked in, None for no words, and which of them are instructions.

        Predictions and in-betweens, which go without words otherwise, are asked for too.
        """
        words: list[str | None] = []
        asked = np.zeros(len(clips), dtype=bool)
        for row, clip in enumerate(map(int, clips)):
            task = ('generate', 'predict', 'inbetween')[kind[row]]
            frames = int(left[row])
            told = None
            if task != 'generate' or (worded[row] and frames > 0):
                told = self._worded(task, clip, max(frames, 1), rng)
            if told is not None:
                asked[row] = True
                words.append(told[0])
            else:
                words.append(self.dataset.caption(clip, rng) if worded[row] else None)
        return words, asked

    def _worded(
        self, task: str, clip: int, frames: int, rng: np.random.Generator
    ) -> tuple[str, str] | None:
        """An instruction and its answer, without the places of motions; None where none is due."""
        known = self.instructions
        if known is None or not known.has(task) or rng.random() >= self.options.instructed:
            return None
        drawn = known.draw(task, rng, self.dataset.original_caption(clip, rng), frames)
        prompt, answer = (' '.join(text.replace(MOTION, ' ').split()) for text in drawn)
        return prompt, answer

    def _captions(
        self, rng: np.random.Generator
    ) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor] | None:
        """Windows, their frames, and the words that follow on them: see :class:`StreamBatch`."""
        if not self.captions:
            return None
        clips = self.dataset.sample_indices(rng, self.captions)
        windows = self.cutter.cut(clips, rng, self.options.caption_chunks)
        rows = [
            self._after_motion(int(clip), int(frames), rng)
            for clip, frames in zip(clips, windows.count, strict=True)
        ]
        ids, mask = _padded_right(
            [before + after for before, after in rows], self.tokenizer.eos_id
        )
        begin = torch.tensor([len(before) for before, _ in rows])
        learned = mask & (torch.arange(mask.shape[1]) >= begin[:, None])
        return windows.frames, windows.count, ids, mask, learned

    def _after_motion(
        self, clip: int, frames: int, rng: np.random.Generator
    ) -> tuple[list[int], list[int]]:
        """Tokens that follow on a motion, and after them those that are learned."""
        tokenizer, before = self.tokenizer, [self.tokenizer.end_of_motion]
        if rng.random() < MOVES_ON:
            asked = self._worded('predict', clip, frames, rng)
            if asked is not None:
                return [*before, *self._encoded(asked[0])], [tokenizer.start_of_motion]
        asked = self._worded('caption', clip, frames, rng)
        prompt, answer = asked or ('', self.dataset.original_caption(clip, rng))
        asks, says = self._both_encoded(prompt, answer)
        return [*before, *asks], [*says, tokenizer.eos_id]

    def _texts(self, rng: np.random.Generator) -> tuple[Tensor, Tensor, Tensor] | None:
        if not self.texts:
            return None
        eos = self.tokenizer.eos_id
        if self.answered is not None:
            kinds = sorted({row.kind for row in self.answered})
            rows = [self._answered(kinds[n % len(kinds)], rng) for n in range(self.texts)]
            ids, mask = _padded_right([[*row.asked, *row.answer] for row in rows], eos)
            begin = torch.tensor([len(row.asked) for row in rows])
            return ids, mask, mask & (torch.arange(mask.shape[1]) >= begin[:, None])
        told = []
        for clip in self.dataset.sample_indices(rng, self.texts):
            frames = len(self.dataset.clips[clip].joints)
            asked = self._worded('text', int(clip), frames, rng)
            prompt, answer = asked or ('', self.dataset.sample_text(rng))
            asks, says = self._both_encoded(prompt, answer)
            told.append([*asks, *says, eos])
        ids, mask = _padded_right(told, eos)
        return ids, mask, mask

    def _answered(self, kind: str, rng: np.random.Generator) -> Answered:
        """A conversation of a kind: all kinds come alike often."""
        assert self.answered is not None
        rows = [row for row in self.answered if row.kind == kind]
        return rows[int(rng.integers(len(rows)))]

    def _both_encoded(self, prompt: str, answer: str) -> tuple[list[int], list[int]]:
        """Tokens of a prompt and its answer, no more than a prompt alone may have."""
        says = self._encoded(answer)
        room = self.options.most_words - len(says)
        return (self._encoded(prompt)[:room] if prompt else []), says

    def _encoded(self, text: str) -> list[int]:
        return self.tokenizer.encode(text)[: self.options.most_words]


def _padded_right(rows: list[list[int]], pad_id: int) -> tuple[Tensor, Tensor]:
    width = max(map(len, rows))
    ids = torch.full((len(rows), width), pad_id)
    mask = torch.zeros(len(rows), width, dtype=torch.bool)
    for row, words in enumerate(rows):
        ids[row, : len(words)] = torch.tensor(words)
        mask[row, : len(words)] = True
    return ids, mask
