# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""``python -m benchmarks.small_data --data PACK --output runs/small``: a few clips of one's own.

Clips of a pack are written as captures, each with one caption, and go the way of the guide: a
dozen for fine-tuning the shipped checkpoint (stage `align`), a hundred (80 of them for training)
for a model from nothing. ``--captures`` takes a folder in place of the dozen. Measured are the
latents of clips that were not trained on, the greatest loss, the reconstruction, and how often
what is drawn shows the action of its caption. What is done is kept in the output folder.
"""

from __future__ import annotations

import argparse
import itertools
import json
from collections import defaultdict
from pathlib import Path

import numpy as np
import torch

from benchmarks.table import circumstances
from mgpt3_ros.model.checkpoints.checkpoint import write_text
from mgpt3_ros.model.errors import GenerationError
from mgpt3_ros.model.language.caption_actions import read_action
from mgpt3_ros.model.motion import Motion
from mgpt3_ros.model.motiongpt3 import MotionGPT3
from mgpt3_ros.model.network.network import MotionGPT3Network
from mgpt3_ros.model.sampling import noise_source
from mgpt3_ros.training.data.building import build_dataset
from mgpt3_ros.training.data.clip import Clip
from mgpt3_ros.training.data.humanml3d import HumanML3DOptions
from mgpt3_ros.training.data.packs import load_pack
from mgpt3_ros.training.evaluation.classifier import ActionClassifier
from mgpt3_ros.training.evaluation.clip_filter import load_clips
from mgpt3_ros.training.evaluation.measures import (
    counted,
    mpjpe_mm,
    reconstruct_all,
)
from mgpt3_ros.training.latent_size import latent_rms
from mgpt3_ros.training.run_config import load_run_config
from mgpt3_ros.training.run_log import read_log
from mgpt3_ros.training.stages import run_stage

ACTIONS = 10  # the commonest of the pack: a dozen clips of each is little, one is nothing


def main(argv: list[str] | None = None) -> int:
    """Train and measure what is missing, and print a table."""
    parser = argparse.ArgumentParser(prog='python -m benchmarks.small_data', description=__doc__)
    parser.add_argument('--data', type=Path, required=True, help='folder of a pack')
    parser.add_argument('--output', type=Path, required=True, help='folder of the runs')
    parser.add_argument('--captures', type=Path, help='clips to fine-tune on (12 of the pack)')
    parser.add_argument('--steps', type=int, default=600, help='of each stage from nothing')
    parser.add_argument('--only', choices=('fine-tuned', 'from nothing'), help='one of the two')
    parser.add_argument('overrides', nargs='*', metavar='key=value', help='as of mgpt3 train')
    options = parser.parse_intermixed_args(argv)
    pack = load_pack(options.data)
    judge = ActionClassifier(pack.train)
    rows = {}
    if options.only != 'from nothing':
        captures = options.captures or captures_of(pack.train, 12, options.output / 'captures-12')
        rows['12 clips, fine-tuned'] = fine_tune(captures, options, judge)
    if options.only != 'fine-tuned':
        captures = captures_of(pack.train, 100, options.output / 'captures-100')
        rows['80 clips, from nothing'] = from_nothing(captures, options, judge)
    columns = list(next(iter(rows.values())))
    lines = [circumstances(), '', '| | ' + ' | '.join(columns) + ' |']
    lines.append('|---' * (len(columns) + 1) + '|')
    for name, found in rows.items():
        lines.append(f'| {name} | ' + ' | '.join(f'{found[c]:.3g}' for c in columns) + ' |')
    write_text(options.output / 'small_data.md', '\n'.join(lines) + '\n')
    print('\n'.join(lines))
    return 0


def captures_of(clips: list[Clip], count: int, folder: Path) -> Path:
    """Write clips of the commonest actions in turn, with a caption each, as a user's captures."""
    by_action: dict[str, list[Clip]] = defaultdict(list)
    for clip in counted(clips):
        by_action[str(clip.action)].append(clip)
    common = sorted(by_action.values(), key=len, reverse=True)[:ACTIONS]
    turns = itertools.zip_longest(*common)
    chosen = [clip for turn in turns for clip in turn if clip is not None][:count]
    folder.mkdir(parents=True, exist_ok=True)
    for number, clip in enumerate(chosen):
        np.save(folder / f'clip{number:03d}.npy', clip.joints)
        write_text(folder / f'clip{number:03d}.txt', clip.captions[0] + '\n')
    return folder


def fine_tune(
    captures: Path, options: argparse.Namespace, judge: ActionClassifier
) -> dict[str, float]:
    """The shipped checkpoint, trained further on captures as the guide says."""
    data = built(captures, options.output / 'data-12')
    changes = ('start_from=shipped', 'optim.steps=200', 'optim.batch_size=32')
    fixed = [f'stages.align.{change}' for change in (*changes, 'optim.learning_rate=2e-4')]
    run = load_run_config('small', (*fixed, *options.overrides))
    folder = run_stage('align', run, data, options.output / 'fine-tuned', 'cpu')
    return measured([folder], data, judge)


def from_nothing(
    captures: Path, options: argparse.Namespace, judge: ActionClassifier
) -> dict[str, float]:
    """All stages on captures alone."""
    data = built(captures, options.output / 'data-100')
    stages = ('vae', 'text', 't2m', 'align')
    fixed = [f'stages.{stage}.optim.steps={options.steps}' for stage in stages]
    run = load_run_config('small', (*fixed, *options.overrides))
    folders = [run_stage(s, run, data, options.output / 'from-nothing', 'cpu') for s in stages]
    return measured(folders, data, judge)


def built(captures: Path, data: Path) -> Path:
    """The data set of some captures."""
    if not data.exists():
        build_dataset(captures, data)
    return data


def measured(folders: list[Path], data: Path, judge: ActionClassifier) -> dict[str, float]:
    """Figures of the model in the last folder, on clips that it was not trained on."""
    model = MotionGPT3.from_pretrained(folders[-1], device='cpu')
    network = model.network
    assert isinstance(network, MotionGPT3Network)
    train, _ = load_clips(data, 'train', HumanML3DOptions())
    unseen = [clip for s in ('val', 'test') for clip in load_clips(data, s, HumanML3DOptions())[0]]
    clips = [Motion(clip.joints).features() for clip in unseen]
    halves = [rows[len(rows) // 4 : -(len(rows) // 4)] for rows in clips]
    logs = [record for folder in folders[1:] or folders for record in read_log(folder)]
    losses = [record['loss'] for record in logs if 'loss' in record]
    found = {
        'train clips': float(len(train)),
        'rms of latents, unseen': latent_rms(network, model.stats, clips),
        'their halves': latent_rms(network, model.stats, halves),
        'greatest loss': max(losses),
        'MPJPE, unseen [mm]': mpjpe_mm(reconstruct_all(model, unseen)),
    }
    for name, asked in (('right actions, train captions', train), ('unseen', unseen)):
        shown = [drawn_action(model, clip.captions[0], n, judge) for n, clip in enumerate(asked)]
        wanted = [read_action(clip.captions[0]) for clip in asked]
        found[name] = float(np.mean([a == b for a, b in zip(shown, wanted, strict=True)]))
    write_text(folders[-1] / 'figures.json', json.dumps(found, indent=2) + '\n')
    return found


def drawn_action(model: MotionGPT3, text: str, seed: int, judge: ActionClassifier) -> str | None:
    """What a motion drawn from a text shows; 'none' where it is refused as no possible body."""
    try:
        motion = model.generate(text, generator=noise_source(seed))
    except GenerationError:
        return 'none'
    return judge.predict([motion.joints])[0]


if __name__ == '__main__':
    torch.set_num_threads(1)
    raise SystemExit(main())
