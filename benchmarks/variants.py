# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""``python -m benchmarks.variants --data PACK --output runs/variants``: what makes a difference.

Each variant of the `small` preset is trained for the same number of steps on the joint task (stage
`text`), once for each seed, and measured as the model card does: the share of motions, drawn from
the captions of the validation clips and from the paraphrases, that show what was asked. With
``--full`` it goes through all stages as the shipped checkpoint does (but for the VAE's residual,
which no other stage reads), and three motions are drawn from each prompt. What has been trained
and measured is kept in the output folder, so that an interrupted run goes on.
"""

from __future__ import annotations

import argparse
import json
import math
from collections import defaultdict
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from mgpt3_ros.model.checkpoints.checkpoint import write_text
from mgpt3_ros.model.config import load_yaml
from mgpt3_ros.model.errors import GenerationError
from mgpt3_ros.model.motiongpt3 import MotionGPT3
from mgpt3_ros.model.render.labels import INK, text_width, write
from mgpt3_ros.training.data.packs import load_pack
from mgpt3_ros.training.evaluation.classifier import ActionClassifier
from mgpt3_ros.training.evaluation.measures import (
    counted,
    generate_all,
    grouped,
    obeyed,
    recognition,
    spread_ratio,
)
from mgpt3_ros.training.evaluation.motion_quality import bodies
from mgpt3_ros.training.run_config import load_run_config
from mgpt3_ros.training.stages import run_stage

HEAD = 'model.network.head'
_AS_THEY_ARE = ('captions.rewritten=0', 'captions.sentences=0', 'captions.borrowed=0')
VARIANTS: dict[str, tuple[str, ...]] = {
    'flow': (),
    'ddpm': (  # guidance and temperature were chosen by the same clips as those of the flow head
        *(f'{HEAD}.kind=ddpm', f'{HEAD}.num_inference_steps=50'),
        *(f'{HEAD}.guidance_scale=1.25', f'{HEAD}.temperature=0.85'),
    ),
    'flow, 160 components': ('model.network.vae.trunk.latent_dim=160',),
    'flow, 8 holders': ('model.network.holders=8',),
    'flow, width 192': ('model.network.backbone.n_embd=192',),
    'flow, head of 768': (f'{HEAD}.width=768',),
    'flow, linear aggregation': (f'{HEAD}.aggregation=linear',),
    'flow, no regression': (f'{HEAD}.regression_weight=0',),
    'flow, captions as they are': _AS_THEY_ARE,
}
HEADS = ('flow', 'ddpm')
STAGES = ('text', 't2m', 'align')
GUIDANCE = (1.0, 1.25, 1.5, 2.0, 3.0)
PARAPHRASES = Path(__file__).with_name('paraphrases.yaml')
BAR = (52, 120, 206)
ROW, NAME_WIDTH, PLOT_WIDTH, MARGIN = 30, 270, 420, 16  # px


def main(argv: list[str] | None = None) -> int:
    """Train, measure, and write ``variants.md``, ``variants.json`` and ``variants.png``."""
    parser = argparse.ArgumentParser(prog='python -m benchmarks.variants', description=__doc__)
    parser.add_argument('--data', type=Path, required=True, help='folder of the mocap22 pack')
    parser.add_argument('--output', type=Path, required=True, help='folder of the runs')
    parser.add_argument('--steps', type=int, default=800, help='of training (default: 800)')
    parser.add_argument('--full', action='store_true', help='all stages, each with all its steps')
    parser.add_argument('--seeds', type=int, default=2, help='runs of each variant (default: 2)')
    parser.add_argument('--only', nargs='*', choices=VARIANTS, help='some of the variants')
    arguments = parser.parse_args(argv)
    judge = Judge(arguments.data)
    for seed in range(arguments.seeds):
        for name in arguments.only or VARIANTS:
            folder = arguments.output / f'{name.replace(", ", "-").replace(" ", "_")}-{seed}'
            if (folder / 'figures.json').is_file():
                continue
            trained = train(folder, VARIANTS[name], seed, arguments)
            try:
                figures = judge.measure(trained, 3 if arguments.full else 1, name in HEADS)
            except GenerationError as error:  # it draws no bodies: nothing is right
                figures = {**dict.fromkeys(MEASURES, math.nan), **NOTHING, 'error': str(error)}
            figures |= {'variant': name, 'seed': seed}
            write_text(folder / 'figures.json', json.dumps(figures, indent=2) + '\n')
    report(arguments.output)
    return 0


def train(folder: Path, overrides: tuple[str, ...], seed: int, arguments: Any) -> Path:
    """Train one variant up to the joint task or to the end; return the folder of its weights."""
    stages = STAGES if arguments.full else STAGES[:1]
    fixed = [f'stages.{stage}.optim.seed={seed}' for stage in ('vae', *stages)]
    fixed += ['stages.vae.optim.steps=1']
    if not arguments.full:
        fixed += [f'stages.{STAGES[0]}.optim.steps={arguments.steps}']
    run = load_run_config('small', (*fixed, *overrides))
    for stage in ('vae', *stages):
        trained = run_stage(stage, run, arguments.data, folder, 'cpu')
    return trained


class Judge:
    """Measures checkpoints on the validation clips of a pack."""

    def __init__(self, data: Path) -> None:
        pack = load_pack(data)
        self.clips = counted(pack.val)
        self.actions = [str(clip.action) for clip in self.clips]
        self.recogniser = ActionClassifier(pack.train)
        self.paraphrases: dict[str, list[str]] = load_yaml(PARAPHRASES)

    def measure(self, folder: Path, draws: int = 1, guidance: bool = False) -> dict[str, Any]:
        """Figures of a checkpoint with its own settings; its actions at several scales too."""
        model = MotionGPT3.from_pretrained(folder, device='cpu')
        texts = [clip.captions[0] for clip in self.clips]
        made = [joints for n in range(draws) for joints in generate_all(model, texts, 1000 * n)]
        found = recognition(self.actions * draws, self.recogniser.predict(made))
        understood = obeyed(model, self.recogniser, self.paraphrases, draws)
        real = [clip.joints for clip in self.clips]
        figures: dict[str, Any] = {
            'action': found.action.value,
            'mean over actions': found.mean_over_actions,
            'wrong side': found.side_wrong.value,
            'paraphrases': understood.mean_over_actions,
            'jitter over real': bodies(made)['jitter [m/s^3]'] / bodies(real)['jitter [m/s^3]'],
            'spread over real': spread_ratio(
                grouped(self.actions, real), grouped(self.actions * draws, made)
            ),
        }
        if guidance:
            figures['guidance'] = {scale: self._at(model, scale) for scale in GUIDANCE}
        return figures

    def _at(self, model: MotionGPT3, scale: float) -> float:
        head = model.network.head
        before, head.config = head.config, replace(head.config, guidance_scale=scale)
        made = generate_all(model, [clip.captions[0] for clip in self.clips], seed=0)
        head.config = before
        return recognition(self.actions, self.recogniser.predict(made)).action.value


NOTHING = {'action': 0.0, 'mean over actions': 0.0, 'paraphrases': 0.0}
MEASURES = (
    *('action', 'mean over actions', 'wrong side', 'paraphrases'),
    *('jitter over real', 'spread over real'),
)


def report(folder: Path) -> None:
    """Print and write the table of all runs in a folder, and draw the shares of right actions."""
    runs = [json.loads(file.read_text()) for file in sorted(folder.glob('*/figures.json'))]
    by_name: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for run in runs:
        by_name[run['variant']].append(run)
    names = [name for name in VARIANTS if name in by_name]
    lines = ['| variant | ' + ' | '.join(MEASURES) + ' |', '|---' * (len(MEASURES) + 1) + '|']
    for name in names:
        cells = [' / '.join(f'{run[m]:.2f}' for run in by_name[name]) for m in MEASURES]
        lines.append(f'| {name} | ' + ' | '.join(cells) + ' |')
    for run in (run for name in HEADS for run in by_name.get(name, [])):
        scales = ', '.join(f'{s}: {right:.3f}' for s, right in run.get('guidance', {}).items())
        lines += ['', f'Right action by guidance, {run["variant"]}, seed {run["seed"]}: {scales}']
    table = '\n'.join(lines)
    print(table)
    write_text(folder / 'variants.md', table + '\n')
    write_text(folder / 'variants.json', json.dumps(runs, indent=2) + '\n')
    shares = {name: [run['action'] for run in by_name[name]] for name in names}
    understood = {name: [run['paraphrases'] for run in by_name[name]] for name in names}
    picture = np.concatenate(
        [bars('right action', shares), bars('paraphrases, right action', understood)], axis=1
    )
    cv2.imwrite(str(folder / 'variants.png'), picture[..., ::-1])


def bars(title: str, values: dict[str, list[float]]) -> np.ndarray:
    """A bar to the mean for each name, a dot for each run; 0 to 1."""
    height = MARGIN * 2 + ROW * (len(values) + 1)
    picture = np.full((height, NAME_WIDTH + PLOT_WIDTH + 2 * MARGIN, 3), 255, dtype=np.uint8)
    left, scale = MARGIN + NAME_WIDTH, PLOT_WIDTH - 60
    write(picture, title, (left, MARGIN + 14), 11, INK)
    for index, (name, found) in enumerate(values.items()):
        y = MARGIN + ROW * (index + 1)
        write(picture, name, (left - 10 - text_width(name, 10), y + 18), 10, INK)
        end = left + round(scale * float(np.mean(found)))
        cv2.rectangle(picture, (left, y + 5), (end, y + 21), BAR, -1)
        for value in found:
            cv2.circle(picture, (left + round(scale * value), y + 13), 4, INK, -1, cv2.LINE_AA)
        beside = max(end, left + round(scale * max(found))) + 12
        write(picture, f'{np.mean(found):.2f}', (beside, y + 18), 10, INK)
    return picture


if __name__ == '__main__':
    raise SystemExit(main())
