# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What can be known to be wrong with a run before any data is read.

Each stage looks at its own settings too, but when its turn comes, which may be days later.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mgpt3_ros.model.checkpoints.checkpoint import WEIGHTS, Unfilled
from mgpt3_ros.model.errors import ConfigError, MotionGPT3Error
from mgpt3_ros.model.language.pretrained import check_at_hand, language_folder
from mgpt3_ros.model.network import build_network
from mgpt3_ros.training.evaluation.tmr import TextMotionEncoder
from mgpt3_ros.training.run_config import RunConfig, StageConfig
from mgpt3_ros.training.stages import check_stage
from mgpt3_ros.training.start import find_start, model_config


def check_run(run: RunConfig, stages: Sequence[str], output: str | Path) -> None:
    """Refuse settings of stages that no data could make right.

    Args:
        run: the preset.
        stages: which are going to be trained, in their order; unknown ones are not looked at.
        output: run folder.

    Raises:
        MotionGPT3Error: a stage trains nothing, names a group, a loss term, a checkpoint or an
            evaluator that is not there; or the text branch or the tokenizer is nowhere.
    """
    chosen = {name: run.stages[name] for name in stages if name in run.stages}
    if not chosen:
        return
    with Unfilled():
        network = build_network(model_config(run, run.tokenizer.vocab_size).network)
    for name, stage in chosen.items():
        try:
            check_stage(name, stage, network)
            _check_folders(stage, run, Path(output))
        except MotionGPT3Error as error:
            raise ConfigError(f'stages.{name}: {error}') from error
        if stage.start_from is None and not (Path(output) / name / WEIGHTS).is_file():
            _check_language(run, network.config.backbone.llama is not None)


def _check_language(run: RunConfig, llama: bool) -> None:
    if run.tokenizer.folder is not None:
        language_folder(run.tokenizer.folder)
    if run.text_branch is not None:
        if llama:
            language_folder(run.text_branch)
        else:
            check_at_hand(run.text_branch, 'GPT-2')


def _check_folders(stage: StageConfig, run: RunConfig, output: Path) -> None:
    if stage.start_from not in run.stages:  # one of these may not have been trained yet
        find_start(run, stage, output)
    if stage.validation.evaluator is not None:
        TextMotionEncoder.load(stage.validation.evaluator)
