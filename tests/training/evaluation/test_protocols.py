# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Protocols of evaluation: figures and intervals, baselines, and the command."""

from __future__ import annotations

import argparse
import json
import math
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.distance import pdist

from mgpt3_ros.cli import evaluate
from mgpt3_ros.model.errors import ConfigError
from mgpt3_ros.model.motion import Motion
from mgpt3_ros.model.motiongpt3 import MotionGPT3
from mgpt3_ros.model.sampling import noise_source
from mgpt3_ros.training.data.clip import Clip
from mgpt3_ros.training.evaluation import baselines
from mgpt3_ros.training.evaluation.measures import mpjpe_mm, reconstruct_all
from mgpt3_ros.training.evaluation.metrics import MetricError
from mgpt3_ros.training.evaluation.protocols import (
    PROTOCOLS,
    ProtocolConfig,
    inbetween,
    prediction,
    reconstruction,
)
from mgpt3_ros.training.evaluation.results import Evaluation, Figure, figure
from tests.support.tiny import swinging_motion, tiny_model
from tests.support.tiny_pack import write_tiny_pack
from tests.support.tiny_tmr import tiny_encoder


def clip(joints: np.ndarray, name: str = 'c') -> Clip:
    return Clip(name, joints.astype(np.float32), ('a person walks.',), 'val', 'bandai', 'walk')


@pytest.fixture(scope='module')
def model() -> MotionGPT3:
    return tiny_model()


@pytest.fixture(scope='module')
def clips() -> list[Clip]:
    frames = (64, 80, 90, 30)
    return [clip(swinging_motion(i, n, 0.3 * i), f'c{i}') for i, n in enumerate(frames)]


def test_a_figure_is_a_weighted_mean_with_an_interval_over_clips() -> None:
    rng = np.random.default_rng(0)
    values = rng.normal(5, 2, 400)
    found = figure(values)
    # The bootstrap's interval is near the one of the normal distribution: 1.96 s / sqrt(n).
    half = 1.96 * values.std(ddof=1) / 20
    assert found.mean == pytest.approx(values.mean())
    assert found.high - found.mean == pytest.approx(half, rel=0.1)
    assert found.mean - found.low == pytest.approx(half, rel=0.1)
    assert figure([1, 4], [3, 1]).mean == pytest.approx(1.75)
    assert math.isnan(figure([1.0]).low)
    with pytest.raises(MetricError, match='1 of 2 samples hold NaN'):
        figure([1.0, math.nan])
    with pytest.raises(MetricError, match='must be positive'):
        figure([1.0, 2.0], [1.0, 0.0])


def test_table_and_json() -> None:
    figures = {
        'a': {'x [m]': Figure(1, 0.5, 1.5, 9)},
        'b': {'y': Figure(2, math.nan, math.nan, 1)},
    }
    found = Evaluation('p', figures)
    assert found.table().splitlines() == [
        '| p | a | b |', '|---|---|---|', '| x [m] | 1 [0.5, 1.5] |  |', '| y |  | 2 |',
    ]  # fmt: skip
    plain = json.loads(json.dumps(found.as_dict(), allow_nan=False))
    alone = {'mean': 2, 'low': None, 'high': None, 'clips': 1, 'replications': None}
    assert plain['figures']['b']['y'] == alone


def test_baselines_by_hand() -> None:
    observed = np.zeros((6, 2, 3))
    observed[:, 0] = np.arange(6)[:, None] * [0.1, 0.2, 0.3]  # the root
    observed[:, 1] = np.arange(6)[:, None] * [0.0, 0.0, 0.5]
    still = baselines.stand_still(observed, 2)
    np.testing.assert_allclose(still, [observed[-1]] * 2)
    np.testing.assert_allclose(baselines.glide(observed, 2)[1], observed[-1] + [0.2, 0, 0.6])
    np.testing.assert_allclose(
        baselines.extrapolate(observed, 2)[1], [[0.7, 1.4, 2.1], [0, 0, 3.5]]
    )
    line = baselines.interpolate(observed[:1], observed[-1:], 4)
    np.testing.assert_allclose(line, observed[1:5])
    np.testing.assert_allclose(baselines.extrapolate(observed[:1], 2)[1], observed[0])


def test_prediction_of_a_steady_walk_is_perfect_by_constant_velocity(model: MotionGPT3) -> None:
    joints = np.repeat(swinging_motion(0, 2)[:1], 70, axis=0)
    joints[..., 2] += 0.05 * np.arange(70)[:, None]  # 1 m/s
    found = prediction(model, [clip(joints)]).figures
    for name in ('constant velocity of the body', 'constant velocity of each joint'):
        assert all(value.mean == pytest.approx(0, abs=1e-3) for value in found[name].values())
    still = found['standing still']
    for seconds in ('0.5', '1', '2'):
        error = still[f'joint error at {seconds} s [mm]'].mean
        assert error == pytest.approx(1000 * float(seconds), rel=1e-4)
    assert still['FDE [m]'].mean == pytest.approx(2 * math.sqrt(22), rel=1e-4)
    assert found['model'].keys() == still.keys()


def test_prediction_sees_only_the_beginning(
    model: MotionGPT3, clips: list[Clip], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []

    def perfect(observed: Motion, horizon_s: float, num_hypotheses: int, **_: object) -> object:
        seen.append((observed.num_frames, horizon_s, num_hypotheses))
        truth = next(c.joints for c in clips if np.array_equal(c.joints[:30], observed.joints))
        return [Motion(truth[30:70])] * num_hypotheses

    monkeypatch.setattr(model, 'predict_many', perfect)
    found = prediction(model, clips, ProtocolConfig(replications=2, observed_s=1.5))
    assert seen == [(30, 2.0, 2)] * 2
    assert found.skipped == {'fewer than 70 frames': 2}
    assert all(value.mean == 0 for value in found.figures['model'].values())
    assert found.figures['standing still']['ADE [m]'].clips == 2


def test_inbetween_gives_the_ends_and_asks_for_the_middle(
    model: MotionGPT3, clips: list[Clip], monkeypatch: pytest.MonkeyPatch
) -> None:
    def perfect(start: Motion, end: Motion, duration_s: float, **_: object) -> Motion:
        truth = next(c.joints for c in clips if np.array_equal(c.joints[0], start.joints[0]))
        frames = round(20 * duration_s)
        assert start.num_frames == end.num_frames == len(truth) // 4
        assert start.num_frames + frames + end.num_frames == len(truth)
        assert np.array_equal(end.joints, truth[-end.num_frames :])
        return Motion(truth[start.num_frames :][:frames])

    monkeypatch.setattr(model, 'inbetween', perfect)
    figures = inbetween(model, clips[:3]).figures
    for measure in ('joint error [mm]', 'ADE [m]', 'FDE [m]'):
        assert figures['model'][measure].mean == 0
        assert figures['standing still'][measure].mean > figures['straight line'][measure].mean


def test_reconstruction_is_that_of_the_card(model: MotionGPT3, clips: list[Clip]) -> None:
    found = reconstruction(model, clips).figures
    pairs = reconstruct_all(model, clips)
    made = found['reconstruction']
    assert made['MPJPE in the world [mm]'].mean == pytest.approx(mpjpe_mm(pairs))
    assert made['MPJPE from the root [mm]'].mean == pytest.approx(mpjpe_mm(pairs, relative=True))
    assert set(found['real']) == {
        'foot slide [m/s]', 'floating [mm]', 'penetration [mm]', 'jitter [m/s^3]',
    }  # fmt: skip
    assert set(found['real']) < set(made)


@pytest.mark.parametrize('name', PROTOCOLS)
def test_every_protocol_repeats_itself_and_refuses_what_it_cannot_use(
    model: MotionGPT3, clips: list[Clip], name: str
) -> None:
    run = PROTOCOLS[name]
    broken = clip(swinging_motion(0, 80))
    broken.joints[3] = np.nan
    first = run(model, [*clips, broken], ProtocolConfig(clips=2))
    assert run(model, [*clips, broken], ProtocolConfig(clips=2)).as_dict() == first.as_dict()
    assert first.skipped['NaN or infinity'] == 1
    assert all(v.clips == 2 for group in first.figures.values() for v in group.values())
    with pytest.raises(MetricError, match='none of 1 clips can be used'):
        run(model, [broken], None)


@pytest.mark.parametrize('bad', [{'replications': 0}, {'observed_s': 0.05}, {'clips': 0}])
def test_bad_settings(bad: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match=next(iter(bad))):
        ProtocolConfig(**bad)  # type: ignore[arg-type]


def test_the_command_prints_a_table_and_writes_json(
    model: MotionGPT3, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model.save_pretrained(tmp_path / 'model')
    frames = (40, 48, 56, 64, 72, 44, 52, 80)
    pack = write_tiny_pack(tmp_path / 'pack', frames=frames)
    parser = argparse.ArgumentParser()
    evaluate.add_options(parser)
    output = tmp_path / 'found.json'
    arguments = parser.parse_args(
        [
            *(str(tmp_path / 'model'), '--data', str(pack)),
            *('--protocol', 'prediction', '--device', 'cpu', '-o', str(output)),
        ]
    )
    assert evaluate.run(arguments) == 0
    table = capsys.readouterr().out.splitlines()
    assert table[0].startswith('| prediction | model | standing still | constant velocity of')
    assert [row.split(' |')[0] for row in table[2:]] == [
        '| joint error at 0.5 s [mm]', '| joint error at 1 s [mm]', '| joint error at 2 s [mm]',
        '| ADE [m]', '| FDE [m]',
    ]  # fmt: skip
    written = json.loads(output.read_text())
    assert written['checkpoint'] == 'tiny'
    assert written['figures']['model']['ADE [m]']['clips'] == 1


def test_forecasts_have_a_multimodality_where_there_is_an_evaluator(
    model: MotionGPT3, clips: list[Clip]
) -> None:
    evaluator = tiny_encoder()
    config = ProtocolConfig(replications=3)
    found = prediction(model, clips[:2], config, evaluator=evaluator).figures['model']
    apart = []
    for number, one in enumerate(clips[:2]):
        motions = model.predict_many(
            Motion(one.joints[:20]), 2.0, 3, generator=noise_source(number)
        )
        embedded = evaluator.embed_motions([motion.joints for motion in motions])
        apart.append(pdist(embedded).mean())
    assert found['MultiModality'].mean == pytest.approx(np.mean(apart), rel=1e-4)
    alone = prediction(model, clips[:2], ProtocolConfig(), evaluator=evaluator).figures['model']
    assert 'MultiModality' not in alone
