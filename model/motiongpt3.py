# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The public model: text to motion, motion to text, past to future, and the gap between two."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, overload

import numpy as np
import torch

from mgpt3_ros.model import checkpoint
from mgpt3_ros.model.atomic_files import whole_files
from mgpt3_ros.model.config import from_dict, to_dict
from mgpt3_ros.model.devices import resolve_device, resolve_dtype
from mgpt3_ros.model.errors import CheckpointError, GenerationError, TextError
from mgpt3_ros.model.finishing.continuation import bridge, continue_from, placement
from mgpt3_ros.model.finishing.joining import JOIN_TAKES_S, join
from mgpt3_ros.model.kinematics.at_rest import resting_caption
from mgpt3_ros.model.kinematics.skeleton import FPS
from mgpt3_ros.model.kinematics.stats import FeatureStats
from mgpt3_ros.model.language.durations import Duration, frames_asked, stated_duration
from mgpt3_ros.model.language.prompts import PromptConfig, clean_text
from mgpt3_ros.model.language.splitting import split_actions
from mgpt3_ros.model.language.tokenizer import MotionTokenizer
from mgpt3_ros.model.language.vocabulary import MOTION
from mgpt3_ros.model.motion import Motion
from mgpt3_ros.model.network.decoding import DecodingConfig, write_text
from mgpt3_ros.model.network.network import MotionGPT3Network
from mgpt3_ros.model.network.sequences import TokenBatch
from mgpt3_ros.model.pipeline import (
    FIRST_PLACE,
    DrawOptions,
    MotionGPT3Config,
    OnProgress,
    Pipeline,
    ShouldStop,
    feature_rows,
)

__all__ = ['MotionGPT3', 'MotionGPT3Config', 'PromptConfig']


class MotionGPT3:
    """Human motion and language in one model.

    All motions have 22 joints at 20 frames per second, metres, Y up. Calls that take
    ``should_stop`` poll it at each decoding or denoising step and raise
    :class:`~mgpt3_ros.model.errors.Cancelled` when it returns True; ``on_progress`` is told the
    share that is done, 0 to 1. A ``torch.Generator`` on the CPU makes a call repeatable.
    """

    def __init__(
        self,
        config: MotionGPT3Config,
        network: MotionGPT3Network,
        tokenizer: MotionTokenizer,
        stats: FeatureStats,
    ) -> None:
        self.config = config
        self.network = network.eval()
        self.tokenizer = tokenizer
        self.stats = stats
        self._pipeline = Pipeline(config, self.network, tokenizer, stats)

    @classmethod
    def from_pretrained(
        cls, folder: str | Path | None = None, device: str = 'auto', dtype: str = 'auto'
    ) -> MotionGPT3:
        """Load a checkpoint folder.

        Args:
            folder: None or '' for the checkpoint that comes with the package.
            device: 'auto' takes CUDA where there is one; or 'cpu', 'cuda', 'cuda:1'.
            dtype: of the backbone and the head: 'auto' (float32), 'float32', 'bfloat16' or
                'float16'. The VAE always runs in float32.

        Raises:
            CheckpointError: the folder is missing, truncated or of another kind, or the device or
                dtype is not there.
        """
        path = checkpoint.find_checkpoint(folder)
        config = from_dict(MotionGPT3Config, checkpoint.read_config(path))
        network = MotionGPT3Network(config.network)
        checkpoint.load_state(network, checkpoint.read_weights(path), str(path))
        stats = FeatureStats.load(path / checkpoint.STATS)
        tokenizer = MotionTokenizer.load(path)
        if tokenizer.vocab_size != config.network.backbone.vocab_size:
            raise CheckpointError(
                f'{path}: the tokenizer has {tokenizer.vocab_size} tokens, '
                f'the model {config.network.backbone.vocab_size}'
            )
        network.to(resolve_device(device))
        kept = resolve_dtype(dtype)
        if kept != torch.float32:
            for name, part in network.named_children():
                if name != 'vae':
                    part.to(kept)
        return cls(config, network, tokenizer, stats)

    def save_pretrained(self, folder: str | Path, dtype: torch.dtype | None = None) -> None:
        """Write a checkpoint folder that :meth:`from_pretrained` reads.

        Args:
            folder: made where it is missing; all files are written, or none.
            dtype: of the weights in the file; None keeps theirs.

        Raises:
            OSError: it cannot be written; what was there stays.
        """
        with whole_files(Path(folder)) as partial:
            checkpoint.write_weights(partial, self.network, dtype)
            self.stats.save(partial / checkpoint.STATS)
            self.tokenizer.save(partial)
            checkpoint.write_config(partial, to_dict(self.config))

    @property
    def device(self) -> torch.device:
        """Where the model runs."""
        return self._pipeline.device

    @property
    def name(self) -> str:
        """The checkpoint's name."""
        return self.config.name

    @property
    def licence(self) -> str:
        """The checkpoint's own licence, which follows the data that it was trained on."""
        return self.config.licence

    # ------------------------------------------------------------------ text to motion

    @overload
    def generate(self, text: str, duration_s: float | None = ..., **options: Any) -> Motion: ...
    @overload
    def generate(
        self,
        text: list[str] | tuple[str, ...],
        duration_s: float | Sequence[float] | None = ...,
        **options: Any,
    ) -> list[Motion]: ...

    @torch.inference_mode()  # type: ignore[misc] # the overloads do not repeat the options
    def generate(
        self,
        text: str | Sequence[str],
        duration_s: float | Sequence[float] | None = None,
        guidance_scale: float | None = None,
        num_inference_steps: int | None = None,
        generator: torch.Generator | None = None,
        should_stop: ShouldStop | None = None,
        on_progress: OnProgress | None = None,
        spare_s: float | Sequence[float] = 0.0,
    ) -> Motion | list[Motion]:
        """Draw a motion that does what ``text`` says.

        Args:
            text: a sentence; a list of sentences gives a list of motions, drawn in one batch.
            duration_s: length of the motion (one for all, or one each). Without it the length is
                the one that the text states ("for 3 seconds"), else the one that the model
                predicts, else the checkpoint's default; ``info['duration_from']`` says which.
            guidance_scale: strength of classifier-free guidance; None for the checkpoint's.
            num_inference_steps: steps of the sampler; None for the checkpoint's.
            generator: source of the noise.
            should_stop: polled at each step.
            on_progress: told the share that is done.
            spare_s: drawn beyond a length that is asked for or stated (for all, or one each): what
                :meth:`join` will take away. Never beyond the longest motion.

        Returns:
            A motion that begins at the origin, facing +Z, its ``info`` holding ``text``,
            ``duration_from`` and ``duration_limited``.

        Raises:
            TextError: a text is empty.
            MotionError: the duration is beyond the model.
            GenerationError: the model gave NaN.
            Cancelled: ``should_stop`` said so.
        """
        texts = [text] if isinstance(text, str) else list(text)
        texts = [clean_text(item) for item in texts]
        if not texts:
            return []
        asked = [duration_s] * len(texts) if not isinstance(duration_s, Sequence) else duration_s
        spare = [spare_s] * len(texts) if not isinstance(spare_s, Sequence) else spare_s
        prompts, durations = self._durations(texts, list(asked), list(spare))
        batch = self._pipeline.tokens(
            [self.config.prompts.generate.format(text=prompt) for prompt in prompts], MOTION
        )
        lengths = self._predict_durations(batch, durations)
        frames = [length.frames for length in lengths]
        drawn = self._pipeline.draw(
            batch,
            self._pipeline.no_motions(frames),
            frames,
            DrawOptions(guidance_scale, num_inference_steps, generator, should_stop, on_progress),
        )
        motions = []
        for joints, words, length in zip(drawn, texts, lengths, strict=True):
            info = {
                'text': words,
                'duration_from': length.source,
                'duration_limited': length.limited,
            }
            motions.append(Motion(self._pipeline.locked(joints), FPS, info))
        return motions[0] if isinstance(text, str) else motions

    def generate_sequence(
        self,
        text: str | Sequence[str],
        duration_s: float | Sequence[float] | None = None,
        **options: Any,
    ) -> Motion:
        """Draw a motion that does several things one after the other.

        Args:
            text: a text that :func:`~mgpt3_ros.model.language.splitting.split_actions` cuts
                into its actions ("walk forward, then wave"), or the actions.
            duration_s: as in :meth:`generate`: of each action, or one for each.
            options: as in :meth:`generate`.

        Returns:
            One motion, all its clips joined. ``info['parts']`` lists their ``text``,
            ``duration_from`` and the time ``start_s`` at which each begins. A single action gives
            what :meth:`generate` gives.

        Raises:
            MotionGPT3Error: as :meth:`generate`.
        """
        texts = split_actions(text) if isinstance(text, str) else list(text)
        spare = [JOIN_TAKES_S] * (len(texts) - 1) + [0.0]
        clips = self.generate(texts, duration_s, spare_s=spare, **options)
        if not clips:
            raise TextError('no action is given')
        whole, parts = clips[0].joints, []
        for number, (clip, words) in enumerate(zip(clips, texts, strict=True)):
            start = 0
            if number:
                start, joints = self.join(whole, clip.joints)
                whole = np.concatenate([whole[:start], joints])
            source = clip.info['duration_from']
            parts.append({'text': words, 'start_s': start / FPS, 'duration_from': source})
        if len(clips) == 1:
            return clips[0]
        said = text if isinstance(text, str) else ', then '.join(texts)
        return Motion(whole, FPS, {'text': said, 'parts': parts})

    def join(self, before: np.ndarray, after: np.ndarray) -> tuple[int, np.ndarray]:
        """Let a clip (U, 22, 3) [m] follow on another (T, 22, 3), both at 20 frames per second.

        Returns:
            The frame at which ``before`` is left and the joints from it on, see
            :func:`mgpt3_ros.model.finishing.joining.join`; with bones of fixed length and
            planted feet where the checkpoint has them.

        Raises:
            MotionError: a clip has fewer than 4 frames.
        """
        cut, joints = join(before, after, FPS)
        return cut, self._pipeline.following(joints)

    def _durations(
        self, texts: list[str], asked: list[float | None], spare: list[float]
    ) -> tuple[list[str], list[Duration | None]]:
        """Prompts, and durations asked for or stated; None where they must be predicted."""
        config = self.config
        prompts: list[str] = []
        durations: list[Duration | None] = []
        for text, seconds, beyond in zip(texts, asked, spare, strict=True):
            stated, rest = stated_duration(text)
            # A model that is told durations has never read them; one that is not has only that.
            prompts.append(rest if config.network.motion_context else text)
            if seconds is not None:
                frames = frames_asked(seconds, FPS, config.min_frames, config.max_frames)
                durations.append(self._longer(Duration(frames, 'asked'), beyond))
            elif stated is not None:
                durations.append(self._longer(self._limited(stated * FPS, 'text'), beyond))
            else:
                durations.append(None)
        return prompts, durations

    def _longer(self, duration: Duration, seconds: float) -> Duration:
        frames = min(duration.frames + round(seconds * FPS), self.config.max_frames)
        return replace(duration, frames=frames)

    def _limited(self, frames: float, source: str) -> Duration:
        kept = int(min(max(round(frames), self.config.min_frames), self.config.max_frames))
        return Duration(kept, source, limited=kept != round(frames))  # type: ignore[arg-type]

    def _predict_durations(
        self, batch: TokenBatch, durations: list[Duration | None]
    ) -> list[Duration]:
        if all(durations):
            return [d for d in durations if d is not None]
        if not self.config.network.motion_context:
            frames = [self.config.default_duration_s * FPS] * len(durations)
            source = 'default'
        else:
            hidden = self.network.hidden(
                batch.ids, batch.mask, self._pipeline.no_motions([0] * len(durations))
            )
            output = self.network.output_hidden(hidden, batch.ids)
            frames, source = self.network.predicted_frames(output).tolist(), 'predicted'
            if not np.isfinite(frames).all():
                raise GenerationError('the model predicted a duration that is not a number')
        return [d or self._limited(f, source) for d, f in zip(durations, frames, strict=True)]

    # ------------------------------------------------------------------ motion to text

    @torch.inference_mode()
    def caption(
        self,
        motion: Motion | Sequence[Motion],
        sample: bool = False,
        generator: torch.Generator | None = None,
        should_stop: ShouldStop | None = None,
        on_progress: OnProgress | None = None,
        name_rest: bool = True,
    ) -> str | list[str]:
        """Say in a sentence what a motion shows; a list of motions gives a list of sentences.

        The same motion gives the same sentence, unless ``sample`` asks for variety. Of a body that
        does not move it says so, by
        :func:`~mgpt3_ros.model.kinematics.at_rest.resting_caption`; the model is
        asked about it too where ``name_rest`` is False.

        Raises:
            MotionError: a motion is shorter than the model can read.
            Cancelled: ``should_stop`` said so.
        """
        motions = [motion] if isinstance(motion, Motion) else list(motion)
        if not motions:
            return []
        limit = self.config.max_frames
        seen = [item.resample(FPS).joints[-limit - 1 :] for item in motions]
        said = [resting_caption(joints, FPS) if name_rest else None for joints in seen]
        asked = [
            feature_rows(item, limit)
            for item, rest in zip(motions, said, strict=True)
            if rest is None
        ]
        written = self._captions(asked, sample, generator, should_stop, on_progress)
        texts = [written.pop(0) if rest is None else rest for rest in said]
        return texts[0] if isinstance(motion, Motion) else texts

    def _captions(
        self,
        clips: list[np.ndarray],
        sample: bool,
        generator: torch.Generator | None,
        should_stop: ShouldStop | None,
        on_progress: OnProgress | None,
    ) -> list[str]:
        """Captions of feature rows (T, 263)."""
        if not clips:
            return []
        inputs = self._pipeline.motions(clips, [np.array(FIRST_PLACE)] * len(clips), [], generator)
        batch = self._pipeline.tokens([self.config.prompts.caption] * len(clips), None)
        special = (self.tokenizer.start_of_motion, self.tokenizer.end_of_motion)
        decoding = self.config.decoding
        if sample:
            decoding = from_dict(DecodingConfig, {**to_dict(decoding), 'sample': True})
        written = write_text(
            self.network,
            batch.ids,
            batch.mask,
            inputs,
            decoding,
            special,
            self.tokenizer.eos_id,
            generator,
            should_stop,
            on_progress,
        )
        return [self.tokenizer.decode(ids).strip() for ids in written]

    # ------------------------------------------------------------------ motion to motion

    @torch.inference_mode()
    def predict(
        self,
        observed: Motion,
        horizon_s: float,
        num_hypotheses: int = 1,
        guidance_scale: float | None = None,
        num_inference_steps: int | None = None,
        generator: torch.Generator | None = None,
        should_stop: ShouldStop | None = None,
        on_progress: OnProgress | None = None,
    ) -> Motion | list[Motion]:
        """Continue a motion: what follows, without the observed frames.

        The first frame continues position and velocity of what was observed; how far the model's
        own first frame was from that is ``info['seam_error_m']`` (mean over the joints).

        Args:
            observed: at least 2 frames; resampled to 20 fps.
            horizon_s: length of what follows.
            num_hypotheses: more than one gives a list, drawn in one batch.
            guidance_scale: None for the checkpoint's.
            num_inference_steps: None for the checkpoint's.
            generator: source of the noise.
            should_stop: polled at each step.
            on_progress: told the share that is done.

        Raises:
            MotionError: the horizon is beyond the model, or too little was observed.
            GenerationError: the model gave NaN.
            Cancelled: ``should_stop`` said so.
        """
        frames = frames_asked(horizon_s, FPS, 2, self.config.max_frames - 1)
        seen = observed.resample(FPS)
        rows = feature_rows(seen, round(self.config.max_observed_s * FPS))
        # The clip begins at the last observed frame, by which it is put in place; a clip that is
        # too short for the model is drawn longer and cut.
        length = max(frames + 1, self.config.min_frames)
        count = num_hypotheses
        drawn = self._pipeline.draw(
            self._pipeline.tokens([self.config.prompts.predict] * count, MOTION),
            self._pipeline.motions(
                [rows] * count, [np.array(FIRST_PLACE)] * count, [length] * count, generator
            ),
            [length] * count,
            DrawOptions(guidance_scale, num_inference_steps, generator, should_stop, on_progress),
            observed=True,
        )
        motions = []
        for clip in drawn:
            joints, seam = continue_from(seen.joints, clip, FPS)
            joints = self._pipeline.locked(joints[:frames], hold_first=True)
            motions.append(Motion(joints, FPS, {'seam_error_m': seam, 'duration_from': 'asked'}))
        return motions[0] if count == 1 else motions

    @torch.inference_mode()
    def inbetween(
        self,
        start: Motion,
        end: Motion,
        duration_s: float,
        guidance_scale: float | None = None,
        num_inference_steps: int | None = None,
        generator: torch.Generator | None = None,
        should_stop: ShouldStop | None = None,
        on_progress: OnProgress | None = None,
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
        frames = frames_asked(duration_s, FPS, 2, self.config.max_frames - 2)
        before, after = start.resample(FPS), end.resample(FPS)
        limit = round(self.config.max_observed_s * FPS)
        if self.config.inbetween_whole:
            limit = max(min(limit, (self.config.max_frames - frames) // 2), 1)
        rows = [feature_rows(before, limit), feature_rows(after, limit, head=True)]
        # The last frame of the start and the first of the end stand in it too, or all of them.
        begin = len(rows[0]) - 1 if self.config.inbetween_whole else 0
        length = frames + (len(rows[0]) + len(rows[1]) if self.config.inbetween_whole else 2)
        place = placement(before.joints[-1], after.joints[0])
        drawn = self._pipeline.draw(
            self._pipeline.tokens([self.config.prompts.inbetween], MOTION),
            self._pipeline.motions(rows, [np.array(FIRST_PLACE), place], [length], generator),
            [length],
            DrawOptions(guidance_scale, num_inference_steps, generator, should_stop, on_progress),
            observed=True,
        )
        clip = drawn[0][begin : begin + frames + 2]
        joints, seam, end_seam = bridge(before.joints, clip, after.joints, FPS)
        joints = self._pipeline.locked(joints, hold_first=True, hold_last=True)
        info = {'seam_error_m': seam, 'end_seam_error_m': end_seam, 'duration_from': 'asked'}
        return Motion(joints, FPS, info)
