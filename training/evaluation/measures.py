# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Measures of a checkpoint on held-out clips: recognised actions, captions, bodies, durations."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from scipy.stats import binomtest
from tqdm import tqdm

from mgpt3_ros.model.errors import ConfigError, GenerationError
from mgpt3_ros.model.kinematics.features import features_to_joints
from mgpt3_ros.model.kinematics.skeleton import FPS
from mgpt3_ros.model.language.caption_actions import read_action
from mgpt3_ros.model.motion import Motion
from mgpt3_ros.model.motiongpt3 import MotionGPT3
from mgpt3_ros.model.network.vae.base import MotionAutoencoder
from mgpt3_ros.model.sampling import SamplingOptions, noise_source
from mgpt3_ros.training.data.clip import Clip, action_side
from mgpt3_ros.training.data.packs import UNCOUNTED_ACTIONS
from mgpt3_ros.training.evaluation.classifier import ActionClassifier
from mgpt3_ros.training.evaluation.motion_quality import bodies

LOCOMOTION = (
    *('run', 'walk', 'walk-back', 'walk-left', 'walk-right'),
    *('walk-turn-left', 'walk-turn-right'),
)
BATCH = 64


@dataclass(frozen=True)
class Share:
    """So many of so many, with Wilson's 95 % interval."""

    right: int
    count: int

    @property
    def value(self) -> float:
        """The share, 0 to 1; NaN of nothing."""
        return self.right / self.count if self.count else math.nan

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's score interval (1927) at 95 %."""
        if not self.count:
            return math.nan, math.nan
        found = binomtest(self.right, self.count).proportion_ci(0.95, 'wilson')
        return float(found.low), float(found.high)

    def __str__(self) -> str:
        low, high = self.interval
        return f'{self.value:.3f} [{low:.3f}, {high:.3f}] of {self.count}'


@dataclass(frozen=True)
class Recognition:
    """How often the wanted action and side were found."""

    action: Share
    mean_over_actions: float
    side_wrong: Share


def recognition(wanted: Sequence[str], found: Sequence[str | None]) -> Recognition:
    """Compare wanted actions with found ones; a side is wrong where the other one was found."""
    by_action: dict[str, list[bool]] = defaultdict(list)
    wrong = sided = 0
    for want, find in zip(wanted, found, strict=True):
        by_action[want].append(want == find)
        if action_side(want):
            sided += 1
            wrong += action_side(find) not in (None, action_side(want))
    right = sum(sum(hits) for hits in by_action.values())
    means = [np.mean(hits) for hits in by_action.values()]
    return Recognition(Share(right, len(wanted)), float(np.mean(means)), Share(int(wrong), sided))


def counted(clips: Sequence[Clip]) -> list[Clip]:
    """Clips whose action is known and counts in figures."""
    return [c for c in clips if c.action is not None and c.action not in UNCOUNTED_ACTIONS]


def generate_all(
    model: MotionGPT3,
    texts: Sequence[str],
    seed: int,
    durations: Sequence[float] | None = None,
    leave: bool = True,
) -> list[np.ndarray]:
    """Motions of many texts with default settings, in batches; ``leave`` the progress bar?

    What no body can do is drawn again as often as the checkpoint says, and then counts as it is:
    a model that is not yet trained is measured, not refused.
    """
    found: list[np.ndarray] = []
    batches = range(0, len(texts), BATCH)
    for begin in tqdm(batches, desc=f'generating, seed {seed}', leave=leave):
        part = slice(begin, begin + BATCH)
        asked = None if durations is None else list(durations[part])
        sampling = SamplingOptions(generator=noise_source(seed + begin))
        made = model.pipeline.generate(texts[part], asked, sampling, refuse=False)
        found += [motion.joints for motion in made]
    return found


def drawn_or_refused(
    model: MotionGPT3,
    texts: Sequence[str],
    seed: int,
    durations: Sequence[float | None],
    as_is: bool = True,
) -> list[np.ndarray | None]:
    """As `generate_all`; None where the model refuses what it drew as no possible body.

    ``as_is``: from the words as they are, see ``MotionGPT3.generate``.
    """
    found: list[np.ndarray | None] = []
    for begin in tqdm(range(0, len(texts), BATCH), desc=f'generating, seed {seed}', leave=False):
        part = slice(begin, begin + BATCH)
        said, asked = list(texts[part]), list(durations[part])
        noise = noise_source(seed + begin)
        try:
            motions = model.generate(said, asked, judge=False, as_is=as_is, generator=noise)
            found += [motion.joints for motion in motions]
        except GenerationError:
            for text, seconds in zip(said, asked, strict=True):
                try:
                    motion = model.generate(
                        text, seconds, judge=False, as_is=as_is, generator=noise
                    )
                    found.append(motion.joints)
                except GenerationError:
                    found.append(None)
    return found


def reconstruct_all(
    model: MotionGPT3, clips: Sequence[Clip]
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Pairs (true, decoded) of canonical joints, through the VAE, without chance.

    Raises:
        ConfigError: it is of the stream form, which has no VAE of whole clips.
    """
    pairs, vae = [], model.network.vae
    if not isinstance(vae, MotionAutoencoder):
        raise ConfigError(
            'a codec of chunks has no reconstruction of whole clips: measure a model of these'
        )
    for clip in tqdm(clips, desc='reconstruction'):
        features = Motion(clip.joints).features()[: model.config.max_frames]
        normalised = torch.from_numpy(model.stats.normalise(features))[None].to(model.device)
        lengths = torch.tensor([len(features)], device=model.device)
        with torch.inference_mode():
            decoded = vae.rebuild(normalised, lengths)[0].cpu().numpy()
        pairs.append(
            (features_to_joints(features), features_to_joints(model.stats.denormalise(decoded)))
        )
    return pairs


def mpjpe_mm(pairs: Sequence[tuple[np.ndarray, ...]], relative: bool = False) -> float:
    """Mean joint error [mm] over all frames of (true, decoded) pairs; relative to the root?"""
    error = np.concatenate([decoded - true for true, decoded in pairs])
    if relative:
        error = error - error[:, :1]
    return 1000 * float(np.linalg.norm(error, axis=-1).mean(dtype=np.float64))


def spread_ratio(real: dict[str, list[np.ndarray]], made: dict[str, list[np.ndarray]]) -> float:
    """How much motions of one action differ, made over real, averaged over the actions.

    The difference of two motions is the mean distance of their poses at the same share of their
    durations, 16 poses each, seen from the root, in the heading of the first frame.
    """
    ratios = []
    for action, clips in real.items():
        if len(clips) >= 4 and len(made.get(action, [])) >= 4:
            ratios.append(_spread(made[action]) / _spread(clips))
    return float(np.mean(ratios)) if ratios else math.nan


def _spread(clips: Sequence[np.ndarray]) -> float:
    poses = []
    for joints in clips:
        local = features_to_joints(Motion(joints).features())
        local = local - local[:, :1]
        poses.append(local[np.linspace(0, len(local) - 1, 16).round().astype(int)])
    stacked = np.stack(poses)
    distances = np.linalg.norm(stacked[:, None] - stacked[None], axis=-1).mean(axis=(-1, -2))
    upper = np.triu_indices(len(poses), 1)
    return float(distances[upper].mean())


def pace(joints: np.ndarray) -> float:
    """Mean speed [m/s] of the pelvis over the floor of a motion (T, 22, 3) [m]."""
    steps = np.diff(joints[:, 0, [0, 2]], axis=0)
    return float(np.linalg.norm(steps, axis=-1).mean()) * FPS


def measure(
    model: MotionGPT3,
    train: Sequence[Clip],
    val: Sequence[Clip],
    prompts: dict[str, dict[str, list[str]]],
    seeds: int = 3,
) -> dict[str, object]:
    """All figures of the card; see the module's functions for what each is.

    prompts: lists by the name of their figure, each with its prompts by the action they ask for.
    """
    clips = counted(val)
    wanted = [str(clip.action) for clip in clips]
    judge = ActionClassifier(train)
    pairs = reconstruct_all(model, val)
    moving = [p for p, c in zip(pairs, val, strict=True) if c.action in LOCOMOTION]
    rest = [p for p, c in zip(pairs, val, strict=True) if c.action not in LOCOMOTION]
    rebuilt = [p[1] for p, c in zip(pairs, val, strict=True) if c in clips]
    texts = [clip.captions[0] for clip in clips]
    made = [generate_all(model, texts, 1000 * seed) for seed in range(seeds)]
    found = [action for motions in made for action in judge.predict(motions)]
    drawn = [joints for motions in made for joints in motions]
    captions = model.caption([Motion(clip.joints) for clip in clips])
    cmu = [clip for clip in val if clip.source.startswith('cmu')]
    cmu_captions = model.caption([Motion(clip.joints) for clip in cmu]) if cmu else []
    errors = [
        abs(len(joints) - len(clip.joints)) / FPS
        for motions in made
        for joints, clip in zip(motions, clips, strict=True)
    ]
    result: dict[str, object] = {
        'reconstruction MPJPE, all [mm]': mpjpe_mm(pairs),
        'reconstruction MPJPE, walking and running [mm]': mpjpe_mm(moving),
        'reconstruction MPJPE, other [mm]': mpjpe_mm(rest),
        'reconstruction MPJPE relative to the root [mm]': mpjpe_mm(pairs, relative=True),
        'real motion': recognition(wanted, judge.predict([c.joints for c in clips])),
        'reconstruction': recognition(wanted, judge.predict(rebuilt)),
        'generated': recognition(wanted * seeds, found),
        **{name: obeyed(model, judge, groups, seeds) for name, groups in prompts.items()},
        'captions': recognition(wanted, [read_action(text) for text in captions]),
        'captions read right on real ones': recognition(
            wanted, [read_action(text) for text in texts]
        ),
        'CMU captions': {
            clip.id: (clip.captions[0], text) for clip, text in zip(cmu, cmu_captions, strict=True)
        },
        'predicted duration, median error [s]': float(np.median(errors)),
    }
    result |= _bodies_by_place(clips, drawn, wanted * seeds)
    real_jitter = bodies([clip.joints for clip in clips])['jitter [m/s^3]']
    result['jitter, generated over real'] = bodies(drawn)['jitter [m/s^3]'] / real_jitter
    result['spread within an action, generated over real'] = spread_ratio(
        grouped(wanted, [c.joints for c in clips]), grouped(wanted * seeds, drawn)
    )
    return result


def _bodies_by_place(
    clips: Sequence[Clip], drawn: Sequence[np.ndarray], wanted: Sequence[str]
) -> dict[str, float]:
    """Figures of bodies, real and generated, of actions in place and of those that lead on."""
    result: dict[str, float] = {}
    for name, leads_on in (('in place', False), ('locomotion', True)):
        real = [c.joints for c in clips if (c.action in LOCOMOTION) == leads_on]
        made = [
            joints
            for joints, action in zip(drawn, wanted, strict=True)
            if (action in LOCOMOTION) == leads_on
        ]
        for kind, motions in (('real', real), ('generated', made)):
            quality = bodies(motions)
            result[f'foot slide {name}, {kind} [m/s]'] = quality['foot slide [m/s]']
            result[f'floating {name}, {kind} [mm]'] = quality['floating [mm]']
            if leads_on:
                speeds = [pace(joints) for joints in motions]
                result[f'speed {name}, {kind} [m/s]'] = float(np.mean(speeds))
    return result


def obeyed(
    model: MotionGPT3, judge: ActionClassifier, groups: dict[str, list[str]], seeds: int
) -> Recognition:
    """How often motions drawn from prompts (by action) are recognised as what was asked for."""
    wanted = [action for action, prompts in groups.items() for _ in prompts]
    prompts = [prompt for group in groups.values() for prompt in group]
    made = [generate_all(model, prompts, 7000 + seed) for seed in range(seeds)]
    found = [action for motions in made for action in judge.predict(motions)]
    return recognition(wanted * seeds, found)


def grouped(actions: Sequence[str], motions: Sequence[np.ndarray]) -> dict[str, list[np.ndarray]]:
    """Motions by their actions."""
    groups: dict[str, list[np.ndarray]] = defaultdict(list)
    for action, joints in zip(actions, motions, strict=True):
        groups[action].append(joints)
    return groups
