# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A recogniser of actions: a forest of trees on summary statistics of a clip.

It is trained on real clips alone and shares nothing with the model that it judges.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mgpt3_ros.model.extras import extra
from mgpt3_ros.model.kinematics.skeleton import MIRRORED
from mgpt3_ros.model.kinematics.summary import summary
from mgpt3_ros.training.data.clip import Clip
from mgpt3_ros.training.data.mirroring import mirror_action
from mgpt3_ros.training.data.packs import UNCOUNTED_ACTIONS

with extra('eval'):
    from sklearn.ensemble import ExtraTreesClassifier


class ActionClassifier:
    """Names the action of motions; fit on clips with a known action, mirrored ones included.

    ``uncounted`` actions are left out: by default those of mocap22 with a handful of takes.
    """

    def __init__(
        self,
        clips: Sequence[Clip],
        seed: int = 0,
        uncounted: Sequence[str] = UNCOUNTED_ACTIONS,
    ) -> None:
        rows, labels = [], []
        for clip in clips:
            if clip.action is None or clip.action in uncounted:
                continue
            mirrored = clip.joints[:, MIRRORED] * np.array([-1, 1, 1])
            rows += [summary(clip.joints), summary(mirrored)]
            labels += [clip.action, mirror_action(clip.action)]
        # Actions of a dozen clips weigh as much as those of hundreds.
        self._forest = ExtraTreesClassifier(
            n_estimators=300, class_weight='balanced_subsample', random_state=seed, n_jobs=-1
        )
        self._forest.fit(np.array(rows), np.array(labels))

    @property
    def actions(self) -> list[str]:
        """The actions that it knows."""
        return list(self._forest.classes_)

    def predict(self, motions: Sequence[np.ndarray]) -> list[str]:
        """Action of each motion (T, 22, 3)."""
        return list(self._forest.predict(np.array([summary(joints) for joints in motions])))
