#!/usr/bin/env bash
# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
#
# What Dockerfile and devcontainer do, step by step, in a workspace whose src/ holds this clone:
#   system: packages of apt.  python: what pip brings.  build: both packages.  run: the nodes.
# DRY_RUN=1 prints the commands instead.
set -euo pipefail
source_folder=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
workspace=${WORKSPACE:-$(dirname "$(dirname "$source_folder")")}
environment=${VENV:-$workspace/venv}

do_it() {
    if [ -n "${DRY_RUN:-}" ]; then printf '%q ' "$@"; echo; else "$@"; fi
}

sourced() {  # the setup files of ROS read variables that may be unset
    if [ -n "${DRY_RUN:-}" ]; then echo "source $1"; return; fi
    set +u
    # shellcheck disable=SC1090
    source "$1"
    set -u
}

case "${1:-run}" in
    system)
        do_it apt-get update
        do_it apt-get install -y --no-install-recommends \
            python3-venv python3-pip python3-colcon-common-extensions cmake g++ \
            ros-jazzy-nav-msgs ros-jazzy-trajectory-msgs ros-jazzy-visualization-msgs \
            ros-jazzy-diagnostic-msgs ros-jazzy-tf2-ros ros-jazzy-robot-state-publisher
        ;;
    python)
        # Beside the system's packages, whose rclpy is built with NumPy 1.26.
        do_it python3 -m venv --system-site-packages "$environment"
        do_it touch "$environment/COLCON_IGNORE"
        do_it "$environment/bin/pip" install --no-cache-dir \
            --index-url "${TORCH_INDEX_URL:-https://download.pytorch.org/whl/cpu}" \
            -r "$source_folder/requirements/torch.txt" "numpy<2"
        do_it "$environment/bin/pip" install --no-cache-dir \
            -r "$source_folder/requirements/runtime.txt" \
            -r "$source_folder/requirements/bags.txt" "numpy<2"
        ;;
    build)
        sourced /opt/ros/jazzy/setup.bash
        do_it cd "$workspace"
        # The shebang of the programs is that of the Python which runs colcon.
        do_it "$environment/bin/python" -m colcon build \
            --base-paths "$source_folder" "$source_folder/interfaces"
        ;;
    run)
        sourced /opt/ros/jazzy/setup.bash
        sourced "$workspace/install/setup.bash"
        do_it exec ros2 launch mgpt3_ros bringup.launch.py "${@:2}"
        ;;
    *)
        echo "usage: $0 system|python|build|run" >&2
        exit 2
        ;;
esac
