# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""``mgpt3 train`` killed and interrupted: the same command goes on, with the same losses."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from mgpt3_ros.cli.main import main
from mgpt3_ros.training.run_config import load_run_config
from mgpt3_ros.training.run_log import read_log
from mgpt3_ros.training.tasks import TaskBatcher
from tests.support import apart
from tests.support.tiny_runs import write_preset
from tests.training.test_trainer import Line, batch, losses, trainer

pytestmark = pytest.mark.slow
STEPS = 40
# The paper's kind of model, with dropout, accumulation, averaging and a schedule.
OVERRIDES = (
    'model.network.motion_context=false',
    'model.network.vae={kind: mld, mld: {latent_dim: 16, ff_width: 32, layers: 3, heads: 2}}',
    'model.network.backbone.dropout=0.2',
    'model.network.head={width: 32, depth: 1, dropout: 0.1, guidance_scale: 1.5}',
    'stages.t2m.start_from=null',
    'stages.t2m.losses={diffusion: 1, text: 0.1}',
    'stages.t2m.tasks={generate: 1, caption: 1, predict: 1, inbetween: 1, text: 1}',
    f'stages.t2m.optim={{steps: {STEPS}, batch_size: 4, accumulate: 2, learning_rate: 0.01, '
    'warmup_steps: 10, ema_decay: 0.9, checkpoint_every: 7, log_every: 1}',
)


@pytest.fixture(scope='module')
def command(pack: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path], list[str]]:
    """Arguments that train stage t2m into a folder."""
    preset = write_preset(tmp_path_factory.mktemp('inputs'))
    load_run_config(preset, OVERRIDES)

    def of(output: Path) -> list[str]:
        places = ['--data', str(pack), '--config', str(preset), '--output', str(output)]
        return ['train', 't2m', *places, '--device', 'cpu', *OVERRIDES]

    return of


@pytest.fixture(scope='module')
def unbroken(
    command: Callable[[Path], list[str]], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    folder = tmp_path_factory.mktemp('unbroken')
    assert main(command(folder)) == 0
    return folder / 't2m'


def main_with_signal(step: int, number: signal.Signals, arguments: list[str]) -> int:
    """The command, which sends itself a signal in the middle of a step."""
    made = TaskBatcher.__call__

    def signalled(self: TaskBatcher, at: int, micro: int, device: torch.device) -> object:
        if (at, micro) == (step, 1):
            os.kill(os.getpid(), number)
        return made(self, at, micro, device)

    TaskBatcher.__call__ = signalled  # type: ignore[method-assign] # of a process that ends
    return main(arguments)


def test_kill_9_leaves_a_run_that_goes_on_with_the_same_losses(
    command: Callable[[Path], list[str]], unbroken: Path, tmp_path: Path
) -> None:
    arguments, folder = command(tmp_path), tmp_path / 't2m'
    killed = apart.started(tmp_path / 'said', main_with_signal, 16, signal.SIGKILL, arguments)
    assert apart.exit_code(killed) == -signal.SIGKILL
    # In the middle of an epoch, and between two checkpoints.
    assert torch.load(folder / 'checkpoint.pt', weights_only=True)['step'] == 14
    assert read_log(folder)[-1]['step'] == 16
    assert main(arguments) == 0
    whole, again = ([r['loss'] for r in read_log(run)] for run in (unbroken, folder))
    assert len(whole) == STEPS
    assert again == pytest.approx(whole, rel=0, abs=1e-5)
    one, other = (load_file(run / 'model.safetensors') for run in (unbroken, folder))
    for name, value in one.items():
        torch.testing.assert_close(other[name], value, rtol=1e-5, atol=1e-5)


def test_sigterm_saves_the_step_at_which_it_came(
    command: Callable[[Path], list[str]], unbroken: Path, tmp_path: Path
) -> None:
    folder = tmp_path / 't2m'
    arguments = command(tmp_path)
    ended = apart.started(tmp_path / 'said', main_with_signal, 10, signal.SIGTERM, arguments)
    assert apart.exit_code(ended) == 130
    log = read_log(folder)
    assert log[-1]['step'] == 11
    assert torch.load(folder / 'checkpoint.pt', weights_only=True)['step'] == 11
    assert not (folder / 'model.safetensors').exists()
    whole = [record['loss'] for record in read_log(unbroken)][:11]
    assert [record['loss'] for record in log] == pytest.approx(whole, rel=0, abs=1e-5)


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_step_saves_and_is_handed_on(
    number: signal.Signals, tmp_path: Path
) -> None:
    run = trainer(tmp_path)

    def signalled(step: int, micro: int, device: torch.device) -> tuple[torch.Tensor]:
        if step == 5:
            os.kill(os.getpid(), number)
        return batch(step, micro, device)

    before = signal.getsignal(number)
    run.batch = signalled
    with pytest.raises(KeyboardInterrupt):
        run.run()
    assert torch.load(tmp_path / 'checkpoint.pt', weights_only=True)['step'] == 6
    assert max(losses(tmp_path)) == 6
    assert signal.getsignal(number) is before  # of the program that called


class Dropping(Line):
    """Draws from torch's own source of chance."""

    def forward(self, x: torch.Tensor) -> dict[str, torch.Tensor]:
        kept = torch.nn.functional.dropout(x, 0.5, self.training)
        return super().forward(kept)


def test_dropout_is_a_function_of_the_step(tmp_path: Path) -> None:
    def run(folder: Path, **changes: object) -> None:
        made = trainer(folder, **changes)
        made.raw.__class__ = Dropping
        made.run()

    run(tmp_path / 'unbroken')
    run(tmp_path / 'broken', steps=5, final_rate_share=1.0)
    state = torch.load(tmp_path / 'broken' / 'checkpoint.pt', weights_only=True)
    assert state['step'] == 5
    torch.manual_seed(7)
    first = losses(tmp_path / 'unbroken')
    run(tmp_path / 'again')
    assert losses(tmp_path / 'again') == first
    assert len({round(loss, 9) for loss in first.values()}) == len(first)
