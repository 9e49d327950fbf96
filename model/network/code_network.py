# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The network of the paper's discrete baseline: motions are written as codes, one after the other.

Backbone and tokens are those of the clip form. Between the markers of a motion stand the codes of
a VQ-VAE, as tokens of the motion branch: as many as the motion is long. Where one is drawn an
output holder stands before them, so that already the first code comes from the motion branch; the
hidden state at it and at each code says what comes next: a code, or the end.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - the field's own abbreviation

from mgpt3_ros.model.language.vocabulary import Vocabulary
from mgpt3_ros.model.network.backbone import BimodalBackbone, Hidden
from mgpt3_ros.model.network.cache import KeyValueCache
from mgpt3_ros.model.network.heads.codes import CodeHead
from mgpt3_ros.model.network.network import NetworkConfig
from mgpt3_ros.model.network.sequences import IGNORED, TokenBatch
from mgpt3_ros.model.network.vae.vq import VqVae
from mgpt3_ros.model.sampling import SamplingOptions


class CodeNetwork(nn.Module):
    """Backbone, VQ-VAE and head; knows token ids but no text and no files.

    Of `NetworkConfig` it looks at ``backbone``, ``vae.vq`` and the temperature of ``head``.
    """

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.config = config
        self.vocabulary = Vocabulary(config.backbone.vocab_size)
        self.vae = VqVae(config.vae.vq)
        codes = config.vae.vq.num_codes
        self.backbone = BimodalBackbone(config.backbone, codes)
        self.head = CodeHead(config.head, codes, self.backbone.motion_width)

    @property
    def device(self) -> torch.device:
        """Where it is."""
        return self.vae.book.codes.device

    @property
    def loss_terms(self) -> tuple[str, ...]:
        """Names of all that :meth:`forward` may return."""
        return ('text', *self.head.loss_terms)

    def parameter_groups(self) -> dict[str, list[nn.Parameter]]:
        """All parameters, by the name under which a stage trains them or leaves them be."""
        backbone = self.backbone.parameter_groups()
        return {
            'vae': [*self.vae.parameters()],
            **backbone,
            'head': [*self.head.parameters()],
        }

    def head_parameters(self) -> list[nn.Parameter]:
        """Those that may learn at another rate than the backbone."""
        return [*self.head.parameters()]

    def train(self, mode: bool = True) -> CodeNetwork:
        """Set training mode of all but the VAE, whose own stage trains it by itself."""
        super().train(mode)
        self.vae.eval()
        return self

    @torch.no_grad()
    def motion_tokens(self, features: Tensor, lengths: Tensor) -> list[list[int]]:
        """Token ids of the codes of normalised features (B, T, 263), as many as each has."""
        codes = (self.vocabulary.first_code + self.vae.encode(features, lengths)).tolist()
        counts = self.vae.num_codes(lengths).tolist()
        return [row[:count] for row, count in zip(codes, counts, strict=True)]

    def hidden(
        self,
        ids: Tensor,
        mask: Tensor | None,
        motions: None = None,
        cache: KeyValueCache | None = None,
        words_alone: bool = False,
    ) -> Hidden:
        """Hidden states of a batch of token ids (B, N); there are no motions beside them."""
        text, motion, is_motion = self.backbone.embed(ids)
        return self.backbone(text, motion, is_motion, mask, cache, words_alone)

    def forward(self, batch: TokenBatch) -> dict[str, Tensor]:
        """Named loss terms of a batch: what the next word is, and what the next code is."""
        hidden = self.hidden(batch.ids, batch.mask)
        words, codes = self._learned(batch)
        labels = batch.labels[:, 1:]
        text = hidden.text[:, :-1]
        terms = {'text': text.sum() * 0.0}
        if words.any():
            logits = self.backbone.text_logits(text[words]).float()
            terms['text'] = F.cross_entropy(logits, labels[words])
        first, ended = self.vocabulary.first_code, self.vocabulary.end_of_motion
        following = labels[codes]
        target = torch.where(following == ended, self.head.end, following - first)
        return terms | self.head.loss(target, hidden.motion[:, :-1][codes])

    def counts(self, batch: TokenBatch) -> dict[str, int]:
        """Over how many items each term of :meth:`forward` is the mean."""
        words, codes = self._learned(batch)
        return {'text': int(words.sum()), 'codes': int(codes.sum())}

    def _learned(self, batch: TokenBatch) -> tuple[Tensor, Tensor]:
        """Positions (B, N - 1) whose next token is learned: as a word, or as a code or the end."""
        learned = batch.labels[:, 1:] != IGNORED
        of_motion = batch.ids[:, :-1] >= self.vocabulary.first_motion
        return learned & ~of_motion, learned & of_motion

    @torch.inference_mode()
    def draw(
        self, batch: TokenBatch, least: Tensor, most: Tensor, sampling: SamplingOptions
    ) -> list[list[int]]:
        """Codes of a motion for each row, drawn one after the other.

        Args:
            batch: sequences that end with an output holder, padded on the left.
            least: (B,) the motion does not end before it has so many codes.
            most: (B,) it ends when it has so many.
            sampling: temperature, chance, and how the call is stopped.

        Raises:
            Cancelled: ``sampling.should_stop`` said so.
        """
        drawn: list[list[int]] = [[] for _ in range(len(batch.ids))]
        going = torch.ones(len(drawn), dtype=torch.bool, device=self.device)
        mask, cache, last = batch.mask, self.backbone.new_cache(), int(most.max())
        hidden = self.hidden(batch.ids, mask, cache=cache)
        for step in range(last):
            sampling.check_stop('the motion was cancelled')
            allowed = going.new_ones(len(drawn), self.head.end + 1)
            allowed[:, self.head.end] = step >= least
            chosen = self.head.choose(hidden.motion[:, -1], allowed, sampling)
            going = going & (chosen != self.head.end) & (step < most)
            for row, code in enumerate(chosen.tolist()):
                if going[row]:
                    drawn[row].append(code)
            if sampling.on_progress is not None:
                sampling.on_progress((step + 1) / last)
            if step + 1 == last or not going.any():
                break
            # What has ended goes on with any code: nothing looks at it.
            following = self.vocabulary.first_code + chosen.clamp(max=self.head.end - 1)
            mask = torch.cat([mask, mask.new_ones(len(mask), 1)], dim=1)
            hidden = self.hidden(following[:, None], mask, cache=cache)
        return drawn
