# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import dataclasses
import json
import math
import signal
import sys
from multiprocessing.synchronize import Event
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from mgpt3_ros.model.errors import ConfigError
from mgpt3_ros.training.optim import OptimConfig
from mgpt3_ros.training.run_log import read_log
from mgpt3_ros.training.trainer import Trainer, TrainingError
from tests.support import apart

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

    def head_parameters(self) -> list[nn.Parameter]:
        return list(self.head.parameters())

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
    return {r['step']: r['loss'] for r in read_log(folder) if 'loss' in r}


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


class HaltingLine(Line):
    """Tells of its seventh step, and never ends it."""

    def __init__(self, reached: Event) -> None:
        super().__init__()
        self.reached = reached
        self.steps = 0

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        self.steps += 1
        if self.steps == 7:
            self.reached.set()
            signal.pause()
        return super().forward(x)


def halting_run(folder: Path, reached: Event) -> None:
    config = dataclasses.replace(CONFIG, steps=60)
    Trainer(HaltingLine(reached), batch, {'fit': 1.0}, config, folder).run()


@pytest.mark.slow
def test_a_killed_run_goes_on_from_its_last_checkpoint(tmp_path: Path) -> None:
    killed = tmp_path / 'killed'
    reached = apart.event()
    process = apart.started(tmp_path / 'said', halting_run, killed, reached)
    assert reached.wait(240), (tmp_path / 'said').read_text()  # a busy machine imports slowly
    process.kill()
    process.join()
    assert max(losses(killed)) == 6
    trainer(killed, steps=60).run()
    trainer(tmp_path / 'unbroken', steps=60).run()
    assert losses(killed) == pytest.approx(losses(tmp_path / 'unbroken'), abs=1e-5)


def test_one_pass_over_the_weights_is_the_plain_optimiser(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fast = trainer(tmp_path / 'fast')
    assert fast.optimizer.optimizer.defaults['fused']
    adamw = torch.optim.AdamW
    monkeypatch.setattr(
        torch.optim, 'AdamW', lambda *a, **k: adamw(*a, **{**k, 'fused': False, 'foreach': False})
    )
    plain = trainer(tmp_path / 'plain')
    for each in (fast, plain):
        each.run()
    for name, weight in plain.trained.items():
        torch.testing.assert_close(fast.trained[name], weight, rtol=1e-5, atol=1e-6)
        torch.testing.assert_close(fast.average[name], plain.average[name], rtol=1e-5, atol=1e-6)


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


def test_a_loss_that_is_not_finite_names_the_clips(tmp_path: Path) -> None:
    class Named:
        def __call__(self, step: int, micro: int, device: torch.device) -> tuple[Tensor]:
            return (torch.full((4, 1), torch.nan if (step, micro) == (2, 1) else 1.0),)

        def clip_ids(self, step: int, micro: int) -> list[str]:
            return [f'clip-{step}-{micro}', 'walk~mirrored']

    bad = trainer(tmp_path, accumulate=2)
    bad.batch = Named()
    with pytest.raises(TrainingError, match=r'Its clips: clip-2-1, walk~mirrored\.$'):
        bad.run()


# The options.


def gradient_of(model: Line, step: int = 0) -> dict[str, Tensor]:
    model(*batch(step, 0, torch.device('cpu')))['fit'].backward()
    return {name: p.grad for name, p in model.named_parameters() if p.grad is not None}


def rates(folder: Path, **changes: object) -> list[float]:
    trainer(folder, **changes).run()
    return [record['rate'] / 0.05 for record in read_log(folder)]


def test_the_rate_rises_and_falls_along_a_cosine(tmp_path: Path) -> None:
    seen = rates(tmp_path, steps=10, warmup_steps=2, final_rate_share=0.1)
    cosine = [0.1 + 0.45 * (1 + math.cos(math.pi * done / 8)) for done in range(8)]
    assert seen == pytest.approx([0.5, 1.0, *cosine])


def test_the_rate_may_stay(tmp_path: Path) -> None:
    assert rates(tmp_path, steps=5, warmup_steps=0, final_rate_share=1.0) == [1.0] * 5


def test_a_run_may_end_before_its_cosine(tmp_path: Path) -> None:
    seen = rates(tmp_path, steps=4, warmup_steps=0, final_rate_share=0.0, cosine_steps=8)
    assert seen == pytest.approx([0.5 * (1 + math.cos(math.pi * s / 8)) for s in range(4)])


def test_backbone_and_head_have_their_own_rates(tmp_path: Path) -> None:
    # The first step of Adam moves every parameter by its rate.
    run = trainer(
        tmp_path, head_learning_rate=0.02, warmup_steps=0, weight_decay=0.0, final_rate_share=1.0
    )
    before = {name: p.detach().clone() for name, p in run.raw.named_parameters()}
    run._train_step()
    for name, parameter in run.raw.named_parameters():
        rate = 0.05 if name.startswith('backbone') else 0.02
        assert float((parameter.detach() - before[name]).abs()) == pytest.approx(rate, rel=1e-3), (
            name
        )


def test_only_matrices_decay(tmp_path: Path) -> None:
    class Kinds(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.table, self.positions = nn.Embedding(3, 4), nn.Parameter(torch.ones(3, 4))
            self.attention, self.norm = nn.MultiheadAttention(4, 2), nn.LayerNorm(4)
            self.backbone, self.head = nn.Linear(4, 4), nn.Linear(4, 1)

        def head_parameters(self) -> list[nn.Parameter]:
            return list(self.head.parameters())

        def forward(self, x: Tensor) -> dict[str, Tensor]:
            return {'none': sum(p.sum() for p in self.parameters()) * 0.0}

    module = Kinds()
    nn.init.ones_(module.backbone.bias)
    before = {name: p.detach().clone() for name, p in module.named_parameters()}
    changes = {'weight_decay': 0.5, 'warmup_steps': 0, 'head_learning_rate': 0.1}
    config = dataclasses.replace(CONFIG, **changes)
    Trainer(module, batch, {'none': 1.0}, config, tmp_path).train_step()
    matrices = ('attention.in_proj_weight', 'attention.out_proj.weight', 'backbone.weight')
    for name, p in module.named_parameters():
        rate = {'head.weight': 0.1, **dict.fromkeys(matrices, 0.05)}.get(name, 0.0)
        torch.testing.assert_close(p.detach(), (1 - 0.5 * rate) * before[name], msg=name)


@pytest.mark.parametrize(('bound', 'scale'), [(0.0, 1.0), (1e6, 1.0), (0.01, None)])
def test_gradients_are_clipped_to_a_norm(
    bound: float, scale: float | None, tmp_path: Path
) -> None:
    run = trainer(tmp_path, clip_norm=bound)
    wanted = gradient_of(Line())
    norm = float(torch.cat([g.flatten() for g in wanted.values()]).norm())
    used: dict[str, Tensor] = {}

    def keep(*_: object) -> None:
        used.update({name: p.grad.clone() for name, p in run.trained.items()})

    run.optimizer.optimizer.register_step_pre_hook(keep)
    assert run._train_step()['gradient_norm'] == pytest.approx(norm, rel=1e-5)
    for name, gradient in used.items():
        expected = wanted[name] * (bound / norm if scale is None else scale)
        torch.testing.assert_close(gradient, expected, rtol=1e-4, atol=1e-6)


def test_the_fused_optimiser_steps_as_the_plain_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def trained(name: str) -> dict[str, Tensor]:
        run = trainer(tmp_path / name, steps=12, weight_decay=0.1)
        run.run()
        return run.raw.state_dict()

    fused, adamw = trained('fused'), torch.optim.AdamW
    monkeypatch.setattr(torch.optim, 'AdamW', lambda *a, **k: adamw(*a, **{**k, 'fused': False}))
    for name, value in trained('plain').items():
        torch.testing.assert_close(fused[name], value, rtol=1e-5, atol=1e-6)


def test_the_average_follows_the_weights_with_its_decay(tmp_path: Path) -> None:
    run = trainer(tmp_path, ema_decay=0.5)
    expected = float(run.average['head.bias'])
    for step in range(20):
        run._train_step()
        run.step += 1
        decay = min(0.5, (1 + step) / (10 + step))
        expected = decay * expected + (1 - decay) * float(run.trained['head.bias'].detach())
    assert float(run.average['head.bias']) == pytest.approx(expected, rel=1e-5)


def test_half_precision_trains_too(tmp_path: Path) -> None:
    seen = []
    run = trainer(tmp_path, steps=60, precision='bf16')
    run.raw.backbone.register_forward_hook(lambda *found: seen.append(found[2].dtype))
    run.run()
    assert set(seen) == {torch.bfloat16}
    assert run.raw.backbone.weight.dtype == torch.float32
    curve = losses(tmp_path)
    assert curve[60] < 0.3 * curve[1]


@pytest.mark.parametrize(
    ('option', 'value'), [('precision', 'fp16'), ('accumulate', 0), ('batch_size', 0)]
)
def test_impossible_options_are_refused(option: str, value: object) -> None:
    with pytest.raises(ConfigError, match=rf'optim\.{option} is {value!r}'):
        dataclasses.replace(CONFIG, **{option: value})


def test_without_a_decay_the_average_is_the_last_weights(tmp_path: Path) -> None:
    run = trainer(tmp_path, ema_decay=0.0)
    run._train_step()
    assert all(torch.equal(run.average[name], p) for name, p in run.trained.items())


class Counting(Line):
    """Two terms that are means over different numbers of items."""

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        error = self.head(self.backbone(x)) - (2 * x + 1)
        some = error[x > 0]
        few = some.square().sum() / max(len(some), 1)
        return {'fit': error.square().mean(), 'few': few}

    @staticmethod
    def counts(x: Tensor) -> dict[str, int]:
        return {'fit': len(x), 'few': int((x > 0).sum())}


def test_micro_batches_of_different_counts_give_the_gradient_of_the_whole(tmp_path: Path) -> None:
    parts = (torch.tensor([[1.0], [-1.0], [-2.0]]), torch.tensor([[0.5], [2.0]]))
    weights = {'fit': 1.0, 'few': 0.3}
    config = dataclasses.replace(CONFIG, accumulate=2, clip_norm=0.0)
    run = Trainer(
        Counting(), lambda step, micro, device: (parts[micro],), weights, config, tmp_path
    )
    whole = Counting()
    terms = whole(torch.cat(parts))
    (terms['fit'] + 0.3 * terms['few']).backward()
    norm = torch.cat([p.grad.flatten() for p in whole.parameters()]).norm()
    logged = run._train_step()
    assert logged['gradient_norm'] == pytest.approx(float(norm), rel=1e-5)
    assert logged['fit'] == pytest.approx(float(terms['fit'].detach()), rel=1e-5)
    assert logged['few'] == pytest.approx(float(terms['few'].detach()), rel=1e-5)


def test_a_term_that_is_not_counted_is_refused(tmp_path: Path) -> None:
    class Forgetful(Counting):
        @staticmethod
        def counts(x: Tensor) -> dict[str, int]:
            return {'fit': len(x)}

    run = Trainer(Forgetful(), batch, {'fit': 1.0}, CONFIG, tmp_path)
    with pytest.raises(TrainingError, match="'few' is in no count"):
        run._train_step()


# What is written.


def test_tensorboard_has_the_figures_of_the_log(tmp_path: Path) -> None:
    pytest.importorskip('tensorboard')
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    run = trainer(tmp_path)
    run.validate = lambda: {'error': 0.25}
    run.run()
    board = EventAccumulator(str(tmp_path / 'tensorboard'))
    board.Reload()
    drawn = {event.step: event.value for event in board.Scalars('train/loss')}
    assert drawn == pytest.approx(losses(tmp_path))
    assert [(e.step, e.value) for e in board.Scalars('val/error')] == [
        (step, 0.25) for step in (4, 8, 12)
    ]


def test_training_needs_no_tensorboard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, 'torch.utils.tensorboard', None)
    trainer(tmp_path).run()
    assert len(losses(tmp_path)) == 12
    assert not (tmp_path / 'tensorboard').exists()


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
    with pytest.raises(TrainingError, match='weight_decay spared other parameters'):
        trainer(tmp_path, weight_decay=0.0).run()
