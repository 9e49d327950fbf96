# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Loggers that accelerate knows, and one of a user's own, are told what a run logs."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import pytest
from accelerate.tracking import GeneralTracker, on_main_process

from mgpt3_ros.model.errors import ConfigError
from mgpt3_ros.training.run_config import load_run_config
from mgpt3_ros.training.run_log import read_log
from mgpt3_ros.training.stages import run_stage
from tests.support.tiny_runs import write_preset


class Notebook(GeneralTracker):
    """Keeps what it is told, for all of its runs."""

    name = 'notebook'
    requires_logging_directory = False
    told: ClassVar[list[tuple[int | None, dict[str, Any]]]] = []
    begun: ClassVar[list[tuple[str, dict[str, Any]]]] = []
    ended: ClassVar[list[str]] = []

    def __init__(self, project: str) -> None:
        super().__init__()
        self.project = project

    @property
    def tracker(self) -> Notebook:
        return self

    @on_main_process
    def store_init_configuration(self, values: dict[str, Any]) -> None:
        self.begun.append((self.project, values))

    @on_main_process
    def log(self, values: dict[str, Any], step: int | None = None, **_: Any) -> None:
        self.told.append((step, values))

    @on_main_process
    def finish(self) -> None:
        self.ended.append(self.project)


def test_a_tracker_of_ones_own_is_told_settings_and_losses(pack: Path, tmp_path: Path) -> None:
    overrides = (f'trackers=["{__name__}:Notebook"]', 'stages.vae.optim.steps=3')
    run_stage('vae', load_run_config(write_preset(tmp_path), overrides), pack, tmp_path / 'mine')
    ((project, settings),) = Notebook.begun
    assert project == 'mine'
    assert settings['stage'] == 'vae'
    assert settings['optim.steps'] == 3
    logged = [r for r in read_log(tmp_path / 'mine' / 'vae') if 'loss' in r]
    told = {step: values for step, values in Notebook.told if 'train/loss' in values}
    assert {r['step']: r['loss'] for r in logged} == {
        step: values['train/loss'] for step, values in told.items()
    }
    assert Notebook.ended == ['mine']


def test_tensorboard_can_be_named(pack: Path, tmp_path: Path) -> None:
    overrides = ('trackers=[tensorboard]', 'stages.vae.optim.steps=1')
    folder = run_stage(
        'vae', load_run_config(write_preset(tmp_path), overrides), pack, tmp_path / 'mine'
    )
    assert list(folder.glob('mine/events*'))


@pytest.mark.parametrize(
    ('name', 'message'),
    [
        ('wanda', "'wanda' is none; choose of .*wandb"),
        ('aim', "the library of 'aim' is not installed"),
        ('no_such_module:Tracker', 'no_such_module cannot be imported'),
        (f'{__name__}:Path', 'is no subclass of GeneralTracker'),
    ],
)
def test_what_cannot_be_told_is_said_at_once(
    name: str, message: str, pack: Path, tmp_path: Path
) -> None:
    config = load_run_config(write_preset(tmp_path), (f'trackers=["{name}"]',))
    with pytest.raises(ConfigError, match=message):
        run_stage('vae', config, pack, tmp_path / 'run', 'cpu')
    assert not (tmp_path / 'run' / 'vae' / 'log.jsonl').exists()
