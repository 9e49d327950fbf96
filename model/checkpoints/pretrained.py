# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a checkpoint's folder holds, as the parts of a model: read from it and written into it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Self

import torch

from mgpt3_ros.model.atomic_files import whole_files
from mgpt3_ros.model.checkpoints import checkpoint
from mgpt3_ros.model.checkpoints.language_weights import language_weights, outside
from mgpt3_ros.model.config import from_dict, to_dict
from mgpt3_ros.model.devices import resolve_device, resolve_dtype, return_memory
from mgpt3_ros.model.errors import CheckpointError
from mgpt3_ros.model.kinematics.recognition import ActionRecogniser
from mgpt3_ros.model.kinematics.stats import FeatureStats
from mgpt3_ros.model.language.known_actions import (
    KnownAction,
    load_known_actions,
    save_known_actions,
)
from mgpt3_ros.model.language.pretrained import MINILM, installed, language_folder
from mgpt3_ros.model.language.sentence_encoder import SentenceEncoder
from mgpt3_ros.model.language.sentence_lookup import SentenceLookup
from mgpt3_ros.model.language.tokenizer import MotionTokenizer
from mgpt3_ros.model.network import AnyNetwork, build_network
from mgpt3_ros.model.network.onednn import use_onednn
from mgpt3_ros.model.network.text.half import half_is_fast
from mgpt3_ros.model.pipelines import build_pipeline
from mgpt3_ros.model.pipelines.config import MotionGPT3Config


class Pretrained:
    """A network with all that it needs to be asked; of it :class:`MotionGPT3` is made."""

    def __init__(
        self,
        config: MotionGPT3Config,
        network: AnyNetwork,
        tokenizer: MotionTokenizer,
        stats: FeatureStats,
    ) -> None:
        self.config = config
        self.network = network.eval()
        self.tokenizer = tokenizer
        self.stats = stats
        # Labels of actions, for programs; None where a checkpoint has none.
        self.recogniser: ActionRecogniser | None = None
        self._known: tuple[KnownAction, ...] = ()
        # Of a sentence encoder, which is loaded when a prompt needs it; '' for none.
        self._encoder = ''
        # Below the public calls: what nodes and evaluation alone need stands there.
        self.pipeline = build_pipeline(config, network, tokenizer, stats)

    @classmethod
    def from_pretrained(
        cls,
        folder: str | Path | None = None,
        device: str = 'auto',
        dtype: str = 'auto',
        onednn: str = 'auto',
        encoder: str = 'auto',
    ) -> Self:
        """Load a checkpoint folder.

        Args:
            folder: None or '' for the checkpoint that comes with the package.
            device: 'auto' takes CUDA where there is one; or 'cpu', 'cuda', 'cuda:1'.
            dtype: of the backbone and the head: 'float32', 'bfloat16' or 'float16'; the VAE
                always runs in float32. 'auto' is float32, but a language model that is installed
                by itself is kept in bfloat16 on a CPU that computes with it.
            onednn: large products through oneDNN on a CPU: 'never', 'always', or 'auto' where that
                is measured to be faster, which differs from one machine to the next; see
                `network/onednn.py`. Of the shipped checkpoints none has products so large.
            encoder: of sentences, by which prompts in words that training has not read are
                understood: 'auto' takes the installed package, if there is one; 'off'; or a
                folder or a name on the hub, see ``language.sentence_encoder``. It is loaded when
                the first such prompt comes.

        Raises:
            CheckpointError: the folder is missing, truncated or of another kind, or the device or
                dtype is not there, or the language model that it is made for is not installed.
        """
        path = checkpoint.find_checkpoint(folder)
        config = from_dict(MotionGPT3Config, checkpoint.read_config(path))
        on_cpu = resolve_device(device).type == 'cpu'
        half = dtype == 'auto' and on_cpu and config.language_model is not None and half_is_fast()
        network, words = _filled(config, path, half)
        stats = FeatureStats.load(path / checkpoint.STATS)
        tokenizer = MotionTokenizer.load(words)
        if tokenizer.vocab_size != config.network.backbone.vocab_size:
            raise CheckpointError(
                f'{path}: the tokenizer has {tokenizer.vocab_size} tokens, '
                f'the model {config.network.backbone.vocab_size}'
            )
        network.to(resolve_device(device))
        kept = resolve_dtype(dtype)
        if kept != torch.float32:
            for name, part in network.named_children():
                if name != 'vae':
                    part.to(kept)
        use_onednn(network, onednn)
        model = cls(config, network, tokenizer, stats)
        model.recogniser = ActionRecogniser.load(path)
        model._known = load_known_actions(path)
        found = MINILM if installed(MINILM) else ''
        model._encoder = {'auto': found, 'off': ''}.get(encoder, encoder)
        if half:  # what a language model's vocabulary and its room took while they were made
            return_memory()
        return model

    @cached_property
    def lookup(self) -> SentenceLookup | None:
        """Known sentences by a sentence encoder; None without one.

        Raises:
            CheckpointError: there is no such encoder, or it cannot be read.
        """
        return SentenceLookup(SentenceEncoder.load(self._encoder)) if self._encoder else None

    def _nearness(self, text: str, labels: Sequence[str]) -> float:
        """How near known sentences of some actions are; there is a sentence encoder."""
        assert self.lookup is not None
        return self.lookup.nearness(text, labels)

    def save_pretrained(self, folder: str | Path, dtype: torch.dtype | None = None) -> None:
        """Write a checkpoint folder that :meth:`from_pretrained` reads.

        Args:
            folder: made where it is missing; all files are written, or none.
            dtype: of the weights in the file; None keeps theirs.

        Raises:
            OSError: it cannot be written; what was there stays.
        """
        language = outside(self.network.backbone, self.config.language_model)
        config = self.config if language else replace(self.config, language_model=None)
        with whole_files(Path(folder)) as partial:
            checkpoint.write_weights(partial, self.network, dtype, language)
            self.stats.save(partial / checkpoint.STATS)
            if not language:
                self.tokenizer.save(partial)
            checkpoint.write_config(partial, to_dict(config))
            if self.recogniser is not None:
                self.recogniser.save(partial)
            if self._known:
                save_known_actions(partial, self._known)

    @property
    def device(self) -> torch.device:
        """Where the model runs."""
        return self.pipeline.device

    @property
    def name(self) -> str:
        """The checkpoint's name."""
        return self.config.name

    @property
    def licence(self) -> str:
        """The checkpoint's own licence, which follows the data that it was trained on."""
        return self.config.licence

    def known_actions(self) -> tuple[KnownAction, ...]:
        """What the checkpoint can do, as it was measured; empty where nobody has measured it."""
        return self._known


def _filled(config: MotionGPT3Config, path: Path, half: bool) -> tuple[AnyNetwork, Path]:
    """The network with its weights, its text in half precision or not; its tokenizer's folder."""
    with checkpoint.Unfilled():
        network = build_network(config.network)
        if half:
            network.backbone.halve_text()
    state = checkpoint.read_weights(path)
    untaught = network.backbone.marker_logits
    if untaught is not None:  # earlier checkpoints have none: they write no markers
        state.setdefault('backbone.marker_logits', torch.zeros_like(untaught))
    words = path
    if config.language_model is not None:
        state |= language_weights(network.backbone, config.language_model)
        words = language_folder(config.language_model.source)
    checkpoint.load_state(network, state, str(path), assign=True)
    return network, words
