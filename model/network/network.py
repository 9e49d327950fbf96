# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The whole network: text and motion in one causal sequence, latents in, latents out.

A motion enters as its VAE latent, spread over K holder tokens; a motion leaves through the hidden
states at K output holders, from which the head draws a latent (MotionGPT3, sections 3.2 and 3.3).
"""

from __future__ import annotations

from dataclasses import InitVar, dataclass, field, replace

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - the field's own abbreviation

from mgpt3_ros.model.errors import ConfigError
from mgpt3_ros.model.language.vocabulary import Vocabulary
from mgpt3_ros.model.network.backbone import BimodalBackbone, Hidden
from mgpt3_ros.model.network.backbone_config import BackboneConfig
from mgpt3_ros.model.network.cache import KeyValueCache
from mgpt3_ros.model.network.heads import HeadConfig, build_head
from mgpt3_ros.model.network.heads.base import Noise
from mgpt3_ros.model.network.sequences import IGNORED, Layout, TokenBatch, places_of
from mgpt3_ros.model.network.vae import VaeConfig, build_vae

DURATION_UNIT = 60.0  # frames: durations are told and predicted as log(frames / 60)
PLACEMENT_SIZE = 4  # dx, dz [m], sin and cos of dyaw


@dataclass(frozen=True)
class NetworkConfig:
    """What the network is made of.

    ``motion_context`` tells the holders what the latent leaves out: of an input motion its
    duration and its placement relative to the motion before it, of an output motion its duration
    where it is known; and learns to predict the duration where it is not. The authors' model has
    none of this.

    ``hidden_norm`` puts a norm and learned positions between backbone and head, an option of the
    authors' code that their released model does not use.

    ``vocab_size`` stands in older files beside the backbone's, and must be the same.
    """

    backbone: BackboneConfig
    vae: VaeConfig = field(default_factory=VaeConfig)
    head: HeadConfig = field(default_factory=HeadConfig)
    holders: int = 4
    motion_context: bool = False
    hidden_norm: bool = False
    vocab_size: InitVar[int | None] = None

    def __post_init__(self, vocab_size: int | None) -> None:
        if vocab_size not in (None, self.backbone.vocab_size):
            raise ConfigError(
                f'network.vocab_size is {vocab_size}, but network.backbone.vocab_size is '
                f'{self.backbone.vocab_size}: leave the first one out'
            )


@dataclass(frozen=True)
class MotionInputs:
    """The motions of a batch, in reading order (row by row, left to right).

    latents: (P, L, C) of the input motions, whitened.
    durations: (P,) frames of the input motions.
    placements: (P, 4) of the input motions: where each begins relative to the last frame of the
        motion before it, as (dx, dz, sin dyaw, cos dyaw) in that frame's heading; (0, 0, 0, 1) for
        the first.
    output_durations: (Q,) frames of the output motions; 0 where the model is not told.
    """

    latents: Tensor
    durations: Tensor
    placements: Tensor
    output_durations: Tensor

    def to(self, device: torch.device | str) -> MotionInputs:
        """Move all tensors."""
        return MotionInputs(
            self.latents.to(device),
            self.durations.to(device),
            self.placements.to(device),
            self.output_durations.to(device),
        )


class MotionGPT3Network(nn.Module):
    """Backbone, VAE, holders and head; knows token ids but no text and no files.

    Without ``learns_words`` training leaves the text loss out: a tenth of a step of the paper's
    first stage, where it has no weight.
    """

    latent_mean: Tensor
    latent_std: Tensor

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.config = config
        self.learns_words = True
        self.vocabulary = Vocabulary(config.backbone.vocab_size)
        self.vae = build_vae(config.vae)
        self.backbone = BimodalBackbone(config.backbone)
        tokens, channels = self.vae.latent_shape
        width = self.backbone.motion_width
        self.motion_in = nn.Linear(tokens * channels, config.holders * width)
        self.head = build_head(
            config.head,
            latent_shape=(tokens, channels),
            holders=config.holders,
            hidden_width=width,
        )
        # The backbone and the head see whitened latents: (latent - mean) / std per dimension.
        self.register_buffer('latent_mean', torch.zeros(tokens, channels))
        self.register_buffer('latent_std', torch.ones(tokens, channels))
        if config.hidden_norm:
            self.hidden_norm = nn.LayerNorm(width, eps=1e-6)
            self.hidden_positions = nn.Parameter(0.02 * torch.randn(config.holders, width))
        if config.motion_context:
            self.input_context = _context_mlp(3 + PLACEMENT_SIZE, width)
            self.output_context = _context_mlp(3, width)
            self.duration_out = nn.Sequential(
                nn.Linear(width, width), nn.SiLU(), nn.Linear(width, 1)
            )

    @property
    def loss_terms(self) -> tuple[str, ...]:
        """Names of all that :meth:`forward` may return."""
        return ('text', 'duration', *self.head.loss_terms)

    def parameter_groups(self) -> dict[str, list[nn.Parameter]]:
        """All parameters, by the name under which a stage trains them or leaves them be."""
        holders, head = [*self.motion_in.parameters()], [*self.head.parameters()]
        duration: list[nn.Parameter] = []
        if self.config.motion_context:
            holders += [*self.input_context.parameters(), *self.output_context.parameters()]
            duration += self.duration_out.parameters()
        if self.config.hidden_norm:
            head += [*self.hidden_norm.parameters(), self.hidden_positions]
        backbone = self.backbone.parameter_groups()
        rest = {'holders': holders, 'duration': duration, 'head': head}
        return {'vae': [*self.vae.parameters()], **backbone, **rest}

    def head_parameters(self) -> list[nn.Parameter]:
        """Those that may learn at another rate than the backbone: the head and what feeds it."""
        groups = self.parameter_groups()
        return [p for name in ('holders', 'duration', 'head') for p in groups[name]]

    def train(self, mode: bool = True) -> MotionGPT3Network:
        """Set training mode of all but the VAE, which is frozen: dropout would blur the latents.

        The VAE's own stage trains it by itself.
        """
        super().train(mode)
        self.vae.eval()
        return self

    def whiten(self, latent: Tensor) -> Tensor:
        """VAE latent (..., L, C) -> what backbone and head see."""
        return (latent - self.latent_mean) / self.latent_std

    def unwhiten(self, latent: Tensor) -> Tensor:
        """Inverse of :meth:`whiten`."""
        return latent * self.latent_std + self.latent_mean

    def hidden(
        self,
        ids: Tensor,
        mask: Tensor | None,
        motions: MotionInputs | None,
        cache: KeyValueCache | None = None,
        words_alone: bool = False,
        layout: Layout | None = None,
        words_wanted: bool = True,
    ) -> Hidden:
        """Hidden states of a batch of token ids (B, N) with the motions that its holders hold.

        The others are as in :meth:`BimodalBackbone.forward`.
        """
        use = self.backbone.table_use()
        text, motion, is_motion = self.backbone.embed(ids, use)
        if motions is not None:
            inputs_at, outputs_at = self._holders(ids, layout)
            motion = self._fill_holders(motion, motions, inputs_at, outputs_at)
        hidden = self.backbone(
            text, motion, is_motion, mask, cache, words_alone, layout, words_wanted
        )
        return replace(hidden, use=use, layout=layout)

    def laid_out(self, batch: TokenBatch) -> TokenBatch:
        """A batch, not yet sent to a GPU, with its layout."""
        with_padding = self.config.backbone.reference_masking
        return replace(batch, layout=Layout.of(batch, self.vocabulary, with_padding))

    def _holders(self, ids: Tensor, layout: Layout | None) -> tuple[Tensor, Tensor]:
        """Flat positions of input and output holders."""
        if layout is not None:
            return layout.inputs_at, layout.outputs_at
        vocabulary = self.vocabulary
        return places_of(ids == vocabulary.input_holder), places_of(
            ids == vocabulary.output_holder
        )

    def _fill_holders(
        self, motion: Tensor, motions: MotionInputs, inputs_at: Tensor, outputs_at: Tensor
    ) -> Tensor:
        flat = motion.flatten(0, 1)
        held = self.motion_in(motions.latents.flatten(1).to(motion.dtype))
        held = held.unflatten(1, (self.config.holders, -1))
        if self.config.motion_context:
            told = torch.cat([duration_features(motions.durations), motions.placements], dim=-1)
            held = held + self.input_context(told.to(motion.dtype))[:, None]
            known = duration_features(motions.output_durations).to(motion.dtype)
            extra = self.output_context(known).repeat_interleave(self.config.holders, dim=0)
            flat = flat.index_add(0, outputs_at, extra.to(flat.dtype))
        held = held.flatten(0, 1).to(flat.dtype)
        return flat.index_copy(0, inputs_at, held).view_as(motion)

    def output_hidden(self, hidden: Hidden, ids: Tensor) -> Tensor:
        """Hidden states (Q, K, M) at the output holders, in reading order."""
        _, outputs_at = self._holders(ids, hidden.layout)
        output = hidden.motion.flatten(0, 1)[outputs_at].unflatten(0, (-1, self.config.holders))
        if self.config.hidden_norm:
            return self.hidden_norm(output) + self.hidden_positions
        return output

    def predicted_frames(self, output_hidden: Tensor) -> Tensor:
        """Frames (Q,), not rounded, that the model expects of the motions it is about to draw."""
        return DURATION_UNIT * torch.exp(self._log_duration(output_hidden))

    def _log_duration(self, output_hidden: Tensor) -> Tensor:
        return self.duration_out(output_hidden.mean(dim=1))[:, 0].float()

    def forward(
        self,
        batch: TokenBatch,
        motions: MotionInputs | None,
        target: Tensor | None = None,
        target_durations: Tensor | None = None,
        generator: Noise = None,
    ) -> dict[str, Tensor]:
        """Named loss terms of a batch: those of ``loss_terms`` that it has something for.

        Args:
            batch: token ids (B, N), labels and mask.
            motions: the motions in it, or None for text alone.
            target: (Q, L, C) whitened latents of the output motions, in reading order.
            target_durations: (Q,) frames of the output motions; learned where they are not told.
            generator: noise of the head, or one source of it for each output motion.
        """
        wanted = self.learns_words or not self.training
        hidden = self.hidden(
            batch.ids, batch.mask, motions, layout=batch.layout, words_wanted=wanted
        )
        terms = {}
        if wanted:
            terms['text'] = self.text_loss(hidden, batch)
        if motions is None or target is None or not len(target):
            return terms
        output = self.output_hidden(hidden, batch.ids)
        terms |= self.head.loss(target, output, generator)
        if self.config.motion_context and target_durations is not None:
            untold = motions.output_durations == 0
            error = self._log_duration(output) - torch.log(target_durations / DURATION_UNIT)
            error = F.smooth_l1_loss(error, torch.zeros_like(error), beta=0.1, reduction='none')
            terms['duration'] = (error * untold).sum() / untold.sum().clamp(min=1)
        return terms

    def counts(
        self,
        batch: TokenBatch,
        motions: MotionInputs | None,
        target: Tensor | None = None,
        target_durations: Tensor | None = None,
        generator: Noise = None,
    ) -> dict[str, int | Tensor]:
        """Over how many items each term of :meth:`forward` is the mean, for these arguments.

        From these, the mean over a batch that is split among processes is put together.
        """
        drawn = self.latent_mean.new_zeros(0) if target is None else target
        untold = 0 if motions is None else (motions.output_durations == 0).sum()
        return {
            'text': len(_learned_at(batch)),
            'duration': untold,
            **self.head.counts(drawn),
        }

    def text_loss(self, hidden: Hidden, batch: TokenBatch) -> Tensor:
        """Mean cross-entropy over the text positions whose next token is a label."""
        at = _learned_at(batch)
        if not len(at):
            return hidden.text.sum() * 0.0
        learned = hidden.text[:, :-1].flatten(0, 1)[at]
        logits = self.backbone.text_logits(learned, hidden.use)
        return F.cross_entropy(logits.float(), batch.labels[:, 1:].flatten()[at])


def _learned_at(batch: TokenBatch) -> Tensor:
    """Flat positions in (B, N - 1) whose next token is a label."""
    if batch.layout is not None:
        return batch.layout.learned_at
    return places_of(batch.labels[:, 1:] != IGNORED)


def duration_features(frames: Tensor) -> Tensor:
    """Frames (P,) -> (P, 3): log and linear duration and whether it is known; zeros for 0."""
    known = (frames > 0).float()
    log = torch.log(frames.clamp(min=1) / DURATION_UNIT)
    return torch.stack([log * known, frames / DURATION_UNIT - known, known], dim=-1)


def _context_mlp(inputs: int, width: int) -> nn.Sequential:
    first, last = nn.Linear(inputs, width), nn.Linear(width, width)
    nn.init.zeros_(last.weight)  # says nothing at first, so that text and latent are heard
    nn.init.zeros_(last.bias)
    return nn.Sequential(first, nn.SiLU(), last)
