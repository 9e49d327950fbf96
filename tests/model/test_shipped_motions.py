# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the shipped checkpoint draws for a seed, to 2 mm: no change of the code may change it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from mgpt3_ros.model.checkpoints.checkpoint import find_checkpoint
from mgpt3_ros.model.errors import CheckpointError
from mgpt3_ros.model.kinematics.skeleton import JOINT_NAMES
from mgpt3_ros.model.motion import Motion
from mgpt3_ros.model.motiongpt3 import MotionGPT3

SHOWN = [JOINT_NAMES.index(name) for name in ('pelvis', 'left_foot', 'right_wrist')]


@pytest.fixture(scope='module')
def model() -> MotionGPT3:
    try:
        folder: Path = find_checkpoint(None)
    except CheckpointError as error:
        pytest.skip(str(error))
    return MotionGPT3.from_pretrained(folder, device='cpu')


def drawn(model: MotionGPT3, kind: str) -> Motion:
    seed = torch.Generator().manual_seed(7)
    if kind == 'sequence':
        return model.generate_sequence(
            ['a person walks forward', 'a person waves'], 2.0, generator=seed
        )
    first = model.generate('a person runs forward', 3.0, generator=seed)
    if kind == 'generate':
        return first
    if kind == 'predict':
        return model.predict(first.transform(2.0, (1.0, 0.0, 3.0)), 1.5, generator=seed)
    after = first.transform(-0.8, tuple(first.joints[-1, 0] * (1, 0, 1) + (0.5, 0, 1.0)))
    return model.inbetween(first, after, 1.5, generator=seed)


# [m]: x, y, z of the joints shown, in the first, the middle and the last frame.
EXPECTED = {
    'generate': [
        [0.001, 0.823, -0.015, 0.008, 0.415, -0.579, -0.194, 0.893, 0.278],
        [0.478, 0.833, 5.306, 0.409, 0.372, 4.746, 0.298, 0.885, 5.450],
        [0.906, 0.886, 11.256, 0.831, 0.383, 10.697, 0.650, 1.058, 11.341],
    ],
    'sequence': [
        [0.002, 0.866, 0.001, -0.004, 0.041, -0.198, -0.226, 0.820, -0.036],
        [0.215, 0.888, 3.426, 0.165, 0.024, 3.313, 0.058, 0.837, 3.574],
        [0.233, 0.981, 3.847, 0.301, 0.012, 3.937, -0.104, 0.924, 3.757],
    ],
    'predict': [
        [11.032, 0.852, -2.590, 10.598, 0.425, -2.311, 11.275, 1.042, -2.428],
        [13.415, 0.953, -3.852, 13.344, 0.102, -3.858, 13.587, 1.190, -3.737],
        [15.824, 0.941, -4.719, 15.673, 0.064, -4.734, 15.788, 0.989, -4.565],
    ],
    'inbetween': [
        [0.909, 0.852, 11.446, 0.836, 0.425, 10.936, 0.660, 1.042, 11.599],
        [1.620, 0.894, 11.879, 1.677, 0.053, 11.749, 1.452, 1.141, 11.957],
        [1.516, 0.818, 12.126, 2.035, 0.459, 11.612, 1.228, 0.811, 12.078],
    ],
}


@pytest.mark.parametrize('kind', ['generate', 'sequence', 'predict', 'inbetween'])
def test_a_seed_gives_what_it_always_gave(model: MotionGPT3, kind: str) -> None:
    joints = drawn(model, kind).joints
    found = joints[[0, len(joints) // 2, -1]][:, SHOWN].reshape(3, 9)
    np.testing.assert_allclose(found, EXPECTED[kind], atol=2e-3)
