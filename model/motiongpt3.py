# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The public model: text to motion, motion to text, past to future, and the gap between two."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Unpack, overload

import numpy as np

from mgpt3_ros.model.conversation import Conversation
from mgpt3_ros.model.errors import MotionError, TextError
from mgpt3_ros.model.kinematics.skeleton import FPS
from mgpt3_ros.model.language.chat import talks
from mgpt3_ros.model.language.confidence import least
from mgpt3_ros.model.language.durations import frames_asked
from mgpt3_ros.model.language.instructions import PLACE, read_instruction
from mgpt3_ros.model.language.prompts import clean_text
from mgpt3_ros.model.language.splitting import split_actions
from mgpt3_ros.model.language.vocabulary import MOTION
from mgpt3_ros.model.motion import Motion
from mgpt3_ros.model.pipelines.stream import StreamPipeline
from mgpt3_ros.model.pipelines.whole_clips import WholeClips
from mgpt3_ros.model.reader import Reader
from mgpt3_ros.model.responding import Answer, answer, check_places
from mgpt3_ros.model.sampling import (
    SamplingKeywords,
    SamplingOptions,
    or_default,
    sampling_of,
)
from mgpt3_ros.model.stream import MotionStream, streaming


class MotionGPT3(Reader):
    """Human motion and language in one model.

    All motions have 22 joints at 20 frames per second, metres, Y up. Calls that take
    ``should_stop`` poll it at each decoding or denoising step and raise
    :class:`~mgpt3_ros.model.errors.Cancelled` when it returns True; ``on_progress`` is told the
    share that is done, 0 to 1. A ``torch.Generator`` of any device makes a call repeatable.

    Calls that draw take a :class:`~mgpt3_ros.model.sampling.SamplingOptions` as ``sampling``, or
    its fields as keywords (``guidance_scale=2``), or both, where the keyword counts.
    """

    @overload
    def generate(
        self,
        text: str,
        duration_s: float | None = None,
        *,
        start: Motion | np.ndarray | None = None,
        judge: bool = True,
        as_is: bool = False,
        sampling: SamplingOptions | None = None,
        **options: Unpack[SamplingKeywords],
    ) -> Motion: ...
    @overload
    def generate(
        self,
        text: list[str] | tuple[str, ...],
        duration_s: float | Sequence[float | None] | None = None,
        *,
        start: Motion | np.ndarray | None = None,
        judge: bool = True,
        as_is: bool = False,
        sampling: SamplingOptions | None = None,
        **options: Unpack[SamplingKeywords],
    ) -> list[Motion]: ...

    def generate(
        self,
        text: str | Sequence[str],
        duration_s: float | Sequence[float | None] | None = None,
        *,
        start: Motion | np.ndarray | None = None,
        judge: bool = True,
        as_is: bool = False,
        sampling: SamplingOptions | None = None,
        **options: Unpack[SamplingKeywords],
    ) -> Motion | list[Motion]:
        """Draw a motion that does what ``text`` says.

        Args:
            text: a sentence; a list of sentences gives a list of motions, drawn in one batch.
            duration_s: length of the motion (one for all, or a list with one each). Without it
                the length is what the text states ("for 3 seconds"), else what the model predicts,
                else the checkpoint's default; ``info['duration_from']`` says which.
            start: the motion, or the pose (22, 3) [m], that it goes on from, which needs the
                stream form; None: from nothing, or in that form from a stand.
            judge: whether the model also says whether it sees the asked action in the motion,
                which takes a caption; False: ``info['confidence']`` judges the prompt alone.
            as_is: draw from the words as they are. Else a prompt for an action of which training
                has read few wordings is drawn from one of these, see :meth:`understood`, and
                ``info['understood_as']`` says from which.
            sampling: how it is drawn; None for the checkpoint's way.
            options: fields of :class:`~mgpt3_ros.model.sampling.SamplingOptions`, in place of
                those of ``sampling``.

        Returns:
            A motion that begins at the origin, facing +Z, its ``info`` holding ``text``,
            ``duration_from``, ``duration_limited``, ``understood_as`` where it was drawn from
            other words and, where the checkpoint's known actions were measured, ``confidence``.

        Raises:
            TextError: a text is empty.
            MotionError: the duration is beyond the model, or no number; or there are not as many
                durations as texts.
            GenerationError: the model gave NaN.
            Cancelled: ``should_stop`` said so.
        """
        texts = [text] if isinstance(text, str) else list(text)
        drawn = sampling_of(sampling, options)
        meant = [None if as_is else self.understood(clean_text(words)) for words in texts]
        said = [
            words if one is None else one.sentence for words, one in zip(texts, meant, strict=True)
        ]
        motions = self.pipeline.generate(said, duration_s, drawn, start=start)
        if self._known:
            seen = self.caption(motions) if judge else [None] * len(motions)
            motions = [
                motion.with_info(confidence=self._judged(words, caption, one))
                for motion, words, caption, one in zip(motions, texts, seen, meant, strict=True)
            ]
        motions = [
            motion if one is None else motion.with_info(text=words, understood_as=one.sentence)
            for motion, words, one in zip(motions, texts, meant, strict=True)
        ]
        return motions[0] if isinstance(text, str) else motions

    def generate_sequence(
        self,
        text: str | Sequence[str],
        duration_s: float | Sequence[float | None] | None = None,
        *,
        as_is: bool = False,
        sampling: SamplingOptions | None = None,
        **options: Unpack[SamplingKeywords],
    ) -> Motion:
        """Draw a motion that does several things one after the other.

        Args:
            text: a text that :func:`~mgpt3_ros.model.language.splitting.split_actions` cuts
                into its actions ("walk forward, then wave"), or the actions.
            duration_s: as in :meth:`generate`: of each action, or one for each.
            as_is: as in :meth:`generate`.
            sampling: as in :meth:`generate`.
            options: as in :meth:`generate`.

        Returns:
            One motion, all its clips joined. ``info['parts']`` lists their ``text``,
            ``duration_from`` and the time ``start_s`` at which each begins. A single action gives
            what :meth:`generate` gives.

        Raises:
            MotionGPT3Error: as :meth:`generate`.
        """
        texts = split_actions(text) if isinstance(text, str) else list(text)
        drawn = sampling_of(sampling, options)
        if not texts:
            raise TextError('no action is given')
        if len(texts) == 1:
            return self.generate(texts, duration_s, as_is=as_is, sampling=drawn)[0]
        asked = [words if as_is else self._words_for(words) for words in texts]
        whole, parts = self.pipeline.sequence(asked, duration_s, drawn)
        for part, words in zip(parts, texts, strict=True):
            part['text'] = words
        said = text if isinstance(text, str) else ', then '.join(texts)
        motion = Motion(whole, FPS, {'text': said, 'parts': parts})
        if not self._known:
            return motion
        # A caption tells of one action: of several the prompts alone are judged.
        judged = [self._judged(each, None, None) for each in texts]
        return motion.with_info(confidence=least(judged))

    def join(self, before: np.ndarray, after: np.ndarray) -> tuple[int, np.ndarray]:
        """Let a clip (U, 22, 3) [m] follow on another (T, 22, 3), both at 20 frames per second.

        Returns:
            The frame at which ``before`` is left and the joints from it on, see
            :func:`mgpt3_ros.model.finishing.joining.join`; with bones of fixed length and
            planted feet where the checkpoint has them.

        Raises:
            MotionError: a clip has fewer than 4 frames.
        """
        return self.pipeline.join(before, after)

    def respond(
        self,
        prompt: str,
        motions: Sequence[Motion] = (),
        *,
        sampling: SamplingOptions | None = None,
        **options: Unpack[SamplingKeywords],
    ) -> Answer:
        """Answer an instruction in free words, by words or by a motion.

        ``kind`` of the answer says by which, and ``decided_by`` who decided that: rules over the
        words (see :mod:`~mgpt3_ros.model.language.instructions`), since the shipped checkpoints
        were not trained on instructions. A checkpoint of whole clips writes itself what no rule
        reads; one of stage ``instruct`` was taught to. One beside a language model answers as in
        the first turn of a :meth:`conversation`.

        Args:
            prompt: such as "Show me how someone bows", or "What comes next after {motion}, for two
                seconds?", with ``{motion}`` where each of the motions stands, in their order.
            motions: these motions.
            sampling: how a motion is drawn, as in :meth:`generate`.
            options: as in :meth:`generate`.

        Raises:
            TextError: the prompt is empty, or has other places than there are motions.
            MotionError: a motion is too short, or a length is beyond the model.
            GenerationError: as :meth:`generate`.
        """
        check_places(prompt, len(motions))
        if self.talks:
            return self.conversation().say(prompt, motions, sampling=sampling, **options)
        asked = read_instruction(prompt)
        unread = asked.task in ('talk', 'known') or (len(motions) > 1 and asked.task == 'caption')
        if isinstance(self.pipeline, WholeClips) and unread and not self._known:
            seen = [motion.resample(FPS).crop(-self.config.max_frames - 1) for motion in motions]
            said = self.pipeline.respond(prompt.replace(PLACE, MOTION), seen)
            return Answer('text', said, None, asked.task, 'model')
        return answer(self, asked, motions, sampling_of(sampling, options))

    @property
    def talks(self) -> bool:
        """Whether it stands beside a language model that was taught to talk."""
        return isinstance(self.pipeline, StreamPipeline) and talks(self.tokenizer)

    def conversation(self) -> Conversation:
        """Begin to talk: see :mod:`mgpt3_ros.model.conversation`.

        Raises:
            CheckpointError: the checkpoint does not stand beside a language model.
        """
        return Conversation(self)

    def predict(
        self,
        observed: Motion,
        horizon_s: float,
        num_hypotheses: int | None = None,
        *,
        sampling: SamplingOptions | None = None,
        **options: Unpack[SamplingKeywords],
    ) -> Motion:
        """Continue a motion: what follows, without the observed frames.

        The first frame continues position and velocity of what was observed; how far the model's
        own first frame was from that is ``info['seam_error_m']`` (mean over the joints).

        Args:
            observed: at least 2 frames; resampled to 20 fps, its last frame kept.
            horizon_s: length of what follows.
            num_hypotheses: deprecated, see :meth:`predict_many`; above 1 it gives a list.
            sampling: as in :meth:`generate`.
            options: as in :meth:`generate`.

        Raises:
            MotionError: the horizon is beyond the model, or too little was observed.
            GenerationError: the model gave NaN.
            Cancelled: ``should_stop`` said so.
        """
        if num_hypotheses is not None:
            told = 'num_hypotheses of predict is deprecated: predict_many gives a list'
            warnings.warn(told, DeprecationWarning, stacklevel=2)
        count = or_default(num_hypotheses, 1)
        motions = self.predict_many(observed, horizon_s, count, sampling=sampling, **options)
        return motions[0] if count == 1 else motions  # type: ignore[return-value] # the old way

    def predict_many(
        self,
        observed: Motion,
        horizon_s: float,
        num_hypotheses: int,
        *,
        sampling: SamplingOptions | None = None,
        **options: Unpack[SamplingKeywords],
    ) -> list[Motion]:
        """Continue a motion in several ways, drawn in one batch; else as :meth:`predict`.

        Raises:
            MotionError: as :meth:`predict`, or ``num_hypotheses`` is below 1.
            GenerationError: the model gave NaN.
            Cancelled: ``should_stop`` said so.
        """
        count = num_hypotheses
        if not isinstance(count, int | np.integer) or count < 1:
            raise MotionError(f'num_hypotheses must be a whole number from 1 on, got {count!r}')
        sampling = sampling_of(sampling, options)
        frames = frames_asked(horizon_s, FPS, 2, self.config.max_frames - 1)
        seen = observed.resample(FPS, keep='last').joints
        ways = self.pipeline.predict(seen, frames, count, sampling)
        return [Motion(way, FPS, {**seams, 'duration_from': 'asked'}) for way, seams in ways]

    def inbetween(
        self,
        start: Motion,
        end: Motion,
        duration_s: float,
        *,
        sampling: SamplingOptions | None = None,
        **options: Unpack[SamplingKeywords],
    ) -> Motion:
        """Fill the gap of ``duration_s`` between two motions that stand in the same world frame.

        The gap continues position and velocity of ``start`` and runs into those of ``end``; how
        far the model's own ends were off is ``info['seam_error_m']`` and
        ``info['end_seam_error_m']`` (means over the joints).

        Raises:
            MotionError: the duration is beyond the model.
            GenerationError: the model gave NaN.
            Cancelled: ``should_stop`` said so.
        """
        sampling = sampling_of(sampling, options)
        frames = frames_asked(duration_s, FPS, 2, self.config.max_frames - 2)
        before, after = start.resample(FPS, keep='last').joints, end.resample(FPS).joints
        joints, seams = self.pipeline.inbetween(before, after, frames, sampling)
        return Motion(joints, FPS, {**seams, 'duration_from': 'asked'})

    def stream(
        self,
        text: str | None,
        start: Motion | np.ndarray | None = None,
        *,
        as_is: bool = False,
        sampling: SamplingOptions | None = None,
        **options: Unpack[SamplingKeywords],
    ) -> MotionStream:
        """A body that moves on for as long as it is asked to; for checkpoints of the stream form.

        Args:
            text: what it does first; None: it stands.
            start: the motion, or the pose (22, 3) [m], that it goes on from; None: a stand at the
                origin, facing +Z.
            as_is: draw from the words as they are, here and in what is said later. Else as in
                :meth:`generate`; ``info['understood_as']`` of steps says from which.
            sampling: as in :meth:`generate`.
            options: as in :meth:`generate`.

        Raises:
            MotionError: the checkpoint is of the clip form, or ``start`` is no pose.
            TextError: the text is empty.
        """
        words_for = None if as_is else self._words_for
        drawn = sampling_of(sampling, options)
        return MotionStream(streaming(self.pipeline), text, start, drawn, words_for)
