# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What is wrong with a run is said before any data is read, of all of its stages."""

from __future__ import annotations

from pathlib import Path

import pytest

from mgpt3_ros.model.errors import MotionGPT3Error
from mgpt3_ros.training.run_checks import check_run
from mgpt3_ros.training.run_config import load_run_config
from mgpt3_ros.training.train import main
from tests.support.tiny_runs import write_preset

STAGES = ('vae', 'text', 't2m', 'align')


@pytest.mark.parametrize(
    ('override', 'words'),
    [
        ('stages.vae.losses.fatures=1', "stages.vae: losses: unknown term 'fatures'"),
        ('stages.align.losses.flwo=1', "stages.align: losses: unknown term 'flwo'"),
        ('stages.align.losses.flow=-1', 'stages.align: losses.flow is -1'),
        ('stages.t2m.trained=[]', 'stages.t2m: `trained` of stage t2m is empty'),
        ('stages.t2m.trained=[motoin]', "stages.t2m: unknown parameter group 'motoin'"),
        ('stages.t2m.start_from=txet', "stages.t2m: start_from is 'txet', which is neither"),
        (
            'stages.t2m.validation={measure: retrieval, evaluator: ./tmr}',
            'stages.t2m: no checkpoint at tmr',
        ),
        ('text_branch=./gpt2', 'no GPT-2 checkpoint can be loaded from ./gpt2: there is no such'),
        ('tokenizer.folder=./words', 'from ./words: there is no such folder'),
        (
            'model.network.head.kind=no_such:Head',
            "head.kind is 'no_such:Head', but no_such cannot",
        ),
    ],
)
def test_a_slip_in_any_stage_is_told_before_the_first(
    override: str, words: str, tmp_path: Path
) -> None:
    arguments = ['all', '--config', str(write_preset(tmp_path)), '--data', 'not/looked/at']
    with pytest.raises(MotionGPT3Error, match=words):
        main([*arguments, '--output', str(tmp_path / 'run'), override])
    assert not (tmp_path / 'run').exists()


def test_stages_that_are_not_trained_are_not_looked_at(tmp_path: Path) -> None:
    run = load_run_config(write_preset(tmp_path), ('stages.align.losses.flwo=1',))
    check_run(run, ('vae', 'text', 'tmr'), tmp_path)
    with pytest.raises(MotionGPT3Error, match='flwo'):
        check_run(run, STAGES, tmp_path)


def test_the_language_of_a_run_that_has_begun_is_not_looked_for(tmp_path: Path) -> None:
    run = load_run_config(write_preset(tmp_path), ('text_branch=./gone',))
    with pytest.raises(MotionGPT3Error, match='no GPT-2 checkpoint can be loaded'):
        check_run(run, STAGES, tmp_path)
    (tmp_path / 'vae').mkdir()
    (tmp_path / 'vae' / 'model.safetensors').touch()
    check_run(run, STAGES, tmp_path)


@pytest.mark.parametrize('name', ['small', 'stream', 'vq', 'unified'])
def test_nothing_is_wrong_with_a_preset(name: str, tmp_path: Path) -> None:
    run = load_run_config(name)
    check_run(run, tuple(run.stages), tmp_path)
