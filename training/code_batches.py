# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Batches for a network that writes motions as codes: the rows are those of the clip form."""

from __future__ import annotations

import torch

from mgpt3_ros.model.language.prompts import PromptConfig
from mgpt3_ros.model.language.tokenizer import MotionTokenizer
from mgpt3_ros.model.network.code_network import CodeNetwork
from mgpt3_ros.model.network.sequences import TokenBatch, collate, with_codes
from mgpt3_ros.model.pipelines.codes import words_beside_codes
from mgpt3_ros.training.data.dataset import MotionDataset, Part
from mgpt3_ros.training.samples import Split
from mgpt3_ros.training.tasks import Row, RowMaker, TaskMix, TaskOptions


class CodeBatcher(RowMaker):
    """Makes the batch of a step: a function of the seed and the step alone.

    Codes of whole clips are kept, since the VAE is frozen.
    """

    def __init__(
        self,
        dataset: MotionDataset,
        network: CodeNetwork,
        tokenizer: MotionTokenizer,
        prompts: PromptConfig,
        mix: TaskMix,
        options: TaskOptions,
        split: Split,
        whole_gaps: bool = False,
    ) -> None:
        room = words_beside_codes(network.config.backbone.n_positions)
        super().__init__(dataset, tokenizer, prompts, mix, options, split, 1, room, whole_gaps)
        self.network = network
        self._known: dict[int, list[int]] = {}

    def __call__(self, step: int, micro: int, device: torch.device) -> tuple[TokenBatch]:
        """Arguments of the network for this step."""
        return (self.batch(self.rows(step, micro), device),)

    def batch(self, rows: list[Row], device: torch.device) -> TokenBatch:
        """Collate rows with the codes of their motions."""
        parts = [p for row in rows for p in (*row.inputs, *([row.target] if row.target else []))]
        codes = iter(self._codes(parts, device))
        sequences = []
        for row in rows:
            shown = [next(codes) for _ in row.inputs]
            drawn = [next(codes)] if row.target is not None else []
            sequences.append(with_codes(row.sequence, shown, drawn, self.network.vocabulary))
        return collate(sequences, self.tokenizer.eos_id).to(device)

    def _codes(self, parts: list[Part], device: torch.device) -> list[list[int]]:
        new = [n for n, p in enumerate(parts) if p.frames is not None or p.clip not in self._known]
        codes = [self._known.get(part.clip, []) for part in parts]
        if new:
            clips = self.dataset.cut([parts[n] for n in new], device)
            features, lengths = (each.to(device) for each in self.dataset.stats.batch(clips))
            for n, own in zip(new, self.network.motion_tokens(features, lengths), strict=True):
                codes[n] = own
                if parts[n].frames is None:
                    self._known[parts[n].clip] = own
        return codes
