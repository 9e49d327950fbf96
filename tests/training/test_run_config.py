# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The configuration of a run: presets, files and overrides."""

from __future__ import annotations

from pathlib import Path

import pytest

from mgpt3_ros.model.errors import ConfigError
from mgpt3_ros.training.run_config import RunConfig, load_run_config
from tests.support.tiny_runs import DRAWN, write_preset


def run_config(tmp_path: Path, *overrides: str) -> RunConfig:
    return load_run_config(write_preset(tmp_path), overrides)


@pytest.mark.parametrize(
    ('override', 'message'),
    [
        ('stages.t2m.optim.step=3', r'stages.t2m.optim: unknown key .step.; known .*steps'),
        ('stages.t2m.option.pad_to=3', r'stages.t2m: unknown key .option.; known keys: .*options'),
        ('stage.t2m.optim.steps=3', r'RunConfig: unknown key .stage.; known keys: .*stages'),
        ('stages.t2m.tasks.dance=1', r'unknown key .dance.; known keys: text, generate, caption'),
        ('stages.t2m.optim.steps=many', r"stages.t2m.optim.steps: expected int, got 'many'"),
        ('stages.t2m.optim.steps', r"'stages.t2m.optim.steps' is no override: write key.key=val"),
        ('tokenizer.vocab_size.x=3', r'vocab_size is no section'),
        ('stages.t2m.optim.steps=[', r'\[.* is no YAML'),
    ],
)
def test_overrides_that_do_not_fit_are_refused(
    override: str, message: str, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match=message):
        run_config(tmp_path, override)


def test_overrides_replace_values_of_every_kind(tmp_path: Path) -> None:
    config = run_config(
        tmp_path,
        'stages.t2m.optim.steps=7',
        'stages.t2m.optim.learning_rate=1e-4',
        'stages.t2m.tasks={generate: 0.5, predict: 0.5}',
        'stages.t2m.trained=[head]',
        'stages.t2m.start_from=null',
        'stages.t2m.losses.flow=2',
        'tokenizer.folder=/some/folder',
    )
    stage = config.stages['t2m']
    assert (stage.optim.steps, stage.optim.learning_rate) == (7, 1e-4)
    assert (stage.tasks.generate, stage.tasks.predict, stage.tasks.caption) == (0.5, 0.5, 0)
    assert (stage.trained, stage.start_from) == (('head',), None)
    assert stage.losses == {**DRAWN, 'flow': 2.0}
    assert config.tokenizer.folder == '/some/folder'


def test_presets_are_found_by_name_and_unknown_ones_listed() -> None:
    assert {'vae', 'text', 't2m', 'align'} <= set(load_run_config('small').stages)
    with pytest.raises(ConfigError, match=r"no preset 'huge'; presets are: .*small"):
        load_run_config('huge')
    with pytest.raises(ConfigError, match=r'cannot read the configuration nowhere\.yaml'):
        load_run_config('nowhere.yaml')
