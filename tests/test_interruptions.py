# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""``mgpt3 train`` killed and interrupted: the same command goes on, with the same losses."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from mgpt3_ros.training.cli import main
from mgpt3_ros.training.journal import LOG, read_journal
from mgpt3_ros.training.stages import load_run_config
from tests.test_trainer import Line, batch, losses, trainer
from tests.tiny_pack import write_tiny_pack
from tests.tiny_runs import write_preset

ROOT = Path(__file__).resolve().parent.parent
MAIN = 'from mgpt3_ros.training.cli import main; raise SystemExit(main())'
STEPS = 50
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
def command(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path], list[str]]:
    """Arguments that train stage t2m into a folder."""
    folder = tmp_path_factory.mktemp('inputs')
    pack, preset = write_tiny_pack(folder / 'pack'), write_preset(folder)
    load_run_config(preset, OVERRIDES)

    def of(output: Path) -> list[str]:
        places = ['--data', str(pack), '--config', str(preset), '--output', str(output)]
        return [sys.executable, '-c', MAIN, 'train', 't2m', *places, '--device', 'cpu', *OVERRIDES]

    return of


@pytest.fixture(scope='module')
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    cache = str(tmp_path_factory.mktemp('cache'))
    return {**os.environ, 'XDG_CACHE_HOME': cache, 'OMP_NUM_THREADS': '1'}


@pytest.fixture(scope='module')
def unbroken(
    command: Callable[[Path], list[str]],
    environment: dict[str, str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    folder = tmp_path_factory.mktemp('unbroken')
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv('XDG_CACHE_HOME', environment['XDG_CACHE_HOME'])
        assert main(command(folder)[3:]) == 0
    return folder / 't2m'


def interrupted_at(
    step: int, command: list[str], environment: dict[str, str], folder: Path, number: int
) -> int:
    """Start, send a signal once a step has been logged, and return the exit code."""
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    log = folder / LOG
    while not log.exists() or log.read_bytes().count(b'\n') < step:
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.005)  # polls another process's file: there is no event to wait for
    process.send_signal(number)
    return process.wait()


def test_kill_9_leaves_a_run_that_goes_on_with_the_same_losses(
    command: Callable[[Path], list[str]],
    environment: dict[str, str],
    unbroken: Path,
    tmp_path: Path,
) -> None:
    arguments, folder = command(tmp_path), tmp_path / 't2m'
    assert interrupted_at(16, arguments, environment, folder, signal.SIGKILL) == -signal.SIGKILL
    done = torch.load(folder / 'checkpoint.pt', weights_only=True)['step']
    assert done % 7 == 0  # in the middle of an epoch of 14 clips, and between two checkpoints
    assert 14 <= done < STEPS
    subprocess.run(arguments, cwd=ROOT, env=environment, check=True, capture_output=True)
    whole, again = ([r['loss'] for r in read_journal(run)] for run in (unbroken, folder))
    assert len(whole) == STEPS
    assert again == pytest.approx(whole, rel=0, abs=1e-5)
    files = [run / 'model.safetensors' for run in (unbroken, folder)]
    assert files[0].read_bytes() == files[1].read_bytes()


def test_sigterm_saves_the_step_at_which_it_came(
    command: Callable[[Path], list[str]],
    environment: dict[str, str],
    unbroken: Path,
    tmp_path: Path,
) -> None:
    folder = tmp_path / 't2m'
    code = interrupted_at(10, command(tmp_path), environment, folder, signal.SIGTERM)
    assert code == 130
    log = read_journal(folder)
    assert torch.load(folder / 'checkpoint.pt', weights_only=True)['step'] == log[-1]['step']
    assert not (folder / 'model.safetensors').exists()
    whole = [record['loss'] for record in read_journal(unbroken)][: len(log)]
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
