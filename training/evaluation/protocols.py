# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Protocols: a checkpoint's motions against what the clips of a data set really show.

- reconstruction: through the VAE's encoder (its mean) and decoder;
- prediction: the frames that follow the first second, beside standing still and constant velocity;
- inbetween: the middle half of a clip, beside a straight line.

Each clip counts once; with several replications its value is their mean.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations

import numpy as np
from tqdm import tqdm

from mgpt3_ros.model.errors import ConfigError
from mgpt3_ros.model.finishing.continuation import bridge
from mgpt3_ros.model.kinematics.skeleton import FPS
from mgpt3_ros.model.motion import Motion
from mgpt3_ros.model.motiongpt3 import MotionGPT3
from mgpt3_ros.model.sampling import noise_source
from mgpt3_ros.training.data.clip import Clip
from mgpt3_ros.training.evaluation import baselines
from mgpt3_ros.training.evaluation.clip_filter import usable_clips
from mgpt3_ros.training.evaluation.evaluators import Evaluator
from mgpt3_ros.training.evaluation.measures import mpjpe_mm, reconstruct_all
from mgpt3_ros.training.evaluation.metrics import ape_ave, multimodality, pose_errors
from mgpt3_ros.training.evaluation.metrics.poses import made_frames, pose_distance
from mgpt3_ros.training.evaluation.motion_quality import physical
from mgpt3_ros.training.evaluation.reference_rows import (
    ROW,
    displacement_row,
    prediction_row,
    reconstruction_row,
)
from mgpt3_ros.training.evaluation.results import Evaluation, Figure, figure
from mgpt3_ros.training.evaluation.rivals import SEEN, TrainingWindows

PREDICTION_TIMES_S = (0.5, 1.0, 2.0)
Values = dict[str, dict[str, list[float]]]  # by maker, by measure: one value per clip


@dataclass(frozen=True)
class ProtocolConfig:
    """How a protocol is run.

    replications: motions drawn per clip where the model draws.
    observed_s: what a prediction has seen [s].
    clips: at most so many clips, evenly spread over the split; None: all.
    reference: add what the authors' code would print, its defects included.
    """

    replications: int = 1
    seed: int = 0
    observed_s: float = 1.0
    clips: int | None = None
    reference: bool = False

    def __post_init__(self) -> None:
        if self.replications < 1:
            raise ConfigError(f'replications must be 1 at least, got {self.replications}')
        if not self.observed_s >= 2 / FPS:
            raise ConfigError(f'observed_s must be {2 / FPS} (2 frames) at least')
        if self.clips is not None and self.clips < 1:
            raise ConfigError(f'clips must be 1 at least, got {self.clips}')


def reconstruction(
    model: MotionGPT3, clips: Sequence[Clip], config: ProtocolConfig | None = None
) -> Evaluation:
    """Encode and decode each clip; longer ones up to what the model holds. Frames count alike.

    Raises:
        MetricError: no clip is long enough.
    """
    config = config or ProtocolConfig()
    usable, skipped = usable_clips(clips, model.config.min_frames + 1, config.clips)
    values: Values = defaultdict(lambda: defaultdict(list))
    weights = []
    pairs = reconstruct_all(model, usable)
    for real, made in pairs:
        errors = pose_errors([made], [real])
        weights.append(float(len(real)))
        _add(values, 'real', physical(real))
        found = {
            'MPJPE in the world [mm]': mpjpe_mm([(real, made)]),
            'MPJPE from the root [mm]': errors.mpjpe_mm,
            'PA-MPJPE [mm]': errors.pa_mpjpe_mm,
            'ACCL [mm per frame squared]': errors.accl_mm,
        }
        for name, value in ape_ave([made], [real]).items():
            found[f'{name} [{"m" if name.startswith("APE") else "m^2"}]'] = value
        _add(values, 'reconstruction', found | physical(made))
    row = reconstruction_row([(made, real) for real, made in pairs]) if config.reference else {}
    return _evaluation('reconstruction', values, skipped, config, weights, row)


def prediction(
    model: MotionGPT3,
    clips: Sequence[Clip],
    config: ProtocolConfig | None = None,
    train: Sequence[Clip] = (),
    evaluator: Evaluator | None = None,
) -> Evaluation:
    """Continue each clip after its first ``observed_s`` by 2 s; shorter clips are skipped.

    ADE and FDE are the field's (norm over all joints), over these 2 s. With several replications
    their mean is a forecast of its own, and those of 5 and of 20 give the field's minADE (of the
    best) and APD (mean distance of two of them, Yuan and Kitani, DLow, 2020). With clips to train
    on, nearest neighbours and ridge regression are beside (:mod:`.rivals`). With an evaluator and
    several replications there is their MultiModality: the mean distance of the embeddings of two
    forecasts of one clip.

    Raises:
        MetricError: no clip is long enough.
        GenerationError: the model gave NaN.
    """
    config = config or ProtocolConfig()
    seen, frames = round(config.observed_s * FPS), round(PREDICTION_TIMES_S[-1] * FPS)
    usable, skipped = usable_clips(clips, seen + frames, config.clips)
    simple: dict[str, Callable[[np.ndarray, int], np.ndarray]] = {
        'standing still': baselines.stand_still,
        'constant velocity of the body': baselines.glide,
        'constant velocity of each joint': baselines.extrapolate,
    }
    if train:
        windows = TrainingWindows([clip.joints for clip in train], frames)
        simple['nearest neighbours'] = lambda observed, _: windows.nearest(observed)
        simple['ridge regression'] = lambda observed, _: windows.ridge(observed)
    values: Values = defaultdict(lambda: defaultdict(list))
    for number, clip in enumerate(tqdm(usable, desc='prediction')):
        observed, real = clip.joints[:seen], clip.joints[seen : seen + frames]
        motions = model.predict_many(
            Motion(observed),
            frames / FPS,
            config.replications,
            generator=noise_source(config.seed + number),
        )
        drawn = np.stack([motion.joints for motion in motions])
        one = _mean([_following(joints, real) for joints in drawn])
        _add(values, 'model', one | _of_many(drawn, real, evaluator))
        if len(drawn) > 1:
            _add(values, 'mean of draws', _following(drawn.mean(axis=0), real))
        for name, make in simple.items():
            _add(values, name, _following(make(observed, frames), real))
    row: dict[str, float] = {}
    if config.reference:
        row, left = prediction_row(model, usable, config.seed)
        skipped |= {f'too short or too long for the row "{ROW}"': left} if left else {}
    return _evaluation('prediction', values, skipped, config, row=row)


def inbetween(
    model: MotionGPT3,
    clips: Sequence[Clip],
    config: ProtocolConfig | None = None,
    train: Sequence[Clip] = (),
) -> Evaluation:
    """Fill the middle half of each clip, or of its first frames if it is longer than the model.

    With clips to train on, what their nearest neighbours did goes over the same bridge.

    Raises:
        MetricError: no clip is long enough.
        GenerationError: the model gave NaN.
    """
    config = config or ProtocolConfig()
    usable, skipped = usable_clips(clips, 2 * model.config.min_frames, config.clips)
    values: Values = defaultdict(lambda: defaultdict(list))
    whole = []

    windows = None
    if train:
        longest = max(len(clip.joints) for clip in usable)
        windows = TrainingWindows([clip.joints for clip in train], longest, least=round(FPS / 2))
    for number, clip in enumerate(tqdm(usable, desc='in-between')):
        joints = clip.joints[: model.config.max_frames]
        middle = made_frames(len(joints), len(joints), 'inbetween')
        start, real, end = joints[: middle.start], joints[middle], joints[middle.stop :]
        frames = len(real)
        generator = noise_source(config.seed + number)
        drawn = [
            model.inbetween(Motion(start), Motion(end), frames / FPS, generator=generator).joints
            for _ in range(config.replications)
        ]
        line = baselines.interpolate(start, end, frames)
        still = baselines.stand_still(start, frames)
        whole.append((np.concatenate([start, drawn[0], end]), joints))
        _add(values, 'model', _mean([_between(made, real) for made in drawn]))
        _add(values, 'straight line', _between(line, real))
        if windows is not None and len(start) >= -SEEN[0]:
            near = np.concatenate([start[-1:], windows.nearest(start)[: frames + 1]])
            _add(values, 'nearest neighbours', _between(bridge(start, near, end, FPS)[0], real))
            # The same clips, since neighbours need a second before the gap.
            _add(values, 'model where there are neighbours', _between(drawn[0], real))
            _add(values, 'line where there are neighbours', _between(line, real))
        _add(values, 'standing still', _between(still, real))
    row = displacement_row(whole, 'inbetween') if config.reference else {}
    return _evaluation('inbetween', values, skipped, config, row=row)


PROTOCOLS: dict[str, Callable[..., Evaluation]] = {
    'reconstruction': reconstruction,
    'prediction': prediction,
    'inbetween': inbetween,
}


def _following(made: np.ndarray, real: np.ndarray) -> dict[str, float]:
    joint, pose = _distances(made, real)
    found = {
        f'joint error at {seconds:g} s [mm]': 1000 * float(joint[round(seconds * FPS) - 1])
        for seconds in PREDICTION_TIMES_S
    }
    return found | {'ADE [m]': float(pose.mean()), 'FDE [m]': float(pose[-1])}


def _of_many(drawn: np.ndarray, real: np.ndarray, evaluator: Evaluator | None) -> dict[str, float]:
    """What several forecasts (R, T, 22, 3) are worth together."""
    ade = [float(_distances(made, real)[1].mean()) for made in drawn]
    found = {f'minADE of {n} [m]': min(ade[:n]) for n in (5, 20) if len(drawn) >= n}
    if len(drawn) > 1:
        apart = [np.linalg.norm(a - b) for a, b in combinations(drawn.astype(np.float64), 2)]
        found['APD [m]'] = float(np.mean(apart))
        if evaluator is not None:
            embedded = evaluator.embed_motions(list(drawn))
            found['MultiModality'] = multimodality(embedded[None], None)
    return found


def _between(made: np.ndarray, real: np.ndarray) -> dict[str, float]:
    joint, pose = _distances(made, real)
    return {
        'joint error [mm]': 1000 * float(joint.mean()),
        'ADE [m]': float(pose.mean()),
        'FDE [m]': float(pose[-1]),
        **physical(made),
    }


def _distances(made: np.ndarray, real: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean distance of a joint, and of the pose as a whole, in each frame [m]."""
    return np.linalg.norm(made - real, axis=-1).mean(axis=1), pose_distance(made, real)


def _mean(found: Sequence[dict[str, float]]) -> dict[str, float]:
    return {name: float(np.mean([one[name] for one in found])) for name in found[0]}


def _add(values: Values, maker: str, found: dict[str, float]) -> None:
    for measure, value in found.items():
        values[maker][measure].append(value)


def _evaluation(
    protocol: str,
    values: Values,
    skipped: dict[str, int],
    config: ProtocolConfig,
    weights: Sequence[float] | None = None,
    row: dict[str, float] | None = None,
) -> Evaluation:
    figures = {
        maker: {measure: figure(found, weights) for measure, found in group.items()}
        for maker, group in values.items()
    }
    if row:
        clips = max(value.clips for group in figures.values() for value in group.values())
        figures[ROW] = {k: Figure(v, math.nan, math.nan, clips) for k, v in row.items()}
    return Evaluation(protocol, figures, skipped, asdict(config))
