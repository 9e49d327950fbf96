#!/usr/bin/env python3
# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Several actions, one after the other, without a jump between them.

python examples/04_several_actions.py "walk forward for 3 seconds, then wave, then bow" out.bvh
"""

import argparse

import torch

from mgpt3_ros.model import MotionGPT3

parser = argparse.ArgumentParser(description='Draw a motion of several actions.')
parser.add_argument('text')
parser.add_argument('output')
parser.add_argument('--seed', type=int, default=0)
arguments = parser.parse_args()

model = MotionGPT3.from_pretrained()
noise = torch.Generator().manual_seed(arguments.seed)
motion = model.generate_sequence(arguments.text, generator=noise)
motion.save(arguments.output)
print(f'{arguments.output}: {motion.duration_s:.2f} s')
