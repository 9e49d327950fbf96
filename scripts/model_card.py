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

from mgpt3_ros.model.checkpoints import checkpoint
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
from scripts.card_block import block_of, placed
from scripts.templates import render

BENCHMARKS = Path(__file__).resolve().parent.parent / 'benchmarks'
PROMPTS = {'paraphrases': 'paraphrases.yaml', 'blind prompts': 'blind_prompts.yaml'}


def main(argv: list[str] | None = None) -> int:
    """Measure, print the card, write ``MODEL_CARD.md`` and ``measures.json`` into the folder."""
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
    path = arguments.checkpoint / checkpoint.CARD
    lists = block_of(path.read_text(encoding='utf-8')) if path.is_file() else ''
    checkpoint.write_text(path, placed(card, lists) if lists else card)
    plain = {name: _plain(value) for name, value in figures.items()}
    checkpoint.write_text(
        arguments.checkpoint / 'measures.json', json.dumps(plain, indent=2) + '\n'
    )
    print(card)
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
    values = {
        'reconstruction MPJPE [mm]': figures['reconstruction MPJPE, all [mm]'],
        'retrieval R@3, generated over real': figures['retrieval'].ratio,
        'action, generated over real': made.action.value / real.action.value,
        'mean over actions, generated over real': made.mean_over_actions / real.mean_over_actions,
        'wrong side of sided prompts': made.side_wrong.value,
        'captions, right action': said.action.value,
        'captions, right side': 1 - said.side_wrong.value,
        'foot slide in place [m/s]': figures['foot slide in place, generated [m/s]'],
        'foot slide in locomotion, generated over real': slide['generated'] / slide['real'],
        **{f'{name}, mean over actions': figures[name].mean_over_actions for name in PROMPTS},
    }
    bounds = load_yaml(Path(__file__).with_name('targets.yaml'))
    return [
        Target(name, values[name] if name in values else figures[name], **bound)
        for name, bound in bounds.items()
    ]


def write_card(
    model: MotionGPT3, figures: dict[str, Any], measured_by: str, about: Mapping[str, str]
) -> str:
    """The text of ``MODEL_CARD.md``; ``about`` holds the paragraphs of ``--about``."""
    network = model.config.network
    return render(
        'model_card.md.j2',
        model=model,
        network=network,
        backbone=network.backbone,
        head=network.head,
        parameters=sum(p.numel() for p in model.network.parameters()) / 1e6,
        about={**dict.fromkeys(('about', 'data', 'made_by', 'limits')), **about},
        figures=figures,
        targets=targets(figures),
        measured_on=f'{date.today()}, commit {commit()}, {platform.machine()}, '
        f'torch {torch.__version__}',
        measured_by=measured_by,
    )


def commit() -> str:
    """The commit that is measured, in short."""
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
