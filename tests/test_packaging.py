# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What setup.py, package.xml and the requirements say, held against the tree.

That the package really installs is proved by scripts/check_installs.sh.
"""

from __future__ import annotations

import ast
import os
import re
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ('mgpt3_ros', 'model', 'training')
# Names on PyPI that differ from the module's.
DISTRIBUTIONS = {'cv2': 'opencv-python-headless', 'yaml': 'pyyaml', 'sklearn': 'scikit-learn'}
# ROS packages that are asked for only where they are (guarded imports).
OPTIONAL_ROS = {'tf2_ros', 'tf2_msgs'}
# No wheels: they come with a ROS installation, and only launch files import them.
LAUNCH = {'launch', 'launch_ros'}
# Wheels that the wheel of rclpy brings along.
WITH_RCLPY = {'rcl-interfaces', 'builtin-interfaces', 'ament-index-python'}


@pytest.fixture
def distribution(monkeypatch: pytest.MonkeyPatch) -> Any:
    """What setup.py hands to setuptools."""
    setuptools = pytest.importorskip('setuptools')
    handed: dict[str, Any] = {}
    monkeypatch.setattr(setuptools, 'setup', lambda **keywords: handed.update(keywords))
    monkeypatch.chdir(ROOT)
    path = ROOT / 'setup.py'
    exec(compile(path.read_text(encoding='utf-8'), str(path), 'exec'), {'__file__': str(path)})
    return handed


@pytest.fixture(scope='module')
def manifest() -> ElementTree.Element:
    return ElementTree.parse(ROOT / 'package.xml').getroot()


def requirement_lines(name: str) -> list[str]:
    text = (ROOT / 'requirements' / f'{name}.txt').read_text(encoding='utf-8')
    return [line for line in text.splitlines() if line and not line.startswith('#')]


def requirement_names(name: str) -> set[str]:
    return {re.split(r'[<>=!~;\[ ]', line)[0].lower() for line in requirement_lines(name)}


def third_party(folder: str) -> set[str]:
    """Top-level modules that the files of ``folder`` import and that are not Python's own."""
    names = set()
    for path in (ROOT / folder).rglob('*.py'):
        for node in ast.walk(ast.parse(path.read_text(encoding='utf-8'))):
            if isinstance(node, ast.Import):
                names |= {alias.name.split('.')[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
                names.add(node.module.split('.')[0])
    return names - sys.stdlib_module_names - {'mgpt3_ros'}


def is_ros(name: str) -> bool:
    return name in LAUNCH | {'rclpy', 'tf2_ros', 'ament_index_python'} or name.endswith(
        ('_msgs', '_srvs', '_interfaces')
    )


def test_every_folder_of_code_is_installed(distribution: Any):
    folders = {path.parent for room in ROOMS[1:] for path in (ROOT / room).rglob('*.py')}
    code = {'mgpt3_ros.' + '.'.join(path.relative_to(ROOT).parts) for path in folders}
    missing = (code | {'mgpt3_ros'}) - set(distribution['packages'])
    assert not missing, f'without an __init__.py these are not installed: {sorted(missing)}'


def test_no_package_is_named_that_does_not_exist(distribution: Any):
    for name in distribution['packages']:
        folder = ROOT / Path(*name.split('.')[1:]) if '.' in name else ROOT / name
        assert folder.is_dir(), f'{name} is listed, but there is no {folder}'


def test_the_root_package_is_no_key_of_package_dir(distribution: Any):
    # colcon build --symlink-install refuses a package_dir with the package's own name.
    assert 'mgpt3_ros' not in distribution['package_dir']


def test_every_data_file_of_the_rooms_is_package_data(distribution: Any):
    for room in ROOMS[1:]:
        patterns = distribution['package_data'][f'mgpt3_ros.{room}']
        matched = {path for pattern in patterns for path in (ROOT / room).glob(pattern)}
        for path in (ROOT / room).rglob('*'):
            if path.is_file() and path.suffix not in ('.py', '.pyc'):
                assert path in matched, f'{path.relative_to(ROOT)} would not be installed'


def test_the_shipped_checkpoint_is_package_data(distribution: Any):
    folder = ROOT / 'models' / 'default'
    if not (folder / 'config.json').is_file():
        pytest.skip('no checkpoint in models/default')
    assert distribution['package_dir']['mgpt3_ros.models'].endswith('models')
    assert 'mgpt3_ros.models' in distribution['packages']
    patterns = distribution['package_data']['mgpt3_ros.models']
    matched = {path for pattern in patterns for path in (ROOT / 'models').glob(pattern)}
    assert {path for path in folder.rglob('*') if path.is_file()} <= matched


def test_ros_finds_its_files_in_share(distribution: Any):
    placed = {
        os.path.join(target, os.path.basename(source))
        for target, sources in distribution['data_files']
        for source in sources
    }
    assert 'share/ament_index/resource_index/packages/mgpt3_ros' in placed
    assert 'share/mgpt3_ros/package.xml' in placed
    for folder in ('launch', 'config', 'urdf'):
        for path in (ROOT / folder).rglob('*'):
            if path.is_file() and '__pycache__' not in path.parts:
                assert f'share/mgpt3_ros/{path.relative_to(ROOT)}' in placed
    for _, sources in distribution['data_files']:
        for source in sources:
            assert (ROOT / source).is_file()


def test_every_executable_has_its_function(distribution: Any):
    scripts = distribution['entry_points']['console_scripts']
    assert len(scripts) == len({line.split(' = ')[0] for line in scripts})
    for line in scripts:
        target, function = line.split(' = ')[1].split(':')
        parts = target.split('.')
        path = ROOT.joinpath(*(parts if len(parts) == 2 else parts[1:])).with_suffix('.py')
        assert path.is_file(), f'{line}: there is no {path.relative_to(ROOT)}'
        tree = ast.parse(path.read_text(encoding='utf-8'))
        assert function in {getattr(node, 'name', '') for node in tree.body}, line


def test_every_node_is_an_executable(distribution: Any):
    scripts = {line.split(' = ')[0] for line in distribution['entry_points']['console_scripts']}
    nodes = [
        path.stem
        for path in (ROOT / 'mgpt3_ros' / 'nodes').glob('*_node.py')
        if re.search('^def main', path.read_text(encoding='utf-8'), re.MULTILINE)
    ]
    assert set(nodes) <= scripts


def test_executables_stand_where_ros2_run_looks():
    text = (ROOT / 'setup.cfg').read_text(encoding='utf-8')
    assert re.search(r'\[develop\]\nscript_dir = \$base/lib/mgpt3_ros\n', text)
    assert re.search(r'\[install\]\ninstall_scripts = \$base/lib/mgpt3_ros\n', text)


def test_the_manifest_is_one_that_colcon_accepts(manifest: ElementTree.Element):
    assert manifest.get('format') == '3'
    assert manifest.findtext('name') == 'mgpt3_ros'
    assert manifest.findtext('export/build_type') == 'ament_python'
    # With an address that catkin_pkg finds invalid, colcon silently builds a plain Python
    # package, which no ROS tool finds.
    catkin_pkg = pytest.importorskip('catkin_pkg.package', reason='no colcon here')
    warnings: list[str] = []
    package = catkin_pkg.parse_package(str(ROOT / 'package.xml'), warnings=warnings)
    package.validate(warnings=warnings)
    assert warnings == []


def test_versions_agree(manifest: ElementTree.Element, distribution: Any):
    changelog = (ROOT / 'CHANGELOG.md').read_text(encoding='utf-8')
    newest = re.findall(r'^## \[(\d+\.\d+\.\d+)\]', changelog, re.MULTILINE)[0]
    assert manifest.findtext('version') == distribution['version'] == newest


def test_authors_and_licences_agree(manifest: ElementTree.Element, distribution: Any):
    maintainer = manifest.find('maintainer')
    assert maintainer is not None
    assert maintainer.get('email') == distribution['maintainer_email']
    licences = [element.text for element in manifest.findall('license')]
    assert distribution['license'] == ' AND '.join(filter(None, licences))
    first = (ROOT / 'LICENSE').read_text(encoding='utf-8').split('\n', 3)
    assert 'Apache License' in ''.join(first)


def test_every_ros_package_that_is_imported_is_declared(manifest: ElementTree.Element):
    declared = {element.text for element in manifest.findall('exec_depend')}
    used = {name for name in third_party('mgpt3_ros') if is_ros(name)} - OPTIONAL_ROS
    assert used, 'no ROS import found: this test would hold nothing'
    assert used <= declared
    wheels = {name.removeprefix('ros-jazzy-') for name in requirement_names('ros')}
    assert {name.replace('_', '-') for name in used - LAUNCH} <= wheels | WITH_RCLPY


# BERTScore downloads a language model when it is used: who wants it installs it, and is told so.
ASKED_FOR = {'bert_score'}


def test_every_library_that_is_imported_is_required():
    required = requirement_names('runtime') | requirement_names('torch')
    for room in ROOMS:
        names = {name for name in third_party(room) if not is_ros(name)}
        missing = {name for name in names if DISTRIBUTIONS.get(name, name).lower() not in required}
        missing -= ASKED_FOR
        assert not missing, f'{room} imports what requirements/runtime.txt does not name'


@pytest.mark.parametrize('name', ['torch', 'runtime', 'train', 'ros', 'dev', 'oracles'])
def test_every_requirement_has_a_range_and_a_reason(name: str):
    for line in requirement_lines(name):
        demand, _, reason = line.partition('  # ')
        assert re.search(r'==|<', demand), f'{line}: no upper bound'
        assert len(reason.split()) >= 2, f'{line}: no reason'


def test_installed_requirements_are_those_of_the_files(distribution: Any):
    names = {re.split('[<>=]', line)[0] for line in distribution['install_requires']}
    assert names == requirement_names('runtime') | {'torch'}
    # colcon test runs pytest only where this extra names it.
    assert any(line.startswith('pytest>') for line in distribution['extras_require']['test'])
