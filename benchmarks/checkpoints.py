# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""``python -m benchmarks.checkpoints --data PACK``: checkpoints side by side, in one table.

Blind prompts, captions, new actions, known against unknown prompts, instructions, questions
without motion, seconds and memory, for the checkpoints that are named (default and stream). Each
row is what a benchmark or the card of a checkpoint measures by itself; what a checkpoint cannot do
has no figure.
"""

from __future__ import annotations

import argparse
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
import yaml
from sklearn.metrics import roc_auc_score

from benchmarks import confidence, instructions
from benchmarks.language import as_it_came
from benchmarks.peak import ASKED
from benchmarks.table import circumstances
from mgpt3_ros.model.checkpoints import checkpoint
from mgpt3_ros.model.kinematics.skeleton import FPS
from mgpt3_ros.model.language.confidence import names_action
from mgpt3_ros.model.language.known_prompts import knowledge_of
from mgpt3_ros.model.motion import Motion
from mgpt3_ros.model.motiongpt3 import MotionGPT3
from mgpt3_ros.model.pipelines.stream import StreamPipeline
from mgpt3_ros.model.sampling import noise_source
from mgpt3_ros.training.data.clip import Clip
from mgpt3_ros.training.data.packs import MotionPack, load_pack
from mgpt3_ros.training.evaluation.action_lists import split
from mgpt3_ros.training.evaluation.classifier import ActionClassifier
from mgpt3_ros.training.evaluation.language import answers, questions, text_loss
from mgpt3_ros.training.evaluation.measures import drawn_or_refused

SENTENCES = ('a person walks forward.', 'a person bows.', 'a person waves with the right hand.')
PROMPT_S, SHORTEST_S = 3.0, 0.5
_WORDS = re.compile(r"[a-z']+")
Rows = dict[str, str]


@dataclass
class Bench:
    """What all checkpoints are measured with.

    most: clips of a list, prompts and questions, at most; None for all.
    """

    data: Path
    held_out: float = 0.15
    most: int | None = None
    repeats: int = 20
    reader: MotionGPT3 | None = None
    _languages: dict[str, MotionGPT3] = field(default_factory=dict)

    @cached_property
    def pack(self) -> MotionPack:
        """All clips."""
        return load_pack(self.data)

    @cached_property
    def lists(self) -> tuple[list[Clip], dict[str, list[Clip]]]:
        """Clips to train with, and those of old and of new actions to measure with."""
        train, old, new = split(self.pack, self.held_out)
        return train, {'old actions': old[: self.most], 'new actions': new[: self.most]}

    @cached_property
    def judge(self) -> ActionClassifier:
        """Names what a motion shows; trained on real clips that are not measured with."""
        return ActionClassifier(self.lists[0], uncounted=())

    def before(self, model: MotionGPT3) -> MotionGPT3 | None:
        """The language model as it came, of a model that talks."""
        if not model.talks:
            return None
        if model.name not in self._languages:
            self._languages[model.name] = as_it_came(model)
        return self._languages[model.name]


def blind(model: MotionGPT3, bench: Bench) -> Rows:
    """Prompts that were written without sight of the data: how many show what is asked."""
    file = Path(__file__).with_name('blind_prompts.yaml')
    listed = yaml.safe_load(file.read_text(encoding='utf-8'))
    asked = [(p, a) for a, own in listed.items() for p in own if a in bench.judge.actions]
    asked = asked[: bench.most]
    drawn = drawn_or_refused(model, [p for p, _ in asked], 0, [PROMPT_S] * len(asked))
    return {f'blind prompts shown, of {len(asked)}': _shown(drawn, [a for _, a in asked], bench)}


def _shown(drawn: Sequence[np.ndarray | None], wanted: Sequence[str], bench: Bench) -> str:
    seen = iter(bench.judge.predict([joints for joints in drawn if joints is not None]))
    found = [None if joints is None else next(seen) for joints in drawn]
    return f'{np.mean([f == w for f, w in zip(found, wanted, strict=True)]):.2f}'


def captions(model: MotionGPT3, bench: Bench) -> Rows:
    """Captions of real clips: what they name, how they vary, how well they are English.

    How well is the loss [nats a token] of a language model that is among the checkpoints; in
    brackets that on the data's own captions.
    """
    rows: Rows = {}
    said: list[str] = []
    for name, clips in bench.lists[1].items():
        texts = list(model.caption([Motion(clip.joints) for clip in clips]))
        named = [names_action(t, str(c.action)) for t, c in zip(texts, clips, strict=True)]
        rows[f'captions that name the action, {name}'] = f'{np.mean(named):.2f}'
        said += texts
    words = [_WORDS.findall(text.lower()) for text in said]
    rows[f'different captions, of {len(said)}'] = f'{len(set(said))}'
    rows['different words in them'] = f'{len({word for own in words for word in own})}'
    if bench.reader is not None:
        real = [clip.captions[0] for clips in bench.lists[1].values() for clip in clips]
        own, data = (text_loss(bench.reader, '\n'.join(texts))[0] for texts in (said, real))
        rows["a language model's loss on them (on the data's)"] = f'{own:.2f} ({data:.2f})'
    return rows


def new_actions(model: MotionGPT3, bench: Bench) -> Rows:
    """Captions of unseen clips, drawn at true lengths: recognised, over the real clips'."""
    rows: Rows = {}
    for name, clips in bench.lists[1].items():
        wanted = [str(clip.action) for clip in clips]
        longest_s = model.config.max_frames / FPS
        seconds = [min(max(len(clip.joints) / FPS, SHORTEST_S), longest_s) for clip in clips]
        drawn = drawn_or_refused(model, [clip.captions[0] for clip in clips], 0, seconds)
        real = float(_shown([clip.joints for clip in clips], wanted, bench))
        rows[f'drawn and recognised over real, {name}'] = (
            f'{float(_shown(drawn, wanted, bench)) / max(real, 1e-9):.2f}'
        )
    return rows


def known(model: MotionGPT3, bench: Bench) -> Rows:
    """Known against unknown prompts, on the measuring half of ``benchmarks.confidence``."""
    labels = [action.label for action in model.known_actions()]
    if not labels:
        return {}
    rows = confidence.prompts(labels)
    is_known = np.array([row[2] for row in rows])
    measuring = np.ones(len(rows), dtype=bool)
    for kind in (True, False):
        measuring[np.flatnonzero(is_known == kind)[::2]] = False
    scores = np.array([knowledge_of(text, labels).probability for text, _, _ in rows])
    scores, is_known = scores[measuring], is_known[measuring]
    return {
        'known against unknown, area under the curve': f'{roc_auc_score(is_known, scores):.3f}',
        'unknown found where 95 % of the known are kept': (
            f'{confidence.flagged(scores, is_known):.2f}'
        ),
    }


def instructed(model: MotionGPT3, bench: Bench) -> Rows:
    """The hundred instructions of ``benchmarks.instructions``."""
    clips = instructions.Clips(bench.pack[1])
    found = instructions.measure(model, bench.judge, clips, bench.before(model))
    kind, content, count = found.totals
    return {f'instructions: right kind, right content, of {count}': f'{kind}, {content}'}


def language(model: MotionGPT3, bench: Bench) -> Rows:
    """Questions without motion: greedy answers that are the language model's own to the token."""
    before = bench.before(model)
    if before is None:
        return {}
    asked = questions()[: bench.most]
    same = sum(a == b for a, b in zip(answers(before, asked), answers(model, asked), strict=True))
    return {f'questions answered as before, of {len(asked)}': str(same)}


def seconds(model: MotionGPT3, bench: Bench) -> Rows:
    """A new sentence to the first frames, and words a second."""
    took = []
    live = model.stream(None) if isinstance(model.pipeline, StreamPipeline) else None
    for number in range(bench.repeats):
        text = SENTENCES[number % len(SENTENCES)]
        begun = time.perf_counter()
        if live is None:
            model.generate(text, 2.0, judge=False, generator=noise_source(number))
        else:
            live.say(text)
            live.step()
        took.append(time.perf_counter() - begun)
    rows = {'new sentence to first frames [ms]': f'{1000 * statistics.median(took):.0f}'}
    if model.talks:
        talk = model.conversation()
        begun = time.perf_counter()
        said = model.tokenizer.encode(talk.say(ASKED).text)
        rows['tokens a second'] = f'{len(said) / (time.perf_counter() - begun):.0f}'
    return rows


MEASURES: dict[str, Callable[[MotionGPT3, Bench], Rows]] = {
    'blind': blind,
    'captions': captions,
    'new': new_actions,
    'known': known,
    'instructions': instructed,
    'language': language,
    'seconds': seconds,
}


def measured(folder: str, bench: Bench, wanted: Sequence[str]) -> Rows:
    """All rows of one checkpoint, and the memory of a process that holds nothing else [MB]."""
    model = MotionGPT3.from_pretrained(folder, 'cpu')
    if model.talks and bench.reader is None:
        bench.reader = bench.before(model)
    rows: Rows = {}
    for name in wanted:
        if name != 'memory':
            rows |= MEASURES[name](model, bench)
    if 'memory' in wanted:
        call = [sys.executable, '-m', 'benchmarks.peak', folder]
        told = subprocess.run(call, stdout=subprocess.PIPE, text=True, check=True).stdout
        rows['memory at most [MB]'] = told.strip()
    return rows


def table(found: dict[str, Rows]) -> str:
    """Checkpoints as columns, in Markdown."""
    names = list(dict.fromkeys(name for rows in found.values() for name in rows))
    lines = [['', *found], ['---'] * (1 + len(found))]
    lines += [[name, *(rows.get(name, '-') for rows in found.values())] for name in names]
    return '\n'.join(f'| {" | ".join(line)} |' for line in lines)


def main(argv: Sequence[str] | None = None) -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(prog='python -m benchmarks.checkpoints', description=__doc__)
    parser.add_argument('checkpoints', nargs='*', default=['default', 'stream'], metavar='FOLDER')
    parser.add_argument('--data', type=Path, help='folder of a pack')
    parser.add_argument('--only', nargs='+', choices=(*MEASURES, 'memory'), help='these (all)')
    parser.add_argument('--most', type=int, help='clips of a list, prompts, questions (all)')
    parser.add_argument('--held-out', type=float, default=0.15, help='share kept from training')
    parser.add_argument('--repeats', type=int, default=20, help='sentences that are timed')
    options = parser.parse_args(argv)
    if options.data is None:
        parser.error('give --data')
    wanted = options.only or [*MEASURES, 'memory']
    bench = Bench(options.data, options.held_out, options.most, options.repeats)
    # What talks comes first: its language model reads the captions of the others.
    folders = sorted(options.checkpoints, key=lambda folder: not _talks(folder))
    found = {folder: measured(folder, bench, wanted) for folder in folders}
    print(circumstances())
    print(table({folder: found[folder] for folder in options.checkpoints}))
    return 0


def _talks(folder: str) -> bool:
    """Whether a checkpoint stands beside a language model of its own."""
    config = checkpoint.read_config(checkpoint.find_checkpoint(folder))
    return config.get('language_model') is not None


if __name__ == '__main__':
    sys.exit(main())
