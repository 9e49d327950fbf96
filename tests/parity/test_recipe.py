# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The weight recipe gives the very bytes that the fixtures were made with."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from tests.support.recipe import recipe


@pytest.mark.parametrize(
    ('key', 'shape'),
    [
        ('lm.fake_latent', (4, 768)),
        ('lm.diffloss.net.final_layer.linear.bias', (256,)),
        ('lm.diffloss.net.res_blocks.0.in_ln.weight', (1024,)),
        ('lm.diffloss.net.cond_embed.hid_encoder_layer.norm2.weight', (768,)),
        ('lm.language_model.pre_processors.1.weight', (6, 768)),
        ('vae.skel_embedding.weight', (256, 263)),
    ],
)
def test_recipe_gives_the_recorded_bytes(parity_dir: Path, key: str, shape: tuple) -> None:
    recorded = json.loads((parity_dir / 'full_weights_recipe_sha16.json').read_text())
    digest = hashlib.sha256(recipe(key, shape).tobytes()).hexdigest()
    assert digest[:16] == recorded[key]
