#!/usr/bin/env python3
# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A reader of one's own layout of data, named in the configuration by its import path.

A folder of `NAME.npy` with joints (T, 22, 3) [m], Y up, 20 fps, and a table `clips.csv` of names,
captions, splits and, where they are known, actions.

PYTHONPATH=examples python examples/13_own_reader.py FOLDER runs/own_data --steps 200
"""

import argparse
import csv
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from mgpt3_ros.training.data.clip import Clip
from mgpt3_ros.training.run_config import load_run_config
from mgpt3_ros.training.stages import run_stage


def read(folder: Path) -> Iterator[Clip]:
    """The clips of a folder, of the splits train and val."""
    with (folder / 'clips.csv').open(encoding='utf-8', newline='') as file:
        for row in csv.DictReader(file):
            joints = np.load(folder / f'{row["name"]}.npy').astype(np.float32)
            captions = tuple(row['captions'].split('|'))
            action = row.get('action') or None
            yield Clip(row['name'], joints, captions, row['split'], 'own', action)


if __name__ == '__main__':
    parser = argparse.ArgumentParser(description='Train a model on a folder of this layout.')
    parser.add_argument('data', help='folder')
    parser.add_argument('output', help='run folder')
    parser.add_argument('--steps', type=int, default=600)
    parser.add_argument('overrides', nargs='*', metavar='key=value', help='as of mgpt3 train')
    arguments = parser.parse_intermixed_args()
    steps = [f'stages.{stage}.optim.steps={arguments.steps}' for stage in ('vae', 'text')]
    changes = ('reader=13_own_reader:read', *steps, *arguments.overrides)
    run = load_run_config('small', changes)
    for stage in ('vae', 'text'):
        folder = run_stage(stage, run, arguments.data, arguments.output)
    print(f'mgpt3 generate "..." --checkpoint {folder} -o motion.bvh')
