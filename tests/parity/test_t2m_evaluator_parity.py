# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Guo's evaluator networks against the authors' outputs; what lengths mean; loading."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from mgpt3_ros.model.errors import CheckpointError
from mgpt3_ros.training.evaluation.t2m_evaluator import T2MEvaluator
from tests.support.recipe import official_shapes, recipe

PREFIX = 'metrics.TM2TMetrics.'
NAMES = {
    't2m_textencoder': 'text_encoder',
    't2m_moveencoder': 'movement_encoder',
    't2m_motionencoder': 'motion_encoder',
}


@pytest.fixture(scope='module')
def weights(reference_dir: Path) -> dict[str, torch.Tensor]:
    shapes = official_shapes(reference_dir)
    keys = [key.removeprefix(PREFIX) for key in shapes if key.startswith(PREFIX)]
    return {key: torch.from_numpy(recipe(key, shapes[PREFIX + key])) for key in keys}


@pytest.fixture(scope='module')
def evaluator(weights: dict[str, torch.Tensor]) -> T2MEvaluator:
    loaded = T2MEvaluator()
    parts: dict[str, dict[str, torch.Tensor]] = {name: {} for name in NAMES.values()}
    for key, value in weights.items():
        network, _, rest = key.partition('.')
        parts[NAMES[network]][rest] = value
    loaded.load_parts(parts)
    return loaded


@pytest.fixture(scope='module')
def stored(parity_dir: Path) -> dict[str, torch.Tensor]:
    with np.load(parity_dir / 'evaluators_full.npz') as data:
        return {name: torch.from_numpy(data[name]) for name in data.files}


def near(found: torch.Tensor, want: torch.Tensor) -> None:
    torch.testing.assert_close(found, want, rtol=1e-4, atol=1e-5)


def test_reference(evaluator: T2MEvaluator, stored: dict[str, torch.Tensor]) -> None:
    with torch.inference_mode():
        near(evaluator.movement_encoder(stored['motion'][..., :259]), stored['movement'])
    found = evaluator.embed_motion(stored['motion'], stored['lengths'], reference=True)
    near(found, stored['motion_emb'])
    near(
        evaluator.embed_text(stored['word_embs'], stored['pos_ohot'], stored['text_lens']),
        stored['text_emb'],
    )


def test_default_knows_lengths(evaluator: T2MEvaluator, stored: dict[str, torch.Tensor]) -> None:
    motion = stored['motion']
    # Where nothing is padded, both modes are the same.
    near(evaluator.embed_motion(motion, None), stored['motion_emb'])
    lengths = torch.tensor([40, 27, 60])
    found = evaluator.embed_motion(motion, lengths)
    for row, length in enumerate(lengths.tolist()):
        alone = evaluator.embed_motion(motion[row : row + 1, :length], None)
        near(found[row : row + 1], alone)
    hidden = motion.clone()
    hidden[0, 40:] = torch.nan  # what lies behind is never read
    near(evaluator.embed_motion(hidden, lengths), found)
    zeroed = motion.clone()
    zeroed[0, 40:] = 0
    ignored = evaluator.embed_motion(zeroed, lengths, reference=True)
    assert (ignored[0] - found[0]).norm() > 0.01 * found[0].norm()


def test_texts_do_not_depend_on_padding(
    evaluator: T2MEvaluator, stored: dict[str, torch.Tensor]
) -> None:
    words, kinds = stored['word_embs'], stored['pos_ohot']
    lengths = torch.tensor([5, 22, 9])  # not sorted
    found = evaluator.embed_text(words, kinds, lengths)
    alone = evaluator.embed_text(words[2:, :9], kinds[2:, :9], lengths[2:])
    near(found[2:], alone)


@pytest.mark.parametrize('form', ['published', 'checkpoint'])
def test_loads_both_kinds_of_file(
    evaluator: T2MEvaluator,
    weights: dict[str, torch.Tensor],
    stored: dict[str, torch.Tensor],
    tmp_path: Path,
    form: str,
) -> None:
    path = tmp_path / 'finest.tar'
    if form == 'published':
        parts = {name: evaluator.get_submodule(name).state_dict() for name in NAMES.values()}
        torch.save(parts | {'epoch': 3}, path)
    else:
        torch.save({'state_dict': {PREFIX + key: value for key, value in weights.items()}}, path)
    loaded = T2MEvaluator.from_checkpoint(path)
    assert not loaded.train().training
    near(loaded.embed_motion(stored['motion'], None), stored['motion_emb'])
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(CheckpointError, match='cannot be read'):
        T2MEvaluator.from_checkpoint(path)


def test_files_that_hold_something_else(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match='is not there'):
        T2MEvaluator.from_checkpoint(tmp_path / 'none.tar')
    path = tmp_path / 'other.pt'
    torch.save({'weight': torch.ones(2)}, path)
    with pytest.raises(CheckpointError, match='holds neither text_encoder'):
        T2MEvaluator.from_checkpoint(path)
    torch.save({name: {'weight': torch.ones(2)} for name in NAMES.values()}, path)
    with pytest.raises(CheckpointError, match='text_encoder does not fit'):
        T2MEvaluator.from_checkpoint(path)
