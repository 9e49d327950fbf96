# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from mgpt3_ros.training.trainer import OptimConfig, Trainer, TrainingError

CONFIG = OptimConfig(
    steps=12, batch_size=4, learning_rate=0.05, warmup_steps=2, ema_decay=0.9, checkpoint_every=4,
    log_every=1, weight_decay=0.01,
)  # fmt: skip


class Line(nn.Module):
    """Fits y = 2 x + 1."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.backbone = nn.Linear(1, 1)
        self.head = nn.Linear(1, 1)

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        error = self.head(self.backbone(x)) - (2 * x + 1)
        return {'fit': error.square().mean(), 'seen': x.abs().mean().detach()}


def batch(step: int, micro: int, device: torch.device) -> tuple[Tensor]:
    generator = torch.Generator().manual_seed(1000 * step + micro)
    return (torch.randn(4, 1, generator=generator).to(device),)


def trainer(folder: Path, **changes: object) -> Trainer:
    config = dataclasses.replace(CONFIG, **changes)
    return Trainer(Line(), batch, {'fit': 1.0}, config, folder)


def losses(folder: Path) -> dict[int, float]:
    """Loss of each step in the log; the last word counts where a step was done twice."""
    lines = (folder / 'log.jsonl').read_text().splitlines()
    return {r['step']: r['loss'] for r in map(json.loads, lines) if 'loss' in r}


def test_the_loss_goes_down_and_every_term_is_logged(tmp_path: Path) -> None:
    trainer(tmp_path, steps=60).run()
    curve = losses(tmp_path)
    assert curve[60] < 0.2 * curve[1]
    first = json.loads((tmp_path / 'log.jsonl').read_text().splitlines()[0])
    assert {'step', 'loss', 'fit', 'seen', 'gradient_norm', 'rate', 'samples_per_s'} <= set(first)


def test_an_interrupted_run_gives_the_losses_of_an_unbroken_one(tmp_path: Path) -> None:
    trainer(tmp_path / 'unbroken').run()
    broken = trainer(tmp_path / 'broken')
    original = broken._train_step

    def interrupt() -> dict[str, float]:
        if broken.step == 6:
            broken._stop = True
        return original()

    broken._train_step = interrupt  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        broken.run()
    assert max(losses(tmp_path / 'broken')) == 7
    trainer(tmp_path / 'broken').run()
    assert losses(tmp_path / 'broken') == pytest.approx(losses(tmp_path / 'unbroken'), abs=1e-6)


SLOW_RUN = """
import sys, time
from pathlib import Path
import tests.test_trainer as t
class Slow(t.Line):
    def forward(self, x):
        time.sleep(0.02)
        return super().forward(x)
import dataclasses
config = dataclasses.replace(t.CONFIG, steps=400)
t.Trainer(Slow(), t.batch, {'fit': 1.0}, config, Path(sys.argv[1])).run()
"""


def test_a_killed_run_goes_on_from_its_last_checkpoint(tmp_path: Path) -> None:
    killed = tmp_path / 'killed'
    root = Path(__file__).resolve().parent.parent
    process = subprocess.Popen(
        [sys.executable, '-c', SLOW_RUN, str(killed)], cwd=root, stderr=subprocess.DEVNULL
    )
    deadline = time.monotonic() + 60
    while not (killed / 'checkpoint.pt').exists():
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.01)  # polls another process's file: there is no event to wait for
    process.kill()
    process.wait()
    done = max(losses(killed))
    assert 4 <= done < 400
    trainer(killed, steps=400).run()
    trainer(tmp_path / 'unbroken', steps=400).run()
    assert losses(killed) == pytest.approx(losses(tmp_path / 'unbroken'), abs=1e-5)


def test_accumulated_micro_batches_are_averaged(tmp_path: Path) -> None:
    both = trainer(tmp_path, accumulate=2, clip_norm=0.0)
    model = Line()
    terms = [model(*batch(0, micro, torch.device('cpu')))['fit'] for micro in (0, 1)]
    ((terms[0] + terms[1]) / 2).backward()
    expected = torch.cat([p.grad.flatten() for p in model.parameters()]).norm()
    assert both._train_step()['gradient_norm'] == pytest.approx(float(expected), rel=1e-5)


def test_a_loss_that_is_not_finite_stops_after_saving(tmp_path: Path) -> None:
    bad = trainer(tmp_path)
    bad.batch = lambda step, micro, device: (torch.full((4, 1), torch.nan if step == 3 else 1.0),)
    with pytest.raises(TrainingError, match='step 3 is not finite'):
        bad.run()
    assert torch.load(tmp_path / 'checkpoint.pt', weights_only=True)['step'] == 3


def test_averaged_weights_are_in_place_only_inside_the_block(tmp_path: Path) -> None:
    run = trainer(tmp_path)
    run.run()
    own = run.raw.head.weight.detach().clone()
    with run.averaged():
        assert not torch.equal(run.raw.head.weight, own)
        assert torch.equal(run.raw.head.weight, run.average['head.weight'])
    assert torch.equal(run.raw.head.weight, own)


def test_a_checkpoint_of_another_model_is_refused(tmp_path: Path) -> None:
    trainer(tmp_path).save()
    other = Line()
    other.extra = nn.Linear(1, 1)
    with pytest.raises(TrainingError, match=r'extra\.bias'):
        Trainer(other, batch, {'fit': 1.0}, CONFIG, tmp_path).run()
