# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What setup.py, package.xml and the requirements say, held against the tree.

That the package really installs is proved by scripts/check_installs.sh.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from importlib.metadata import PathDistribution
from pathlib import Path

import pytest

from mgpt3_ros.cli import doctor

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ('mgpt3_ros', 'model', 'training')
EXTRAS = ('bags', 'cluster', 'eval', 'language', 'serve', 'sim', 'train', 'view')
# Names on PyPI that differ from the module's.
DISTRIBUTIONS = {
    'cv2': 'opencv-python-headless',
    'motionmcp': 'motionmcp-sdk',
    'sklearn': 'scikit-learn',
    'yaml': 'pyyaml',
}
# ROS packages that are asked for only where they are (guarded imports).
OPTIONAL_ROS = {'tf2_ros', 'tf2_msgs'}
# No wheels: they come with a ROS installation, and only launch files import them.
LAUNCH = {'launch', 'launch_ros'}
# Wheels that the wheel of rclpy brings along.
OWN = 'mgpt3_interfaces'  # built beside this package, where it is wanted
WITH_RCLPY = {'rcl-interfaces', 'builtin-interfaces', 'ament-index-python', 'action-msgs'}


@pytest.fixture(scope='module')
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What setup.py puts where: packages in lib/, data files in data/, metadata in info/."""
    pytest.importorskip('setuptools')
    folder = tmp_path_factory.mktemp('installed')
    (folder / 'info').mkdir()
    commands = ['build_py', '--build-lib', folder / 'lib', 'install_data', '-d', folder / 'data']
    commands += ['egg_info', '--egg-base', folder / 'info']
    subprocess.run(
        [sys.executable, 'setup.py', '-q', *map(str, commands)],
        cwd=ROOT, check=True, capture_output=True,
    )  # fmt: skip
    return folder


@pytest.fixture(scope='module')
def distribution(installed: Path) -> PathDistribution:
    return PathDistribution(installed / 'info' / 'mgpt3_ros.egg-info')


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


def files(folder: Path) -> set[Path]:
    """Files under a folder, relative to it; without what Python leaves behind."""
    found = (path for path in folder.rglob('*') if path.is_file())
    return {path.relative_to(folder) for path in found if '__pycache__' not in path.parts}


@pytest.mark.parametrize('room', [*ROOMS, 'models'])
def test_every_file_of_a_room_is_installed(room: str, installed: Path):
    inner = '' if room == 'mgpt3_ros' else room
    expected = files(ROOT / room)
    assert expected
    assert expected <= files(installed / 'lib' / 'mgpt3_ros' / inner)


def test_nothing_else_is_installed(installed: Path):
    assert [path.name for path in (installed / 'lib').iterdir()] == ['mgpt3_ros']
    rooms = {path.name for path in (installed / 'lib' / 'mgpt3_ros').iterdir() if path.is_dir()}
    assert rooms == {path.parent.name for path in (ROOT / 'mgpt3_ros').glob('*/__init__.py')} | {
        'models'
    }


def test_ros_finds_its_files_in_share(installed: Path):
    share = installed / 'data' / 'share'
    assert (share / 'ament_index/resource_index/packages/mgpt3_ros').is_file()
    assert (share / 'mgpt3_ros/package.xml').is_file()
    for folder in ('launch', 'config', 'urdf', 'rviz'):
        assert files(share / 'mgpt3_ros' / folder) == files(ROOT / folder)


def test_every_executable_has_its_function(distribution: PathDistribution):
    scripts = distribution.entry_points
    assert len(scripts) == len(set(scripts.names))
    for script in scripts:
        path = (ROOT / script.module.replace('.', '/')).with_suffix('.py')
        assert path.is_file(), f'{script}: there is no {path.relative_to(ROOT)}'
        tree = ast.parse(path.read_text(encoding='utf-8'))
        assert script.attr in {getattr(node, 'name', '') for node in tree.body}, script


def test_every_node_is_an_executable(distribution: PathDistribution):
    nodes = {
        path.stem
        for path in (ROOT / 'mgpt3_ros' / 'nodes').glob('*_node.py')
        if re.search('^def main', path.read_text(encoding='utf-8'), re.MULTILINE)
    }
    assert nodes
    assert nodes <= set(distribution.entry_points.names)


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


def test_versions_agree(manifest: ElementTree.Element, distribution: PathDistribution):
    changelog = (ROOT / 'CHANGELOG.md').read_text(encoding='utf-8')
    newest = re.findall(r'^## \[(\d+\.\d+\.\d+)\]', changelog, re.MULTILINE)[0]
    assert manifest.findtext('version') == distribution.version == newest


def test_authors_and_licences_agree(manifest: ElementTree.Element, distribution: PathDistribution):
    maintainer = manifest.find('maintainer')
    assert maintainer is not None
    assert maintainer.get('email') == distribution.metadata['Maintainer-email']
    licences = [element.text for element in manifest.findall('license')]
    assert distribution.metadata['License'] == ' AND '.join(filter(None, licences))
    first = (ROOT / 'LICENSE').read_text(encoding='utf-8').split('\n', 3)
    assert 'Apache License' in ''.join(first)


def test_every_ros_package_that_is_imported_is_declared(manifest: ElementTree.Element):
    declared = {element.text for element in manifest.findall('exec_depend')}
    used = {name for name in third_party('mgpt3_ros') if is_ros(name)} - OPTIONAL_ROS
    assert used, 'no ROS import found: this test would hold nothing'
    assert used <= declared
    wheels = {name.removeprefix('ros-jazzy-') for name in requirement_names('ros')}
    assert {name.replace('_', '-') for name in used - LAUNCH - {OWN}} <= wheels | WITH_RCLPY


# BERTScore downloads a language model when it is used: who wants it installs it, and is told so.
ASKED_FOR = {'bert_score'}
# What rosdep knows by another name than PyPI, and what it does not know.
ROSDEP = {'torch': 'python3-pytorch-pip', 'pyyaml': 'python3-yaml'}
UNKNOWN_TO_ROSDEP = {'safetensors', 'tokenizers'}


@pytest.mark.parametrize('room', ROOMS)
def test_every_library_that_is_imported_is_required(room: str):
    required = set().union(*map(requirement_names, ('torch', 'runtime', *EXTRAS)))
    names = {name for name in third_party(room) if not is_ros(name)} - ASKED_FOR
    assert {DISTRIBUTIONS.get(name, name).lower() for name in names} <= required


def test_the_manifest_names_what_the_nodes_need(manifest: ElementTree.Element):
    declared = {element.text for element in manifest.findall('exec_depend')}
    needed = (requirement_names('runtime') | {'torch'}) - UNKNOWN_TO_ROSDEP
    libraries = {ROSDEP.get(name, f'python3-{name}') for name in needed}
    assert {name for name in declared if name and name.startswith('python3-')} == libraries


@pytest.mark.parametrize(
    'name', ['torch', 'runtime', *EXTRAS, 'ros', 'robots', 'smollm2', 'minilm', 'dev', 'oracles']
)
def test_every_requirement_has_a_range_and_a_reason(name: str):
    assert requirement_lines(name)
    for line in requirement_lines(name):
        demand, _, reason = line.partition('  # ')
        assert re.search(r'==|<', demand), f'{line}: no upper bound'
        assert len(reason.split()) >= 2, f'{line}: no reason'


def test_installed_requirements_are_those_of_the_files(distribution: PathDistribution):
    found: dict[str, set[str]] = {}
    for line in distribution.requires or []:
        demand, _, extra = line.partition('; extra == ')
        found.setdefault(extra.strip('"'), set()).add(re.split('[<>=]', demand)[0].lower())
    assert found[''] == requirement_names('runtime') | {'torch'}
    for name in EXTRAS:
        assert found[name] == requirement_names(name)
    assert found['all'] == set().union(*map(requirement_names, EXTRAS))
    assert 'pytest' in found['test']  # colcon test runs pytest only where this extra names it


def test_what_the_extras_share_they_ask_for_alike():
    demands: dict[str, set[str]] = {}
    for name in EXTRAS:
        for line in requirement_lines(name):
            demand = line.partition('  # ')[0]
            demands.setdefault(re.split('[<>=]', demand)[0], set()).add(demand)
    assert all(len(alike) == 1 for alike in demands.values()), demands


def test_the_doctor_looks_for_what_the_extras_bring():
    assert {name: set(libraries) for name, libraries in doctor.EXTRAS.items()} == {
        name: requirement_names(name) for name in EXTRAS
    }
    assert set(doctor.LIBRARIES) == requirement_names('runtime')
