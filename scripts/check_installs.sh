#!/usr/bin/env bash
# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
#
# Proves that the package installs and imports in every way that its users install it: pip (plain,
# editable, from a source distribution), colcon build (plain and with --symlink-install), colcon
# test. Each way gets an empty prefix and is judged from outside the source tree. The libraries are
# borrowed from the environment of PYTHON, so nothing is downloaded.
#
# Usage: scripts/check_installs.sh [PYTHON]      (default: .venv/bin/python)
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
python=${1:-$root/.venv/bin/python}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
source_tree=$work/ws/src/mgpt3_ros
log=$work/log.txt

# A copy, so that neither build/ nor *.egg-info appears in the tree or is taken from it.
mkdir -p "$source_tree"
tar -C "$root" -c --exclude=.git --exclude=.venv --exclude=./build --exclude=./install \
    --exclude=./log --exclude=./out --exclude=./runs --exclude='*.egg-info' \
    --exclude=__pycache__ --exclude='.*_cache' . | tar -C "$source_tree" -x

quietly() {  # runs a command and shows what it said only if it failed
    "$@" >"$log" 2>&1 || { cat "$log"; echo "FAILED: $*"; exit 1; }
}

# What must hold after every kind of install. Arguments: interpreter, folder that holds the rooms.
imports() {
    (cd / && "$1" - "$2" "$source_tree" <<'EOF'
import importlib.metadata
import sys
from pathlib import Path

import mgpt3_ros
import mgpt3_ros.model
import mgpt3_ros.training

where, tree = Path(sys.argv[1]).resolve(), Path(sys.argv[2])
for module in (mgpt3_ros, mgpt3_ros.model, mgpt3_ros.training):
    place = Path(module.__file__).resolve()
    assert where in place.parents, f'{module.__name__} came from {place}, not from {where}'
checkpoint = Path('models/default/config.json')
if (tree / checkpoint).is_file():
    found = Path(mgpt3_ros.model.__file__).resolve().parent.parent / checkpoint
    assert found.is_file(), f'the shipped checkpoint is not at {found.parent}'
for place in tree.glob('training/**/*.yaml'):
    inner = Path(mgpt3_ros.training.__file__).parent / place.relative_to(tree / 'training')
    assert inner.is_file(), f'{inner} was not installed'
assert importlib.metadata.version('mgpt3_ros')
EOF
    )
}

empty_environment() {  # an environment that sees the libraries of PYTHON, but not its mgpt3_ros
    "$python" -m venv --without-pip "$1"
    "$python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))' \
        >"$("$1/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/libs.pth"
}

pip_proof() {  # name, folder that holds the rooms afterwards ('' = site-packages), what to install
    local prefix=$work/$1 rooms=$2
    empty_environment "$prefix"
    quietly "$prefix/bin/python" -m pip install --no-deps --no-build-isolation --force-reinstall \
        --disable-pip-version-check "${@:3}"
    imports "$prefix/bin/python" "${rooms:-$prefix}"
    for program in mgpt3 generate_node caption_node predict_node motion_server playback_node \
        retarget_node sim_node view_node say; do
        test -x "$prefix/bin/$program" || { echo "FAILED: no $program in $prefix/bin"; exit 1; }
    done
    echo "ok  pip: $1"
}

# All executables, started as `ros2 run` would, answer a service and end well on Ctrl-C.
nodes_run() {
    "$python" - "$1" <<'EOF'
import signal
import subprocess
import sys
import time

import rclpy
from rcl_interfaces.srv import ListParameters

executables = {  # and a node of each
    'generate_node': 'generate_node',
    'caption_node': 'caption_node',
    'predict_node': 'predict_node',
    'playback_node': 'playback_node',
    'view_node': 'view_node',
    'motion_server': 'predict_node',
}
options = ['--ros-args', '--log-level', 'warn', '-p', 'autostart:=false', '-p', 'port:=0']
nodes = {
    f'/{name}/{node}': subprocess.Popen(
        [f'{sys.argv[1]}/{name}', *options, '-r', f'__ns:=/{name}']
    )
    for name, node in executables.items()
}
try:
    rclpy.init()
    me = rclpy.create_node('check_installs')
    end = time.monotonic() + 90
    for name, node in nodes.items():
        client = me.create_client(ListParameters, f'{name}/list_parameters')
        while not client.wait_for_service(timeout_sec=0.5):
            assert node.poll() is None, f'{name} ended with {node.returncode}'
            assert time.monotonic() < end, f'{name} did not appear in the ROS graph'
        for _ in range(6):  # two ends that have just found each other may lose an answer
            answer = client.call_async(ListParameters.Request())
            rclpy.spin_until_future_complete(me, answer, timeout_sec=5)
            if answer.done():
                break
        assert answer.done(), f'{name} does not answer'
        node.send_signal(signal.SIGINT)
        assert node.wait(timeout=15) == 0, f'{name} ended with {node.returncode}'
    rclpy.shutdown()
finally:
    for node in nodes.values():
        node.kill()
EOF
}

pip_proof plain '' "$source_tree"
rm -rf "$source_tree"/build "$source_tree"/*.egg-info
pip_proof editable "$source_tree" --editable "$source_tree"
rm -rf "$source_tree"/build "$source_tree"/*.egg-info
(cd "$source_tree" && quietly "$python" setup.py -q sdist --dist-dir "$work/dist")
pip_proof from_sdist '' "$work"/dist/*.tar.gz
rm -rf "$source_tree"/build "$source_tree"/*.egg-info

# colcon must be of the environment whose python the executables shall run under.
colcon() { "$python" -m colcon "$@"; }
export ROS_DOMAIN_ID=${ROS_DOMAIN_ID:-97} ROS_AUTOMATIC_DISCOVERY_RANGE=LOCALHOST

colcon_proof() {  # name, folder that holds the rooms afterwards, options of colcon build
    local base=$work/$1
    cd "$work/ws"
    quietly colcon build --base-paths src --build-base "$base/build" --install-base "$base/install" \
        "${@:3}"
    local prefix=$base/install/mgpt3_ros
    # shellcheck disable=SC1091
    (
        set +u  # colcon's own files read variables that may be unset
        . "$base/install/setup.bash"
        case ":$AMENT_PREFIX_PATH:" in
            *":$prefix:"*) ;;
            *) echo "FAILED: setup.bash does not put $prefix on AMENT_PREFIX_PATH"; exit 1 ;;
        esac
        found=$("$python" -c 'from ament_index_python import get_package_share_directory as share
print(share("mgpt3_ros"))')
        test "$found" = "$prefix/share/mgpt3_ros" -a -f "$found/package.xml"
        (cd "$source_tree" && find launch config urdf rviz -type f -not -path '*/__pycache__/*') |
            while read -r file; do
                test -e "$found/$file" || { echo "FAILED: $file is not in share/"; exit 1; }
            done
        imports "$python" "${2:-$prefix}"
        cd /
        nodes_run "$prefix/lib/mgpt3_ros"
        "$prefix/lib/mgpt3_ros/mgpt3" --help >"$log" || { cat "$log"; exit 1; }
    )
    echo "ok  colcon build: $1"
}

colcon_proof installed ''
colcon_proof symlinked "$source_tree" --symlink-install

cd "$work/ws"
quietly colcon test --base-paths src --build-base "$work/symlinked/build" \
    --install-base "$work/symlinked/install" --return-code-on-test-failure \
    --pytest-args tests/test_imports.py tests/test_packaging.py
"$python" - "$work/symlinked/build/mgpt3_ros/pytest.xml" <<'EOF'
import sys
import xml.etree.ElementTree as ElementTree

suite = next(ElementTree.parse(sys.argv[1]).getroot().iter('testsuite'))
assert int(suite.get('tests')) > 0, 'colcon test ran no test'
print(f'ok  colcon test: {suite.get("tests")} tests')
EOF
