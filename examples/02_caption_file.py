#!/usr/bin/env python3
# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Say in words what a body does in a file of motion.

python examples/02_caption_file.py bow.bvh
"""

import argparse

from mgpt3_ros.model import Motion, MotionGPT3

parser = argparse.ArgumentParser(description='Caption a motion.')
parser.add_argument('file', help='.bvh, .npz or .npy; other skeletons become the 22 joints')
arguments = parser.parse_args()

motion = Motion.load(arguments.file)
model = MotionGPT3.from_pretrained()
print(model.caption(motion))
