# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import dataclasses
import math
from typing import Any

import pytest
import torch
from torch import Tensor

from mgpt3_ros.model.config import from_dict, to_dict
from mgpt3_ros.model.errors import ConfigError
from mgpt3_ros.model.network.backbone_config import BackboneConfig
from mgpt3_ros.model.network.decoding import DecodingConfig, write_text
from mgpt3_ros.model.network.heads import HeadConfig
from mgpt3_ros.model.network.heads.base import Draw
from mgpt3_ros.model.network.network import (
    MotionGPT3Network,
    MotionInputs,
    NetworkConfig,
    duration_features,
)
from mgpt3_ros.model.network.next_word import NextWord
from mgpt3_ros.model.network.sequences import IGNORED, TokenBatch, TokenSequence, collate
from mgpt3_ros.model.network.vae import VaeConfig
from mgpt3_ros.model.network.vae.mld import MldConfig
from mgpt3_ros.model.sampling import SamplingOptions
from mgpt3_ros.training.run_config import load_run_config
from mgpt3_ros.training.stages import freeze_all_but
from mgpt3_ros.training.tasks import TaskBatcher, TaskMix, TaskOptions
from tests.support.seeded import fill_by_name, numbers

V, K, L, C = 20, 2, 2, 8
SOM, EOM, OUT, IN = V, V + 1, V + 4, V + 5
INPUT, OUTPUT = [SOM, IN, IN, EOM], [SOM, OUT, OUT, EOM]
FIRST = torch.tensor([0.0, 0.0, 0.0, 1.0])


def small(**changes: object) -> MotionGPT3Network:
    """The paper's parts at a small size, its weights functions of their names."""
    config = NetworkConfig(
        backbone=BackboneConfig(V, n_positions=48, n_embd=16, n_layer=2, n_head=2, dropout=0.1),
        vae=VaeConfig(mld=MldConfig(L, C, ff_width=12, layers=3, heads=2)),
        head=HeadConfig(width=12, depth=1, num_inference_steps=4, dropout=0.0),
        holders=K,
    )
    network = MotionGPT3Network(dataclasses.replace(config, **changes)).eval()
    fill_by_name(network)
    return network


def batch_of(*rows: list[int], **padding: Any) -> TokenBatch:
    unlearned = {EOM, OUT, IN}
    sequences = [
        TokenSequence(row, [IGNORED if i in unlearned else i for i in row]) for row in rows
    ]
    return collate(sequences, pad_id=0, **padding)


def motions_of(latents: Tensor, frames: list[float], told: list[float]) -> MotionInputs:
    places = FIRST.expand(len(latents), 4)
    return MotionInputs(latents, torch.tensor(frames), places, torch.tensor(told))


@pytest.mark.parametrize('context', [False, True])
def test_holders_are_filled_in_reading_order(context: bool) -> None:
    network = small(motion_context=context)
    rows = [[3, *INPUT, 4, *INPUT, 5], [*INPUT, 6, 7], [8, *OUTPUT]]
    latents, frames = numbers(1, 3, L, C), [30.0, 40.0, 50.0]
    batch = batch_of(*rows)
    with torch.no_grad():
        whole = network.hidden(batch.ids, batch.mask, motions_of(latents, frames, [60.0]))
        for row, held in enumerate((slice(0, 2), slice(2, 3), slice(3, 3))):
            alone = motions_of(latents[held], frames[held], [60.0] if row == 2 else [])
            single = batch_of(rows[row])
            hidden = network.hidden(single.ids, single.mask, alone)
            count = len(rows[row])
            torch.testing.assert_close(whole.text[row, :count], hidden.text[0], rtol=0, atol=1e-5)
            torch.testing.assert_close(
                whole.motion[row, :count], hidden.motion[0], rtol=0, atol=1e-5
            )
        swapped = motions_of(latents[[1, 0, 2]], [40.0, 30.0, 50.0], [60.0])
        other = network.hidden(batch.ids, batch.mask, swapped)
    assert not torch.allclose(other.text[0], whole.text[0])
    assert torch.equal(other.text[1], whole.text[1])


def test_output_states_come_in_reading_order() -> None:
    network = small()
    batch = batch_of([3, *OUTPUT, 4, *OUTPUT], [5, 6, 7, *OUTPUT])
    with torch.no_grad():
        hidden = network.hidden(batch.ids, batch.mask, None)
        output = network.output_hidden(hidden, batch.ids)
    wanted = [hidden.motion[0, 2:4], hidden.motion[0, 7:9], hidden.motion[1, 4:6]]
    assert torch.equal(output, torch.stack(wanted))


def test_a_norm_before_the_head_on_request() -> None:
    network = small(hidden_norm=True)
    batch = batch_of([3, *OUTPUT])
    with torch.no_grad():
        hidden = network.hidden(batch.ids, batch.mask, None)
        output = network.output_hidden(hidden, batch.ids)[0] - network.hidden_positions
        plain = (output - network.hidden_norm.bias) / network.hidden_norm.weight
    torch.testing.assert_close(plain.mean(dim=-1), torch.zeros(K), rtol=0, atol=1e-5)
    torch.testing.assert_close(plain.std(dim=-1, correction=0), torch.ones(K))


def test_whitening_is_undone() -> None:
    network = small()
    network.latent_mean.copy_(numbers(3, L, C))
    network.latent_std.copy_(numbers(4, L, C).abs() + 0.1)
    latent = numbers(5, 6, L, C)
    torch.testing.assert_close(network.unwhiten(network.whiten(latent)), latent)
    assert not torch.allclose(network.whiten(latent), latent)


def test_durations_are_told_in_log_and_plain_and_may_be_unknown() -> None:
    features = duration_features(torch.tensor([60.0, 120.0, 0.0]))
    wanted = [[0.0, 0.0, 1.0], [math.log(2), 1.0, 1.0], [0.0, 0.0, 0.0]]
    torch.testing.assert_close(features, torch.tensor(wanted))


def test_only_durations_that_are_not_told_are_learned() -> None:
    network = small(motion_context=True)
    batch = batch_of([3, *OUTPUT], [4, *OUTPUT])
    target, durations = numbers(1, 2, L, C), torch.tensor([30.0, 90.0])

    def duration_term(told: list[float], durations: Tensor) -> Tensor:
        motions = motions_of(torch.zeros(0, L, C), [], told)
        return network(batch, motions, target, durations)['duration']

    both = duration_term([0.0, 0.0], durations)
    assert both > 0
    assert duration_term([30.0, 90.0], durations) == 0
    one = duration_term([0.0, 90.0], durations)
    assert torch.equal(one, duration_term([0.0, 90.0], torch.tensor([30.0, 10.0])))
    one.backward()
    assert network.duration_out[2].weight.grad.abs().sum() > 0


def test_terms_are_what_a_batch_has() -> None:
    network = small(motion_context=True)
    text_only = batch_of([3, 1, 4], [1, 5])
    assert set(network(text_only, None)) == {'text'}
    none = motions_of(torch.zeros(0, L, C), [], [])
    assert set(network(text_only, none, torch.zeros(0, L, C))) == {'text'}
    told = motions_of(torch.zeros(0, L, C), [], [0.0])
    terms = network(batch_of([3, *OUTPUT]), told, numbers(1, 1, L, C), torch.tensor([30.0]))
    assert set(terms) == {'text', 'diffusion', 'duration'}


def test_the_text_loss_is_of_the_labels_alone() -> None:
    network = small()
    batch = batch_of([3, 1, 4, 1, 5], [9, 2])
    with torch.no_grad():
        loss = network(batch, None)['text']
        losses = []
        for row in ([3, 1, 4, 1, 5], [9, 2]):
            ids = torch.tensor([row])
            logits = network.backbone.text_logits(network.hidden(ids, None, None).text)[0]
            picked = logits.log_softmax(-1)[torch.arange(len(row) - 1), row[1:]]
            losses += (-picked).tolist()
    assert float(loss) == pytest.approx(sum(losses) / len(losses), abs=1e-5)
    nothing = TokenBatch(batch.ids, torch.full_like(batch.labels, IGNORED), batch.mask)
    zero = network(nothing, None)['text']
    zero.backward()
    assert zero == 0


def test_words_without_weight_are_left_out_of_training_alone() -> None:
    network, batch = small(), batch_of([3, 1, *OUTPUT, 0])
    motions, target = motions_of(torch.zeros(0, L, C), [], [0.0]), numbers(1, 1, L, C)
    network.learns_words = False
    assert set(network.train()(batch, motions, target)) == {'diffusion'}
    assert set(network.eval()(batch, motions, target)) == {'text', 'diffusion'}


@torch.no_grad()
@pytest.mark.parametrize('padded', [False, True])
def test_motion_is_the_same_where_words_are_not_wanted_and_places_are_known(padded: bool) -> None:
    network = small(motion_context=True)
    rows = [[3, *INPUT, 4, *OUTPUT], [5, 6, *OUTPUT, *INPUT] if not padded else [*OUTPUT]]
    batch = batch_of(*rows)
    latents = numbers(1, 1 if padded else 2, L, C)
    motions = motions_of(latents, [30.0, 40.0][: len(latents)], [60.0, 0.0])
    plain = network.hidden(batch.ids, batch.mask, motions)
    known = network.laid_out(batch)
    assert known.layout is not None
    assert known.layout.padded == padded
    fast = network.hidden(known.ids, known.mask, motions, layout=known.layout, words_wanted=False)
    assert torch.equal(fast.motion, plain.motion)
    assert not fast.text.any()
    assert torch.equal(
        network.output_hidden(fast, known.ids), network.output_hidden(plain, batch.ids)
    )
    with_words = network.hidden(known.ids, known.mask, motions, layout=known.layout)
    assert torch.equal(with_words.text, plain.text)
    assert network.text_loss(with_words, known) == network.text_loss(plain, batch)


def test_the_table_of_words_learns_as_it_would_in_two_gradients(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    batch, found = batch_of([3, 1, 4, 1, 5], [9, *OUTPUT, 2]), []
    for shared in (True, False):
        network = small()
        if not shared:
            monkeypatch.setattr(network.backbone, 'table_use', lambda: None)
        network(batch, None)['text'].backward()
        found.append(network.backbone.text.wte.weight.grad)
    torch.testing.assert_close(found[0], found[1], rtol=1e-6, atol=1e-7)


@torch.no_grad()
def test_padding_is_learned_only_as_a_reference() -> None:
    """As the authors do: padding predicts padding from the tokens before it, not from padding."""
    sizes = dataclasses.replace(small().config.backbone, reference_masking=True)
    network = small(backbone=sizes)
    row = [3, 1, *OUTPUT, 0]
    batch = batch_of(row, pad_to=12, learn_padding=True)
    hidden = network.hidden(batch.ids, batch.mask, None)
    longer = batch_of(row, pad_to=20, learn_padding=True)
    again = network.hidden(longer.ids, longer.mask, None)
    torch.testing.assert_close(hidden.text, again.text[:, :12], rtol=0, atol=1e-5)
    assert hidden.text[0, -1].abs().sum() > 0
    assert float(network.text_loss(hidden, batch)) == pytest.approx(3.338937, abs=1e-4)
    with pytest.raises(ConfigError, match='reference_masking'):
        TaskBatcher(None, small(), None, None, TaskMix(), TaskOptions(learn_padding=True), None)  # type: ignore[arg-type]


# ---------------------------------------------------------------------- the frozen text branch


def training_steps(network: MotionGPT3Network, losses: dict[str, float], steps: int = 3) -> None:
    """Some steps on texts, captions and motions to be drawn, dropout and all."""
    trained = [p for p in network.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=1e-2, weight_decay=0.1)
    batch = batch_of([3, 1, *OUTPUT, 0], [*INPUT, 4, 1, 5, 0], [6, *INPUT, *OUTPUT, 0])
    network.train()
    for step in range(steps):
        motions = motions_of(numbers(step, 2, L, C), [30.0, 40.0], [0.0, 50.0])
        durations = torch.tensor([60.0, 50.0])
        terms = network(batch, motions, numbers(9, 2, L, C), durations)
        optimizer.zero_grad()
        sum(losses[name] * term for name, term in terms.items()).backward()
        optimizer.step()
    network.eval()


@torch.no_grad()
def text_logits(network: MotionGPT3Network) -> Tensor:
    ids = torch.tensor([[3, 1, 4, 1, 5, 9, 2, 6], [5, 3, 5, 8, 9, 7, 9, 3]])
    return network.backbone.text_logits(network.hidden(ids, None, None).text)[..., :V]


@pytest.mark.parametrize('stage', ['t2m', 'align'])
@pytest.mark.parametrize('width', [None, 24])
def test_stages_1_and_2_leave_the_text_branch_untouched(stage: str, width: int | None) -> None:
    """Bit for bit, the rows of the two markers aside."""
    backbone = dataclasses.replace(small().config.backbone, motion_width=width)
    network = small(motion_context=True, backbone=backbone)
    before = text_logits(network)
    kept = [p.clone() for p in network.backbone.parameter_groups()['text']]
    moved = {name: p.clone() for name, p in network.named_parameters()}
    freeze_all_but(network, load_run_config('small').stages[stage].trained)
    training_steps(network, {'text': 0.5, 'diffusion': 1.0, 'duration': 0.3})
    assert torch.equal(text_logits(network), before)
    assert all(map(torch.equal, network.backbone.parameter_groups()['text'], kept))
    for name in ('marker_embedding', 'layers.0.motion.qkv.weight', 'motion.wte.weight'):
        assert not torch.equal(network.backbone.get_parameter(name), moved[f'backbone.{name}'])


def test_training_the_text_branch_would_be_seen() -> None:
    network = small(motion_context=True)
    before = text_logits(network)
    freeze_all_but(network, ('text', 'motion', 'markers', 'holders', 'duration', 'head'))
    training_steps(network, {'text': 0.5, 'diffusion': 1.0, 'duration': 0.3}, steps=1)
    assert not torch.equal(text_logits(network), before)


# ---------------------------------------------------------------------- golden values
# Of this code, after it was shown to compute what the authors' does.


@torch.no_grad()
def test_golden_training_step() -> None:
    network = small()
    batch = batch_of([3, 1, *OUTPUT, 0], [*INPUT, 4, 1, 5, 0], [6, *INPUT, *OUTPUT, 0])
    motions = motions_of(numbers(1, 2, L, C), [30.0, 40.0], [60.0, 50.0])
    hidden = network.hidden(batch.ids, batch.mask, motions)
    time, dropped = torch.tensor([3, 500, 999, 20]), torch.tensor([False, True, False, False])
    draw = Draw(time, numbers(2, 4, L, C), dropped)
    output = network.output_hidden(hidden, batch.ids)
    terms = network.head.loss_of(numbers(3, 2, L, C), output, draw)
    assert float(network.text_loss(hidden, batch)) == pytest.approx(3.571332, abs=1e-4)
    assert float(terms['diffusion']) == pytest.approx(2.084120, abs=1e-4)


@torch.no_grad()
def test_golden_motion() -> None:
    network = small()
    batch = batch_of([3, 1, 4, *OUTPUT, 0])
    hidden = network.hidden(batch.ids, batch.mask, None)
    noise = iter(numbers(4, 4, 1, L, C))
    output = network.output_hidden(hidden, batch.ids)
    latent = network.head.denoise(lambda: next(noise), output, SamplingOptions(3.0, 4))
    features = network.vae.decode(network.unwhiten(latent), torch.tensor([9]))
    assert latent[0, 0, :3].tolist() == pytest.approx([-16.10452, 70.65793, -71.86792], rel=1e-3)
    assert features[0, 8, :3].tolist() == pytest.approx([-0.46769, 0.14090, -0.85425], abs=1e-3)


def test_golden_caption() -> None:
    network = small()
    ids = torch.tensor([[2, *INPUT, 3]])
    motions = motions_of(numbers(5, 1, L, C), [30.0], [])
    config = DecodingConfig(max_tokens=8)
    written = write_text(network, ids, torch.ones_like(ids).bool(), motions, config, (SOM, EOM), 0)
    assert written == [[18, 18, 18, 18, 18, 6, 6, 6]]


# ---------------------------------------------------------------------- configuration


def test_the_vocabulary_has_one_size() -> None:
    backbone = BackboneConfig(280)
    with pytest.raises(ConfigError, match=r'network.vocab_size is 300, but .* is 280'):
        NetworkConfig(backbone, vocab_size=300)
    older = {'vocab_size': 280, 'backbone': {'vocab_size': 280}}
    assert from_dict(NetworkConfig, older) == NetworkConfig(backbone)
    assert 'vocab_size' not in to_dict(NetworkConfig(backbone))
    with pytest.raises(ConfigError, match=r'network.vocab_size: expected int'):
        from_dict(NetworkConfig, {**older, 'vocab_size': 'many'}, 'network')


def rows_of_passes(network: MotionGPT3Network, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Of each pass that words take from now on, the plain way or the short one: its rows."""
    rows: list[int] = []
    hidden, short = network.hidden, NextWord.__call__
    monkeypatch.setattr(
        network, 'hidden', lambda ids, *a, **k: rows.append(len(ids)) or hidden(ids, *a, **k)
    )
    monkeypatch.setattr(
        NextWord, '__call__', lambda self, ids, *a: rows.append(len(ids)) or short(self, ids, *a)
    )
    return rows


def test_words_take_one_pass_each(monkeypatch: pytest.MonkeyPatch) -> None:
    network = small()
    passes = rows_of_passes(network, monkeypatch)
    ids = torch.tensor([[2, 7, 3]])
    config = DecodingConfig(max_tokens=5)
    (written,) = write_text(network, ids, torch.ones_like(ids).bool(), None, config, (SOM, EOM), 0)
    assert len(written) == len(passes) == 5


def test_rows_that_have_ended_leave_the_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    """Plain: each row alone."""
    network = small()
    ids = torch.tensor([[2, 7, 3], [5, 1, 9], [4, 4, 8]])
    config = DecodingConfig(max_tokens=8)

    def texts(rows: torch.Tensor, eos: int) -> list[list[int]]:
        mask = torch.ones_like(rows).bool()
        return write_text(network, rows, mask, None, config, (SOM, EOM), eos)

    without_end = [texts(row[None], -1)[0] for row in ids]
    sizes = rows_of_passes(network, monkeypatch)
    found = 0
    for eos in {token for row in without_end for token in row}:
        plain = [texts(row[None], eos)[0] for row in ids]
        sizes.clear()
        assert texts(ids, eos) == plain
        lasting = [len(row) for row in plain]
        found += min(lasting) < max(lasting) and sizes[-1] < 3
    assert found
