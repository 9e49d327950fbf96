# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The calls of the public model, served by the paper's discrete baseline: a motion as codes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from mgpt3_ros.model.errors import ConfigError
from mgpt3_ros.model.language.durations import Duration
from mgpt3_ros.model.network.code_network import CodeNetwork
from mgpt3_ros.model.network.sequences import (
    TokenBatch,
    TokenSequence,
    build_sequence,
    collate,
    with_codes,
)
from mgpt3_ros.model.pipelines.base import Known
from mgpt3_ros.model.pipelines.whole_clips import WholeClips
from mgpt3_ros.model.sampling import SamplingOptions


class CodePipeline(WholeClips):
    """A network that writes codes, with its tokenizer and statistics.

    A duration that is asked for is that many codes; without one the model ends the motion. Where a
    motion stands, codes do not say.
    """

    network: CodeNetwork
    batches = False  # codes of all rows are drawn from one source

    def _check_sizes(self) -> None:
        frames, room = self.config.max_frames, self.config.network.backbone.n_positions
        codes = self._codes(frames)
        if codes + 4 > room - self._most_words:
            raise ConfigError(
                f'motions of max_frames {frames} have {codes} codes: too many for '
                f'network.backbone.n_positions {room}, of which words take up half'
            )

    @property
    def _most_words(self) -> int:
        return words_beside_codes(self.config.network.backbone.n_positions)

    def _codes(self, frames: int) -> int:
        return -(-frames // self.network.vae.frames_per_code)

    def _draw_asked(
        self, texts: list[str], known: Known, sampling: SamplingOptions
    ) -> tuple[list[np.ndarray], list[Duration]]:
        least = [self._codes(d.frames if d else self.config.min_frames) for d in known]
        most = [self._codes(d.frames if d else self.config.max_frames) for d in known]
        codes = self._write('generate', texts, [], least, most, sampling)
        ended = [len(row) * self.network.vae.frames_per_code for row in codes]
        lengths = self.predicted_durations(known, ended, 'predicted')
        return self._decoded(codes, [length.frames for length in lengths]), lengths

    def _draw_observed(
        self,
        task: str,
        shown: list[np.ndarray],
        placed: list[np.ndarray],
        lengths: list[int],
        sampling: SamplingOptions,
    ) -> list[np.ndarray]:
        counts = [self._codes(frames) for frames in lengths]
        rows = len(lengths)
        codes = self._write(task, [''] * rows, shown * rows, counts, counts, sampling)
        return self._decoded(codes, lengths)

    def _read(
        self, shown: list[np.ndarray], placed: list[np.ndarray], generator: torch.Generator | None
    ) -> tuple[TokenBatch, None]:
        prompts = self._prompts('caption', [''] * len(shown), shown)
        return collate(prompts, self.tokenizer.eos_id, left=True).to(self.device), None

    def _read_prompt(self, prompt: str, shown: list[np.ndarray]) -> tuple[TokenBatch, None]:
        most = self._most_words - self.config.decoding.max_tokens
        sequence = build_sequence(self.tokenizer, 1, prompt, None, most)
        (filled,) = self._filled([sequence], shown)
        return collate([filled], self.tokenizer.eos_id).to(self.device), None

    # Parts

    def _prompts(
        self, task: str, texts: list[str], shown: list[np.ndarray]
    ) -> list[TokenSequence]:
        """Tokens of a task with the codes of what is shown, up to where codes are written."""
        return self._filled(self._sequences(task, texts, 1, self._most_words), shown)

    def _filled(
        self, sequences: list[TokenSequence], shown: list[np.ndarray]
    ) -> list[TokenSequence]:
        """Sequences with the codes of what is shown, up to where codes are written."""
        tokens: list[list[int]] = []
        if shown:
            features, lengths = (part.to(self.device) for part in self.stats.batch(shown))
            tokens = self.network.motion_tokens(features, lengths)
        each, vocabulary = len(tokens) // len(sequences), self.network.vocabulary
        prompts = []
        for row, sequence in enumerate(sequences):
            own = tokens[row * each : (row + 1) * each]
            ids = with_codes(sequence, own, [[]], vocabulary).ids
            if vocabulary.output_holder in ids:
                ids = ids[: ids.index(vocabulary.output_holder) + 1]
            prompts.append(TokenSequence(ids, ids))
        return prompts

    def _write(
        self,
        task: str,
        texts: list[str],
        shown: list[np.ndarray],
        least: list[int],
        most: list[int],
        sampling: SamplingOptions,
    ) -> list[list[int]]:
        """Codes of a motion for each text, ``least`` to ``most`` of them."""
        prompts = self._prompts(task, texts, shown)
        batch = collate(prompts, self.tokenizer.eos_id, left=True).to(self.device)
        fewest, longest = (torch.tensor(counts, device=self.device) for counts in (least, most))
        return self.network.draw(batch, fewest, longest, sampling)

    def _decoded(self, codes: Sequence[list[int]], frames: list[int]) -> list[np.ndarray]:
        rows = torch.zeros(len(codes), self._codes(max(frames)), dtype=torch.long)
        for row, own in zip(rows, codes, strict=True):
            row[: len(own)] = torch.tensor(own[: len(row)])
        lengths = torch.tensor(frames, device=self.device)
        return self._bodies(self.network.vae.decode(rows.to(self.device), lengths), frames)


def words_beside_codes(n_positions: int) -> int:
    """How many tokens of a sequence may be words; the others are left to codes."""
    return n_positions // 2
