# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Configuration of the bimodal backbone."""

from __future__ import annotations

from dataclasses import dataclass

from mgpt3_ros.model.errors import ConfigError


@dataclass(frozen=True)
class RopeScaling:
    """How Llama 3.1 stretches rotary positions (transformers' ``rope_type`` llama3)."""

    factor: float
    low_frequency_factor: float
    high_frequency_factor: float
    original_positions: int


@dataclass(frozen=True)
class LlamaConfig:
    """What a text branch of Llama's kind has that GPT-2 has not; the defaults are Llama's.

    n_kv_head: G, key heads, each of which serves n_head / n_kv_head query heads.
    mlp_width: of the MLP's inner layer.
    head_width: E, width of one head; None for n_embd / n_head.
    tied: whether the logits are computed with the table of the embedding.
    """

    n_kv_head: int
    mlp_width: int
    head_width: int | None = None
    norm_eps: float = 1e-5
    rope_theta: float = 10000.0
    rope_scaling: RopeScaling | None = None
    tied: bool = True


@dataclass(frozen=True)
class BackboneConfig:
    """Sizes of the backbone; the defaults are GPT-2 small with a motion branch of equal width.

    text_rank: rank of what may be added to the queries, keys and values of the text, group
        ``additions``, so that a joint stage leaves the text branch itself as it was; 0 for none.
    llama: of a text branch of Llama's kind; None for GPT-2's. The motion branch has the heads of
        the text branch, and its rotary positions.

    motion_width: M, width of the motion branch; None for that of the text (paper Tab. 10).
    motion_layers: layers of the text beside which one stands for motion; None for all, as in the
        paper. A deep text branch may need no motion branch of its depth.
    shared_layers: layers whose attention spans both modalities, of those with motion; None for
        all of these (paper Tab. 11).
    dropout: on what each motion block adds; text_dropout: the same for text, which is frozen in
        stages 1 and 2 and then should have none.
    reference_masking: as the authors' code does it: padding is computed as text that sees the
        tokens before it, since they learn it; and in layers that are not shared, a token also
        attends to the other modality's positions, which hold nothing but biases there.
    init_std: of the weights at the start. GPT-2's is for a width of 768; narrow ones need more.
    look_back: how many motion tokens a motion token sees, itself included, and by what distance,
        in place of positions; so sequences of motion need no end. None: all, and positions.
    unified: motion tokens go through the parameters of the text branch, but for their embeddings
        (the paper's baseline Unified+VAE). Both groups then hold the same parameters.
    motion_embedding_std: of the motion tokens' rows at the start. The authors' N(0, 1) drowns what
        attention brings from the text in a narrow model: left and right stay the same for long.
    """

    vocab_size: int
    n_positions: int = 1024
    n_embd: int = 768
    n_layer: int = 12
    n_head: int = 12
    motion_width: int | None = None
    motion_layers: tuple[int, ...] | None = None
    shared_layers: tuple[int, ...] | None = None
    dropout: float = 0.1
    text_dropout: float = 0.0
    reference_masking: bool = False
    init_std: float = 0.02
    motion_embedding_std: float = 1.0
    look_back: int | None = None
    unified: bool = False
    llama: LlamaConfig | None = None
    text_rank: int = 0

    @property
    def head_width(self) -> int:
        """E, width of one head."""
        own = None if self.llama is None else self.llama.head_width
        return self.n_embd // self.n_head if own is None else own

    @property
    def key_heads(self) -> int:
        """G, heads of keys and values."""
        return self.n_head if self.llama is None else self.llama.n_kv_head

    @property
    def query_width(self) -> int:
        """H E, of all queries of a token."""
        return self.n_head * self.head_width

    @property
    def key_width(self) -> int:
        """G E, of all keys of a token."""
        return self.key_heads * self.head_width

    def __post_init__(self) -> None:
        if self.llama is not None:
            self._check_llama(self.llama)
        elif self.n_embd % self.n_head:
            raise ConfigError(
                f'backbone.n_embd {self.n_embd} must be a multiple of n_head {self.n_head}'
            )
        self._check_layers()
        if self.unified and (
            self.motion_width not in (None, self.n_embd)
            or self.motion_layers is not None
            or self.shared_layers is not None
            or self.reference_masking
            or self.llama is not None
        ):
            raise ConfigError(
                'backbone.unified makes one branch of two: leave motion_width, motion_layers, '
                'shared_layers, reference_masking and llama out'
            )
        if self.look_back is not None and (self.look_back < 1 or self.reference_masking):
            raise ConfigError(
                f'backbone.look_back is {self.look_back}: it must be at least 1, and does not go '
                'with reference_masking'
            )

    def _check_layers(self) -> None:
        for name in ('motion_layers', 'shared_layers'):
            odd = [i for i in getattr(self, name) or () if not 0 <= i < self.n_layer]
            if odd:
                raise ConfigError(
                    f'backbone.{name} names layer {odd[0]}, there are 0 to {self.n_layer - 1}'
                )
        if self.motion_layers is None:
            return
        alone = set(self.shared_layers or ()) - set(self.motion_layers)
        if alone:
            raise ConfigError(
                f'backbone.shared_layers names layer {min(alone)}, beside which motion_layers has '
                'none for motion'
            )
        if not self.motion_layers or self.reference_masking:
            raise ConfigError(
                'backbone.motion_layers must name a layer, and does not go with reference_masking'
            )

    def _check_llama(self, llama: LlamaConfig) -> None:
        if self.n_head % llama.n_kv_head:
            raise ConfigError(
                f'backbone.n_head {self.n_head} must be a multiple of llama.n_kv_head '
                f'{llama.n_kv_head}'
            )
        if self.head_width % 2 or (llama.head_width is None and self.n_embd % self.n_head):
            raise ConfigError(
                f'backbone.n_embd {self.n_embd} and n_head {self.n_head} give no heads of an even '
                'width: set llama.head_width'
            )
        if self.reference_masking:
            raise ConfigError("backbone.reference_masking is of the authors' GPT-2: not for llama")
