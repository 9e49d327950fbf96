# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A text-motion encoder in the manner of TMR (Petrovich et al., ICCV 2023), trained by contrast.

Texts and motions become unit vectors of one space, in which a text lies near the motions that it
describes. ``mgpt3 train tmr`` trains one on any data set; it needs no language model. TMR's motion
decoder, which only helps in training, is left out.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - the field's own abbreviation
from tqdm import tqdm

from mgpt3_ros.model.checkpoints import checkpoint
from mgpt3_ros.model.config import from_dict, to_dict
from mgpt3_ros.model.devices import resolve_device
from mgpt3_ros.model.errors import CheckpointError, ConfigError
from mgpt3_ros.model.kinematics.stats import FeatureStats
from mgpt3_ros.model.language.tokenizer import MotionTokenizer
from mgpt3_ros.model.motion import Motion
from mgpt3_ros.model.network.vae.base import frame_mask
from mgpt3_ros.training.evaluation.metrics.checks import MetricError

KIND = 'text-motion encoder'  # in config.json, which tells its folder from a model's
FRAMES_PER_TOKEN = 4  # two convolutions of stride 2
BATCH = 64
PROGRESS_FROM = 500  # motions: fewer take a few seconds


@dataclass(frozen=True)
class TmrConfig:
    """Sizes of the encoders.

    vocab_size: of the tokenizer; 0 until it is known.
    latent: width of the embeddings. More motions than this are needed for an FID.
    width, heads: of both transformers.
    text_layers, motion_layers: their depths.
    max_tokens: longer texts are cut off.
    max_frames: longer motions are cut off [20 fps].
    """

    vocab_size: int = 0
    latent: int = 128
    width: int = 128
    heads: int = 4
    text_layers: int = 2
    motion_layers: int = 2
    max_tokens: int = 64
    max_frames: int = 200

    def __post_init__(self) -> None:
        for name in ('latent', 'width', 'heads', 'text_layers', 'motion_layers', 'max_tokens'):
            if getattr(self, name) < 1:
                raise ConfigError(f'{name} is {getattr(self, name)}; it must be at least 1')
        if self.width % self.heads or self.width % 2:
            raise ConfigError(
                f'width {self.width} must be even and a multiple of heads {self.heads}'
            )
        if self.max_frames < FRAMES_PER_TOKEN:
            raise ConfigError(f'max_frames must be at least {FRAMES_PER_TOKEN}')


class TmrNetwork(nn.Module):
    """Two transformers without dropout, so that a training that is resumed goes on the same."""

    def __init__(self, config: TmrConfig) -> None:
        super().__init__()
        self.config = config
        width = config.width
        self.words = nn.Embedding(config.vocab_size, width)
        nn.init.normal_(self.words.weight, std=0.02)
        self.text_encoder = _transformer(config, config.text_layers)
        self.text_out = nn.Linear(width, config.latent)
        self.halves = nn.Conv1d(263, width, 4, 2, 1)
        self.quarters = nn.Conv1d(width, width, 4, 2, 1)
        self.motion_encoder = _transformer(config, config.motion_layers)
        self.motion_out = nn.Linear(width, config.latent)

    def embed_text(self, ids: Tensor, lengths: Tensor) -> Tensor:
        """Unit vectors (B, D) of token ids (B, N), of which the first lengths (B,) count."""
        return self._pooled(self.words(ids), lengths, self.text_encoder, self.text_out)

    def embed_motion(self, features: Tensor, lengths: Tensor) -> Tensor:
        """Unit vectors (B, D) of normalised features (B, T, 263) with lengths (B,) of 4 at least.

        What stands beyond a length has no influence; the last frames beyond a multiple of 4
        hardly have.
        """
        kept = frame_mask(lengths, features.shape[1])
        frames = features.masked_fill(~kept[..., None], 0.0).transpose(1, 2)
        halves = F.gelu(self.halves(frames))
        # Zero beyond the length, as a motion that ends there is padded with zeros.
        halves = halves * frame_mask(lengths // 2, halves.shape[2])[:, None]
        tokens = F.gelu(self.quarters(halves)).transpose(1, 2)
        return self._pooled(
            tokens, lengths // FRAMES_PER_TOKEN, self.motion_encoder, self.motion_out
        )

    def _pooled(
        self, tokens: Tensor, lengths: Tensor, encoder: nn.TransformerEncoder, out: nn.Linear
    ) -> Tensor:
        kept = frame_mask(lengths, tokens.shape[1])
        places = _places(tokens.shape[1], self.config.width).to(tokens)
        hidden = encoder(tokens + places, src_key_padding_mask=~kept)
        mean = (hidden * kept[..., None]).sum(dim=1) / lengths[:, None]
        return F.normalize(out(mean), dim=-1)


def _transformer(config: TmrConfig, layers: int) -> nn.TransformerEncoder:
    layer = nn.TransformerEncoderLayer(
        config.width,
        config.heads,
        4 * config.width,
        dropout=0.0,
        activation='gelu',
        batch_first=True,
        norm_first=True,
    )
    return nn.TransformerEncoder(
        layer, layers, norm=nn.LayerNorm(config.width), enable_nested_tensor=False
    )


def _places(count: int, width: int) -> Tensor:
    """Sines and cosines (count, width) of the places (Vaswani et al. 2017)."""
    rates = torch.exp(torch.arange(0, width, 2) * (-np.log(10_000.0) / width))
    angles = torch.arange(count)[:, None] * rates
    return torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(1)


class TextMotionEncoder:
    """The trained network with what it reads: texts as they are written, joints in metres."""

    def __init__(
        self,
        config: TmrConfig,
        network: TmrNetwork,
        tokenizer: MotionTokenizer,
        stats: FeatureStats,
        name: str = 'tmr',
    ) -> None:
        # A loaded one has the hash of its weights in its name: figures of two must not be mixed.
        self.config, self.tokenizer, self.stats, self.name = config, tokenizer, stats, name
        self.network = network.eval()

    @property
    def width(self) -> int:
        """D, the numbers of an embedding."""
        return self.config.latent

    @torch.inference_mode()
    def embed_texts(self, texts: Sequence[str]) -> np.ndarray:
        """Unit vectors (N, D) float32 of N sentences.

        Raises:
            MetricError: a text is empty.
        """

        def embed(part: Sequence[str]) -> Tensor:
            ids, lengths = token_batch(part, self.tokenizer, self.config.max_tokens)
            return self.network.embed_text(ids.to(self._device), lengths.to(self._device))

        return in_batches(embed, texts, BATCH, self.width)

    @torch.inference_mode()
    def embed_motions(self, motions: Sequence[np.ndarray]) -> np.ndarray:
        """Unit vectors (N, D) float32 of N motions (T, 22, 3) [m], Y up, 20 fps.

        Each begins anywhere, in any heading; of one that is too long the beginning is read.

        Raises:
            MotionError: joints of another shape, or not finite.
            MetricError: a motion of fewer than 5 frames.
        """
        quiet = len(motions) <= PROGRESS_FROM
        shown = tqdm(motions, desc='features', leave=False, disable=quiet)
        most = self.config.max_frames + 1  # the last frame gives no features
        clips = [Motion(joints[:most]).features() for joints in shown]

        def embed(part: Sequence[np.ndarray]) -> Tensor:
            features, lengths = feature_batch(part, self.stats, self.config.max_frames)
            return self.network.embed_motion(features.to(self._device), lengths.to(self._device))

        return in_batches(embed, clips, BATCH, self.width)

    @property
    def _device(self) -> torch.device:
        return self.network.words.weight.device

    def save(self, folder: str | Path) -> None:
        """Write ``config.json``, ``model.safetensors``, ``stats.npz`` and the tokenizer."""
        path = Path(folder)
        path.mkdir(parents=True, exist_ok=True)
        checkpoint.write_weights(path, self.network)
        self.stats.save(path / checkpoint.STATS)
        self.tokenizer.save(path)
        data = {'kind': KIND, 'name': self.name.split()[0], 'network': to_dict(self.config)}
        checkpoint.write_config(path, data)

    @classmethod
    def load(cls, folder: str | Path, device: str = 'auto') -> TextMotionEncoder:
        """Read what :meth:`save` wrote.

        Raises:
            CheckpointError: the folder is missing, damaged or of another kind.
        """
        path = checkpoint.find_checkpoint(folder)
        data = checkpoint.read_config(path)
        if data.get('kind') != KIND:
            raise CheckpointError(f'{path} holds no {KIND}: `mgpt3 train tmr` writes one')
        config = from_dict(TmrConfig, data['network'], 'network')
        network = TmrNetwork(config)
        checkpoint.load_state(network, checkpoint.read_weights(path), str(path))
        tokenizer = MotionTokenizer.load(path)
        if tokenizer.vocab_size != config.vocab_size:
            raise CheckpointError(
                f'{path}: the tokenizer has {tokenizer.vocab_size} tokens, '
                f'the encoder {config.vocab_size}'
            )
        stats = FeatureStats.load(path / checkpoint.STATS)
        network.to(resolve_device(device))
        weights = hashlib.sha256((path / checkpoint.WEIGHTS).read_bytes()).hexdigest()[:8]
        return cls(config, network, tokenizer, stats, f'{data.get("name", "tmr")} {weights}')


def in_batches(
    embed: Callable[[Sequence[Any]], Tensor], items: Sequence[Any], size: int, width: int
) -> np.ndarray:
    """Embeddings (N, ``width``) float32 of N items, ``size`` at once."""
    if not items:
        return np.zeros((0, width), dtype=np.float32)
    found = [embed(items[begin : begin + size]) for begin in range(0, len(items), size)]
    return torch.cat(found).float().cpu().numpy()


def token_batch(
    texts: Sequence[str], tokenizer: MotionTokenizer, max_tokens: int
) -> tuple[Tensor, Tensor]:
    """Token ids (B, N), padded with the end of text, and lengths (B,) of lower-cased texts.

    Raises:
        MetricError: a text is empty.
    """
    rows = [tokenizer.encode(text.strip().lower())[:max_tokens] for text in texts]
    for text, row in zip(texts, rows, strict=True):
        if not row:
            raise MetricError(f'{text!r} is no text to embed')
    lengths = torch.tensor([len(row) for row in rows])
    ids = torch.full((len(rows), int(lengths.max())), tokenizer.eos_id)
    for line, row in zip(ids, rows, strict=True):
        line[: len(row)] = torch.tensor(row)
    return ids, lengths


def feature_batch(
    clips: Sequence[np.ndarray], stats: FeatureStats, max_frames: int
) -> tuple[Tensor, Tensor]:
    """Normalised features (B, T, 263), zero beyond the lengths (B,).

    Raises:
        MetricError: fewer than 4 frames, or values that are not finite.
    """
    rows = [np.asarray(clip, dtype=np.float32)[:max_frames] for clip in clips]
    for number, row in enumerate(rows):
        what = f'motion {number} has {len(row)} rows of features'
        if not np.isfinite(row).all():
            raise MetricError(f'{what}, some of them not finite')
        if len(row) < FRAMES_PER_TOKEN:
            raise MetricError(f'{what}: at least {FRAMES_PER_TOKEN} are needed')
    return stats.batch(rows)
