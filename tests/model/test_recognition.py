# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The recogniser of actions that comes with the shipped checkpoint, and one that is fitted."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mgpt3_ros.model.checkpoint import find_checkpoint
from mgpt3_ros.model.errors import CheckpointError
from mgpt3_ros.model.kinematics.skeleton import MIRRORED
from mgpt3_ros.model.recognition import FILE, ActionRecogniser
from tests.support.tiny import swinging_motion


@pytest.fixture(scope='module')
def shipped() -> ActionRecogniser:
    found = ActionRecogniser.load(find_checkpoint(None))
    assert found is not None
    return found


def still(frames: int = 40) -> np.ndarray:
    return np.repeat(swinging_motion(0, 2)[:1], frames, axis=0)


def test_a_body_that_holds_its_pose_stands(shipped: ActionRecogniser) -> None:
    probabilities = shipped.probabilities(still())
    assert probabilities.sum() == pytest.approx(1.0)
    assert shipped.labels[int(probabilities.argmax())] == 'stand'
    assert shipped.sentence('stand') == 'a person stands still.'


def test_only_the_last_two_seconds_count(shipped: ActionRecogniser) -> None:
    moving = swinging_motion(1, 60, speed=1.2)
    one = np.concatenate([moving[:20], still()])
    np.testing.assert_allclose(shipped.probabilities(one), shipped.probabilities(still()))


@pytest.mark.parametrize('raised', ['left', 'right'])
def test_sides_are_told_apart(shipped: ActionRecogniser, raised: str) -> None:
    joints = still(80).copy()
    elbow, wrist = (18, 20) if raised == 'left' else (19, 21)
    shoulder = joints[0, 16 if raised == 'left' else 17]
    up = np.clip(np.linspace(0, 3, 80), 0, 1)[:, None]
    joints[:, elbow] += up * (shoulder + [0, 0.27, 0.05] - joints[0, elbow])
    joints[:, wrist] += up * (shoulder + [0, 0.52, 0.08] - joints[0, wrist])
    label = shipped.labels[int(shipped.probabilities(joints[:40]).argmax())]
    mirrored = joints[:40, MIRRORED] * np.array([-1, 1, 1])
    other = shipped.labels[int(shipped.probabilities(mirrored).argmax())]
    assert raised in label
    assert ('right' if raised == 'left' else 'left') in other


def test_it_comes_back_from_a_file(shipped: ActionRecogniser, tmp_path: Path) -> None:
    shipped.save(tmp_path)
    again = ActionRecogniser.load(tmp_path)
    assert again is not None
    assert again.labels == shipped.labels
    np.testing.assert_allclose(
        again.probabilities(still()), shipped.probabilities(still()), atol=1e-3
    )
    assert ActionRecogniser.load(tmp_path / 'nowhere') is None
    (tmp_path / FILE).write_bytes(b'broken')
    with pytest.raises(CheckpointError, match=r'actions\.npz cannot be read'):
        ActionRecogniser.load(tmp_path)
