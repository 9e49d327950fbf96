# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""``python -m benchmarks.baselines --data PACK --output runs/baselines``: the paper's comparison.

MotionGPT3 (preset `small`) beside the paper's two baselines, motions as codes (`vq`) and one
branch for both modalities (`unified`), on the same data, for the same steps of the joint task
(stage `text`: text to motion, motion to text and sentences), once for each seed. Each is measured
on the validation clips. The VAE of a preset is trained once, for all of its seeds. With
``--stages`` instead the stages of the paper's Tab. 15, A to G, each with so many steps, one seed
each; those with which several begin alike are trained once.

What has been trained and measured is kept in the output folder, so that an interrupted run goes
on, and with what is there a table and the plot are written.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections import defaultdict
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from matplotlib.figure import Figure
from tqdm import tqdm

from benchmarks.table import circumstances
from mgpt3_ros.model.atomic_files import whole_file
from mgpt3_ros.model.checkpoints.checkpoint import write_text
from mgpt3_ros.model.language.caption_actions import read_action
from mgpt3_ros.model.motion import Motion
from mgpt3_ros.model.motiongpt3 import MotionGPT3
from mgpt3_ros.training.data.clip import Clip
from mgpt3_ros.training.data.dataset import load_dataset
from mgpt3_ros.training.data.packs import load_pack
from mgpt3_ros.training.evaluation.classifier import ActionClassifier
from mgpt3_ros.training.evaluation.evaluators import load_evaluator
from mgpt3_ros.training.evaluation.measures import counted, generate_all, recognition
from mgpt3_ros.training.evaluation.protocols import reconstruction
from mgpt3_ros.training.evaluation.results import Figure as Value
from mgpt3_ros.training.evaluation.text_protocols import (
    TRUE_LENGTH,
    TextProtocolConfig,
    text_protocol,
)
from mgpt3_ros.training.run_config import RunConfig, load_run_config
from mgpt3_ros.training.run_log import read_log
from mgpt3_ros.training.samples import Split
from mgpt3_ros.training.stages import make_trainer, run_stage
from mgpt3_ros.training.start import start_model

TIMED_STEPS, WARM_UP = 5, 2
MEASUREMENTS = 8  # of right actions and of the losses on validation clips, over a training


@dataclass(frozen=True)
class Variant:
    """A preset, its stages after `vae` in their order, and what is changed."""

    preset: str
    stages: tuple[str, ...]
    overrides: tuple[str, ...] = ()


MODELS = {
    'MotionGPT3': Variant('small', ('text',)),
    'MotionGPT3-VQ': Variant('vq', ('text',)),
    'Unified+VAE': Variant('unified', ('text',)),
}
_ALL = '[text, motion, markers, holders, duration, head]'
# Tab. 15. There `text` trains words alone, as the paper's GPT-2 was before: no motion is seen.
_LANGUAGE = ('stages.text.trained=[text, markers]', 'stages.text.tasks={text: 1.0}')
_TRAINED = (f'stages.t2m.trained={_ALL}', f'stages.align.trained={_ALL}')
_NO_FIRST = ('stages.align.start_from=text',)
STAGES = {
    'A: fixed text, stage 1': Variant('small', ('text', 't2m'), _LANGUAGE),
    'B: fixed text, stages 1, 2': Variant('small', ('text', 't2m', 'align'), _LANGUAGE),
    'C: fixed text, stages 1, 2, 3': Variant(
        'small', ('text', 't2m', 'align', 'instruct'), _LANGUAGE
    ),
    'D: fixed text, stage 2': Variant('small', ('text', 'align'), (*_LANGUAGE, *_NO_FIRST)),
    'E: fixed text, stages 2, 3': Variant(
        'small', ('text', 'align', 'instruct'), (*_LANGUAGE, *_NO_FIRST)
    ),
    'F: trained text, stage 1': Variant('small', ('text', 't2m'), (*_LANGUAGE, *_TRAINED)),
    'G: trained text, stages 1, 2': Variant(
        'small', ('text', 't2m', 'align'), (*_LANGUAGE, *_TRAINED)
    ),
}

COLUMNS = (
    *('MPJPE [mm]', 'PA-MPJPE [mm]', 'ACCL', 'R@3', 'FID', 'MM-Dist', 'action', 'wrong side'),
    *('captions: action', 'captions: BLEU-4', 'CPU s a step', 'parameters [M]'),
)
SHARES = ('R@3', 'action', 'wrong side', 'captions: action', 'captions: BLEU-4')


def main(argv: list[str] | None = None) -> int:
    """Train and measure what is missing; write ``baselines.md``, ``.json`` and ``.png``."""
    parser = argparse.ArgumentParser(
        prog='python -m benchmarks.baselines',
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('--data', type=Path, required=True, help='folder of a pack')
    parser.add_argument('--output', type=Path, required=True, help='folder of the runs')
    parser.add_argument('--steps', type=int, default=2400, help='of a stage (default: 2400)')
    parser.add_argument('--vae-steps', type=int, default=4000, help='of a VQ-VAE (default: 4000)')
    parser.add_argument('--seeds', type=int, default=2, help='runs of each (default: 2)')
    parser.add_argument('--stages', action='store_true', help="Tab. 15's stages, one seed each")
    parser.add_argument(
        '--evaluator',
        type=Path,
        help='folder of `mgpt3 train tmr` on the same data (default: OUTPUT/tmr, made if missing)',
    )
    parser.add_argument('--clips', type=int, help='validation clips that are measured (all)')
    parser.add_argument('--report', action='store_true', help='only write what is there')
    parser.add_argument('overrides', nargs='*', metavar='key=value', help='as of mgpt3 train')
    options = parser.parse_intermixed_args(argv)
    variants = STAGES if options.stages else MODELS
    if not options.report:
        judge = Judge(options)
        jobs = [(n, s) for s in range(1 if options.stages else options.seeds) for n in variants]
        for name, seed in tqdm(jobs, desc='runs', unit='run'):
            folder = folder_of(name, seed, options)
            if (folder / 'figures.json').is_file():
                continue
            trained, run = train(name, variants, seed, options)
            figures = judge.measure(trained) | seconds_a_step(run, variants[name], options, folder)
            figures |= {'name': name, 'seed': seed, 'curve': curve(folder, variants[name])}
            write_text(folder / 'figures.json', json.dumps(figures, indent=2) + '\n')
            report(options.output, variants)
    report(options.output, variants)
    return 0


def folder_of(name: str, seed: int, options: argparse.Namespace) -> Path:
    """Where a variant is trained and measured."""
    return Path(options.output, f'{name.split(":")[0].replace(" ", "_")}-{seed}')


def train(
    name: str, variants: dict[str, Variant], seed: int, options: argparse.Namespace
) -> tuple[Path, RunConfig]:
    """Train the stages of a variant; return the folder of the last and the configuration."""
    variant, folder = variants[name], folder_of(name, seed, options)
    # The VAE is that of all seeds. A trunk is fitted, and no other stage reads its residual.
    vae_steps = options.vae_steps if variant.preset == 'vq' else 1
    fixed = [f'stages.vae.optim.steps={vae_steps}']
    for stage in variant.stages:
        every = max(options.steps // MEASUREMENTS, 1)
        fixed += [
            f'stages.{stage}.optim.seed={seed}',
            f'stages.{stage}.optim.steps={options.steps}',
            f'stages.{stage}.validation={{every: {every}, measure: actions, batches: 2}}',
        ]
    run = load_run_config(variant.preset, (*fixed, *variant.overrides, *options.overrides))
    shared = options.output / f'vae-{variant.preset}'
    trained = run_stage('vae', run, options.data, shared, 'cpu')
    folder.mkdir(parents=True, exist_ok=True)
    _take(folder / 'vae', trained)
    for number, stage in enumerate(variant.stages, start=1):
        begun = replace(variant, stages=variant.stages[:number])
        for other, its in variants.items():
            if replace(its, stages=its.stages[:number]) == begun:
                _take(folder / stage, folder_of(other, seed, options) / stage)
        trained = run_stage(stage, run, options.data, folder, 'cpu')
    return trained, run


def _take(folder: Path, other: Path) -> None:
    """Have a stage's folder from elsewhere, where it is there and not here."""
    if other.is_dir() and not folder.exists():
        folder.symlink_to(other.resolve())


def seconds_a_step(
    run: RunConfig, variant: Variant, options: argparse.Namespace, folder: Path
) -> dict[str, float]:
    """Median seconds of the processor, not of the clock, that a step of the last stage takes."""
    dataset = load_dataset(options.data, None, run.humanml3d, run.mocap22)
    dataset.describe_by(run.captions)
    dataset.balance(run.balance)
    name = variant.stages[-1]
    stage = run.stages[name]
    model = start_model(run, stage, dataset, folder)
    with tempfile.TemporaryDirectory() as scratch:
        split = Split(stage.optim.batch_size, stage.optim.seed)
        trainer = make_trainer(name, stage, model, dataset, Path(scratch), split)
        model.network.train()
        taken = []
        for _ in range(WARM_UP + TIMED_STEPS):
            begun = time.process_time()
            trainer.train_step()
            taken.append(time.process_time() - begun)
    parameters = {id(p): p.numel() for p in model.network.parameters()}
    return {
        'CPU s a step': statistics.median(taken[WARM_UP:]),
        'parameters [M]': sum(parameters.values()) / 1e6,
    }


def curve(folder: Path, variant: Variant) -> list[tuple[int, float]]:
    """Right actions on validation clips over the steps of all stages."""
    found, done = [], 0
    for stage in variant.stages:
        records = [r for r in read_log(folder / stage) if 'actions' in r.get('val', {})]
        found += [(done + r['step'], r['val']['actions']) for r in records]
        done += max((r['step'] for r in read_log(folder / stage)), default=0)
    return found


class Judge:
    """Measures checkpoints on the validation clips of a pack."""

    def __init__(self, options: argparse.Namespace) -> None:
        pack = load_pack(options.data)
        self.clips: list[Clip] = counted(pack.val)
        if options.clips is not None:
            self.clips = self.clips[:: max(1, -(-len(self.clips) // options.clips))]
        self.actions = [str(clip.action) for clip in self.clips]
        self.recogniser = ActionClassifier(pack.train)
        folder = options.evaluator or options.output / 'tmr'
        if options.evaluator is None:
            run = load_run_config('small', tuple(o for o in options.overrides if 'tmr' in o))
            run_stage('tmr', run, options.data, options.output, 'cpu')
        self.evaluator = load_evaluator(folder, options.data, device='cpu')

    def measure(self, folder: Path) -> dict[str, Any]:
        """Figures of a checkpoint with its own settings."""
        model = MotionGPT3.from_pretrained(folder, device='cpu')
        rebuilt = reconstruction(model, self.clips).figures['reconstruction']
        config = TextProtocolConfig(replications=1, multimodality_texts=0)
        drawn = text_protocol('t2m', model, self.clips, self.evaluator, config).figures
        made = generate_all(model, [clip.captions[0] for clip in self.clips], seed=0)
        found = recognition(self.actions, self.recogniser.predict(made))
        said = text_protocol('m2t', model, self.clips, self.evaluator, config).figures
        captions = model.pipeline.caption([Motion(clip.joints) for clip in self.clips])
        read = recognition(self.actions, [read_action(text) for text in captions])
        return {
            'MPJPE [mm]': _mean(rebuilt, 'MPJPE from the root [mm]'),
            'PA-MPJPE [mm]': _mean(rebuilt, 'PA-MPJPE [mm]'),
            'ACCL': _mean(rebuilt, 'ACCL [mm per frame squared]'),
            **{name: _mean(drawn[TRUE_LENGTH], name) for name in ('R@3', 'FID', 'MM-Dist')},
            'action': found.action.value,
            'wrong side': found.side_wrong.value,
            'captions: action': read.action.value,
            'captions: BLEU-4': _mean(said['generated captions'], 'BLEU-4'),
        }


def _mean(figures: dict[str, Value], name: str) -> float:
    return float(figures[name].mean)


def report(folder: Path, variants: dict[str, Variant]) -> None:
    """Write the table of all runs in a folder, and draw their curves."""
    runs = [json.loads(file.read_text()) for file in sorted(folder.glob('*/figures.json'))]
    by_name: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for run in runs:
        by_name[run['name']].append(run)
    names = [name for name in variants if name in by_name]
    lines = [circumstances(), '', '| | ' + ' | '.join(COLUMNS) + ' |']
    lines.append('|---' * (len(COLUMNS) + 1) + '|')
    for name in names:
        cells = [
            ' / '.join(f'{run[column]:.{3 if column in SHARES else 2}f}' for run in by_name[name])
            for column in COLUMNS
        ]
        lines.append(f'| {name} | ' + ' | '.join(cells) + ' |')
    title = 'stages' if variants is STAGES else 'baselines'
    write_text(folder / f'{title}.md', '\n'.join(lines) + '\n')
    chosen = [run for name in names for run in by_name[name]]
    write_text(folder / f'{title}.json', json.dumps(chosen, indent=2) + '\n')
    print('\n'.join(lines))
    with whole_file(folder / f'{title}.png') as partial:
        draw_curves({name: by_name[name] for name in names}, variants is not STAGES).savefig(
            partial, format='png', dpi=110, bbox_inches='tight'
        )


def draw_curves(runs: dict[str, list[dict[str, Any]]], over_time: bool = True) -> Figure:
    """Right actions over the steps, and over the processor's time: a line for each run.

    ``over_time`` needs steps that all take the same time, so a single stage.
    """
    figure = Figure(figsize=(9, 3.2))
    panels = figure.subplots(1, 1 + over_time, sharey=True, squeeze=False)[0]
    for number, (name, found) in enumerate(runs.items()):
        for run in found:
            steps, right = np.array(run['curve']).T
            label = name if run is found[0] else None
            for panel, scale in zip(panels, (1, run['CPU s a step'] / 60), strict=False):
                panel.plot(steps * scale, right, color=f'C{number}', marker='.', label=label)
    for panel, what in zip(panels, ('steps', 'minutes of one core'), strict=False):
        panel.set_xlabel(what)
    panels[0].set(ylabel='right actions, validation captions', ylim=(0, 1))
    if runs:
        panels[0].legend(frameon=False, loc='best')
    return figure


if __name__ == '__main__':
    torch.set_num_threads(1)
    raise SystemExit(main())
