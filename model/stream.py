# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
r"""Motion as a stream, and how the two forms of motion differ.

Both forms are one backbone, one family of heads, one trainer and one set of public calls. What a
checkpoint is of, its codec says (``network.vae.kind``):

=============  ==================================  ============================================
\             ``clip`` (kinds mld, trunk)         ``stream`` (kind chunk)
=============  ==================================  ============================================
latent         one for a whole motion              one for 0.4 s, decoded from two frames before
sequence       words, holders that are drawn       words, then a motion token for every chunk
motion token   stands for a motion to come         says what was drawn and what state it led to
positions      of the table, all tokens count      words alone; motion by distance, 9 tokens back
begins         at the origin                       where a body is, or from a stand
ends           when it is as long as was drawn     never; new words change what comes next
guidance       away from a fake condition          away from the same body without words
duration       told to the holders                 when to stop: asked, stated or predicted
prediction     a clip put behind what was seen     the next chunks
in-between     a clip put between both             chunks that are told where to be, and when
finishing      looks both ways                     chunk by chunk (``finishing.causal``)
code           ``network.*``, ``clip_pipeline``    ``network.stream_*``, ``stream_pipeline``
training       ``tasks``                           ``stream_batches``, ``stream_task``
=============  ==================================  ============================================

The paper's model is of the clip form, and so are converted checkpoints.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from mgpt3_ros.model.errors import GenerationError, MotionError
from mgpt3_ros.model.finishing.causal import CausalFinish
from mgpt3_ros.model.kinematics.skeleton import FPS
from mgpt3_ros.model.language.prompts import clean_text
from mgpt3_ros.model.motion import Motion, MotionInfo
from mgpt3_ros.model.network.stream_captions import LONGEST_CHUNKS, ChunkReader
from mgpt3_ros.model.network.stream_drawing import draw_chunks
from mgpt3_ros.model.pipelines.base import NEEDS_STREAM, Pipeline, check_finite
from mgpt3_ros.model.pipelines.stream import StreamPipeline, one_source_each, stand
from mgpt3_ros.model.pipelines.together import Request, as_before
from mgpt3_ros.model.sampling import SamplingOptions


class MotionStream:
    """A body that moves on, 0.4 s at a time, for as long as it is asked to.

    Memory and time of a step do not grow. ``MotionGPT3.stream`` makes one.

    Args:
        pipeline: the model.
        text: what it does first; None: it stands.
        start: the motion or pose (22, 3) [m] that it goes on from; None: a stand at the origin.
        sampling: how it is drawn; its ``should_stop`` and ``on_progress`` are not looked at.
        words_for: the words from which a text is drawn; None: its own.

    Attributes:
        text: what it does; None: it stands.
        drawn_from: the words that it is drawn from, its own or others.
        drawer: of its chunks. noise: their source; None for torch's own.
    """

    def __init__(
        self,
        pipeline: StreamPipeline,
        text: str | None,
        start: Motion | np.ndarray | None,
        sampling: SamplingOptions,
        words_for: Callable[[str], str] | None = None,
    ) -> None:
        self._pipeline, self._words_for = pipeline, words_for
        self.drawer = pipeline.drawer(1, pipeline.drawing(sampling))
        self.noise = one_source_each(sampling, 1)
        self._reader = ChunkReader(pipeline.network, pipeline.tokenizer.eos_id)
        frames = pipeline.start_frames(start)
        self.text = self.drawn_from = text
        with torch.inference_mode():
            self.drawer.start(frames, *self._words(text))
            stand(self.drawer, [self.drawn_from])
            self._expected_s = self.drawer.predicted_frames().item() / FPS
            self._reader.read(self.drawer.frames[0])
        # What captions tell of is read when one is asked for, as many chunks at once as see no
        # other chunks before them than if each were read by itself.
        self._unread: list[torch.Tensor] = []
        self._at_once = max(LONGEST_CHUNKS + 1 - self.drawer.look_back, 1)

    @property
    def frames(self) -> int:
        """Frames of a step, at 20 per second."""
        return self._pipeline.network.vae.frames

    @property
    def expected_s(self) -> float:
        """How long what was told last is expected to take from when it was told [s]."""
        return self._expected_s

    def step(self) -> Motion:
        """The next 0.4 s, which go on from the last ones without a jump.

        Raises:
            GenerationError: the model gave NaN or infinity.
        """
        (outcome,) = next_steps([self])
        if isinstance(outcome, GenerationError):
            raise outcome
        return outcome

    def take(self, drawn: torch.Tensor) -> Motion:
        """Take what was drawn of the next step (F, 22, 3) [m].

        Raises:
            GenerationError: it holds NaN or infinity.
        """
        check_finite(drawn)
        self._unread.append(drawn)
        if len(self._unread) == self._at_once:
            self._read()
        info: MotionInfo = {} if self.text is None else {'text': self.text}
        if self.drawn_from is not None and self.drawn_from != self.text:
            info['understood_as'] = self.drawn_from
        return Motion(drawn.float().cpu().numpy(), FPS, info)

    @torch.inference_mode()
    def say(self, text: str | None) -> None:
        """From the next step on, do this. None: come to rest and stay so, alive.

        Raises:
            TextError: the text is empty.
        """
        self.drawer.tell(*self._words(text))
        self._expected_s = self.drawer.predicted_frames().item() / FPS
        self.text = text
        stand(self.drawer, [self.drawn_from])

    @torch.inference_mode()
    def observe(self, motion: Motion | np.ndarray) -> None:
        """The body really moved so, up to now: go on from there.

        Args:
            motion: of any rate, or joints (T, 22, 3) [m] at 20 frames per second; two frames at
                least. The last one is where the body is now.

        Raises:
            MotionError: it is no motion.
        """
        seen = motion if isinstance(motion, Motion) else Motion(np.asarray(motion), FPS)
        frames = self._pipeline.start_frames(seen)
        self.drawer.observe(frames)
        if isinstance(self.drawer.finish, CausalFinish):
            self.drawer.finish.forget()

    def caption(self) -> str:
        """Say in a sentence what the last 6 s of the stream show."""
        self._read()
        words = self._reader.words(self._pipeline.config.decoding)
        return self._pipeline.tokenizer.decode(words).strip()

    def _read(self) -> None:
        if self._unread:
            self._reader.read(torch.cat(self._unread))
            self._unread = []

    def _words(self, text: str | None) -> tuple[torch.Tensor, torch.Tensor]:
        """The tokens of the words that a text is drawn from; these are kept."""
        asked = self._pipeline.config.stream.rest_text if text is None else clean_text(text)
        if text is not None and self._words_for is not None:
            asked = self._words_for(asked)
        tokens = self._pipeline.prompts([asked])
        self.drawn_from = text if text is None or asked == clean_text(text) else asked
        return tokens


@torch.inference_mode()
def next_steps(streams: Sequence[MotionStream]) -> list[Motion | GenerationError]:
    """The next step of each of several streams of one model, drawn in one batch.

    They must be drawn alike (``drawing``); each gives what its ``step`` gives, or the error.
    """
    noise = [source for stream in streams for source in stream.noise or ()]
    drawn = draw_chunks([stream.drawer for stream in streams], noise or None)
    outcomes: list[Motion | GenerationError] = []
    for stream, frames in zip(streams, drawn, strict=True):
        try:
            outcomes.append(stream.take(frames[0]))
        except GenerationError as error:
            outcomes.append(error)
    return outcomes


@dataclass(frozen=True)
class NextStep(Request):
    """The next step of a stream."""

    stream: MotionStream

    def key(self) -> Hashable:
        """How it is drawn; a stream without a source of noise of its own stays alone."""
        return NextStep, self.stream.drawer.drawing, self.stream.noise is None and id(self)

    def drawn(
        self, pipeline: Pipeline, requests: Sequence[NextStep]
    ) -> list[Motion | GenerationError]:
        """The next step of each stream, or why there is none."""
        streams = [request.stream for request in requests]
        with as_before([source for stream in streams for source in stream.noise or ()]):
            return next_steps(streams)


def streaming(pipeline: object) -> StreamPipeline:
    """The pipeline of a model, which must be of the stream form.

    Raises:
        MotionError: it is of the clip form.
    """
    if not isinstance(pipeline, StreamPipeline):
        raise MotionError(NEEDS_STREAM)
    return pipeline
