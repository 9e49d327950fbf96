# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The bimodal backbone: a branch for text, one beside it for motion, one attention.

The text branch is a GPT-2 or a Llama (:mod:`.text`), and the motion branch has its heads.

The tokens of a modality are gathered once per call, so that no branch runs on the other's
positions; :mod:`.layer` has what each layer does with them.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - the field's own abbreviation

from mgpt3_ros.model.errors import ConfigError
from mgpt3_ros.model.language.vocabulary import MARKERS, Vocabulary
from mgpt3_ros.model.network.backbone_config import BackboneConfig
from mgpt3_ros.model.network.cache import KeyValueCache
from mgpt3_ros.model.network.layer import Attention, BimodalLayer
from mgpt3_ros.model.network.motion_tables import MotionTables
from mgpt3_ros.model.network.sequences import Layout, places_of
from mgpt3_ros.model.network.text import gpt2_weights, llama_weights, text_tables
from mgpt3_ros.model.network.text.branch import LowRank, TextBlock
from mgpt3_ros.model.network.text.half import halve_text
from mgpt3_ros.model.network.text.table import TableUse


@dataclass(frozen=True)
class Hidden:
    """Hidden states after the last norm; positions of the other modality are zero.

    text: (B, N, D). motion: (B, N, M). cache: where one was given, with these tokens added.
    use: of the table of words, where it learns; for the logits of ``text``.
    layout: of the batch, where it was known.
    """

    text: Tensor
    motion: Tensor
    cache: KeyValueCache | None
    use: TableUse | None = None
    layout: Layout | None = None


def _or_itself(allowed: Tensor, itself: Tensor) -> Tensor:
    """Let padding that would see nothing see itself: its row would be NaN."""
    return allowed | (itself & ~allowed.any(dim=-1, keepdim=True))


def _scatter(packed: Tensor, at: Tensor | None, like: Tensor) -> Tensor:
    """Put rows (P, D) at their flat positions in zeros (B, N, D); None: they are all, or none."""
    if at is None and len(packed):
        return packed.view_as(like)
    flat = packed.new_zeros(like.shape[0] * like.shape[1], like.shape[2])
    return (flat if at is None else flat.index_copy(0, at, packed)).view_as(like)


class BimodalBackbone(nn.Module):
    """Hidden states of sequences in which text and motion tokens take turns.

    ``codes`` is the number of motion tokens beyond those that stand for a motion as a whole.
    """

    def __init__(self, config: BackboneConfig, codes: int = 0) -> None:
        super().__init__()
        self.config = config
        self.vocabulary = Vocabulary(config.vocab_size)
        self.motion_width = config.motion_width or config.n_embd
        beside = range(config.n_layer) if config.motion_layers is None else config.motion_layers
        shared = beside if config.shared_layers is None else config.shared_layers
        self.text = text_tables(config)
        self.motion = MotionTables(config, self.motion_width, codes)
        self.layers = nn.ModuleList(
            BimodalLayer(config, self.motion_width, i in shared, i in beside)
            for i in range(config.n_layer)
        )
        if config.unified:
            self.motion.ln_f = self.text.ln_f
        # Not part of the text branch: these two rows are trained while it is frozen.
        self.marker_embedding = nn.Parameter(torch.empty(MARKERS, config.n_embd))
        # Beside a language model that talks, markers are written by rows of their own: motion
        # reads a sentence at the marker after it, which must not move as its writing is learned.
        own = torch.zeros(MARKERS, config.n_embd)
        self.marker_logits = None if config.llama is None else nn.Parameter(own)
        self._initialise()

    @torch.no_grad()
    def _initialise(self) -> None:
        """GPT-2's initialisation."""
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.normal_(module.weight, std=self.config.init_std)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
            elif isinstance(module, nn.Embedding):
                nn.init.normal_(module.weight, std=self.config.init_std)
        for module in self.modules():
            if isinstance(module, TextBlock):
                small = self.config.init_std / math.sqrt(2 * self.config.n_layer)
                nn.init.normal_(module.down.weight, std=small)
            if isinstance(module, LowRank):
                nn.init.zeros_(module.up.weight)
        nn.init.normal_(self.motion.wte.weight, std=self.config.motion_embedding_std)
        self.motion.wte.weight[self.vocabulary.pad_motion - self.vocabulary.first_motion] = 0
        self.marker_embedding.copy_(self.text.wte.weight.mean(dim=0).expand(MARKERS, -1))

    def parameter_groups(self) -> dict[str, list[nn.Parameter]]:
        """All parameters by their group; one that both branches have stands in both."""
        parts = (self, *self.layers)

        def of(branch: str) -> list[nn.Parameter]:
            modules = [getattr(part, branch) for part in parts]
            return [p for module in modules if module is not None for p in module.parameters()]

        groups = {'text': of('text'), 'motion': of('motion'), 'markers': [self.marker_embedding]}
        if self.marker_logits is not None:
            groups['marker_logits'] = [self.marker_logits]
        if self.config.text_rank:
            added = [layer.additions.parameters() for layer in self._layers()]
            groups['additions'] = [p for part in added for p in part]
        return groups

    def _layers(self) -> list[Any]:
        return list(self.layers)  # ModuleList knows nothing of their type

    def text_layers(self, first: int) -> list[nn.Parameter]:
        """Parameters of the text's layers from number ``first`` on, and of its last norm."""
        layers = [p for layer in self._layers()[first:] for p in layer.text.parameters()]
        return [*layers, *self.text.ln_f.parameters()]

    def table_use(self) -> TableUse | None:
        """For a pass that embeds words and makes logits of them, where their table learns both."""
        learned = torch.is_grad_enabled() and self.text.wte.weight.requires_grad
        return TableUse(self.text.product) if learned and self.text.tied else None

    def embed(
        self, token_ids: Tensor, use: TableUse | None = None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Look up token ids (B, N), without positions.

        ``use``: of :meth:`table_use`, for the same in :meth:`text_logits`.

        Returns:
            text (B, N, D), motion (B, N, M), is_motion (B, N) bool; rows of the other modality
            are zero.
        """
        first_marker, first_motion = self.vocabulary.start_of_motion, self.vocabulary.first_motion
        is_motion = token_ids >= first_motion
        is_marker = (token_ids >= first_marker) & ~is_motion
        text = self.text.embed(token_ids.clamp(max=first_marker - 1), use)
        markers = self.marker_embedding[(token_ids - first_marker).clamp(0, MARKERS - 1)]
        text = torch.where(is_marker[..., None], markers, text)
        motion = self.motion.wte((token_ids - first_motion).clamp(min=0))
        at_motion = is_motion[..., None]
        return text.masked_fill(at_motion, 0.0), motion.masked_fill(~at_motion, 0.0), is_motion

    def new_cache(self, capacity: int = 64) -> KeyValueCache:
        """Return an empty cache, for decoding token by token, with room for ``capacity``."""
        return KeyValueCache(capacity)

    def forward(
        self,
        text: Tensor,
        motion: Tensor,
        is_motion: Tensor,
        attention_mask: Tensor | None = None,
        cache: KeyValueCache | None = None,
        words_alone: bool = False,
        layout: Layout | None = None,
        words_wanted: bool = True,
    ) -> Hidden:
        """Run embedded tokens through all layers.

        Args:
            text: (B, N, D), looked at where ``is_motion`` is False.
            motion: (B, N, M), looked at where ``is_motion`` is True.
            is_motion: (B, N) bool.
            attention_mask: (B, S + N) bool, False on padding, of the S tokens in the cache and
                the N new ones. Positions count from the first True entry. None: no padding.
            cache: keys and values of the S tokens before.
            words_alone: no motion, no padding is among the new tokens: a look would wait for it.
            layout: of the new tokens, where it is known; without a cache.
            words_wanted: else hidden states of words are zeros, and the last layer computes none.

        Raises:
            ConfigError: the sequence is longer than ``n_positions``.
        """
        batch, count = is_motion.shape
        past = 0 if cache is None else len(cache)
        if attention_mask is None:
            attention_mask = is_motion.new_ones(batch, past + count)
        order = self._order(is_motion, attention_mask[:, past:], cache)
        positions = self._positions(is_motion, attention_mask, order, cache, words_alone)
        text, motion = self._with_positions(text, motion, positions)
        places = self._places(is_motion, attention_mask[:, past:], words_alone, layout)
        padded = None if layout is None else layout.padded
        attention = self._attention(
            is_motion, attention_mask, order, positions, cache, places, padded
        )
        flat_text, flat_motion = text.flatten(0, 1), motion.flatten(0, 1)
        if attention.text_at is None:
            streams = flat_text, flat_motion[:0]
        else:
            streams = flat_text[attention.text_at], flat_motion[attention.motion_at]
        for index, layer in enumerate(self.layers):
            remember = None if cache is None else functools.partial(cache.extend, index)
            wanted = words_wanted or index + 1 < len(self.layers)
            streams = layer(*streams, (batch, count), attention, remember, wanted)
        if words_wanted:
            hidden_text = _scatter(self.text.ln_f(streams[0]), attention.text_at, text)
        else:
            hidden_text = torch.zeros_like(text)
        hidden_motion = _scatter(self.motion.ln_f(streams[1]), attention.motion_at, motion)
        if cache is not None:
            cache.advance(is_motion, order)
        return Hidden(hidden_text, hidden_motion, cache)

    @staticmethod
    def _order(is_motion: Tensor, mask: Tensor, cache: KeyValueCache | None) -> Tensor:
        """How many tokens of its own modality stand before each new one (B, N)."""
        order = torch.empty_like(is_motion, dtype=torch.long)
        for modality in (False, True):
            own = (is_motion == modality) & mask.bool()
            counted = own.cumsum(1) - 1
            if cache is not None and cache.is_motion is not None and cache.order is not None:
                before = torch.where(cache.is_motion == modality, cache.order + 1, 0)
                counted = counted + before.amax(dim=1, keepdim=True)
            order = torch.where(is_motion == modality, counted.clamp(min=0), order)
        return order

    def _places(
        self, is_motion: Tensor, mask: Tensor, words_alone: bool, layout: Layout | None
    ) -> tuple[Tensor, Tensor] | tuple[None, None]:
        """Flat positions of text and of motion, as :class:`Attention` has them."""
        learning = torch.is_grad_enabled()  # each parameter must get a gradient
        if words_alone and not learning:
            return None, None
        if layout is not None:
            text_at, motion_at = layout.text_at, layout.motion_at
        else:
            computed = mask.bool() | self.config.reference_masking
            text_at, motion_at = places_of(computed & ~is_motion), places_of(computed & is_motion)
        if not len(motion_at) and len(text_at) == is_motion.numel() and not learning:
            return None, None
        return text_at, motion_at

    def _positions(
        self,
        is_motion: Tensor,
        mask: Tensor,
        order: Tensor,
        cache: KeyValueCache | None,
        words_alone: bool,
    ) -> Tensor:
        """Positions (B, N) of the new tokens.

        With a bounded look back motion takes up none, so that they do not run out: text counts
        its own, and motion stands where the last word before it does.
        """
        limit, count = self.config.n_positions, is_motion.shape[1]
        if self.config.look_back is not None:
            words = order.masked_fill(is_motion, 0)
            if words_alone and words.device.type != 'cpu':  # a look would wait at every word
                words = words.clamp(max=limit - 1)
            elif (longest := int(words.max()) + 1) > limit:
                raise ConfigError(f'{longest} words are more than the {limit} positions')
            if cache is not None and cache.is_motion is not None and cache.order is not None:
                before = cache.order.masked_fill(cache.is_motion, 0).amax(dim=1, keepdim=True)
                words = torch.maximum(words, before)
            return torch.where(is_motion, words.cummax(dim=1).values, words)
        if mask.shape[1] > limit and mask.sum(1).max() > limit:
            raise ConfigError(f'{mask.shape[1]} tokens are more than the {limit} positions')
        begun = mask.cumsum(1) > 0
        return (begun.cumsum(1) - 1).clamp(0, limit - 1)[:, -count:]

    def _with_positions(
        self, text: Tensor, motion: Tensor, positions: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Embedded tokens (B, N, D) and (B, N, M) with their positions added, if any are."""
        text = self.text.with_positions(text, positions)
        if self.config.look_back is not None:
            return text, motion
        if self.motion.wpe is not None:
            return text, motion + self.motion.wpe(positions)
        return text, self.text.with_positions(motion, positions)

    def _attention(
        self,
        is_motion: Tensor,
        mask: Tensor,
        order: Tensor,
        positions: Tensor,
        cache: KeyValueCache | None,
        places: tuple[Tensor | None, Tensor | None],
        padded: bool | None,
    ) -> Attention:
        count, total = is_motion.shape[1], mask.shape[1]
        keys, key_order = is_motion, order
        if cache is not None and cache.is_motion is not None and cache.order is not None:
            if self.config.reference_masking and self.config.shared_layers is not None:
                raise ConfigError('reference_masking in layers of their own has no cache')
            keys = torch.cat([cache.is_motion, is_motion], dim=1)
            key_order = torch.cat([cache.order, order], dim=1)
        own = torch.arange(total, device=mask.device)
        allowed = (own[None] <= own[total - count :, None]) & mask.bool()[:, None]
        itself = own[None] == own[total - count :, None]
        whole_mask = (not padded) if padded is not None else count == total and bool(mask.all())
        plain, distance = count == total and whole_mask, None
        of_motion = is_motion[..., None] & keys[:, None]  # (B, N, S)
        if self.config.look_back is not None:
            distance, plain = order[..., None] - key_order[:, None], False
            allowed = allowed & ~(of_motion & (distance >= self.config.look_back))

        def seen(allowed: Tensor) -> Tensor:
            allowed = _or_itself(allowed, itself)
            if distance is None:
                return allowed[:, None]
            return self._scores(allowed, of_motion, distance)

        within = None
        if not all(layer.shared for layer in self.layers):
            within = seen(allowed & (keys[:, None] == is_motion[..., None]))
        whole = None if plain else seen(allowed)
        rotation = self.text.rotation(positions)
        return Attention(*places, keys, whole, within, rotation)

    def _scores(self, allowed: Tensor, of_motion: Tensor, distance: Tensor) -> Tensor:
        """What is added to attention scores (B, H, N, S): the bias of a distance, or -inf."""
        table = self.motion.distance  # (H, look_back)
        bias = table[:, distance.clamp(0, table.shape[1] - 1)].transpose(0, 1)
        bias = torch.where(of_motion[:, None], bias, 0.0)
        return bias.masked_fill(~allowed[:, None], -torch.inf)

    def text_logits(self, hidden: Tensor, use: TableUse | None = None) -> Tensor:
        """Logits (..., V + 2) of hidden text states (..., D); the last two are the markers'.

        They are tied to their embedding beside a GPT-2, and have rows of their own beside a Llama.
        ``use``: with which the words were embedded from which the hidden states come.
        """
        # Two products: one with a joined table would copy it, 154 MB for GPT-2, at every word.
        return torch.cat([self.text.logits(hidden, use), self.marker_scores(hidden)], dim=-1)

    def marker_scores(self, hidden: Tensor) -> Tensor:
        """Logits (..., 2) of the markers alone, of hidden text states (..., D)."""
        rows = self.marker_embedding if self.marker_logits is None else self.marker_logits
        return F.linear(hidden, rows)

    @property
    def decides(self) -> bool:
        """Whether it was taught to begin a motion by itself: its rows of markers are trained."""
        return self.marker_logits is not None and bool(self.marker_logits.any())

    def halve_text(self) -> None:
        """Make room for the text's tables in half precision: for inference alone, on a CPU."""
        halve_text([self.text, *(layer.text for layer in self._layers())])

    def text_state(self) -> dict[str, Tensor]:
        """The text branch's weights, by their names in the backbone's state."""
        return {name: value for name, value in self.state_dict().items() if '.text.' in f'.{name}'}

    @torch.no_grad()
    def load_text(self, folder_or_name: str | Path) -> None:
        """Fill the text branch with a checkpoint of transformers, of this kind and size.

        Args:
            folder_or_name: a local folder, the name of a package (:mod:`~mgpt3_ros.model.language.
                pretrained`), or a name on the hub.

        Raises:
            CheckpointError: it cannot be loaded, or has other sizes or settings (both are named).
            MissingExtraError: what reads it is not installed.
        """
        self.load_state_dict(self.text_weights(folder_or_name), strict=False)
        self.marker_embedding.copy_(self.text.wte.weight.mean(dim=0).expand(MARKERS, -1))

    def text_weights(self, folder_or_name: str | Path) -> dict[str, Tensor]:
        """What :meth:`load_text` fills the text branch with, by names of :meth:`text_state`."""
        kind = gpt2_weights if self.config.llama is None else llama_weights
        return kind.text_weights(folder_or_name, self.config, self.text_state())
