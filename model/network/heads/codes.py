# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The head of motions that are written as codes: which comes next, or whether the motion ends.

Dimensions: P positions, M width of the hidden states, K codes of the book.
"""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - the field's own abbreviation

from mgpt3_ros.model.errors import ConfigError, GenerationError
from mgpt3_ros.model.network.heads.config import HeadConfig
from mgpt3_ros.model.sampling import SamplingOptions, or_default


class CodeHead(nn.Module):
    """A linear map to K codes and the end, learned with the cross entropy as term 'codes'.

    Of ``config`` it has the temperature alone: there is no guidance, and nothing is denoised.
    """

    loss_terms: ClassVar[tuple[str, ...]] = ('codes',)

    def __init__(self, config: HeadConfig, num_codes: int, hidden_width: int) -> None:
        super().__init__()
        self.config, self.end = config, num_codes
        self.out = nn.Linear(hidden_width, num_codes + 1)

    def forward(self, hidden: Tensor) -> Tensor:
        """Logits (P, K + 1) of hidden states (P, M), those of the end last."""
        return self.out(hidden).float()

    def loss(self, target: Tensor, hidden: Tensor) -> dict[str, Tensor]:
        """Mean cross entropy of what comes next (P,), K for the end, after hidden (P, M)."""
        if not len(target):
            return {'codes': hidden.sum() * 0.0}
        return {'codes': F.cross_entropy(self(hidden), target)}

    def choose(self, hidden: Tensor, allowed: Tensor, sampling: SamplingOptions) -> Tensor:
        """Draw what comes next (P,) after hidden (P, M), of what is allowed (P, K + 1).

        Raises:
            ConfigError: guidance was asked for.
            GenerationError: the network gave NaN.
        """
        if or_default(sampling.guidance_scale, 1.0) != 1.0:
            raise ConfigError(
                f'guidance_scale is {sampling.guidance_scale}: a head of codes has no guidance; '
                'leave it out, or set it to 1'
            )
        logits = self(hidden)
        if bool(logits.isnan().any()):
            raise GenerationError('the model gave NaN, no codes: its weights are damaged')
        logits = logits.masked_fill(~allowed, -torch.inf)
        temperature = or_default(sampling.temperature, self.config.temperature)
        if temperature == 0:
            return logits.argmax(dim=1)
        generator = sampling.generator
        # torch draws with a generator on the generator's own device alone.
        source = logits.device if generator is None else generator.device
        shares = (logits / temperature).softmax(dim=1).to(source)
        return torch.multinomial(shares, 1, generator=generator)[:, 0].to(logits.device)
