# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""``python -m mgpt3_ros.training.recogniser --data PACK -o FOLDER``: fits ``actions.npz``.

Windows of two seconds of the training clips whose action is known, on end and mirrored too, and of
poses held still, which are ``stand``. What is learnt is the label, so wording has no part in it.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from mgpt3_ros.model.extras import extra
from mgpt3_ros.model.finishing.joining import join
from mgpt3_ros.model.kinematics.recognition import STAND, WINDOW_S, ActionRecogniser
from mgpt3_ros.model.kinematics.skeleton import FPS, JOINT_NAMES, MIRRORED
from mgpt3_ros.model.kinematics.summary import summary
from mgpt3_ros.training.data.clip import Clip
from mgpt3_ros.training.data.mirroring import mirror_action
from mgpt3_ros.training.data.packs import UNCOUNTED_ACTIONS, load_pack

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
_STEP = 5  # frames from one window to the next
_GROUP = 20  # clips on end
_MOST, _LEAST = 6000, 1500  # windows of an action: common ones are thinned, rare ones repeated
_HANDS = [JOINT_NAMES.index(name) for name in ('left_wrist', 'right_wrist')]
_CHEST = JOINT_NAMES.index('spine3')


def windows(clips: Sequence[Clip], seed: int = 0) -> Iterator[tuple[np.ndarray, str]]:
    """Give windows (T, 22, 3) and their labels: what is done in their middle.

    Clips go over into each other in a random order, as a body goes from one action to the next,
    so that windows with the end of one and the begin of another are among them.
    """
    rng = np.random.default_rng(seed)
    known = [clip for clip in clips if clip.action not in (None, *UNCOUNTED_ACTIONS)]
    for mirrored in (False, True):
        order = [known[index] for index in rng.permutation(len(known))]
        for begin in range(0, len(order), _GROUP):
            yield from _strung(order[begin : begin + _GROUP], mirrored)


def _strung(clips: Sequence[Clip], mirrored: bool) -> Iterator[tuple[np.ndarray, str]]:
    """Windows of some clips on end, and of the poses at their ends held still."""
    whole, labels = np.zeros((0, len(JOINT_NAMES), 3)), np.zeros(0, dtype=object)
    for clip in clips:
        joints, action = clip.joints.astype(np.float64), str(clip.action)
        if mirrored:
            joints = joints[:, MIRRORED] * np.array([-1, 1, 1])
            action = str(mirror_action(action))
        for pose in joints[[0, -1]]:
            if (pose[_HANDS, 1] < pose[_CHEST, 1]).all():
                yield np.repeat(pose[None], _FRAMES, axis=0), STAND
        if len(whole):
            cut, joints = join(whole, joints, FPS)
            whole, labels = whole[:cut], labels[:cut]
        whole = np.concatenate([whole, joints])
        labels = np.concatenate([labels, np.full(len(joints), action, dtype=object)])
    for start in range(0, len(whole) - _FRAMES + 1, _STEP):
        yield whole[start : start + _FRAMES], labels[start + _FRAMES // 2]


def fit(clips: Sequence[Clip], seed: int = 0, width: int = 128) -> ActionRecogniser:
    """Fit a recogniser on the windows of clips."""
    with extra('eval'):
        from sklearn.neural_network import MLPClassifier

    rng = np.random.default_rng(seed)
    by_label: dict[str, list[np.ndarray]] = defaultdict(list)
    for joints, label in windows(clips, seed):
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
        (width,), alpha=0.1, max_iter=25, early_stopping=False, random_state=seed, batch_size=256
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
