#!/usr/bin/env bash
# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
#
# Runs mypy over the package and over the scripts that are written in Python.
#
# Usage: scripts/check_types.sh [PYTHON]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
python=${1:-.venv/bin/python}
"$python" -m mypy -p mgpt3_ros
"$python" -m mypy -p scripts
