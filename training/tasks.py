# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""From clips and captions to batches: the task that a row trains, its tokens and its motions."""

from __future__ import annotations

from dataclasses import dataclass, field, fields

import numpy as np
import torch
from torch import Tensor

from mgpt3_ros.model.errors import ConfigError
from mgpt3_ros.model.language.prompts import PromptConfig
from mgpt3_ros.model.language.tokenizer import MotionTokenizer
from mgpt3_ros.model.network.network import MotionGPT3Network, MotionInputs
from mgpt3_ros.model.network.sequences import (
    TokenBatch,
    TokenSequence,
    build_sequence,
    collate,
)
from mgpt3_ros.model.pipelines.tasks import FIRST_PLACE, Windows, gap, places, prediction, wording
from mgpt3_ros.model.sampling import noise_source
from mgpt3_ros.training.data.dataset import MotionDataset, Part
from mgpt3_ros.training.data.instructions import load_instructions
from mgpt3_ros.training.samples import Split, draw_seed


@dataclass(frozen=True)
class TaskMix:
    """Share of each task among a batch's rows; shares need not add up to 1."""

    text: float = 0.0
    generate: float = 0.0
    caption: float = 0.0
    predict: float = 0.0
    inbetween: float = 0.0
    compare: float = 0.0

    def __post_init__(self) -> None:
        """Refuse shares that are no shares."""
        for name, share in vars(self).items():
            if not 0 <= share < float('inf'):
                raise ConfigError(f'tasks.{name} is {share}; a share must be a number from 0 on')

    @property
    def total(self) -> float:
        """The sum of all shares."""
        return float(sum(vars(self).values()))


@dataclass(frozen=True)
class TaskOptions:
    """How rows are made.

    told_duration: share of the generation rows whose holders are told the duration; from the
        others the model learns to predict it.
    crop_caption: share of the caption rows that show only a part (60 % at least) of the clip, so
        that a sliding window over a stream is no surprise.
    trim: share of the generation and caption rows whose motion loses up to ``max_trim`` frames, at
        either end. 0, since parts of motions serve small data better (``crop_caption``); the
        authors trim a third of theirs, to lengths that divide by 4. A few frames change nothing
        that a caption says.
    cache_latents: take means and variances of whole clips from a file that is made once, instead
        of encoding them each time; parts of clips are encoded all the same. Off, since the small
        VAE encodes in no time; docs/training.md says what it saves with the paper's.
    latent_noise: train on samples of the VAE's posterior, as the paper does, not on its mean.
    instructions: file of wordings for the tasks (see ``data/instructions.yaml``), or 'shipped'
        for that one; None for the bare prompts of the model's configuration.
    instructed: share of the rows that are put in those words. The others keep the bare prompts,
        which are what the model is asked with by default.
    pad_to, learn_padding: as the authors do; see
        :func:`~mgpt3_ros.model.network.sequences.collate`.
    """

    told_duration: float = 0.5
    crop_caption: float = 0.3
    trim: float = 0.0
    max_trim: int = 7
    cache_latents: bool = False
    latent_noise: bool = True
    instructions: str | None = None
    instructed: float = 0.8
    min_part: int = 10
    max_part: int = 100
    pad_to: int | None = None
    learn_padding: bool = False


@dataclass
class Row:
    """One row of a batch before it becomes tensors.

    seed: of the noise in its latents and in the head.
    """

    sequence: TokenSequence
    inputs: list[Part] = field(default_factory=list)
    places: list[np.ndarray] = field(default_factory=list)
    target: Part | None = None
    told: bool = True
    seed: int = 0


# Arguments of the network; the last are sources of noise, one for each output motion.
Batch = tuple[TokenBatch, MotionInputs, Tensor, Tensor, list[torch.Generator]]


class RowMaker:
    """Makes the rows of a step: a function of the seed and the step alone.

    Args:
        holders: tokens that stand for a motion.
        most_tokens: of a sequence, at most.
        whole_gaps: the model's ``inbetween_whole``.
    """

    def __init__(
        self,
        dataset: MotionDataset,
        tokenizer: MotionTokenizer,
        prompts: PromptConfig,
        mix: TaskMix,
        options: TaskOptions,
        split: Split,
        holders: int,
        most_tokens: int,
        whole_gaps: bool = False,
    ) -> None:
        self.dataset, self.tokenizer = dataset, tokenizer
        self.prompts, self.options, self.split = prompts, options, split
        self.holders, self.most_tokens, self.whole_gaps = holders, most_tokens, whole_gaps
        wordings = options.instructions
        self.instructions = None if wordings is None else load_instructions(wordings)
        if mix.compare > 0 and not (self.instructions and self.instructions.has('compare')):
            raise ConfigError(
                'tasks.compare needs wordings: name a file as options.instructions with a task '
                'that trains compare'
            )
        self.names = [f.name for f in fields(mix) if getattr(mix, f.name) > 0]
        shares = np.array([getattr(mix, name) for name in self.names])
        self.shares = shares / shares.sum()

    def rows(self, step: int, micro: int) -> list[Row]:
        """Rows of a step's micro-batch."""
        return [self._row(*sample) for sample in self.split.samples(step, micro)]

    def clip_ids(self, step: int, micro: int) -> list[str]:
        """Names of the clips that this batch drew, in its order."""
        drawn = (self._draw(*sample)[0] for sample in self.split.samples(step, micro))
        return [self.dataset.clips[index].id for index in drawn]

    def _draw(self, rng: np.random.Generator, number: int) -> tuple[int, str]:
        index = self.dataset.draw(rng, number, self.split.seed)
        return index, str(rng.choice(self.names, p=self.shares))

    def _row(self, rng: np.random.Generator, number: int) -> Row:
        index, task = self._draw(rng, number)
        row: Row = getattr(self, f'_{task}')(index, rng)
        row.seed = draw_seed(rng)
        return row

    def _bare(self, task: str, text: str = '') -> tuple[str, str]:
        """A prompt as users' requests are put, and its answer; ``text`` describes the motion."""
        prompt, answer = wording(task, self.prompts, text)
        return prompt, text if answer is None else answer

    def _sequence(self, prompt: str, answer: str) -> TokenSequence:
        return build_sequence(self.tokenizer, self.holders, prompt, answer, self.most_tokens)

    def _worded(
        self, task: str, rng: np.random.Generator, index: int, frames: int
    ) -> tuple[str, str] | None:
        """An instruction for a clip and its answer; None where the bare prompt is due."""
        known = self.instructions
        if known is None or not known.has(task) or rng.random() >= self.options.instructed:
            return None
        return known.draw(task, rng, self.dataset.original_caption(index, rng), frames)

    def _text(self, index: int, rng: np.random.Generator) -> Row:
        worded = self._worded('text', rng, index, len(self.dataset.features[index]))
        if worded is not None:
            return Row(self._sequence(*worded))
        ids = self.tokenizer.encode(self.dataset.sample_text(rng))[: self.most_tokens - 1]
        ids = [*ids, self.tokenizer.eos_id]
        return Row(TokenSequence(ids, list(ids)))

    def _trimmed(self, index: int, rng: np.random.Generator) -> Part:
        """A clip, whole or without a few frames."""
        rows = self.dataset.rows(Part(index))
        most = min(self.options.max_trim, rows - self.options.min_part)
        if self.options.trim == 0 or rng.random() >= self.options.trim or most < 1:
            return Part(index)
        return self.dataset.part(index, rows - int(rng.integers(1, most + 1)), rng)

    def _generate(self, index: int, rng: np.random.Generator) -> Row:
        target = self._trimmed(index, rng)
        worded = self._worded('generate', rng, index, self.dataset.rows(target))
        if worded is None:
            worded = self._bare('generate', self.dataset.caption(index, rng))
        told = bool(rng.random() < self.options.told_duration)
        return Row(self._sequence(*worded), target=target, told=told)

    def _caption(self, index: int, rng: np.random.Generator) -> Row:
        part = self._trimmed(index, rng)
        if rng.random() < self.options.crop_caption:
            least = max(int(0.6 * self.dataset.rows(Part(index))), 2)
            part = self.dataset.random_part(index, least, rng)
        worded = self._worded('caption', rng, index, self.dataset.rows(part))
        if worded is None:
            worded = self._bare('caption', self.dataset.original_caption(index, rng))
        return Row(self._sequence(*worded), [part], [FIRST_PLACE])

    def _compare(self, index: int, rng: np.random.Generator) -> Row:
        """Two clips, whole, and what is asked of them both."""
        other = int(rng.integers(len(self.dataset)))
        said = [self.dataset.original_caption(clip, rng) for clip in (index, other)]
        assert self.instructions is not None
        frames = len(self.dataset.features[index])
        worded = self.instructions.draw('compare', rng, said[0], frames, said[1])
        parts = [Part(index), Part(other)]
        return Row(self._sequence(*worded), parts, [FIRST_PLACE, FIRST_PLACE])

    def _predict(self, index: int, rng: np.random.Generator) -> Row:
        total, most = len(self.dataset.clips[index].joints), self.options.max_part
        least = min(self.options.min_part, (total - 1) // 2)
        begin = int(rng.integers(least + 1, total - least + 1))
        seen = int(rng.integers(least + 1, min(begin, most + 1) + 1))
        ahead = int(rng.integers(least, min(total - begin, most) + 1)) - 1
        windows = prediction(begin, begin + ahead, seen)
        return self._continued('predict', index, windows, ahead, rng)

    def _inbetween(self, index: int, rng: np.random.Generator) -> Row:
        total, most = len(self.dataset.clips[index].joints), self.options.max_part
        least = max(min(self.options.min_part, (total - 2) // 3), 2)
        missing = int(rng.integers(least, min(total - 2 * least - 2, most) + 1))
        begin = int(rng.integers(least + 1, total - least - missing))
        windows = gap(begin, begin + missing, total, most + 1, self.whole_gaps)
        return self._continued('inbetween', index, windows, missing, rng)

    def _continued(
        self, task: str, index: int, windows: Windows, frames: int, rng: np.random.Generator
    ) -> Row:
        """A row of a motion that is seen in part; ``frames`` of it are asked for."""
        worded = self._worded(task, rng, index, frames) or self._bare(task)
        joints = self.dataset.clips[index].joints
        drawn = slice(windows.drawn.start, windows.drawn.stop + 1)  # its last frame moves too
        return Row(
            self._sequence(*worded),
            [Part(index, window) for window in windows.shown],
            places([joints[window] for window in windows.shown]),
            Part(index, drawn),
        )


class TaskBatcher(RowMaker):
    """Makes the batches of the clip form, whose motions are latents.

    Args:
        latents: of all clips, as :func:`~mgpt3_ros.training.latent_cache.clip_latents` gives
            them; None to encode every motion when it is drawn.
        whole_gaps: the model's ``inbetween_whole``.
    """

    def __init__(
        self,
        dataset: MotionDataset,
        network: MotionGPT3Network,
        tokenizer: MotionTokenizer,
        prompts: PromptConfig,
        mix: TaskMix,
        options: TaskOptions,
        split: Split,
        latents: np.ndarray | None = None,
        whole_gaps: bool = False,
    ) -> None:
        config = network.config
        if options.learn_padding and not config.backbone.reference_masking:
            raise ConfigError(
                'options.learn_padding needs model.network.backbone.reference_masking: true, '
                'without which padding is not computed'
            )
        most = config.backbone.n_positions
        super().__init__(
            *(dataset, tokenizer, prompts, mix, options, split),
            *(config.holders, most, whole_gaps),
        )
        self.network, self.latents = network, latents

    def __call__(self, step: int, micro: int, device: torch.device) -> Batch:
        """Arguments of the network for this step."""
        return self.batch(self.rows(step, micro), device)

    def batch(self, rows: list[Row], device: torch.device) -> Batch:
        """Collate rows and encode their motions."""
        options = self.options
        tokens = collate(
            [row.sequence for row in rows],
            self.tokenizer.eos_id,
            options.pad_to,
            options.learn_padding,
        )
        tokens = self.network.laid_out(tokens).to(device)
        inputs = [part for row in rows for part in row.inputs]
        standing = [place for row in rows for place in row.places]
        targets = [row.target for row in rows if row.target is not None]
        told = [row.told for row in rows if row.target is not None]
        noise = [noise_source(row.seed) for row in rows]
        of_inputs = [own for row, own in zip(rows, noise, strict=True) for _ in row.inputs]
        of_targets = [own for row, own in zip(rows, noise, strict=True) if row.target is not None]
        parts = inputs + targets
        clips = self.dataset.cut(parts, device)
        latents = self._latents(clips, parts, of_inputs + of_targets, device)
        durations = torch.tensor([float(len(clip)) for clip in clips], device=device)
        target_durations = durations[len(inputs) :]
        motions = MotionInputs(
            latents[: len(inputs)],
            durations[: len(inputs)],
            torch.from_numpy(np.array(standing, dtype=np.float32).reshape(-1, 4)).to(device),
            target_durations * torch.tensor(told, device=device),
        )
        return tokens, motions, latents[len(inputs) :], target_durations, of_targets

    @torch.no_grad()
    def _latents(
        self,
        clips: list[np.ndarray],
        parts: list[Part],
        noise: list[torch.Generator],
        device: torch.device,
    ) -> Tensor:
        """Whitened latents of features (T, 263) and the parts of clips that they are."""
        if not clips:
            return torch.zeros(0, *self.network.vae.latent_shape, device=device)
        if self.latents is None:
            mean, logvar = self._encode(clips, device)
        else:
            both = torch.from_numpy(self.latents[[part.clip for part in parts]]).to(device)
            cut = [place for place, part in enumerate(parts) if part.frames is not None]
            if cut:
                encoded = self._encode([clips[place] for place in cut], device)
                both[cut] = torch.stack(encoded, dim=1).to(both.dtype)
            mean, logvar = both.unbind(dim=1)
        if self.options.latent_noise:
            drawn = torch.stack([torch.randn(mean.shape[1:], generator=own) for own in noise])
            mean = mean + drawn.to(device) * torch.exp(0.5 * logvar)
        return self.network.whiten(mean)

    def _encode(self, clips: list[np.ndarray], device: torch.device) -> tuple[Tensor, Tensor]:
        features, lengths = self.dataset.stats.batch(clips)
        return self.network.vae.encode(features.to(device), lengths)
