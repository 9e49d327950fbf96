#!/usr/bin/env bash
# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
#
# Makes the shipped checkpoint anew: trains every stage of the preset `small`, stores the weights in
# half precision, measures them and writes the card. An interrupted call goes on where it was.
#
#   scripts/retrain.sh PYTHON DATA RUN OUT [key=value ...]
#
# DATA is a folder of the mocap22 pack, RUN holds the stages, OUT becomes the checkpoint.
set -euo pipefail
if [ $# -lt 4 ]; then
    sed -n '5,10s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
    exit 2
fi
python=$1 data=$2 run=$3 out=$4
shift 4

"$python" -m mgpt3_ros.training.train all --config small --data "$data" --output "$run" "$@"
"$python" - "$run/align" "$out" <<'PYTHON'
import sys

import torch

from mgpt3_ros.model.motiongpt3 import MotionGPT3

trained, out = sys.argv[1:]
MotionGPT3.from_pretrained(trained, device='cpu').save_pretrained(out, torch.float16)
PYTHON
"$python" -m scripts.model_card "$out" --data "$data" --about scripts/card_default.yaml
