#!/usr/bin/env bash
# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
#
# Runs mypy over the package. The rooms model/ and training/ become mgpt3_ros.model and
# mgpt3_ros.training only when installed, which mypy cannot see: it is shown a folder of links that
# looks as the installed package does.
#
# Usage: scripts/check_types.sh [PYTHON]
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
python=${1:-$root/.venv/bin/python}
stage=$root/build/types

rm -rf "$stage/mgpt3_ros"
mkdir -p "$stage/mgpt3_ros"
ln -s "$root"/mgpt3_ros/* "$root/model" "$root/training" "$stage/mgpt3_ros/"
cd "$stage"
exec "$python" -m mypy --config-file "$root/setup.cfg" --cache-dir "$root/.mypy_cache" -p mgpt3_ros
