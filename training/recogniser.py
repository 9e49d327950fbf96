# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""``python -m mgpt3_ros.training.recogniser --data PACK -o FOLDER``: fits ``actions.npz``.

Windows of two seconds of the training clips whose action is known, mirrored ones too, and of poses
held still, which are ``stand``. What is learnt is the label, so wording has no part in it.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from mgpt3_ros.model.extras import extra
from mgpt3_ros.model.kinematics.skeleton import FPS, JOINT_NAMES, MIRRORED
from mgpt3_ros.model.kinematics.summary import summary
from mgpt3_ros.model.recognition import WINDOW_S, ActionRecogniser
from mgpt3_ros.training.data.clip import Clip
from mgpt3_ros.training.data.mirroring import mirror_action
from mgpt3_ros.training.data.packs import UNCOUNTED_ACTIONS, load_pack

STAND = 'stand'
SENTENCES = {
    'bow': 'a person bows.',
    'bye': 'a person waves goodbye.',
    'guide': 'a person shows the way.',
    'raise-up-both-hands': 'a person raises both hands.',
    'raise-up-left-hand': 'a person raises the left hand.',
    'raise-up-right-hand': 'a person raises the right hand.',
    'run': 'a person runs.',
    STAND: 'a person stands still.',
    'walk': 'a person walks forward.',
    'walk-back': 'a person walks backward.',
    'walk-left': 'a person walks sideways to the left.',
    'walk-right': 'a person walks sideways to the right.',
    'walk-turn-left': 'a person walks and turns left.',
    'walk-turn-right': 'a person walks and turns right.',
    'wave-both-hands': 'a person waves with both hands.',
    'wave-left-hand': 'a person waves with the left hand.',
    'wave-right-hand': 'a person waves with the right hand.',
}
_FRAMES = round(WINDOW_S * FPS)
_STEP = 5  # frames from one window of a clip to the next
_MOST, _LEAST = 4000, 1500  # windows of an action: common ones are thinned, rare ones repeated
_HANDS = [JOINT_NAMES.index(name) for name in ('left_wrist', 'right_wrist')]
_CHEST = JOINT_NAMES.index('spine3')


def windows(clips: Sequence[Clip]) -> Iterator[tuple[np.ndarray, str]]:
    """Give windows (T, 22, 3) and their labels."""
    for clip in clips:
        if clip.action is None or clip.action in UNCOUNTED_ACTIONS:
            continue
        mirrored = clip.joints[:, MIRRORED] * np.array([-1, 1, 1])
        for joints, action in ((clip.joints, clip.action), (mirrored, mirror_action(clip.action))):
            for start in range(0, max(len(joints) - _FRAMES, 0) + 1, _STEP):
                yield joints[start : start + _FRAMES], action
            for pose in joints[[0, -1]]:
                if (pose[_HANDS, 1] < pose[_CHEST, 1]).all():
                    yield np.repeat(pose[None], _FRAMES, axis=0), STAND


def fit(clips: Sequence[Clip], seed: int = 0, width: int = 96) -> ActionRecogniser:
    """Fit a recogniser on the windows of clips."""
    with extra('eval'):
        from sklearn.neural_network import MLPClassifier

    rng = np.random.default_rng(seed)
    by_label: dict[str, list[np.ndarray]] = defaultdict(list)
    for joints, label in windows(clips):
        if label in SENTENCES:
            by_label[label].append(summary(joints))
    rows, labels = [], []
    for label, found in sorted(by_label.items()):
        count = int(np.clip(len(found), _LEAST, _MOST))
        chosen = rng.choice(len(found), count, replace=count > len(found))
        rows += [found[index] for index in chosen]
        labels += [label] * count
    features = np.array(rows)
    mean, spread = features.mean(axis=0), features.std(axis=0) + 1e-3
    network = MLPClassifier(
        (width,), alpha=1e-2, max_iter=30, early_stopping=False, random_state=seed, batch_size=256
    )
    network.fit(np.clip((features - mean) / spread, -10, 10), labels)
    names = tuple(str(name) for name in network.classes_)
    return ActionRecogniser(
        names,
        tuple(SENTENCES[name] for name in names),
        mean,
        spread,
        network.coefs_[0],
        network.intercepts_[0],
        network.coefs_[1],
        network.intercepts_[1],
    )


def main(argv: list[str] | None = None) -> int:
    """Fit on the training clips, write, and say how often it is right on the others."""
    parser = argparse.ArgumentParser(
        prog='python -m mgpt3_ros.training.recogniser', description=__doc__
    )
    parser.add_argument('--data', type=Path, required=True, help='folder of the mocap22 pack')
    parser.add_argument('-o', '--output', type=Path, required=True, help='checkpoint folder')
    parser.add_argument('--seed', type=int, default=0)
    arguments = parser.parse_args(argv)
    pack = load_pack(arguments.data)
    recogniser = fit(pack.train, arguments.seed)
    recogniser.save(arguments.output)
    [
        recogniser.labels[int(recogniser.probabilities(joints).argmax())] == label
        for joints, label in windows(pack.val)
        if label in recogniser.labels
    ]
    return 0


if __name__ == '__main__':
    raise SystemExit(main())
