# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Protocols that need an evaluator of text and motion: t2m, m2t and retrieval.

Each replication draws a caption of every clip, groups, and motions anew. Rows: real motion, its
reconstruction by the VAE, and motions generated from the captions with the true and with the
predicted length.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
from torch import nn

from mgpt3_ros.model.errors import ConfigError
from mgpt3_ros.model.kinematics.skeleton import FPS
from mgpt3_ros.model.motion import Motion
from mgpt3_ros.model.motiongpt3 import MotionGPT3
from mgpt3_ros.training.data.clip import Clip
from mgpt3_ros.training.data.phrases import pick
from mgpt3_ros.training.evaluation import metrics
from mgpt3_ros.training.evaluation.clip_filter import usable_clips
from mgpt3_ros.training.evaluation.evaluators import Evaluator
from mgpt3_ros.training.evaluation.measures import generate_all, reconstruct_all
from mgpt3_ros.training.evaluation.metrics.captions import resampled
from mgpt3_ros.training.evaluation.metrics.distribution import PAIRS, REPEAT_PAIRS
from mgpt3_ros.training.evaluation.metrics.retrieval import GROUP
from mgpt3_ros.training.evaluation.motion_quality import bodies
from mgpt3_ros.training.evaluation.results import Evaluation, Found, averaged, replicate
from mgpt3_ros.training.evaluation.retrieval import tmr_protocols
from mgpt3_ros.training.evaluation.same_meaning import TextSimilarity, describes

TOP = 3
LEAST_CLIPS = 4
REAL, REBUILT = 'real', 'reconstruction'
TRUE_LENGTH, OWN_LENGTH = 'generated, true length', 'generated, predicted length'
MULTIMODALITY = 'MultiModality'


@dataclass(frozen=True)
class TextProtocolConfig:
    """How a protocol is run.

    replications: how often everything is drawn; the field takes 20.
    clips: at most so many clips, evenly spread over the split; None: all.
    multimodality_texts, multimodality_repeats: motions are drawn so often for so many texts.
    reference: as the authors' code does it: only a text's own motion is right, Diversity and
        MultiModality are of random pairs (300; 10 of 30 motions), intervals divide by n.
    bert: the language model that BERTScore reads with (``metrics.bert_options``); None leaves
        BERTScore out.
    """

    replications: int = 20
    seed: int = 0
    clips: int | None = None
    multimodality_texts: int = 100
    multimodality_repeats: int = 10
    reference: bool = False
    bert: str | None = None

    def __post_init__(self) -> None:
        if self.reference and self.multimodality_repeats < 3 * REPEAT_PAIRS:
            object.__setattr__(self, 'multimodality_repeats', 3 * REPEAT_PAIRS)
        for name, least in (
            ('replications', 1),
            ('multimodality_texts', 0),
            ('multimodality_repeats', 2),
        ):
            if getattr(self, name) < least:
                raise ConfigError(f'{name} must be {least} at least, got {getattr(self, name)}')
        if self.clips is not None and self.clips < 1:
            raise ConfigError(f'clips must be 1 at least, got {self.clips}')


Once = Callable[[int], Found]  # figures of a replication, by its number


@dataclass
class Run:
    """A protocol on some clips: what does not change from one replication to the next."""

    protocol: str
    model: MotionGPT3
    evaluator: Evaluator
    clips: Sequence[Clip]
    config: TextProtocolConfig
    partial: Path | None
    notes: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        least = self.model.config.min_frames + 1
        self.clips, self.skipped = usable_clips(self.clips, least, self.config.clips)
        if len(self.clips) < LEAST_CLIPS:
            raise metrics.MetricError(
                f'{len(self.clips)} clips are too few for {self.protocol}: {LEAST_CLIPS} at least'
            )
        self.group = min(GROUP, len(self.clips))
        if self.group < GROUP:
            self.notes.append(f'groups of {self.group}, since there are no more clips')

    def captions(self, rng: np.random.Generator) -> list[str]:
        """A caption of each clip, in the data set's words."""
        return [pick(clip.captions, rng) for clip in self.clips]

    def rng(self, number: int, purpose: int) -> np.random.Generator:
        """The chance of a replication for one purpose."""
        return np.random.default_rng([self.config.seed, number, purpose])

    def true_durations(self) -> list[float]:
        """Seconds of each clip, within what the model can draw."""
        least, most = self.model.config.min_frames, self.model.config.max_frames
        return [min(max(len(clip.joints), least), most) / FPS for clip in self.clips]

    def right(self, texts: Sequence[str]) -> np.ndarray | None:
        """Whether (N, N) text i describes motion j; None: only its own."""
        return None if self.config.reference else describes(texts, self.clips)

    def draw(self, texts: Sequence[str], number: int) -> dict[str, list[np.ndarray]]:
        """Motions that are generated in a replication, by row."""
        seed = self.config.seed + 100_000 * (number + 1)
        return {
            TRUE_LENGTH: generate_all(self.model, texts, seed, self.true_durations(), leave=False),
            OWN_LENGTH: generate_all(self.model, texts, seed + 50_000, leave=False),
        }

    def fixed(self) -> dict[str, list[np.ndarray]]:
        """Motions of the rows that no chance has a part in: real, and reconstructed."""
        return {
            REAL: [clip.joints for clip in self.clips],
            REBUILT: [made for _, made in reconstruct_all(self.model, self.clips)],
        }

    def evaluation(self, once: Once) -> Evaluation:
        """The figures of all replications."""
        settings = {
            **asdict(self.config),
            'evaluator': self.evaluator.name,
            'checkpoint': self.model.name,
            'weights': _fingerprint(self.model.network),
            'clip_ids': [clip.id for clip in self.clips],
            'protocol': self.protocol,
        }
        done = replicate(once, self.config.replications, self.protocol, settings, self.partial)
        figures = averaged(done, len(self.clips), self.config.reference)
        shown = {k: v for k, v in settings.items() if k != 'clip_ids'}
        return Evaluation(self.protocol, figures, self.skipped, shown, tuple(self.notes))


def text_protocol(
    protocol: str,
    model: MotionGPT3,
    clips: Sequence[Clip],
    evaluator: Evaluator,
    config: TextProtocolConfig | None = None,
    partial: Path | None = None,
) -> Evaluation:
    """Measure a checkpoint by ``t2m``, ``m2t`` or ``retrieval``; see the functions of these names.

    Args:
        protocol: its name.
        model: what is measured.
        clips: real motions and their captions.
        evaluator: of text and motion.
        config: how it is run.
        partial: a file that holds the replications that are done; see `replicate`.

    Raises:
        MetricError: too few clips.
        GenerationError: the model gave NaN.
    """
    run = Run(protocol, model, evaluator, clips, config or TextProtocolConfig(), partial)
    return run.evaluation({'t2m': t2m, 'm2t': m2t, 'retrieval': retrieval}[protocol](run))


TEXT_PROTOCOLS = {
    name: functools.partial(text_protocol, name) for name in ('t2m', 'm2t', 'retrieval')
}


def t2m(run: Run) -> Once:
    """Text to motion: R-precision, MM-Dist, FID, Diversity, MultiModality, and bodies.

    R@k is the field's, where only a text's own motion is right; "same meaning" counts captions
    that say the same as well. FID is that from the real motions: 0 for themselves.
    """
    evaluator, fixed = run.evaluator, run.fixed()
    known = {row: evaluator.embed_motions(motions) for row, motions in fixed.items()}
    quality = {row: bodies(motions) for row, motions in fixed.items()}
    real = known[REAL]
    few = len(real) <= evaluator.width
    if few:
        run.notes.append(
            f'FID of {len(real)} motions in {evaluator.width} dimensions: biased upwards, to be '
            'compared only with others of as many'
        )

    def once(number: int) -> Found:
        texts = run.captions(run.rng(number, 0))
        queries, right = evaluator.embed_texts(texts), run.right(texts)
        made = run.draw(texts, number)
        embedded = known | {row: evaluator.embed_motions(m) for row, m in made.items()}
        found: Found = {}
        for row, motions in embedded.items():
            found[row] = _matching(run, number, queries, motions, right)
            found[row]['FID'] = max(metrics.fid(motions, real, allow_few=few), 0.0)
            pairs = min(PAIRS, len(motions)) if run.config.reference else None
            found[row]['Diversity'] = metrics.diversity(motions, pairs, run.rng(number, 2))
            if row in made:
                durations = run.true_durations() if row == TRUE_LENGTH else None
                found[row] |= _multimodality(run, number, texts, durations)
            found[row] |= quality[row] if row in quality else bodies(made[row])
        return found

    return once


def retrieval(run: Run) -> Once:
    """TMR's four protocols, of texts that look for motions and of motions that look for texts."""
    evaluator = run.evaluator
    known = {row: evaluator.embed_motions(motions) for row, motions in run.fixed().items()}
    alike = TextSimilarity([caption for clip in run.clips for caption in clip.captions])
    if not run.config.reference:
        run.notes.append('captions that say the same count as right in every protocol')

    def once(number: int) -> Found:
        texts = run.captions(run.rng(number, 0))
        queries, right, similarity = evaluator.embed_texts(texts), run.right(texts), alike(texts)
        made = run.draw(texts, number)
        embedded = known | {row: evaluator.embed_motions(m) for row, m in made.items()}
        return {
            row: tmr_protocols(queries, motions, right, similarity, run.rng(number, 1), run.group)
            for row, motions in embedded.items()
        }

    return once


def m2t(run: Run) -> Once:
    """Motion to text: captions against their motions, and against the data set's captions.

    Of a real caption the other ones of its clip are the references, of a generated one all.
    Captions are written without chance; replications draw the real ones, and the groups.
    """
    evaluator = run.evaluator
    if run.config.bert is not None:
        metrics.bert_options(run.config.bert)  # what is missing is said before the work
    motions = [Motion(clip.joints) for clip in run.clips]
    written = run.model.pipeline.caption(motions)  # the model is measured, not the gate
    empty = sum(not text.strip() for text in written)
    if empty:
        run.notes.append(f'{empty} generated captions are empty; they count as "nothing"')
        written = [text if text.strip() else 'nothing' for text in written]
    shown = evaluator.embed_motions([clip.joints for clip in run.clips])
    references = [list(clip.captions) for clip in run.clips]
    scored = _language(run, written, references)
    said = evaluator.embed_texts(written)
    single = sum(len(group) < 2 for group in references)
    if single:
        run.notes.append(f'{single} clips have one caption: they are left out of real captions')

    def once(number: int) -> Found:
        texts = run.captions(run.rng(number, 0))
        right = run.right(texts)
        left = [
            (text, [other for other in group if other != text] or group)
            for text, group in zip(texts, references, strict=True)
            if len(group) > 1
        ]
        real = _matching(run, number, evaluator.embed_texts(texts), shown, right)
        if len(left) > 1:
            real |= _language(run, [text for text, _ in left], [group for _, group in left])
        return {
            'real captions': real,
            'generated captions': _matching(run, number, said, shown, right) | scored,
        }

    return once


def _fingerprint(network: nn.Module) -> str:
    """What tells two checkpoints of one name apart."""
    digest = hashlib.sha256()
    for name, value in network.state_dict().items():
        digest.update(name.encode() + value.detach().float().cpu().numpy().tobytes())
    return digest.hexdigest()[:16]


def _matching(
    run: Run, number: int, texts: np.ndarray, motions: np.ndarray, right: np.ndarray | None
) -> dict[str, float]:
    """R-precision and MM-Dist, in groups that are the same for every row of a replication."""
    top = min(TOP, run.group)
    values: dict[str, float] = {}
    for name, answers in (('', None), (', same meaning', right)):
        if not name or answers is not None:
            rng = run.rng(number, 1)
            found = metrics.retrieval(texts, motions, answers, top, run.group, rng)
            values |= {f'R@{k}{name}': share for k, share in enumerate(found.r_precision, 1)}
    return values | {'MM-Dist': float(np.linalg.norm(texts - motions, axis=1).mean())}


def _multimodality(
    run: Run, number: int, texts: Sequence[str], durations: Sequence[float] | None
) -> dict[str, float]:
    config, rng = run.config, run.rng(number, 3)
    count = min(config.multimodality_texts, len(texts))
    if not count:
        return {}
    drawn = rng.permutation(len(texts))[:count].tolist()
    chosen = [index for index in drawn for _ in range(config.multimodality_repeats)]
    made = generate_all(
        run.model,
        [texts[i] for i in chosen],
        config.seed + 100_000 * (number + 1) + 25_000,
        None if durations is None else [durations[i] for i in chosen],
        leave=False,
    )
    embedded = run.evaluator.embed_motions(made)
    stacked = embedded.reshape(count, config.multimodality_repeats, -1)
    pairs = REPEAT_PAIRS if config.reference else None
    return {MULTIMODALITY: metrics.multimodality(stacked, pairs, rng)}


def _language(
    run: Run, made: Sequence[str], references: Sequence[Sequence[str]]
) -> dict[str, float]:
    reference = run.config.reference
    bleu = metrics.bleu(made, references, reference=reference)
    rouge = metrics.rouge_l(made, references)
    seeded = np.random.RandomState(run.config.seed)
    found = {
        'BLEU-1': bleu[0],
        'BLEU-4': bleu[3],
        'ROUGE-L': resampled(rouge, seeded) if reference else float(np.mean(rouge)),
        'CIDEr': float(np.mean(metrics.cider(made, references, reference=reference))),
    }
    if run.config.bert is not None:
        scores = metrics.bert_score(made, references, model=run.config.bert)
        found['BERTScore'] = float(np.mean(scores))
    return found
