#!/usr/bin/env python3
# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Measure a checkpoint: how far its predictions are from what really came, beside simple rivals.

python examples/08_evaluate_checkpoint.py models/default DATA --clips 20
"""

import argparse

from mgpt3_ros.model import MotionGPT3
from mgpt3_ros.training.evaluation.clip_filter import load_clips
from mgpt3_ros.training.evaluation.protocols import ProtocolConfig, prediction

parser = argparse.ArgumentParser(description='Measure the predictions of a checkpoint.')
parser.add_argument('checkpoint')
parser.add_argument('data', help="a motion pack, or a folder in HumanML3D's layout")
parser.add_argument('--clips', type=int, help='at most so many (default: all)')
arguments = parser.parse_args()

clips, digest = load_clips(arguments.data, 'val')
model = MotionGPT3.from_pretrained(arguments.checkpoint)
found = prediction(model, clips, ProtocolConfig(clips=arguments.clips))

print(f'{model.name} on {digest}')
print(found.table())  # Markdown, with 95 % intervals over the clips
for name in ('model', 'constant velocity of the body'):
    print(f'{name}: ADE {found.figures[name]["ADE [m]"].mean:.3f} m over two seconds')
