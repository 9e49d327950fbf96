# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What Dockerfile, devcontainer and the forge's matrix do, as far as it can be seen here."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / 'scripts' / 'in_container.sh'
STEPS = ('system', 'python', 'build', 'run')


def commands(step: str, workspace: Path) -> list[list[str]]:
    """What a step would do."""
    environment = {**os.environ, 'DRY_RUN': '1', 'WORKSPACE': str(workspace)}
    done = subprocess.run(
        ['bash', str(SCRIPT), step], capture_output=True, text=True, env=environment, check=True
    )
    return [shlex.split(line) for line in done.stdout.splitlines()]


def test_container_files_run_the_steps_in_order() -> None:
    docker = (ROOT / 'Dockerfile').read_text()
    assert re.findall(r'in_container\.sh (\w+)', docker) == ['system', 'python', 'build']
    assert json.dumps('run') in docker
    dev = json.loads((ROOT / '.devcontainer' / 'devcontainer.json').read_text())
    assert 'for step in system python build' in dev['postCreateCommand']
    assert dev['image'] in docker


@pytest.mark.parametrize('step', STEPS)
def test_what_a_step_names_is_there(step: str, tmp_path: Path) -> None:
    for command in commands(step, tmp_path):
        for word in command:
            path = Path(word)
            if path.is_absolute() and path.is_relative_to(ROOT):
                assert path.exists(), word
    assert commands(step, tmp_path)


def test_the_build_step_finds_both_packages(tmp_path: Path) -> None:
    """The command of the step, with `list` in the place of `build`."""
    pytest.importorskip('colcon_core', reason='colcon is not installed')
    command = commands('build', tmp_path)[-1]
    assert command[1:4] == ['-m', 'colcon', 'build']
    command[0], command[3] = sys.executable, 'list'
    found = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=True)
    names = {line.split()[0] for line in found.stdout.splitlines()}
    assert names == {'mgpt3_ros', 'mgpt3_interfaces'}


def test_another_step_is_refused() -> None:
    done = subprocess.run(
        ['bash', str(SCRIPT), 'fly'], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert 'system|python|build|run' in done.stderr


def test_the_matrix_covers_distributions_machines_and_middlewares() -> None:
    (job,) = yaml.safe_load((ROOT / '.github/workflows/matrix.yml').read_text())['jobs'].values()
    matrix = job['strategy']['matrix']
    assert set(matrix['distro']) == {'jazzy', 'kilted'}
    assert any('arm' in runner for runner in matrix['runner'])
    middlewares = {entry['rmw'] for entry in matrix['include']} | set(matrix['rmw'])
    assert middlewares == {'rmw_fastrtps_cpp', 'rmw_cyclonedds_cpp', 'rmw_zenoh_cpp'}


def test_both_packages_have_one_version() -> None:
    versions = {
        ET.parse(ROOT / file).findtext('version')
        for file in ('package.xml', 'interfaces/package.xml')
    }
    assert len(versions) == 1


def test_the_policy_allows_what_the_nodes_declare_and_no_more() -> None:
    page = (ROOT / 'docs' / 'interface.md').read_text(encoding='utf-8')
    root = ET.parse(ROOT / 'config' / 'sros2' / 'policy.xml')
    common = re.findall(r'`([~/\w]+)`', page[page.index('### Of every node') :].split('###')[1])
    for profile in root.iter('profile'):
        node = profile.attrib['node']
        section = page[page.index(f'### {node}') :].split('\n### ')[0]
        own = re.findall(r'^\| (?:in|out|service) \| `(\S+)`', section, re.MULTILINE)
        extra = re.findall(rf'^\| {node} \| \w+ \| `(\S+)`', page, re.MULTILINE)
        said = [
            str(element.text)
            for kind in ('topic', 'service', 'action')
            for element in profile.iter(kind)
        ]
        assert len(set(said)) == len(said)
        missing = {*own, *extra} - set(said) - set(common)
        assert not missing, node
        assert set(said) - {*own, *extra} <= {*common, '~/transition_event', '/clock'}  # of rclpy


def test_the_layout_shows_topics_that_exist() -> None:
    layout = json.loads((ROOT / 'rviz' / 'foxglove.json').read_text())
    page = (ROOT / 'docs' / 'interface.md').read_text(encoding='utf-8')
    panels = layout['configById']
    named = [panels['Publish!command']['topicName'], *panels['3D!body']['topics']]
    for topic in named:
        assert f'`{topic.lstrip("/")}`' in page
    assert '`~/cancel`' in page
    assert panels['CallService!cancel']['serviceName'] == '/generate_node/cancel'
    shown = json.dumps(layout['layout'])
    assert all(panel in shown for panel in panels)
