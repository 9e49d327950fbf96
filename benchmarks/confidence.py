# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""``python -m benchmarks.confidence``: does a checkpoint know what it knows?

The prompts of ``benchmarks/confidence.yaml``, known ones and unknown ones, are judged by the
look-up of actions (``model.language.known_prompts``), by their likelihood under the text branch,
and by both; where a sentence encoder is installed also by the look-up with nearness to known
sentences. Every second prompt is there to choose by, the others measure: the area under the curve,
and how many unknown prompts are found where 95 % of the known ones are kept. ``--fit`` prints the
weights of the look-up. With ``--data`` the second part is measured: motions are drawn
of the known prompts, and a forest of trees that was trained on real clips says whether those whose
caption names the action show it more often than the others.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
import yaml
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from benchmarks.prompts import BLIND, rows_of
from benchmarks.table import circumstances
from mgpt3_ros.model.language.known_prompts import BOUND, evidence, knowledge_of
from mgpt3_ros.model.language.normalisation import normalised
from mgpt3_ros.model.language.pretrained import NO_ENCODER
from mgpt3_ros.model.motiongpt3 import MotionGPT3
from mgpt3_ros.model.sampling import noise_source
from mgpt3_ros.training.data.packs import load_pack
from mgpt3_ros.training.evaluation.classifier import ActionClassifier

KEPT = 0.95
HALVES = ('choosing', 'measuring')


def prompts(labels: Sequence[str]) -> list[tuple[str, str, bool]]:
    """Prompts, what each asks for, and whether that is among ``labels``."""
    listed = yaml.safe_load(Path(__file__).with_name('confidence.yaml').read_text('utf-8'))
    rows = [(p, name, name in labels) for name, own in listed['known'].items() for p in own]
    return rows + [(p, name, False) for name, own in listed['unknown'].items() for p in own]


@torch.inference_mode()
def likelihood(model: MotionGPT3, text: str) -> float:
    """Mean logarithm of the probability of a prompt's tokens under the text branch."""
    ids = torch.tensor([model.tokenizer.encode(normalised(text) or text)], device=model.device)
    if ids.shape[1] < 2:
        return -20.0
    hidden = model.network.hidden(ids, torch.ones_like(ids, dtype=torch.bool), None)
    scores = model.network.backbone.text_logits(hidden.text)[0, :-1].float().log_softmax(-1)
    return float(scores.gather(1, ids[0, 1:, None]).mean())


def flagged(scores: np.ndarray, known: np.ndarray) -> float:
    """The share of unknown prompts below the score that 95 % of the known ones reach."""
    bound = np.sort(scores[known])[int((1 - KEPT) * known.sum())]
    return float((scores[~known] < bound).mean())


def main(argv: list[str] | None = None) -> int:
    """Print a table of the signals; with ``--data`` what captions say of drawn motions."""
    parser = argparse.ArgumentParser(prog='python -m benchmarks.confidence', description=__doc__)
    parser.add_argument('--checkpoint', default=None, help='checkpoint folder (the shipped one)')
    parser.add_argument('--fit', action='store_true', help='print the weights of the look-up')
    parser.add_argument('--wrong', action='store_true', help='print what is judged wrongly')
    parser.add_argument('--data', type=Path, help='folder of a pack: measures drawn motions')
    parser.add_argument('--draws', type=int, default=1, help='of each known prompt')
    options = parser.parse_args(argv)
    print(circumstances())
    model = MotionGPT3.from_pretrained(options.checkpoint)
    labels = [action.label for action in model.known_actions()]
    rows = prompts(labels)
    known = np.array([row[2] for row in rows])
    chosen = np.zeros(len(rows), dtype=bool)
    for kind in (True, False):  # every second one of either kind
        chosen[np.flatnonzero(known == kind)[::2]] = True
    features = np.array([evidence(text, labels) for text, _, _ in rows])
    looked_up = np.array([knowledge_of(text, labels).probability for text, _, _ in rows])
    spoken = np.array([likelihood(model, text) for text, _, _ in rows])
    both = np.column_stack([features, spoken])
    joined = LogisticRegression(C=1.0).fit(both[chosen], known[chosen]).predict_proba(both)[:, 1]
    print(f'{model.name}: {known.sum()} known prompts, {(~known).sum()} unknown ones')
    signals = {'look-up': looked_up, 'likelihood': spoken, 'both': joined}
    near = None if model.lookup is None else model.lookup.nearness
    if near is None:
        print(f'  with nearness: skipped, {NO_ENCODER}')
    else:
        signals['with nearness'] = np.array(
            [knowledge_of(text, labels, near).probability for text, _, _ in rows]
        )
    for name, scores in signals.items():
        for half, part in zip(HALVES, (chosen, ~chosen), strict=True):
            area = roc_auc_score(known[part], scores[part])
            found = flagged(scores[part], known[part])
            print(f'  {name:13} {half:9} area {area:.3f}, unknown found at 95 % kept {found:.2f}')
    judged = {name: signals[name] for name in ('look-up', 'with nearness') if name in signals}
    for name, scores in judged.items():
        for half, part in zip(HALVES, (chosen, ~chosen), strict=True):
            kept = (scores >= BOUND)[part]
            share, found = kept[known[part]].mean(), 1 - kept[~known[part]].mean()
            print(
                f'  {name}, at the bound {BOUND}, {half}: known kept {share:.2f}, '
                f'unknown found {found:.2f}'
            )
    for file in BLIND:
        blind = [text for _, text in rows_of(file, labels)]
        for name, nearness in {'look-up': None, 'with nearness': near}.items():
            if blind and name in judged:
                kept = np.mean([knowledge_of(text, labels, nearness).known for text in blind])
                print(
                    f'  of {len(blind)} prompts of {file} {kept:.2f} are held to be known: {name}'
                )
    if options.fit:
        fitted = LogisticRegression(C=10.0).fit(features[chosen], known[chosen])
        print('WEIGHTS', fitted.coef_[0].round(2), 'BIAS', fitted.intercept_.round(2))
    if options.fit and near is not None:
        _print_fitted_nearness()
    if options.wrong:
        for half, part in zip(HALVES, (chosen, ~chosen), strict=True):
            for (text, name, kind), score, use in zip(rows, looked_up, part, strict=True):
                if use and (score >= BOUND) != kind:
                    print(f'  {half} {score:.2f} {name}: {text}')
    if options.data:
        _print_shown(model, [row for row in rows if row[2]], options)
    return 0


def _print_fitted_nearness() -> None:
    """The weights with nearness, of the choosing half of both shipped checkpoints."""
    features, known = [], []
    for name in ('default', 'stream'):
        model = MotionGPT3.from_pretrained(name)
        labels = [action.label for action in model.known_actions()]
        assert model.lookup is not None
        rows = prompts(labels)
        for kind in (True, False):
            for text, _, own in [row for row in rows if row[2] == kind][::2]:
                near = model.lookup.nearness(text, labels)
                features.append([*evidence(text, labels), near])
                known.append(own)
    fitted = LogisticRegression(C=1.0).fit(np.array(features), known)
    print('NEAR_WEIGHTS', fitted.coef_[0].round(2), 'NEAR_BIAS', fitted.intercept_.round(2))


def _print_shown(
    model: MotionGPT3, rows: Sequence[tuple[str, str, bool]], options: argparse.Namespace
) -> None:
    """How often motions are right whose caption names what was asked, and the others."""
    judge = ActionClassifier(load_pack(options.data).train, uncounted=())
    texts = [text for text, _, _ in rows for _ in range(options.draws)]
    wanted = [name for _, name, _ in rows for _ in range(options.draws)]
    motions = model.generate(texts, generator=noise_source(0))
    right = np.array(
        [f == w for f, w in zip(judge.predict([m.joints for m in motions]), wanted, strict=True)]
    )
    shown = [motion.info['confidence']['shown'] for motion in motions]
    for value in (True, False, None):
        part = np.array([one is value for one in shown])
        share = f'right in {right[part].mean():.2f}' if part.any() else ''
        print(f'  the caption shows it: {value}, {part.sum()} of {len(part)} motions {share}')


if __name__ == '__main__':
    raise SystemExit(main())
