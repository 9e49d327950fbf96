# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Metrics of captions: BLEU, ROUGE-L, CIDEr-D and BERTScore.

Each raises `MetricError` for texts that cannot be compared.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mgpt3_ros.model.language.pretrained import check_at_hand
from mgpt3_ros.training.evaluation.metrics.checks import MetricError, numbers

RESAMPLES = 1000  # of ROUGE-L
ORDERS = 4  # of CIDEr-D: longest run of words
SIGMA = 6.0  # words: how fast a difference in length lowers CIDEr-D
SCALE = 10.0  # of CIDEr-D

Scorer = Callable[[Sequence[str], Sequence[Sequence[str]]], Sequence[float]]
Texts = Sequence[str]
References = Sequence[Sequence[str]]
Words = tuple[str, ...]
Vector = dict[Words, float]


def words(text: str) -> Words:
    """Return the words in lower case; whatever is neither letter nor digit separates them."""
    return tuple(re.findall(r'[^\W_]+', text.lower()))


def ngrams(tokens: Sequence[str], size: int) -> Counter[Words]:
    """Return how often each run of ``size`` words occurs."""
    return Counter(tuple(tokens[i : i + size]) for i in range(len(tokens) - size + 1))


def check_texts(predictions: Sequence[str], references: Sequence[Sequence[str]]) -> None:
    """Refuse texts that cannot be compared.

    Raises:
        MetricError: no texts, another number of references, or a prediction without any.
    """
    if isinstance(predictions, str) or any(isinstance(group, str) for group in references):
        raise MetricError('give a list of predictions, and a list of references for each of them')
    if not predictions:
        raise MetricError('there are no captions to compare')
    if len(predictions) != len(references):
        raise MetricError(f'{len(predictions)} captions, but references for {len(references)}')
    for number, group in enumerate(references):
        if not any(text.strip() for text in group):
            raise MetricError(f'caption {number} has no reference to be compared with')


def _split(
    predictions: Texts, references: References, split: Callable[[str], Words] = words
) -> tuple[list[Words], list[list[Words]]]:
    """The words of all captions and references, which fit together."""
    check_texts(predictions, references)
    return [split(text) for text in predictions], [
        [split(t) for t in group] for group in references
    ]


def bleu(
    predictions: Texts, references: References, orders: int = 4, reference: bool = False
) -> tuple[float, ...]:
    """Return BLEU-1 to BLEU-``orders`` of the whole set, each 0 to 1, without smoothing.

    Papineni et al. 2002.

    Args:
        predictions: B captions.
        references: for each, what it may say.
        orders: longest run of words.
        reference: the brevity penalty compares with the shortest reference, as the authors'
            library does, instead of with the one nearest in length, which is BLEU's definition.
    """
    made, real = _split(predictions, references)
    length = sum(len(text) for text in made)
    wanted = sum(
        min(len(r) for r in group) if reference else _nearest_length(len(text), group)
        for text, group in zip(made, real, strict=True)
    )
    if not length:
        return (0.0,) * orders
    penalty = 1.0 if length > wanted else math.exp(1 - wanted / length)
    shares = [_precision(made, real, size) for size in range(1, orders + 1)]
    scores = []
    for size in range(1, orders + 1):
        part = shares[:size]
        mean = math.exp(sum(math.log(share) for share in part) / size) if all(part) else 0.0
        scores.append(penalty * mean)
    return tuple(scores)


def _nearest_length(length: int, group: Sequence[Words]) -> int:
    """Length of the reference nearest to ``length``; of two, the shorter."""
    return min((abs(len(text) - length), len(text)) for text in group)[1]


def _precision(made: Sequence[Words], real: Sequence[Sequence[Words]], size: int) -> float:
    """Share of the runs of ``size`` words that a reference has as well, each as often as there."""
    right = total = 0
    for text, group in zip(made, real, strict=True):
        have = ngrams(text, size)
        allowed: Counter[Words] = Counter()
        for other in group:
            allowed |= ngrams(other, size)
        right += (have & allowed).total()
        total += have.total()
    return right / total if total else 0.0


def rouge_l(predictions: Texts, references: References) -> list[float]:
    """Return each caption's ROUGE-L F1, 0 to 1, against its best reference, words not stemmed.

    Longest common subsequences of words (Lin 2004). Their mean is the set's; the authors' library
    reports :func:`resampled` instead.
    """
    pairs = zip(*_split(predictions, references), strict=True)
    return [max(_f1(text, other) for other in group) for text, group in pairs]


def resampled(scores: Sequence[float], rng: np.random.RandomState) -> float:
    """What the authors' library reports of ROUGE-L: near the mean, and another with each seed.

    It is the median of the means of 1,000 bootstrap samples. The library draws as many for ROUGE-1
    and for ROUGE-2 before.

    Args:
        scores: of :func:`rouge_l`.
        rng: as NumPy's own, seeded.

    Raises:
        MetricError: no scores, or one that is not finite.
    """
    values = numbers(scores, 'scores', ('n',))
    drawn = [rng.choice(len(values), len(values)) for _ in range(3 * RESAMPLES)]
    return float(np.median([values[part].mean() for part in drawn[2 * RESAMPLES :]]))


def _f1(made: Words, real: Words) -> float:
    common = _common(made, real)
    return 2 * common / (len(made) + len(real)) if common else 0.0


def _common(first: Words, second: Words) -> int:
    """Length of the longest common subsequence, row by row of the usual table."""
    row = [0] * (len(second) + 1)
    for word in first:
        above = row
        row = [0]
        for k, other in enumerate(second):
            row.append(above[k] + 1 if word == other else max(above[k + 1], row[k]))
    return row[-1]


def cider(predictions: Texts, references: References, reference: bool = False) -> list[float]:
    """Return each caption's CIDEr-D, 0 to 10; its mean is the set's (Vedantam et al. 2015).

    The agreement of runs of words, rare ones counting more. How rare a run is, is counted over the
    references of this set: figures of different sets cannot be compared.

    Args:
        predictions: B captions.
        references: for each, what it may say.
        reference: as the authors' library does it: words are what white space separates ("stops."
            is not "stops", "A" not "a"), and the lengths compared are counts of word pairs.

    Raises:
        MetricError: texts that cannot be compared, or a single one: nothing is rare then.
    """
    made, real = _split(predictions, references, _raw if reference else words)
    if len(made) < 2:
        raise MetricError('CIDEr needs 2 captions at least, to tell rare words from common ones')
    in_texts: Counter[Words] = Counter()
    for group in real:
        sizes = range(1, ORDERS + 1)
        in_texts.update({run for text in group for n in sizes for run in ngrams(text, n)})
    weight = _Weights(in_texts, len(real))
    shorter = 1 if reference else 0  # a text of n words has n - 1 pairs
    return [
        SCALE * sum(weight.agreement(text, other, shorter) for other in group) / len(group)
        for text, group in zip(made, real, strict=True)
    ]


def _raw(text: str) -> Words:
    return tuple(text.split())


class _Weights:
    """How much a run counts: its number times the logarithm of how rare it is."""

    def __init__(self, in_texts: Counter[Words], texts: int) -> None:
        self._in_texts = in_texts
        self._log_texts = math.log(texts)

    def _vector(self, text: Words, size: int) -> Vector:
        return {
            run: count * (self._log_texts - math.log(max(1, self._in_texts[run])))
            for run, count in ngrams(text, size).items()
        }

    def agreement(self, made: Words, real: Words, shorter: int) -> float:
        """Mean over the sizes of runs of the clipped cosine, lowered for another length."""
        lengths = [max(0, len(text) - shorter) for text in (made, real)]
        total = 0.0
        for size in range(1, ORDERS + 1):
            a, b = self._vector(made, size), self._vector(real, size)
            norms = math.hypot(*a.values()) * math.hypot(*b.values())
            if norms:
                shared = a.keys() & b.keys()
                total += math.fsum(min(a[run], b[run]) * b[run] for run in shared) / norms
        return total / ORDERS * math.exp(-((lengths[0] - lengths[1]) ** 2) / (2 * SIGMA**2))


def bert_score(
    predictions: Texts,
    references: References,
    scorer: Scorer | None = None,
    model: str | Path | None = None,
) -> list[float]:
    """Return each caption's BERTScore F1.

    Args:
        predictions: B captions.
        references: for each, what it may say.
        scorer: gives B figures; None: the package bert_score with ``model``, English, idf and
            rescaled as in the authors' evaluation.
        model: see :func:`bert_options`.

    Raises:
        MetricError: texts that cannot be compared, figures that are not finite, neither scorer
            nor model, or as :func:`bert_options`.
        CheckpointError: as :func:`bert_options`.
    """
    check_texts(predictions, references)
    given = (
        _package(predictions, references, model)
        if scorer is None
        else scorer(predictions, references)
    )
    found = np.asarray(given, dtype=np.float64)
    if found.shape != (len(predictions),) or not np.isfinite(found).all():
        raise MetricError(
            f'the scorer must give {len(predictions)} finite figures, got shape {found.shape}, '
            f'{int((~np.isfinite(found)).sum())} of them not finite'
        )
    return [float(value) for value in found]


def _package(
    predictions: Texts, references: References, model: str | Path | None
) -> Sequence[float]:
    if model is None:
        raise MetricError('BERTScore needs a language model or a scorer: name one of them')
    options = {'lang': 'en', 'rescale_with_baseline': True, 'idf': True} | bert_options(model)
    import bert_score as package  # type: ignore[import-not-found,import-untyped,unused-ignore]

    _, _, f1 = package.score(list(predictions), [list(group) for group in references], **options)
    return f1.tolist()


def bert_options(model: str | Path) -> dict[str, Any]:
    """How the package bert_score reads with a language model; it is not loaded yet.

    Args:
        model: its folder, as transformers saves it: layer and baseline are those that the package
            has for the folder's name (``roberta-large``); under another name it is the last
            layer, and figures are not rescaled. Or the name of one that the package knows, which
            it fetches from the hub unless it was downloaded before.

    Raises:
        MetricError: no package, no language model in the folder, or a name that the package does
            not know.
        CheckpointError: it was never downloaded, and the hub cannot be reached.
    """
    try:
        import bert_score as package  # type: ignore[import-not-found,import-untyped,unused-ignore]
        from bert_score.utils import (  # type: ignore[import-not-found,import-untyped,unused-ignore]
            model2layers,
        )
    except ImportError as error:
        raise MetricError(
            'BERTScore needs the package bert_score (pip install bert-score), or pass a scorer'
        ) from error
    folder = Path(model)
    if not folder.is_dir():
        if str(model) not in model2layers:
            raise MetricError(f'{model} is no folder, and no language model that BERTScore knows')
        check_at_hand(str(model), 'language model')
        return {'model_type': str(model)}
    try:
        layers = json.loads((folder / 'config.json').read_text())['num_hidden_layers']
    except (OSError, ValueError, KeyError) as error:
        raise MetricError(
            f'{folder} is no language model as transformers saves it (config.json): {error}'
        ) from error
    baseline = Path(package.__file__).parent / 'rescale_baseline' / 'en' / f'{folder.name}.tsv'
    return {
        'model_type': str(folder),
        'num_layers': model2layers.get(folder.name, layers),
        'rescale_with_baseline': baseline.is_file(),
        'baseline_path': str(baseline),
    }
