# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a model reads: in a motion what it shows, in a prompt what it knows of it."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from mgpt3_ros.model.checkpoints.pretrained import Pretrained
from mgpt3_ros.model.kinematics.at_rest import resting_caption
from mgpt3_ros.model.kinematics.skeleton import FPS
from mgpt3_ros.model.language.confidence import Confidence, confidence_of
from mgpt3_ros.model.language.understanding import Understood, understood
from mgpt3_ros.model.motion import Motion
from mgpt3_ros.model.sampling import OnProgress, SamplingOptions, ShouldStop


class Reader(Pretrained):
    """A model that reads motions and prompts; the public one draws, too."""

    def caption(
        self,
        motion: Motion | Sequence[Motion],
        sample: bool = False,
        generator: torch.Generator | None = None,
        should_stop: ShouldStop | None = None,
        on_progress: OnProgress | None = None,
    ) -> str | list[str]:
        """Say in a sentence what a motion shows; a list of motions gives a list of sentences.

        The same motion gives the same sentence, unless ``sample`` asks for variety, whose source
        is ``generator``. Of a body that does not move it says so, by
        :func:`~mgpt3_ros.model.kinematics.at_rest.resting_caption`, and the model is not asked.

        Raises:
            MotionError: a motion is shorter than the model can read.
            Cancelled: ``should_stop`` said so.
        """
        sampling = SamplingOptions(
            generator=generator, should_stop=should_stop, on_progress=on_progress
        )
        motions = [motion] if isinstance(motion, Motion) else list(motion)
        seen = [item.resample(FPS).crop(-self.config.max_frames - 1) for item in motions]
        said = [resting_caption(item.joints, FPS) for item in seen]
        moving = [item for item, rest in zip(seen, said, strict=True) if rest is None]
        written = self.pipeline.caption(moving, sample, sampling)
        texts = [written.pop(0) if rest is None else rest for rest in said]
        return texts[0] if isinstance(motion, Motion) else texts

    def confidence(
        self, text: str, motion: Motion | None = None, should_stop: ShouldStop | None = None
    ) -> Confidence | None:
        """How sure a motion of ``text`` is, before it is drawn or with the ``motion`` drawn.

        Returns:
            See :mod:`mgpt3_ros.model.language.confidence`; None of a checkpoint whose known
            actions nobody has measured. ``shown`` is None without a motion.

        Raises:
            MotionError: the motion is shorter than the model can read.
            Cancelled: ``should_stop`` said so.
        """
        if not self._known:
            return None
        seen = [] if motion is None else self.caption([motion], should_stop=should_stop)
        return self._judged(text, seen[0] if seen else None, self.understood(text))

    def understood(self, text: str) -> Understood | None:
        """The known sentence from which a prompt is drawn in place of its own words.

        None where it is drawn from these; see :mod:`~mgpt3_ros.model.language.understanding`.
        """
        return understood(text, self._known, lambda: self.lookup)

    def _words_for(self, text: str) -> str:
        """The words from which a prompt is drawn."""
        meant = self.understood(text)
        return text if meant is None else meant.sentence

    def _judged(self, text: str, caption: str | None, meant: Understood | None) -> Confidence:
        near = self._nearness if self._encoder else None
        label = None if meant is None else meant.label
        return confidence_of(text, self._known, caption, near, label)
