# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a stage measures on validation clips while it trains, and which of its models it keeps.

Beside ``checkpoint.pt``, from which a run goes on, its folder then holds ``last`` and ``best``:
checkpoint folders that ``mgpt3 generate`` and ``mgpt3 evaluate`` take while the run goes on.
"""

from __future__ import annotations

import shutil
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from mgpt3_ros.model.errors import ConfigError
from mgpt3_ros.training.data.clip import Clip
from mgpt3_ros.training.data.packs import UNCOUNTED_ACTIONS
from mgpt3_ros.training.run_log import read_log

if TYPE_CHECKING:
    from mgpt3_ros.model.motiongpt3 import MotionGPT3
    from mgpt3_ros.training.data.dataset import MotionDataset

ACTIONS, RETRIEVAL = MEASURES = ('actions', 'retrieval')
LAST, BEST = 'last', 'best'
MOST_CLIPS = 512  # whose features are made for it
MOST_DRAWN = 128  # motions that a measure draws each time


@dataclass(frozen=True)
class ValidationConfig:
    """What is measured, how often, and what is kept.

    every: steps between measurements; 0 for none.
    batches: of validation clips, the same at each time; their losses are averaged.
    measure: 'actions' also draws motions of captions and tells the share whose action is
        recognised; 'retrieval' the R@3 of such motions, for which ``evaluator`` is needed; None
        for losses alone.
    evaluator: folder that ``mgpt3 train tmr`` has written.
    keep: how many of the models are kept, as ``step-N``, beside the last and the best.
    """

    every: int = 250
    batches: int = 4
    measure: str | None = None
    evaluator: str | None = None
    keep: int = 0

    def __post_init__(self) -> None:
        """Refuse impossible values."""
        for name, least in (('every', 0), ('batches', 1), ('keep', 0)):
            if getattr(self, name) < least:
                raise ConfigError(
                    f'validation.{name} is {getattr(self, name)}; it must be at least {least}'
                )
        if self.measure is not None and self.measure not in MEASURES:
            raise ConfigError(
                f'validation.measure is {self.measure!r}; choose {" or ".join(MEASURES)}'
            )
        if self.measure == RETRIEVAL and self.evaluator is None:
            raise ConfigError(
                'validation.measure is retrieval, which needs validation.evaluator: a folder that '
                '`mgpt3 train tmr` has written'
            )


class Validation:
    """Losses on clips that training never reads, and what else is asked for.

    Args:
        config: how much is measured.
        task: as it is trained, its averaged weights in place.
        batch: makes batches of the validation clips, ``(step, micro_step, device) -> arguments``.
        weights: of each term in the loss.
        measure: gives further figures; None for none.
    """

    def __init__(
        self,
        config: ValidationConfig,
        task: nn.Module,
        batch: Callable[[int, int, torch.device], tuple[Any, ...]],
        weights: dict[str, float],
        measure: Callable[[], dict[str, float]] | None = None,
    ) -> None:
        self.config, self.task, self.batch = config, task, batch
        self.weights, self.measure = weights, measure

    @torch.no_grad()
    def __call__(self) -> dict[str, float]:
        """``loss``, its terms, and the figures of ``measure``."""
        device = next(self.task.parameters()).device
        found: dict[str, list[float]] = defaultdict(list)
        for number in range(self.config.batches):
            for name, term in self.task(*self.batch(number, 0, device)).items():
                found[name].append(float(term))
        terms = {name: sum(values) / len(values) for name, values in found.items()}
        loss = sum(self.weights[name] * terms[name] for name in terms if name in self.weights)
        return {'loss': loss, **terms, **(self.measure() if self.measure else {})}


class Keeper:
    """Writes models of a run as it goes: the last, the best by the loss on validation clips.

    Args:
        folder: of the stage.
        save: writes the model, as it is, into a folder.
        keep: how many are kept beside these two.
    """

    def __init__(self, folder: Path, save: Callable[[Path], object], keep: int = 0) -> None:
        self.folder, self.save, self.keep = folder, save, keep

    def write(self, step: int, figures: dict[str, float]) -> None:
        """Keep the model of a step, of which ``figures`` were measured and not yet logged."""
        self.save(self.folder / LAST)
        if figures['loss'] < self._least():
            self.save(self.folder / BEST)
        if self.keep:
            self.save(self.folder / f'step-{step:06d}')
            for old in sorted(self.folder.glob('step-*'))[: -self.keep]:
                shutil.rmtree(old)

    def _least(self) -> float:
        """The least loss that was measured before: an interrupted run goes on with it."""
        if not (self.folder / BEST).is_dir():
            return float('inf')
        losses = [r['val']['loss'] for r in read_log(self.folder) if 'loss' in r.get('val', {})]
        return min(losses, default=float('inf'))


def usual_clips(dataset: MotionDataset) -> list[Clip]:
    """Validation clips that are as long as those of the training, ``MOST_CLIPS`` at most."""
    lengths = [len(clip.joints) for clip in dataset.clips]
    shortest, longest = min(lengths), max(lengths)
    clips = [clip for clip in dataset.val if shortest <= len(clip.joints) <= longest]
    return clips[:: max(1, -(-len(clips) // MOST_CLIPS))]


def figures_of(
    config: ValidationConfig, model: MotionGPT3, dataset: MotionDataset
) -> Callable[[], dict[str, float]] | None:
    """What ``config.measure`` asks for, as a call that draws from the model as it is then.

    Raises:
        ConfigError: the validation clips have no actions, or are too few.
    """
    if config.measure is None:
        return None
    clips = usual_clips(dataset)
    if config.measure == ACTIONS:
        clips = [c for c in clips if c.action is not None and c.action not in UNCOUNTED_ACTIONS]
    clips = clips[:: max(1, -(-len(clips) // MOST_DRAWN))]
    if config.measure == ACTIONS:
        return _share_of_actions(model, dataset, clips)
    return _retrieval(str(config.evaluator), model, clips)


def _share_of_actions(
    model: MotionGPT3, dataset: MotionDataset, clips: list[Clip]
) -> Callable[[], dict[str, float]]:
    from mgpt3_ros.training.evaluation.classifier import ActionClassifier
    from mgpt3_ros.training.evaluation.measures import generate_all, recognition

    if not clips:
        raise ConfigError('validation.measure is actions, but no validation clip has one')
    judge = ActionClassifier([clip for clip in dataset.clips if '~' not in clip.id])
    texts, wanted = [c.captions[0] for c in clips], [str(c.action) for c in clips]

    def measure() -> dict[str, float]:
        found = judge.predict(generate_all(model, texts, 0, leave=False))
        return {'actions': recognition(wanted, found).action.value}

    return measure


def _retrieval(
    evaluator: str, model: MotionGPT3, clips: list[Clip]
) -> Callable[[], dict[str, float]]:
    from mgpt3_ros.training.evaluation.metrics.retrieval import GROUP
    from mgpt3_ros.training.evaluation.retrieval import generated_over_real
    from mgpt3_ros.training.evaluation.tmr import TextMotionEncoder

    if len(clips) < GROUP:
        raise ConfigError(f'validation.measure is retrieval, which needs {GROUP} clips')
    encoder = TextMotionEncoder.load(evaluator)

    def measure() -> dict[str, float]:
        return {'R@3': generated_over_real(encoder, model, clips, seeds=1).generated}

    return measure
