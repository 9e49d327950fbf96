# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Deterministic arrays of the parity fixtures: inputs by seed, full-size weights by their name.

The fixtures store no full-size weights: each comes from a generator seeded with the CRC-32 of the
parameter's official name, as the README beside the fixtures says.
"""

from __future__ import annotations

import ast
import re
import zlib
from pathlib import Path

import numpy as np

_LAYER_NORM_WEIGHT = re.compile(
    r'(^|\.)(ln_[12]\.fn\.[01]|ln_f\.fn\.[01]|encoder\.norm|decoder\.norm|norm[123]|in_ln'
    r'|output_net\.1)\.weight$'
)
_PAD_MOTION_ROW = 1


def rs(seed: int, *shape: int) -> np.ndarray:
    """Return standard normal float32 numbers of ``shape`` drawn with ``seed``."""
    return np.random.RandomState(seed).standard_normal(shape).astype(np.float32)


def recipe(key: str, shape: tuple[int, ...]) -> np.ndarray:
    """Return the float32 weight that the fixtures use for the official parameter ``key``.

    Args:
        key: full official name, such as ``lm.diffloss.net.input_proj.weight``. Tied parameters
            go by their canonical name (``lm.language_model.transformer.wte.weight``).
        shape: its shape in the official layout.
    """
    x = 0.05 * rs(zlib.crc32(key.encode()) & 0xFFFFFFFF, *shape)
    if _LAYER_NORM_WEIGHT.search(key):
        x = x + 1.0
    if 'diffloss.net.final_layer.linear' in key:
        x = x * np.float32(0.1)
    if key == 'lm.language_model.pre_processors.1.weight':
        x[_PAD_MOTION_ROW] = 0.0
    return x.astype(np.float32)


def official_shapes(reference_dir: Path) -> dict[str, tuple[int, ...]]:
    """Return the shapes of everything in the authors' state, tied copies and all."""
    rows = (reference_dir / 'state_dict.tsv').read_text(encoding='utf-8').splitlines()
    table = (row.split('\t') for row in rows if not row.startswith('#'))
    return {name: ast.literal_eval(shape) for name, shape, *_ in table}
