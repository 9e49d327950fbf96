# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Motion as a string of codes: the VQ-VAE of T2M-GPT, of which the paper's discrete baseline is.

Convolutions take 4 frames to one vector, which is replaced by the nearest of a code book (van den
Oord et al. 2017). The book follows the vectors as a moving average, and codes that nothing uses
begin anew at one of them (Zhang et al. 2023, T2M-GPT, section 3.1). A longer motion has more
codes.

Dimensions: B clips, T frames, N codes of a clip, P vectors of all clips, K codes of the book, C
width of a code.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, distributed, nn
from torch.nn import functional as F  # noqa: N812 - the field's own abbreviation

from mgpt3_ros.model.errors import ConfigError
from mgpt3_ros.model.kinematics.features import FEATURES
from mgpt3_ros.model.network.vae.base import MotionAutoencoder, frame_mask


@dataclass(frozen=True)
class VqConfig:
    """Sizes of the VQ-VAE; the defaults are those of T2M-GPT.

    num_codes, code_width: K and C.
    width: channels of the convolutions.
    halvings: of the frame rate; 2 make a code of 4 frames.
    depth: residual blocks at each rate, whose dilations grow by ``dilation_growth``.
    ema_decay: of the code book's moving average.
    least_use: a code begins anew whose share of the vectors is less than this part of the mean
        share. T2M-GPT takes less than 1 vector a step, of 4096 for 512 codes: an eighth.
    """

    num_codes: int = 512
    code_width: int = 512
    width: int = 512
    halvings: int = 2
    depth: int = 3
    dilation_growth: int = 3
    ema_decay: float = 0.99
    least_use: float = 0.125

    def __post_init__(self) -> None:
        for name in ('num_codes', 'code_width', 'width', 'depth', 'dilation_growth'):
            if getattr(self, name) < 1:
                raise ConfigError(f'vae.vq.{name} is {getattr(self, name)}; it must be 1 at least')
        if self.halvings < 0:
            raise ConfigError(f'vae.vq.halvings is {self.halvings}; it must not be negative')
        for name in ('ema_decay', 'least_use'):
            if not 0.0 <= getattr(self, name) < 1.0:
                raise ConfigError(f'vae.vq.{name} is {getattr(self, name)}; it must lie in [0, 1)')


class VqVae(MotionAutoencoder):
    """Encoder, code book and decoder. Its own loss term is ``commitment``, see `reconstruct`."""

    loss_terms = ('commitment',)

    def __init__(self, config: VqConfig) -> None:
        super().__init__()
        self.config = config
        self.frames_per_code = 2**config.halvings
        self.encoder = _Encoder(config)
        self.book = CodeBook(config)
        self.decoder = _Decoder(config)

    def num_codes(self, lengths: Tensor) -> Tensor:
        """Codes N of motions of so many frames: the last may stand for fewer than the others."""
        return -(-lengths // self.frames_per_code)

    def reconstruct(
        self, features: Tensor, lengths: Tensor, noise: Sequence[torch.Generator]
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Features (B, T, 263) through the nearest codes, and how far these are.

        Gradients pass the code book as if it were not there. ``commitment`` is the mean squared
        distance of a clip's vectors from their codes. In training the code book learns from each
        call, so from each micro-batch; the first source of noise chooses where codes begin.
        """
        vectors, mask = self._vectors(features, lengths)
        flat = vectors[mask]
        if self.training and torch.is_grad_enabled():
            self.book.learn(flat.detach().float(), noise[0])
        nearest = torch.zeros_like(vectors)
        nearest[mask] = self.book(self.book.nearest(flat)).to(vectors)
        decoded = self._decode(vectors + (nearest - vectors).detach(), lengths)
        error = (vectors - nearest).square().mean(dim=-1) * mask
        return decoded, {'commitment': (error.sum(dim=1) / mask.sum(dim=1)).mean()}

    def rebuild(self, features: Tensor, lengths: Tensor) -> Tensor:
        """Features (B, T, 263) through their codes."""
        return self.decode(self.encode(features, lengths), lengths)

    def encode(self, features: Tensor, lengths: Tensor) -> Tensor:
        """Codes (B, max N) of normalised features (B, T, 263), 0 beyond the N of each clip."""
        vectors, mask = self._vectors(features, lengths)
        codes = torch.zeros_like(mask, dtype=torch.long)
        codes[mask] = self.book.nearest(vectors[mask])
        return codes

    def decode(self, codes: Tensor, lengths: Tensor) -> Tensor:
        """Normalised features (B, max(lengths), 263) of codes (B, max N), zero after each length.

        Of lengths (B,) in frames, a motion has ``num_codes(lengths)`` codes.
        """
        return self._decode(self.book(codes), lengths)

    def _vectors(self, features: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Vectors (B, max N, C) of features, and where (B, max N) they are."""
        most = int(self.num_codes(lengths.max()))
        beyond = most * self.frames_per_code - features.shape[1]
        x = F.pad(features.mT, (0, beyond))  # (B, 263, a multiple of 4)
        vectors = self.encoder(x, lengths).mT
        return vectors, frame_mask(self.num_codes(lengths), most)

    def _decode(self, vectors: Tensor, lengths: Tensor) -> Tensor:
        frames = int(lengths.max())
        features = self.decoder(vectors.mT, self.num_codes(lengths)).mT[:, :frames]
        return features * frame_mask(lengths, frames)[..., None]


class CodeBook(nn.Module):
    """K vectors that follow those that are nearest to them.

    codes: (K, C). use: (K,), moving average of how many vectors each is nearest to; 0 before the
    first vectors were seen. total: (K, C), that of the sum of these vectors.
    """

    codes: Tensor
    use: Tensor
    total: Tensor

    def __init__(self, config: VqConfig) -> None:
        super().__init__()
        self.config = config
        shape = config.num_codes, config.code_width
        self.register_buffer('codes', torch.zeros(shape))
        self.register_buffer('use', torch.zeros(config.num_codes))
        self.register_buffer('total', torch.zeros(shape))

    def forward(self, codes: Tensor) -> Tensor:
        """Vectors (..., C) of codes (...)."""
        return self.codes[codes]

    def nearest(self, vectors: Tensor) -> Tensor:
        """The codes (P,) that are nearest to vectors (P, C)."""
        vectors = vectors.float()
        distance = self.codes.square().sum(dim=1) - 2 * vectors @ self.codes.T
        return distance.argmin(dim=1)

    @torch.no_grad()
    def learn(self, vectors: Tensor, generator: torch.Generator) -> None:
        """Move the codes towards the vectors (P, C) of a step that are nearest to them.

        All processes of a run see the vectors of all, so that they keep one code book.
        """
        chosen = self._some_of(vectors, generator)
        if not self.use.any():
            self.codes.copy_(chosen)
            self.total.copy_(chosen)
            self.use.fill_(1.0)
        nearest = self.nearest(vectors)
        counts = torch.bincount(nearest, minlength=len(self.codes)).to(vectors)
        sums = torch.zeros_like(self.total).index_add_(0, nearest, vectors)
        if _processes() > 1:
            distributed.all_reduce(counts)
            distributed.all_reduce(sums)
        self.use.lerp_(counts, 1 - self.config.ema_decay)
        self.total.lerp_(sums, 1 - self.config.ema_decay)
        mean = self.use.mean()
        idle = self.use < self.config.least_use * mean
        self.use[idle] = mean
        self.total[idle] = mean * chosen[idle]
        self.codes.copy_(self.total / self.use[:, None])

    def _some_of(self, vectors: Tensor, generator: torch.Generator) -> Tensor:
        """K of the vectors (P, C), each as often as any other, or nearly; the same everywhere.

        Where they are taken twice, a little noise tells them apart.
        """
        rounds = -(-len(self.codes) // len(vectors))
        order = torch.cat([torch.randperm(len(vectors), generator=generator)] * rounds)
        chosen = vectors[order[: len(self.codes)].to(vectors.device)]
        noise = torch.randn(chosen.shape, generator=generator).to(chosen)
        chosen = chosen + 0.01 * vectors.std() * noise
        if _processes() > 1:
            distributed.broadcast(chosen, 0)
        return chosen


def _processes() -> int:
    return distributed.get_world_size() if distributed.is_initialized() else 1


class _Residual(nn.Module):
    """A dilated convolution beside the stream (B, W, T), and one of width 1 after it."""

    def __init__(self, width: int, dilation: int) -> None:
        super().__init__()
        self.wide = nn.Conv1d(width, width, 3, padding=dilation, dilation=dilation)
        self.narrow = nn.Conv1d(width, width, 1)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        return x + self.narrow(F.relu(self.wide(F.relu(x) * mask)))


def _residuals(config: VqConfig, widening: bool) -> nn.ModuleList:
    dilations = [config.dilation_growth**n for n in range(config.depth)]
    order = dilations if widening else dilations[::-1]
    return nn.ModuleList(_Residual(config.width, dilation) for dilation in order)


class _Encoder(nn.Module):
    """From frames to vectors. What is beyond a clip is zero before every convolution."""

    def __init__(self, config: VqConfig) -> None:
        super().__init__()
        width = config.width
        self.first = nn.Conv1d(FEATURES, width, 3, padding=1)
        self.down = nn.ModuleList(
            nn.Conv1d(width, width, 4, stride=2, padding=1) for _ in range(config.halvings)
        )
        self.blocks = nn.ModuleList(_residuals(config, False) for _ in range(config.halvings))
        self.last = nn.Conv1d(width, config.code_width, 3, padding=1)

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        """Vectors (B, C, N) of features (B, 263, T); T divides by the frames of a code."""
        mask = _mask(lengths, x)
        x = F.relu(self.first(x * mask))
        for down, blocks in zip(self.down, self.blocks, strict=True):
            x, lengths = down(x * mask), -(-lengths // 2)
            mask = _mask(lengths, x)
            for block in blocks:  # type: ignore[attr-defined] # a list of modules
                x = block(x, mask)
        return self.last(x * mask)


class _Decoder(nn.Module):
    """From vectors to frames, the way back."""

    def __init__(self, config: VqConfig) -> None:
        super().__init__()
        width = config.width
        self.first = nn.Conv1d(config.code_width, width, 3, padding=1)
        self.blocks = nn.ModuleList(_residuals(config, True) for _ in range(config.halvings))
        self.up = nn.ModuleList(
            nn.Conv1d(width, width, 3, padding=1) for _ in range(config.halvings)
        )
        self.middle = nn.Conv1d(width, width, 3, padding=1)
        self.last = nn.Conv1d(width, FEATURES, 3, padding=1)

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        """Features (B, 263, T) of vectors (B, C, N), of which a clip has ``lengths``."""
        mask = _mask(lengths, x)
        x = F.relu(self.first(x * mask))
        for blocks, up in zip(self.blocks, self.up, strict=True):
            for block in blocks:  # type: ignore[attr-defined] # a list of modules
                x = block(x, mask)
            x, lengths = x.repeat_interleave(2, dim=-1), 2 * lengths
            mask = _mask(lengths, x)
            x = up(x * mask)
        return self.last(F.relu(self.middle(x * mask)) * mask)


def _mask(lengths: Tensor, x: Tensor) -> Tensor:
    return frame_mask(lengths, x.shape[-1])[:, None]
