# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Measure a checkpoint and write its card.

``python -m scripts.model_card CHECKPOINT --data PACK``. The card says what the checkpoint was
trained on and under which licence, how it was made, and what was measured on clips that it never
saw.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import math
import platform
import subprocess
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import torch

from mgpt3_ros.model import checkpoint
from mgpt3_ros.model.config import load_yaml
from mgpt3_ros.model.motiongpt3 import MotionGPT3
from mgpt3_ros.training.data.motion_store import cache_folder
from mgpt3_ros.training.data.packs import MotionPack, load_pack
from mgpt3_ros.training.evaluation.measures import Recognition, Share, measure
from mgpt3_ros.training.evaluation.retrieval import RetrievalShare, generated_over_real
from mgpt3_ros.training.evaluation.tmr import TextMotionEncoder
from mgpt3_ros.training.run_config import load_run_config
from mgpt3_ros.training.run_record import TMR
from mgpt3_ros.training.stages import run_stage

BENCHMARKS = Path(__file__).resolve().parent.parent / 'benchmarks'
PROMPTS = {'paraphrases': 'paraphrases.yaml', 'blind prompts': 'blind_prompts.yaml'}


def main(argv: list[str] | None = None) -> int:
    """Measure, print the table, write ``MODEL_CARD.md`` and ``measures.json`` into the folder."""
    parser = argparse.ArgumentParser(prog='python -m scripts.model_card', description=__doc__)
    parser.add_argument('checkpoint', type=Path, help='checkpoint folder')
    parser.add_argument('--data', type=Path, required=True, help='folder of the mocap22 pack')
    parser.add_argument('--seeds', type=int, default=3, help='motions per prompt (default: 3)')
    parser.add_argument(
        '--evaluator',
        type=Path,
        metavar='FOLDER',
        help='text-motion encoder that `mgpt3 train tmr` wrote (default: trained once, minutes)',
    )
    parser.add_argument(
        '--about',
        type=Path,
        metavar='FILE',
        help='YAML of what only its maker knows: about, data, made_by, limits (Markdown each)',
    )
    arguments = parser.parse_args(argv)
    pack = load_pack(arguments.data)
    model = MotionGPT3.from_pretrained(arguments.checkpoint)
    evaluator = TextMotionEncoder.load(arguments.evaluator or _own_evaluator(arguments.data, pack))
    prompts = {name: load_yaml(BENCHMARKS / file) for name, file in PROMPTS.items()}
    figures = measure(model, pack.train, pack.val, prompts, arguments.seeds)
    figures['retrieval'] = generated_over_real(evaluator, model, pack.val, arguments.seeds)
    command = f'python -m scripts.model_card CHECKPOINT --data PACK --seeds {arguments.seeds}'
    about = load_yaml(arguments.about) if arguments.about else {}
    card = write_card(model, figures, command, about)
    checkpoint.write_text(arguments.checkpoint / checkpoint.CARD, card)
    plain = {name: _plain(value) for name, value in figures.items()}
    checkpoint.write_text(
        arguments.checkpoint / 'measures.json', json.dumps(plain, indent=2) + '\n'
    )
    print(target_table(targets(figures)))
    return 0


def _own_evaluator(data: Path, pack: MotionPack) -> Path:
    """The folder of the evaluator of a pack, in the user's cache; trained if it is not there."""
    runs = cache_folder() / f'evaluator-{pack.digest[:16]}'
    if not (runs / TMR / 'model.safetensors').is_file():
        run_stage(TMR, load_run_config('small'), data, runs)
    return runs / TMR


@dataclasses.dataclass(frozen=True)
class Target:
    """A figure that a shipped checkpoint should reach: at least ``low``, at most ``high``."""

    name: str
    value: float
    low: float = -math.inf
    high: float = math.inf

    @property
    def met(self) -> bool:
        """Whether it lies between the bounds."""
        return self.low <= self.value <= self.high

    @property
    def wanted(self) -> str:
        """The bounds in words."""
        if math.isinf(self.low):
            return f'at most {self.high:g}'
        return (
            f'at least {self.low:g}' if math.isinf(self.high) else f'{self.low:g} to {self.high:g}'
        )


def targets(figures: dict[str, Any]) -> list[Target]:
    """What a shipped checkpoint is held to, from the figures of `measure`."""
    real, made, said = figures['real motion'], figures['generated'], figures['captions']
    slide = {k: figures[f'foot slide locomotion, {k} [m/s]'] for k in ('real', 'generated')}
    found: RetrievalShare = figures['retrieval']
    return [
        Target('reconstruction MPJPE [mm]', figures['reconstruction MPJPE, all [mm]'], high=28),
        Target('retrieval R@3, generated over real', found.ratio, low=0.80),
        Target('action, generated over real', made.action.value / real.action.value, low=0.97),
        Target(
            'mean over actions, generated over real',
            made.mean_over_actions / real.mean_over_actions,
            low=0.92,
        ),
        Target('wrong side of sided prompts', made.side_wrong.value, high=0.01),
        Target('captions, right action', said.action.value, low=0.94),
        Target('captions, right side', 1 - said.side_wrong.value, low=0.98),
        Target(
            'foot slide in place [m/s]', figures['foot slide in place, generated [m/s]'], high=0.03
        ),
        Target(
            'foot slide in locomotion, generated over real',
            slide['generated'] / slide['real'],
            high=1.3,
        ),
        Target('jitter, generated over real', figures['jitter, generated over real'], 0.9, 1.15),
        Target(
            'spread within an action, generated over real',
            figures['spread within an action, generated over real'],
            0.9,
            1.15,
        ),
        Target(
            'predicted duration, median error [s]',
            figures['predicted duration, median error [s]'],
            high=0.4,
        ),
        *(
            Target(f'{name}, mean over actions', figures[name].mean_over_actions, low=0.85)
            for name in PROMPTS
        ),
    ]


def target_table(found: list[Target]) -> str:
    """Targets as a Markdown table."""
    lines = ['| measure | value | target | met |', '|---|---|---|---|']
    for target in found:
        met = 'yes' if target.met else 'NO'
        lines.append(f'| {target.name} | {target.value:.3g} | {target.wanted} | {met} |')
    return '\n'.join(lines)


def table(figures: dict[str, Any]) -> str:
    """Figures as a Markdown table."""
    lines = ['| measure | value |', '|---|---|']
    for name, value in figures.items():
        if isinstance(value, Recognition):
            lines.append(f'| {name}: right action | {value.action} |')
            lines.append(f'| {name}: mean over actions | {value.mean_over_actions:.3f} |')
            lines.append(
                f'| {name}: wrong side | {value.side_wrong.right} of {value.side_wrong.count} |'
            )
        elif isinstance(value, RetrievalShare):
            lines.append(
                f'| text finds its motion, R@3 in groups of 32: real | {value.real:.3f} |'
            )
            lines.append(
                f'| text finds its motion: generated | {value.generated:.3f}, of real '
                f'{value.ratio:.3f} [{value.low:.3f}, {value.high:.3f}] |'
            )
        elif isinstance(value, float):
            lines.append(f'| {name} | {value:.3g} |')
    return '\n'.join(lines)


def write_card(
    model: MotionGPT3, figures: dict[str, Any], measured_by: str, about: Mapping[str, str]
) -> str:
    """The text of ``MODEL_CARD.md``; ``about`` holds the paragraphs of ``--about``."""
    network = model.config.network
    parameters = sum(p.numel() for p in model.network.parameters())
    backbone, head = network.backbone, network.head
    made = f'\nMade by:\n\n```\n{about["made_by"]}```\n' if 'made_by' in about else ''
    data = about.get('data', f'Licence of the weights: {model.licence}.\n')
    limits = f'\n## What it cannot do\n\n{about["limits"]}' if 'limits' in about else ''
    cmu = '\n'.join(
        f'| {clip} | {real} | {read} |' for clip, (real, read) in figures['CMU captions'].items()
    )
    return f"""\
# {model.name}

{about.get('about', '')}
## Data and licences

{data}
## Configuration

{parameters / 1e6:.1f} M parameters. Backbone: two branches of width {backbone.n_embd},
{backbone.n_layer} layers, {backbone.n_head} heads, attention shared in every layer, vocabulary
{backbone.vocab_size}. Head: {head.kind}, width {head.width}, {head.num_inference_steps} steps,
guidance {head.guidance_scale:g}, temperature {head.temperature:g}. VAE: {network.vae.kind}, latent
{model.network.vae.latent_shape}. Holders: {network.holders}. All in `config.json`.
{made}
## Measured

On the pack's validation clips, which were never trained on, with default settings. Actions are
recognised by a forest of trees trained on the real train clips (`training/evaluation/`);
"generated" are motions drawn from a clip's caption, with their predicted duration. "Paraphrases"
are the prompts of `benchmarks/paraphrases.yaml`: never trained on, but wordings for training were
written after their failures were seen. "Blind prompts" are those of
`benchmarks/blind_prompts.yaml`, written without sight of the data and of the wordings, as the
whole sentences that training draws were without sight of them, if in the same spirit; nothing was
chosen by them. Guidance and temperature were chosen on the validation clips. A text finds its
motion where a text-motion encoder (`mgpt3 train tmr`) places it among the three nearest of 32;
captions that say the same count as right. Intervals of shares are Wilson's, 95 %, and count every
motion as one, though several come from one prompt; that of the retrieval is a bootstrap over the
clips.

{table(figures)}

Against what a shipped checkpoint should reach:

{target_table(targets(figures))}

{date.today()}, commit {_commit()}, {platform.machine()}, torch {torch.__version__}. Command:

```
{measured_by}
```

Captions of the CMU clips in val (there is no list of actions to score them by):

| clip | caption | read by the model |
|---|---|---|
{cmu}
{limits}"""


def _commit() -> str:
    try:
        found = subprocess.run(
            ['git', 'rev-parse', '--short', 'HEAD'],
            cwd=Path(__file__).parent,
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return 'unknown'
    return found.stdout.strip()


def _plain(value: Any) -> Any:
    if isinstance(value, Share):
        return {**dataclasses.asdict(value), 'value': value.value, 'interval': value.interval}
    if isinstance(value, RetrievalShare):
        return {**dataclasses.asdict(value), 'ratio': value.ratio}
    if isinstance(value, Recognition):
        return {f.name: _plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    return value


if __name__ == '__main__':
    raise SystemExit(main())
