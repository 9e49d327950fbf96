# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Metrics in reference mode against the figures that the authors' code gave."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from mgpt3_ros.training.evaluation import metrics
from mgpt3_ros.training.evaluation.metrics.captions import resampled
from mgpt3_ros.training.evaluation.metrics.poses import (
    frame_accl,
    frame_mpjpe,
    frame_pa_mpjpe,
)

EXACT = {'rel': 1e-6}


@pytest.fixture(scope='module')
def inputs(parity_dir: Path) -> dict[str, np.ndarray]:
    with np.load(parity_dir / 'metrics.npz') as data:
        return dict(data)


@pytest.fixture(scope='module')
def outputs(parity_dir: Path) -> dict[str, Any]:
    return json.loads((parity_dir / 'metrics.json').read_text(encoding='utf-8'))


@pytest.fixture(scope='module')
def nlg(parity_dir: Path) -> dict[str, Any]:
    return json.loads((parity_dir / 'nlg.json').read_text(encoding='utf-8'))


def seed_of(outputs: dict[str, Any], name: str) -> tuple[str, int, int]:
    """The key beginning with ``name``, and what it says: NAME_pairs_np_seedN."""
    key = next(key for key in outputs if key.startswith(name))
    _, pairs, _, seed = key.split('_')
    return key, int(pairs), int(seed.removeprefix('seed'))


def test_fid(inputs: dict[str, np.ndarray], outputs: dict[str, Any]) -> None:
    found = metrics.fid(inputs['fid_gen'], inputs['fid_ref'])
    assert found == pytest.approx(outputs['FID'], **EXACT)


def test_diversity(inputs: dict[str, np.ndarray], outputs: dict[str, Any]) -> None:
    key, pairs, seed = seed_of(outputs, 'Diversity')
    found = metrics.diversity(inputs['fid_gen'], pairs, np.random.RandomState(seed))
    assert found == pytest.approx(outputs[key], **EXACT)


def test_multimodality(inputs: dict[str, np.ndarray], outputs: dict[str, Any]) -> None:
    key, pairs, seed = seed_of(outputs, 'MultiModality')
    found = metrics.multimodality(inputs['mm'], pairs, np.random.RandomState(seed))
    assert found == pytest.approx(outputs[key], **EXACT)


def test_retrieval(inputs: dict[str, np.ndarray], outputs: dict[str, Any]) -> None:
    found = metrics.retrieval(inputs['rp_text'], inputs['rp_motion'])
    assert found.r_precision == pytest.approx(outputs['R_precision_noshuffle'], **EXACT)
    assert found.mm_dist == pytest.approx(outputs['Matching_score_noshuffle'], **EXACT)
    assert found.count == len(inputs['rp_text'])
    size = len(inputs['rp_dist_first32'])
    first = cdist(*(inputs[name][:size].astype(float) for name in ('rp_text', 'rp_motion')))
    np.testing.assert_allclose(first, inputs['rp_dist_first32'], rtol=1e-5)


def batch(inputs: dict[str, np.ndarray], kind: str) -> dict[str, Any]:
    """The padded batch, or its first motion alone without padding."""
    lengths = inputs['joint_lengths']
    rows, frames = (slice(None), None) if kind == 'padded' else (slice(0, 1), int(lengths[0]))
    return {
        'made': inputs['joints_rst'][rows, :frames],
        'real': inputs['joints_ref'][rows, :frames],
        'lengths': lengths[rows],
    }


@pytest.mark.parametrize('kind', ['padded', 'single_unpadded'])
def test_pose_errors(inputs: dict[str, np.ndarray], outputs: dict[str, Any], kind: str) -> None:
    found = metrics.pose_errors(**batch(inputs, kind), reference=True)
    want = outputs[f'MRMetrics_official_{kind}']
    assert found.mpjpe_mm == pytest.approx(want['MPJPE'], **EXACT)
    assert found.accl_mm == pytest.approx(want['ACCEL'], **EXACT)
    assert found.pa_mpjpe_mm == pytest.approx(want['PAMPJPE'], **EXACT, nan_ok=True)
    if kind != 'padded':  # nothing is padded: both modes are the same
        assert metrics.pose_errors(**batch(inputs, kind)) == found


def test_pose_errors_of_frames(inputs: dict[str, np.ndarray], outputs: dict[str, Any]) -> None:
    first = batch(inputs, 'single')
    made, real = (first[name][0].astype(float) for name in ('made', 'real'))
    for measure, key, exact in (
        (frame_mpjpe, 'MPJPE_per_frame_seq0', 1e-6),
        # Theirs are of single precision, in which the decomposition of a pose is off by 1.07e-6.
        (frame_pa_mpjpe, 'PAMPJPE_per_frame_seq0', 1.5e-6),
        (frame_accl, 'ACCEL_per_frame_seq0', 1e-6),
    ):
        np.testing.assert_allclose(measure(made, real), outputs[key], rtol=exact, err_msg=key)


@pytest.mark.parametrize('kind', ['padded', 'single'])
@pytest.mark.parametrize(('task', 'key'), [('prediction', 'pred'), ('inbetween', 'inbetween')])
def test_displacement(
    inputs: dict[str, np.ndarray], outputs: dict[str, Any], kind: str, task: Any, key: str
) -> None:
    found = metrics.displacement(**batch(inputs, kind), task=task, reference=True)
    want = outputs[f'PredMetrics_{key}_{kind}']
    assert found.ade_m == pytest.approx(want['ADE'], **EXACT)
    assert found.fde_m == pytest.approx(want['FDE'], **EXACT)


def test_ape_ave(inputs: dict[str, np.ndarray], outputs: dict[str, Any]) -> None:
    found = metrics.ape_ave(**batch(inputs, 'padded'), reference=True)
    assert found == pytest.approx(outputs['APE_AVE_official'], **EXACT)


def test_captions(nlg: dict[str, Any]) -> None:
    texts = nlg['predictions'], nlg['references']
    want = [nlg[f'bleu_{order}'] for order in range(1, 5)]
    bleu = metrics.bleu(*texts, reference=True)
    assert bleu == pytest.approx(want, **EXACT)
    detail = nlg['bleu_4_detail']
    assert detail['bp'] == 1.0  # so the figures follow from the precisions, and give them
    products = [score**order for order, score in enumerate(bleu, 1)]
    precisions = [b / a for a, b in zip([1.0, *products], products, strict=False)]
    assert precisions == pytest.approx(detail['precisions'], **EXACT)
    rouge = metrics.rouge_l(*texts)
    assert rouge == pytest.approx(nlg['rougeL_per_sample_max_over_refs'], **EXACT)
    assert math.fsum(rouge) / len(rouge) == pytest.approx(nlg['rougeL_exact_mean'], **EXACT)
    # Their library's own figure is a bootstrap with NumPy's seed 0.
    key = 'rougeL_nlgmetricverse_bootstrap_mid_seed0'
    assert resampled(rouge, np.random.RandomState(0)) == pytest.approx(nlg[key], **EXACT)
    cider = metrics.cider(*texts, reference=True)
    assert cider == pytest.approx(nlg['cider_per_sample'], **EXACT)
    assert math.fsum(cider) / len(cider) == pytest.approx(nlg['cider'], **EXACT)
