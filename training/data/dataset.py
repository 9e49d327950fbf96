# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Clips as features in memory, with their mirror images, captions and sampling weights."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import logging
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from mgpt3_ros.model.atomic_files import save_array, whole_files
from mgpt3_ros.model.kinematics.features import FEATURES, joints_to_features
from mgpt3_ros.model.kinematics.skeleton import MIRRORED
from mgpt3_ros.model.kinematics.stats import FeatureStats
from mgpt3_ros.model.pipelines.tasks import window_features
from mgpt3_ros.training.data.captions import CaptionOptions, CaptionSampler, borrow
from mgpt3_ros.training.data.clip import Clip, DataError
from mgpt3_ros.training.data.held_out import held_out_takes
from mgpt3_ros.training.data.humanml3d import (
    HumanML3DOptions,
    is_humanml3d,
    load_humanml3d,
    skip_lines,
)
from mgpt3_ros.training.data.mirroring import mirror_action, mirror_caption
from mgpt3_ros.training.data.motion_store import cache_folder
from mgpt3_ros.training.data.packs import PackOptions, load_pack, read_pack
from mgpt3_ros.training.data.phrases import KINDS, as_command, command, draw_phrase, statement
from mgpt3_ros.training.data.resting import rest_clips

CACHE_VERSION = 3  # raise it when features or mirroring change
_LOG = logging.getLogger(__name__)
PHRASES_IN_VOCABULARY = 300  # of each action


@dataclasses.dataclass(frozen=True)
class Part:
    """Frames of a clip, by its number; None for all of it."""

    clip: int
    frames: slice | None = None


class MotionDataset:
    """The train clips of a data set and their mirror images.

    features: per clip (T - 1, 263) float32, not normalised.
    clips: the clips in the same order; a mirrored clip has mirrored captions and action.
    val: the validation clips, not mirrored.
    stats: mean and deviation over the train features, or those that the data set brings.
    digest: hash of the files that it was read from.
    skipped: by reason, the names of what was left out.
    epochs: whether clips come in epochs, each once in an order of its own; else they are drawn
        by weight, so that rare actions come more often.
    """

    def __init__(
        self,
        clips: list[Clip],
        features: list[np.ndarray],
        val: list[Clip],
        text_only: list[str],
        digest: str,
        balance: float = 0.5,
        stats: FeatureStats | None = None,
        skipped: Mapping[str, list[str]] | None = None,
        epochs: bool = False,
    ) -> None:
        if len(clips) != len(features) or not clips:
            raise DataError(
                f'{len(clips)} clips with {len(features)} features: nothing to train on'
            )
        self.clips, self.features, self.val = clips, features, val
        self.text_only, self.digest = text_only, digest
        self.stats = stats or FeatureStats.of_clips(features)
        self.skipped = dict(skipped or {})
        self.held_out: list[Clip] = []
        self.epochs = epochs
        self._orders: dict[tuple[int, int], np.ndarray] = {}
        self.captions = CaptionSampler(borrowed=borrow(text_only))
        self.balance(balance)

    def __len__(self) -> int:
        return len(self.clips)

    def of_clips(self, clips: Sequence[Clip]) -> MotionDataset:
        """Some other clips, such as those of validation, described and normalised as these are.

        Each is drawn as often as the others.
        """
        features = [
            joints_to_features(clip.joints.astype(np.float64)).astype(np.float32) for clip in clips
        ]
        other = MotionDataset(
            list(clips), features, [], self.text_only, self.digest, 0.0, self.stats
        )
        other.captions = self.captions
        return other

    def part(self, clip: int, rows: int, rng: np.random.Generator) -> Part:
        """A part that gives so many rows of features, from anywhere in a clip."""
        if rows >= len(self.features[clip]):
            return Part(clip)
        begin = int(rng.integers(0, len(self.clips[clip].joints) - rows))
        return Part(clip, slice(begin, begin + rows + 1))

    def random_part(self, clip: int, least: int, rng: np.random.Generator) -> Part:
        """A part that gives ``least`` rows of features or more, or all of a shorter clip."""
        rows = len(self.features[clip])
        return self.part(clip, int(rng.integers(min(least, rows), rows + 1)), rng)

    def rows(self, part: Part) -> int:
        """How many rows of features a part has."""
        if part.frames is None:
            return len(self.features[part.clip])
        return int(part.frames.stop - part.frames.start) - 1

    def cut(self, parts: Sequence[Part], device: torch.device | str = 'cpu') -> list[np.ndarray]:
        """Features of parts, each as if there were no more of its clip than it shows.

        Args:
            parts: of any clips; features of a whole one are those that are at hand.
            device: where they are computed.
        """
        windows = [self.clips[p.clip].joints[p.frames] for p in parts if p.frames is not None]
        made = iter(window_features(windows, device))
        return [self.features[p.clip] if p.frames is None else next(made) for p in parts]

    def draw(self, rng: np.random.Generator, number: int, seed: int) -> int:
        """The clip of a sample.

        Args:
            rng: the sample's own source of chance.
            number: of the sample in the whole run.
            seed: of the run.
        """
        if not self.epochs:
            return int(self.sample_indices(rng, 1)[0])
        epoch, place = divmod(number, len(self))
        order = self._orders.get((seed, epoch))
        if order is None:
            if len(self._orders) > 2:
                self._orders.clear()
            order = np.random.default_rng([seed, epoch]).permutation(len(self))
            self._orders[seed, epoch] = order
        return int(order[place])

    def sample_indices(self, rng: np.random.Generator, count: int) -> np.ndarray:
        """Draw clips by weight, with replacement."""
        draws = rng.random(count) * self._cumulative[-1]
        return np.searchsorted(self._cumulative, draws)

    def balance(self, balance: float) -> None:
        """Draw clips by :func:`action_weights` of this balance from now on."""
        self._balance = balance
        self._cumulative = np.cumsum(action_weights(self.clips, balance))

    def hold_out(self, share: float) -> None:
        """Keep back whole takes, with about ``share`` of the clips of each action of many takes.

        They leave the training, and stand in ``held_out``; see
        :func:`~mgpt3_ros.training.data.held_out.held_out_takes`.
        """
        # A mirrored clip goes with its original, whose action has the other side.
        originals = [clip for clip in self.clips if not clip.id.endswith('~mirrored')]
        chosen = held_out_takes(originals, share)
        self.held_out = [clip for clip in originals if (clip.action, clip.take) in chosen]
        names = {clip.id for clip in self.held_out}
        names |= {f'{name}~mirrored' for name in names}
        kept = [n for n, clip in enumerate(self.clips) if clip.id not in names]
        self.clips = [self.clips[n] for n in kept]
        self.features = [self.features[n] for n in kept]
        self.balance(self._balance)

    def add_standing(self) -> None:
        """Add clips of standing that are cut from the others, with features of zeros."""
        found = rest_clips(self.clips)
        self.clips = [*self.clips, *found]
        empty = np.zeros((0, 263), dtype=np.float32)
        self.features = [*self.features, *[empty] * len(found)]
        self.balance(self._balance)

    def describe_by(self, options: CaptionOptions) -> None:
        """Draw captions by these options from now on."""
        self.captions = CaptionSampler(options, self.captions.borrowed)

    def caption(self, index: int, rng: np.random.Generator) -> str:
        """A caption of a clip, in the data set's words or others."""
        return self.captions(self.clips[index], rng)

    def original_caption(self, index: int, rng: np.random.Generator) -> str:
        """A caption of a clip in the data set's words."""
        return self.captions.original(self.clips[index], rng)

    def sample_text(self, rng: np.random.Generator) -> str:
        """A sentence for the language side alone."""
        if self.text_only and rng.random() < 0.7:
            return self.text_only[int(rng.integers(len(self.text_only)))]
        return self.caption(int(rng.integers(len(self.clips))), rng)

    def all_texts(self) -> Iterable[str]:
        """Captions, commands and phrases of each action: what a vocabulary is learned from."""
        seen = dict.fromkeys(self.text_only)
        for clip in self.clips:
            for caption in clip.captions:
                seen[caption] = None
                seen[as_command(caption)] = None
        rng = np.random.default_rng(0)
        for action in sorted({clip.action for clip in self.clips if clip.action}):
            for n in range(2 * PHRASES_IN_VOCABULARY):
                phrase = draw_phrase(action, rng, KINDS[n % 2])
                if phrase is not None:
                    seen[command(phrase)] = None
                    seen[statement(phrase, 'a person')] = None
        return list(seen)

    def fit_clips(self, parts: int = 1, seed: int = 0) -> list[np.ndarray]:
        """All clips, and ``parts`` random parts of each, as predictions and gaps are parts."""
        rng = np.random.default_rng(seed)
        clips = range(len(self))
        drawn = [self.random_part(clip, 12, rng) for clip in clips for _ in range(parts)]
        return self.cut([*map(Part, clips), *drawn])


def action_weights(clips: list[Clip], balance: float) -> np.ndarray:
    """Sampling weights: an action of n clips gets n ** (1 - balance) in all.

    ``balance`` 0 leaves the data as it is, 1 gives every action the same. Clips without a known
    action count as an action of their own source, half of their number each.
    """
    names = [clip.action or 'other' for clip in clips]
    counts = Counter(names)
    weights = np.array([counts[name] ** -balance for name in names])
    return weights / weights.sum()


def mirror_clip(clip: Clip) -> Clip:
    """The clip as a mirror shows it, with its captions and action."""
    return dataclasses.replace(
        clip,
        id=f'{clip.id}~mirrored',
        joints=clip.joints[:, MIRRORED] * np.array([-1, 1, 1], dtype=np.float32),
        captions=tuple(mirror_caption(caption) for caption in clip.captions),
        action=mirror_action(clip.action),
    )


def load_dataset(
    folder: str | Path | Sequence[str | Path],
    cache: str | Path | None = None,
    options: HumanML3DOptions | None = None,
    pack_options: PackOptions | None = None,
    reader: str | None = None,
) -> MotionDataset:
    """Read a data set of either layout, or of one that a user's reader knows.

    Args:
        folder: of a pack (`packs`), or one in HumanML3D's layout; or several, whose clips are
            put together. Of clips with the same name the first counts.
        cache: folder of the cache of features; None for one in the user's cache folder. A pack's
            key is the hash of the data files.
        options: what is taken of HumanML3D's layout.
        pack_options: what is taken of a pack, and of what a reader gives.
        reader: import path of a function that gives the clips of a folder; None: its layout is
            known. Clips that are of no split 'train' or 'val' are left out.

    Raises:
        DataError: the data set is missing or damaged, or a split has nothing usable.
    """
    options, taken = options or HumanML3DOptions(), pack_options or PackOptions()
    if not isinstance(folder, str | Path):
        return _together([load_dataset(each, cache, options, taken, reader) for each in folder])
    if reader is None and is_humanml3d(folder):
        found = load_humanml3d(folder, options, cache=cache)
        return MotionDataset(
            found.clips['train'],
            found.features['train'],
            found.clips['val'],
            [],
            found.digest,
            stats=found.stats,
            skipped=found.skipped,
            epochs=options.epochs,
        )
    pack = load_pack(folder) if reader is None else read_pack(reader, folder)
    train, skipped = _usable(pack.train, taken)
    if not train:
        raise DataError(
            f'{folder}: nothing usable in the train split '
            f'({"; ".join(skip_lines(skipped)) or "it has no clip"})'
        )
    for line in skip_lines(skipped):
        _LOG.warning('%s: %s', folder, line)
    clips = train + ([mirror_clip(clip) for clip in train] if taken.mirror else [])
    chosen = (taken.min_frames, taken.max_frames, taken.mirror)
    usual = PackOptions()
    key = pack.digest
    if chosen != (usual.min_frames, usual.max_frames, usual.mirror):
        key += '-'.join(map(str, chosen))  # a file of its own
    features = _features(clips, key, Path(cache) if cache else cache_folder())
    return MotionDataset(
        clips,
        features,
        pack.val,
        pack.text_only,
        pack.digest,
        skipped=skipped,
        epochs=taken.epochs,
    )


def _together(sets: Sequence[MotionDataset]) -> MotionDataset:
    """One data set of several, its statistics over all clips."""
    if len(sets) == 1:
        return sets[0]
    train: dict[str, tuple[Clip, np.ndarray]] = {}
    val: dict[str, Clip] = {}
    skipped: dict[str, list[str]] = {}
    for each in sets:
        for clip, rows in zip(each.clips, each.features, strict=True):
            train.setdefault(clip.id, (clip, rows))
        for clip in each.val:
            val.setdefault(clip.id, clip)
        for reason, names in each.skipped.items():
            skipped.setdefault(reason, []).extend(names)
    return MotionDataset(
        [clip for clip, _ in train.values()],
        [rows for _, rows in train.values()],
        list(val.values()),
        list(dict.fromkeys(text for each in sets for text in each.text_only)),
        hashlib.sha256('+'.join(each.digest for each in sets).encode()).hexdigest(),
        skipped=skipped,
        epochs=sets[0].epochs,
    )


def _usable(clips: list[Clip], options: PackOptions) -> tuple[list[Clip], dict[str, list[str]]]:
    """Clips whose length is within the limits, and by reason the names of the others."""
    kept: list[Clip] = []
    skipped: dict[str, list[str]] = {}
    for clip in clips:
        if len(clip.joints) < options.min_frames:
            reason = f'shorter than {options.min_frames} frames'
        elif len(clip.joints) > options.max_frames:
            reason = f'longer than {options.max_frames} frames'
        else:
            kept.append(clip)
            continue
        skipped.setdefault(reason, []).append(clip.id)
    return kept, skipped


def _features(clips: list[Clip], content: str, cache: Path) -> list[np.ndarray]:
    key = hashlib.sha256(f'{content}-{CACHE_VERSION}'.encode()).hexdigest()[:16]
    file = cache / f'features-{key}.npy'
    ends = np.cumsum([len(clip.joints) - 1 for clip in clips])
    # A cache that is damaged, or of another choice of clips, is made anew.
    with contextlib.suppress(OSError, ValueError, EOFError):
        frames = np.load(file, mmap_mode='r')
        if frames.shape == (ends[-1], FEATURES):
            return [np.asarray(part) for part in np.split(frames, ends[:-1])]
    features = [
        joints_to_features(clip.joints.astype(np.float64)).astype(np.float32)
        for clip in tqdm(clips, desc='features', unit='clip')
    ]
    for clip, rows in zip(clips, features, strict=True):
        if not np.isfinite(rows).all():
            raise DataError(f'clip {clip.id} gives features that are not finite')
    with whole_files(cache) as partial:
        save_array(partial / file.name, np.concatenate(features))
    return features
