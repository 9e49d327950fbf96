#!/usr/bin/env python3
# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A sentence becomes a BVH file that Blender and every animation program opens.

python examples/01_text_to_bvh.py "a person takes a deep bow" bow.bvh
"""

import argparse

import torch

from mgpt3_ros.model import MotionGPT3

parser = argparse.ArgumentParser(description='Draw a motion from a sentence.')
parser.add_argument('text')
parser.add_argument('output', help='a file ending in .bvh, .npz (joints, for Python) or .npy')
parser.add_argument('--duration', type=float, help='seconds; without it the model decides')
parser.add_argument('--seed', type=int, default=0, help='another seed draws another motion')
arguments = parser.parse_args()

model = MotionGPT3.from_pretrained()  # the checkpoint that comes with the package
noise = torch.Generator().manual_seed(arguments.seed)
motion = model.generate(arguments.text, arguments.duration, generator=noise)
motion.save(arguments.output)
print(f'{arguments.output}: {motion.duration_s:.2f} s, joints {motion.joints.shape} [m], Y up')
