# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a stage measures on validation clips while it trains, and the models that it keeps."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from accelerate.tracking import GeneralTracker
from safetensors.torch import load_file

from mgpt3_ros.cli.main import main
from mgpt3_ros.model.errors import ConfigError
from mgpt3_ros.model.motiongpt3 import MotionGPT3
from mgpt3_ros.training import run_record
from mgpt3_ros.training.data.clip import Clip
from mgpt3_ros.training.data.dataset import load_dataset
from mgpt3_ros.training.evaluation.metrics.retrieval import GROUP
from mgpt3_ros.training.plots import draw_curves
from mgpt3_ros.training.run_config import load_run_config
from mgpt3_ros.training.run_log import read_log
from mgpt3_ros.training.stages import run_stage
from mgpt3_ros.training.validation import Keeper, ValidationConfig, usual_clips
from tests.support.tiny import swinging_motion
from tests.support.tiny_runs import write_preset
from tests.support.tiny_tmr import tiny_encoder

SHORT = ('stages.vae.optim.steps=8', 'stages.text.optim.steps=12')
MEASURED = (
    *('stages.vae.validation.every=4', 'stages.text.validation.every=4'),
    'stages.text.validation.batches=2',
)


@pytest.fixture(scope='module')
def run(pack: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run whose stage `text` was measured after 4, 8 and 12 steps; its two last are kept."""
    folder = tmp_path_factory.mktemp('measured')
    overrides = (*SHORT, *MEASURED, 'stages.text.validation.keep=2')
    config = load_run_config(write_preset(folder), overrides)
    for stage in ('vae', 'text'):
        run_stage(stage, config, pack, folder / 'run', 'cpu')
    return folder / 'run'


def test_losses_of_validation_clips_are_logged(run: Path) -> None:
    found = [record for record in read_log(run / 'text') if 'val' in record]
    assert [record['step'] for record in found] == [4, 8, 12]
    for record in found:
        assert {'loss', 'text', 'flow', 'regression', 'duration'} <= set(record['val'])
        assert np.isfinite(list(record['val'].values())).all()
    assert found[-1]['val']['loss'] < found[0]['val']['loss']
    found = [record for record in read_log(run / 'vae') if 'val' in record]
    assert [record['step'] for record in found] == [4, 8]
    assert {'loss', 'features', 'positions', 'kl'} <= set(found[0]['val'])
    assert (run / 'vae' / 'best' / 'model.safetensors').is_file()


def test_models_are_kept_that_can_be_used_at_once(run: Path) -> None:
    folders = {path.name for path in (run / 'text').iterdir() if path.is_dir()}
    assert {'best', 'last', 'step-000008', 'step-000012'} <= folders
    assert 'step-000004' not in folders
    model = MotionGPT3.from_pretrained(run / 'text' / 'best', 'cpu')
    assert model.generate('walk', 1.0).joints.shape == (20, 22, 3)
    whole, last = (load_file(f / 'model.safetensors') for f in (run / 'text', run / 'text/last'))
    assert all(torch.equal(whole[name], last[name]) for name in whole)


class User(GeneralTracker):
    """Is told of a measurement while the run goes on, and takes its last model at once."""

    name = 'user'
    requires_logging_directory = False
    folder: ClassVar[Path]
    codes: ClassVar[list[int]] = []

    def __init__(self, project: str) -> None:
        super().__init__()
        self.project = project

    @property
    def tracker(self) -> User:
        return self

    def store_init_configuration(self, values: dict[str, Any]) -> None:
        pass

    def log(self, values: dict[str, Any], step: int | None = None, **_: Any) -> None:
        if 'val/loss' in values and not self.codes:
            assert not (self.folder / 'run/text/model.safetensors').exists()
            last, data = str(self.folder / 'run' / 'text' / 'last'), str(self.folder / 'pack')
            written = str(self.folder / 'motion.npz')
            generate = ['generate', 'walk', '--checkpoint', last, '--as-is', '-o', written]
            evaluate = ['evaluate', last, '--data', data, '--protocol', 'reconstruction']
            self.codes += [main(generate), main(evaluate)]


def test_a_model_is_used_while_its_run_goes_on(run: Path, pack: Path, tmp_path: Path) -> None:
    trackers = f'trackers=["{__name__}:User"]'
    config = load_run_config(write_preset(tmp_path), (*SHORT, *MEASURED, trackers))
    (tmp_path / 'run').mkdir()
    (tmp_path / 'run' / 'vae').symlink_to(run / 'vae')
    (tmp_path / 'pack').symlink_to(pack)
    User.folder = tmp_path
    run_stage('text', config, pack, tmp_path / 'run', 'cpu')
    assert User.codes == [0, 0]
    assert (tmp_path / 'motion.npz').is_file()


def test_to_measure_changes_nothing(run: Path, pack: Path, tmp_path: Path) -> None:
    config = load_run_config(write_preset(tmp_path), (*SHORT, 'stages.text.validation.every=0'))
    (tmp_path / 'run').mkdir()
    (tmp_path / 'run' / 'vae').symlink_to(run / 'vae')
    run_stage('text', config, pack, tmp_path / 'run', 'cpu')
    plain = load_file(tmp_path / 'run' / 'text' / 'model.safetensors')
    measured = load_file(run / 'text' / 'model.safetensors')
    assert all(torch.equal(plain[name], measured[name]) for name in plain)
    assert not any('val' in record for record in read_log(tmp_path / 'run' / 'text'))


def many_clips(_: Path) -> Iterator[Clip]:
    """A reader of data: as many validation clips as a group of retrieval has."""
    for number in range(10 + GROUP):
        joints = swinging_motion(number, 40 + number % 10)
        split = 'train' if number < 10 else 'val'
        said = (f'a person swings {number} times.',)
        yield Clip(f'c{number}', joints, said, split, 'own', None)


def test_retrieval_is_measured_where_asked(tmp_path: Path) -> None:
    tiny_encoder().save(tmp_path / 'tmr')
    measured = f'{{every: 2, measure: retrieval, evaluator: {tmp_path / "tmr"}}}'
    config = load_run_config(
        write_preset(tmp_path),
        (
            *('stages.vae.optim.steps=1', 'stages.text.optim.steps=2'),
            *(f'reader={__name__}:many_clips', f'stages.text.validation={measured}'),
        ),
    )
    for stage in ('vae', 'text'):
        run_stage(stage, config, tmp_path, tmp_path / 'run', 'cpu')
    (record,) = [r for r in read_log(tmp_path / 'run' / 'text') if 'val' in r]
    assert 0.0 <= record['val']['R@3'] <= 1.0


def test_actions_are_measured_where_asked(run: Path, pack: Path, tmp_path: Path) -> None:
    overrides = (*SHORT, 'stages.text.optim.steps=4', *MEASURED)
    config = load_run_config(
        write_preset(tmp_path), (*overrides, 'stages.text.validation.measure=actions')
    )
    (tmp_path / 'run').mkdir()
    (tmp_path / 'run' / 'vae').symlink_to(run / 'vae')
    run_stage('text', config, pack, tmp_path / 'run', 'cpu')
    (record,) = [r for r in read_log(tmp_path / 'run' / 'text') if 'val' in r]
    assert 0.0 <= record['val']['actions'] <= 1.0
    with pytest.raises(ConfigError, match=r'retrieval, which needs validation\.evaluator'):
        ValidationConfig(measure='retrieval')


def test_the_best_is_told_from_the_log_when_a_run_goes_on(tmp_path: Path) -> None:
    saved: list[str] = []

    def save(folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        saved.append(folder.name)

    keeper = Keeper(tmp_path, save)
    keeper.write(1, {'loss': 2.0})
    (tmp_path / 'log.jsonl').write_text('{"step": 1, "val": {"loss": 2.0}}\n')
    Keeper(tmp_path, save).write(2, {'loss': 3.0})
    assert saved == ['last', 'best', 'last']
    Keeper(tmp_path, save).write(3, {'loss': 1.0})
    assert saved[3:] == ['last', 'best']


def test_both_curves_share_a_panel(run: Path) -> None:
    axes = [a for a in draw_curves([run / 'text']).get_axes() if a.get_title()]
    (loss,) = [a for a in axes if a.get_title().startswith('loss:')]
    assert 'val:' in loss.get_title()
    assert [len(line.get_xdata()) for line in loss.lines][-1] == 3


def test_clips_of_odd_length_are_not_measured_with(pack: Path) -> None:
    dataset = load_dataset(pack)
    lengths = [len(clip.joints) for clip in dataset.clips]
    assert usual_clips(dataset)
    assert all(min(lengths) <= len(c.joints) <= max(lengths) for c in usual_clips(dataset))


def test_the_record_says_how_a_run_was_started(run: Path) -> None:
    record = run_record.read(run / 'text')
    assert record is not None
    assert record['processes'] == 1
    assert record['made_with']['versions']['torch'].startswith('2.')
    assert record['made_with']['command'] == sys.argv
    assert record['made_with'].keys() == {'commit', 'versions', 'command'}


@pytest.mark.parametrize(
    ('override', 'words'),
    [
        (
            'stages.text.optim.learning_rate=-1',
            'learning_rate is -1.0; it must be a number above 0',
        ),
        ('stages.text.optim.ema_decay=1.5', 'ema_decay is 1.5'),
        ('stages.text.optim.warmup_steps=-3', 'warmup_steps is -3'),
        ('stages.text.tasks={}', 'stages.text has no tasks'),
        ('stages.text.tasks.generate=-1', 'tasks.generate is -1'),
        ('stages.text.validation.keep=-1', 'validation.keep is -1'),
        ('stages.text.validation.measure=beauty', "measure is 'beauty'; choose actions"),
    ],
)
def test_what_cannot_be_is_refused_when_it_is_read(
    override: str, words: str, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match=words):
        load_run_config(write_preset(tmp_path), (override,))


@pytest.mark.parametrize(
    ('override', 'words'),
    [
        ('stages.text.trained=[]', '`trained` of stage text is empty'),
        ('stages.text.losses.flwo=1', "unknown term 'flwo'"),
        ('stages.text.losses.flow=-1', 'losses.flow is -1'),
        ('stages.text.losses.flow=.nan', 'losses.flow is nan'),
    ],
)
def test_what_no_model_can_do_is_refused_before_it_trains(
    override: str, words: str, run: Path, pack: Path, tmp_path: Path
) -> None:
    config = load_run_config(write_preset(tmp_path), (*SHORT, override))
    (tmp_path / 'run').mkdir()
    (tmp_path / 'run' / 'vae').symlink_to(run / 'vae')
    with pytest.raises(ConfigError, match=words):
        run_stage('text', config, pack, tmp_path / 'run', 'cpu')
    assert not (tmp_path / 'run' / 'text').exists()


def test_an_alias_is_not_changed_with_its_twin(tmp_path: Path) -> None:
    file = write_preset(tmp_path)
    text = file.read_text()
    file.write_text(
        text.replace('stages:', 'stages:', 1)
        + '\n'.join(['', '  twin: &own', '    start_from: vae', '    trained: [head]'])
        + '\n'.join(['', '    tasks: &tasks {generate: 1.0}', '  other:', '    <<: *own', ''])
    )
    config = load_run_config(file, ('stages.other.tasks.generate=0.5',))
    assert config.stages['twin'].tasks.generate == 1.0
    assert config.stages['other'].tasks.generate == 0.5


def test_a_path_in_a_file_is_found_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / 'mine').mkdir()
    file = write_preset(tmp_path / 'mine')
    (tmp_path / 'mine' / 'gpt').mkdir()
    file.write_text(file.read_text() + '\ntext_branch: gpt\n')
    monkeypatch.chdir(tmp_path)
    assert load_run_config(file).text_branch == str(tmp_path / 'mine' / 'gpt')
    assert load_run_config(file, ('text_branch=gpt',)).text_branch == 'gpt'
