# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The VQ-VAE: lengths, code book, resets."""

from __future__ import annotations

import pytest
import torch

from mgpt3_ros.model.errors import ConfigError
from mgpt3_ros.model.network.vae.vq import CodeBook, VqConfig, VqVae
from mgpt3_ros.model.sampling import noise_source as seeded

SMALL = VqConfig(num_codes=16, code_width=8, width=12, depth=2)


def vae(seed: int = 0) -> VqVae:
    """One whose code book holds vectors that it makes."""
    torch.manual_seed(seed)
    found = VqVae(SMALL).train()
    features, lengths = torch.randn(6, 32, 263), torch.full((6,), 32)
    found.reconstruct(features, lengths, [seeded(n) for n in range(6)])
    return found.eval()


def test_the_defaults_are_those_of_t2m_gpt() -> None:
    found = VqVae(VqConfig())
    assert tuple(found.book.codes.shape) == (512, 512)
    assert found.frames_per_code == 4


@pytest.mark.parametrize('frames', [1, 4, 5, 31, 32])
def test_a_motion_has_a_code_for_every_four_frames_begun(frames: int) -> None:
    features, lengths = torch.randn(2, frames, 263), torch.tensor([frames, max(frames - 3, 1)])
    model = vae()
    codes = model.encode(features, lengths)
    assert codes.shape == (2, -(-frames // 4))
    assert model.decode(codes, lengths).shape == (2, frames, 263)
    assert torch.equal(model.rebuild(features, lengths), model.decode(codes, lengths))


def test_what_is_beyond_a_clip_changes_nothing() -> None:
    model, features = vae(), torch.randn(1, 24, 263)
    alone = model.encode(features[:, :18], torch.tensor([18]))
    longer = torch.cat([features, torch.randn(1, 24, 263)])
    together = model.encode(longer, torch.tensor([18, 24]))
    assert torch.equal(together[0, :5], alone[0])
    assert not together[0, 5:].any()
    decoded = model.decode(together, torch.tensor([18, 24]))
    torch.testing.assert_close(decoded[:1, :18], model.decode(alone, torch.tensor([18])))
    assert not decoded[0, 18:].any()


def test_gradients_pass_the_code_book_and_the_commitment_is_the_distance_from_it() -> None:
    model, features = vae().train(), torch.randn(3, 16, 263)
    decoded, terms = model.reconstruct(
        features, torch.full((3,), 16), [seeded(n) for n in range(3)]
    )
    (decoded.square().mean()).backward()
    assert model.encoder.first.weight.grad is not None
    assert model.encoder.first.weight.grad.abs().sum() > 0
    assert set(terms) == set(model.loss_terms)
    assert terms['commitment'] > 0


def test_vectors_that_are_codes_come_back_as_they_are() -> None:
    book = CodeBook(SMALL)
    book.codes.copy_(torch.randn(16, 8, generator=seeded(1)))
    assert torch.equal(book.nearest(book.codes), torch.arange(16))
    assert torch.equal(book(torch.tensor([[3, 5]])), book.codes[None, [3, 5]])


def test_a_code_moves_to_the_mean_of_its_vectors() -> None:
    book = CodeBook(VqConfig(num_codes=2, code_width=1, least_use=0.0))
    near = torch.tensor([[0.0], [0.2], [10.0], [10.4]])
    for step in range(600):
        book.learn(near, seeded(step))
    found = book.codes.sort(dim=0).values.flatten().tolist()
    assert found == pytest.approx([0.1, 10.2], abs=0.03)


def test_a_code_that_nothing_uses_begins_anew_at_a_vector() -> None:
    book = CodeBook(VqConfig(num_codes=4, code_width=2, ema_decay=0.5))
    vectors = torch.randn(64, 2, generator=seeded(0))
    book.learn(vectors, seeded(1))
    book.codes[0] = book.total[0] = 1e3  # as far as nothing is
    for step in range(12):
        book.learn(vectors, seeded(step))
    assert book.codes.abs().max() < 5
    assert len(book.nearest(vectors).unique()) == 4


def test_validation_does_not_move_the_code_book() -> None:
    model, features = vae(), torch.randn(2, 16, 263)
    before = model.book.codes.clone()
    with torch.no_grad():
        model.train().reconstruct(features, torch.full((2,), 16), [seeded(0), seeded(1)])
        model.eval().reconstruct(features, torch.full((2,), 16), [seeded(0), seeded(1)])
    assert torch.equal(model.book.codes, before)


@pytest.mark.parametrize(
    'wrong', [{'num_codes': 0}, {'halvings': -1}, {'ema_decay': 1.0}, {'least_use': -0.1}]
)
def test_impossible_sizes_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match=rf'vae\.vq\.{next(iter(wrong))} is '):
        VqConfig(**wrong)  # type: ignore[arg-type]
