# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The evaluator networks of Guo et al. 2022 (T2M): embeddings in which texts meet motions.

Field's figures of R-precision, MM-Dist, FID, Diversity and MultiModality are those of these
networks with the weights that their authors published, which the user provides. The structure is
read off the shapes of those weights.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence

from mgpt3_ros.model.errors import CheckpointError
from mgpt3_ros.model.network.vae.base import frame_mask

WORD_VECTOR = 300  # GloVe
WORD_KINDS = 15  # parts of speech and groups of words about motion, one-hot
MOTION_FEATURES = 259  # HumanML3D's 263 without the four foot contacts
FRAMES_PER_MOVEMENT = 4
LEAK = 0.2  # of the leaky ReLUs

# Names of the three networks: ours, in the authors' published file, in a MotionGPT3 checkpoint.
_PARTS = {
    'text_encoder': ('text_encoder', 't2m_textencoder'),
    'movement_encoder': ('movement_encoder', 't2m_moveencoder'),
    'motion_encoder': ('motion_encoder', 't2m_motionencoder'),
}
_PREFIX = 'metrics.TM2TMetrics.'  # of a MotionGPT3 checkpoint


class _Recurrent(nn.Module):
    """An embedding of a sequence, from the last states of a bidirectional GRU."""

    def __init__(self, width: int, hidden: int, out: int) -> None:
        super().__init__()
        self.input_emb = nn.Linear(width, hidden)
        self.gru = nn.GRU(hidden, hidden, batch_first=True, bidirectional=True)
        self.hidden = nn.Parameter(torch.randn(2, 1, hidden))
        self.output_net = nn.Sequential(
            nn.Linear(2 * hidden, hidden),
            nn.LayerNorm(hidden),
            nn.LeakyReLU(LEAK),
            nn.Linear(hidden, out),
        )

    def forward(self, sequence: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Return (B, 512) of sequences (B, N, D), the first ``lengths`` (B,) of each or all."""
        inputs: Any = self.input_emb(sequence)
        if lengths is not None:
            counts = lengths.cpu()
            inputs = pack_padded_sequence(inputs, counts, batch_first=True, enforce_sorted=False)
        _, last = self.gru(inputs, self.hidden.expand(-1, len(sequence), -1).contiguous())
        return self.output_net(torch.cat([last[0], last[1]], dim=-1))


class TextEncoder(_Recurrent):
    """Words to an embedding, through a bidirectional GRU over the words that are there."""

    def __init__(self) -> None:
        super().__init__(WORD_VECTOR, hidden=512, out=512)
        self.pos_emb = nn.Linear(WORD_KINDS, WORD_VECTOR)


class MovementEncoder(nn.Module):
    """Every four frames to one movement, by two strided convolutions."""

    def __init__(self, width: int = 512, out: int = 512) -> None:
        super().__init__()
        self.main = nn.Sequential(
            nn.Conv1d(MOTION_FEATURES, width, 4, 2, 1),
            nn.Dropout(0.2),
            nn.LeakyReLU(LEAK),
            nn.Conv1d(width, out, 4, 2, 1),
            nn.Dropout(0.2),
            nn.LeakyReLU(LEAK),
        )
        self.out_net = nn.Linear(out, out)

    def forward(self, features: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Return movements (B, T // 4, 512).

        Args:
            features: (B, T, 259), normalised.
            lengths: (B,) frames that count. What lies behind them then has no part in the
                movements before T_b // 4. None: every frame counts.
        """
        frames = features.transpose(1, 2)
        if lengths is not None:
            frames = frames * frame_mask(lengths, frames.shape[2])[:, None]
        halves = self.main[:3](frames)
        if lengths is not None:
            halves = halves * frame_mask(lengths // 2, halves.shape[2])[:, None]
        return self.out_net(self.main[3:](halves).transpose(1, 2))


class T2MEvaluator(nn.Module):
    """The three networks; never trained here.

    Motions go in as HumanML3D's features, normalised with the evaluator's own mean and standard
    deviation, which are not those of a generator.
    """

    def __init__(self) -> None:
        super().__init__()
        self.text_encoder = TextEncoder()
        self.movement_encoder = MovementEncoder()
        self.motion_encoder = _Recurrent(512, hidden=1024, out=512)
        self.requires_grad_(False).eval()

    def train(self, mode: bool = True) -> T2MEvaluator:
        """Stay in evaluation: figures must not depend on dropout."""
        del mode
        return super().train(False)

    @torch.inference_mode()
    def embed_motion(
        self, features: Tensor, lengths: Tensor | None, reference: bool = False
    ) -> Tensor:
        """Return motions' embeddings (B, 512).

        Args:
            features: (B, T, 263 or 259), normalised; of 263 the foot contacts are left out.
            lengths: (B,) frames of each motion, 4 at least; None: all. A motion's embedding is
                the same alone and in any padded batch. The last frames beyond a multiple of 4 are
                not seen.
            reference: as the authors' code does it: lengths are ignored, so that the embedding
                depends on the padding.
        """
        features = features[..., :MOTION_FEATURES]
        if lengths is None or reference:
            return self.motion_encoder(self.movement_encoder(features))
        lengths = lengths.to(features.device)
        behind = ~frame_mask(lengths, features.shape[1])
        features = features.masked_fill(behind[..., None], 0.0)  # a product would keep NaN
        movements = self.movement_encoder(features, lengths)
        return self.motion_encoder(movements, lengths // FRAMES_PER_MOVEMENT)

    @torch.inference_mode()
    def embed_text(self, words: Tensor, kinds: Tensor, lengths: Tensor) -> Tensor:
        """Return texts' embeddings (B, 512).

        Args:
            words: (B, N, 300) word vectors.
            kinds: (B, N, 15) kinds of the words, one-hot.
            lengths: (B,) words of each text, one at least, in any order.
        """
        return self.text_encoder(words + self.text_encoder.pos_emb(kinds), lengths)

    @classmethod
    def from_checkpoint(cls, path: str | Path) -> T2MEvaluator:
        """Load Guo's published file (``finest.tar``) or the evaluator in a MotionGPT3 checkpoint.

        Raises:
            CheckpointError: the file is missing, damaged or holds other networks.
        """
        path = Path(path)
        if not path.is_file():
            raise CheckpointError(
                f'{path} is not there: give the published T2M evaluator, '
                't2m/text_mot_match/model/finest.tar'
            )
        try:
            found = torch.load(path, map_location='cpu', weights_only=True)
        except Exception as error:  # zipfile, pickle and torch have a dozen kinds
            raise CheckpointError(f'{path} cannot be read as a checkpoint: {error}') from error
        evaluator = cls()
        evaluator.load_parts(_parts(found, path))
        return evaluator

    def load_parts(self, parts: Mapping[str, Mapping[str, Tensor]]) -> None:
        """Take the weights of ``text_encoder``, ``movement_encoder`` and ``motion_encoder``.

        Raises:
            CheckpointError: names or shapes that do not fit.
        """
        for name in _PARTS:
            try:
                self.get_submodule(name).load_state_dict(dict(parts[name]), strict=True)
            except (KeyError, RuntimeError, TypeError) as error:
                raise CheckpointError(
                    f'no T2M evaluator: its {name} does not fit: {error}'
                ) from error


def _parts(found: object, path: Path) -> dict[str, dict[str, Tensor]]:
    """Return the networks' weights, by our names, of what a file holds."""
    if not isinstance(found, Mapping):
        raise CheckpointError(f'{path} holds a {type(found).__name__}, no weights')
    if all(isinstance(found.get(published), Mapping) for published, _ in _PARTS.values()):
        return {name: dict(found[published]) for name, (published, _) in _PARTS.items()}
    state = found.get('state_dict', found)
    parts: dict[str, dict[str, Tensor]] = {}
    for name, (_, theirs) in _PARTS.items():
        prefix = f'{_PREFIX}{theirs}.'
        parts[name] = {k[len(prefix) :]: v for k, v in state.items() if k.startswith(prefix)}
        if not parts[name]:
            raise CheckpointError(f'{path} holds neither {name} nor {prefix}*: no T2M evaluator')
    return parts
