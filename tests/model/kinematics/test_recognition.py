# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The recogniser of actions that comes with the shipped checkpoint, and one that is fitted."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mgpt3_ros.model.checkpoints.checkpoint import find_checkpoint
from mgpt3_ros.model.errors import CheckpointError
from mgpt3_ros.model.kinematics.joint_angles import BodyAngles, angles_to_joints
from mgpt3_ros.model.kinematics.recognition import FILE, ActionRecogniser
from mgpt3_ros.model.kinematics.skeleton import MIRRORED
from mgpt3_ros.training.data.mirroring import mirror_action
from mgpt3_ros.training.data.packs import load_pack
from tests.support import mocap
from tests.support.tiny import swinging_motion


@pytest.fixture(scope='module')
def shipped() -> ActionRecogniser:
    found = ActionRecogniser.load(find_checkpoint(None))
    assert found is not None
    return found


def still(frames: int = 40) -> np.ndarray:
    return np.repeat(swinging_motion(0, 2)[:1], frames, axis=0)


def test_a_body_that_holds_its_pose_stands(shipped: ActionRecogniser) -> None:
    place, turn = np.array([[0.0, 0.93, 0.0]]), np.array([[0.0, 0, 0, 1]])
    zero = BodyAngles(place, turn, np.zeros((1, 63)))  # arms hanging
    pose = np.asarray(angles_to_joints(zero))
    probabilities = shipped.probabilities(np.repeat(pose, 40, axis=0))
    assert probabilities.sum() == pytest.approx(1.0)
    assert shipped.labels[int(probabilities.argmax())] == 'stand'
    assert shipped.sentence('stand') == 'a person stands still.'


def test_only_the_last_two_seconds_count(shipped: ActionRecogniser) -> None:
    moving = swinging_motion(1, 60, speed=1.2)
    one = np.concatenate([moving[:20], still()])
    np.testing.assert_allclose(shipped.probabilities(one), shipped.probabilities(still()))


def test_real_clips_and_their_mirror_images_are_told_apart(shipped: ActionRecogniser) -> None:
    if not mocap.FOLDER.is_dir():
        pytest.skip(f'no motion capture in {mocap.FOLDER}')
    known = load_pack(mocap.FOLDER).val
    clips = [c for c in known if c.action in shipped.labels and len(c.joints) > 60]
    right = []
    for clip in clips[::3]:
        window = clip.joints[len(clip.joints) // 2 - 20 :][:40]
        mirrored = window[:, MIRRORED] * np.array([-1, 1, 1])
        for joints, action in ((window, clip.action), (mirrored, mirror_action(clip.action))):
            right.append(shipped.labels[int(shipped.probabilities(joints).argmax())] == action)
    assert np.mean(right) > 0.85


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
