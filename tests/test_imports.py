# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which folder may import which (docs/design.md), read from every import statement of the code.

Imports inside functions and those for type checkers count as well: a way around is no way.
"""

from __future__ import annotations

import ast
import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ROS = {'rclpy', 'launch', 'launch_ros', 'tf2_ros', 'ament_index_python', 'builtin_interfaces'}

# What all of model/ stands on: files at its top that import nothing of the package but each other.
FOUNDATION = {'errors', 'config', 'devices', 'atomic_files', 'sampling', 'extras', 'worker'}
FOUNDATION |= {'import_path'}  # parts of a user's own
BASE = 'foundation of model'
LEARNING = {BASE, 'model/kinematics', 'model/language', 'model/network'}
MOTION = 'model/motion'  # one file, of which much is made that knows no MotionGPT3
MODEL = {
    *(*LEARNING, 'model', MOTION, 'model/finishing', 'model/figure', 'model/pipelines'),
    *('model/checkpoints', 'model/formats', 'model/released', 'model/render'),
}
# Folder: the others of the package that its files may import. The top of model/ (MotionGPT3)
# stands between the folders that it is made of and those that are made of it.
ALLOWED: dict[str, set[str]] = {
    BASE: set(),
    'model/kinematics': {BASE},
    'model/language': {BASE},
    'model/network': {BASE, 'model/kinematics', 'model/language'},
    'model/finishing': {BASE, 'model/kinematics'},
    MOTION: {BASE, 'model/kinematics', 'model/language', 'model/formats'},
    'model/pipelines': {*LEARNING, MOTION, 'model/finishing'},
    'model/checkpoints': {*LEARNING, 'model/pipelines'},
    'model': {
        *(*LEARNING, MOTION, 'model/finishing', 'model/formats'),
        *('model/pipelines', 'model/checkpoints'),
    },
    'model/figure': {BASE, 'model/kinematics'},
    'model/formats': {BASE, MOTION, 'model/kinematics', 'model/figure'},
    'model/render': {BASE, MOTION, 'model/kinematics', 'model/figure'},
    'model/released': {*LEARNING, 'model', 'model/pipelines', 'model/checkpoints'},
    'mgpt3_ros/body': MODEL,
    'mgpt3_ros/robots': MODEL,
    'mgpt3_ros/bags': {*MODEL, 'mgpt3_ros/body'},
    'mgpt3_ros/view': {*MODEL, 'mgpt3_ros/body', 'mgpt3_ros/robots'},
    'training/data': {*MODEL, 'mgpt3_ros/bags'},
    'training/evaluation': {*MODEL, 'training/data'},
    'training': {*MODEL, 'training/data', 'training/evaluation'},
    'mgpt3_ros/nodes': {*MODEL, 'mgpt3_ros/body', 'mgpt3_ros/robots', 'mgpt3_ros/view'},
    'mgpt3_ros/cli': {
        *(*MODEL, 'mgpt3_ros/body', 'mgpt3_ros/robots', 'mgpt3_ros/bags', 'mgpt3_ros/view'),
        *('training', 'training/data', 'training/evaluation'),
    },
}
KNOWS_ROS = {'mgpt3_ros/nodes'}


def folder_of(parts: tuple[str, ...]) -> str | None:
    """The folder of ALLOWED that a path's or a module's parts lie in."""
    if parts[0] == 'model' and parts[1:] and parts[1].removesuffix('.py') in FOUNDATION:
        return BASE
    names = ('/'.join(parts[:length]).removesuffix('.py') for length in (2, 1))
    return next((name for name in names if name in ALLOWED), None)


def target_of(name: str) -> str | None:
    """The folder of a module, from its dotted name; None outside the package and for its top."""
    first, *parts = name.split('.')
    if first != 'mgpt3_ros' or not parts or parts in (['model'], ['training']):
        return None
    return folder_of(tuple(parts) if parts[0] in ('model', 'training') else (first, *parts))


def sources(folder: str) -> list[Path]:
    """All files of a folder, but for those that belong to another one of ALLOWED."""
    top = folder if (ROOT / folder).is_dir() else 'model'
    paths = sorted((ROOT / top).rglob('*.py'))
    return [path for path in paths if folder_of(path.relative_to(ROOT).parts) == folder]


def imported(path: Path, package: str) -> list[tuple[int, str]]:
    """All (line, absolute dotted name) that a file imports, wherever in it."""
    names = []
    for node in ast.walk(ast.parse(path.read_text(encoding='utf-8'))):
        if isinstance(node, ast.Import):
            names += [(node.lineno, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ''
            if node.level:  # from . import x, from ..y import x
                start = package.split('.')[: len(package.split('.')) - node.level + 1]
                base = '.'.join([*start, base] if base else start)
            names += [(node.lineno, f'{base}.{alias.name}') for alias in node.names]
    return names


def is_ros(name: str) -> bool:
    top = name.split('.')[0]
    return top in ROS or top.endswith(('_msgs', '_srvs', '_interfaces'))


def may_import(folder: str, name: str) -> bool:
    target = target_of(name)
    return target is None or target == folder or target in ALLOWED[folder]


@pytest.mark.parametrize('folder', ALLOWED)
def test_a_folder_imports_what_it_may(folder: str):
    paths = sources(folder)
    assert paths, f'no source in {folder}: this test would hold nothing'
    breaches = []
    for path in paths:
        package = '.'.join(path.parent.relative_to(ROOT).parts)
        if not package.startswith('mgpt3_ros'):
            package = f'mgpt3_ros.{package}'
        for line, name in imported(path, package):
            ros = is_ros(name) and folder not in KNOWS_ROS
            if ros or not may_import(folder, name):
                breaches.append(f'{path.relative_to(ROOT)}:{line} imports {name}')
    assert breaches == []


@pytest.mark.parametrize('folder', ALLOWED)
def test_the_plan_and_its_drawing_show_the_folder(folder: str):
    plan = (ROOT / 'docs' / 'design.md').read_text(encoding='utf-8')
    drawing = (ROOT / 'docs' / 'images' / 'house.svg').read_text(encoding='utf-8')
    name = folder.removeprefix('model/')
    for shown in FOUNDATION if folder == BASE else {name}:
        assert f'`{shown}`' in plan or f'`{Path(shown).name}/`' in plan
        assert shown in drawing or f'{Path(shown).name}/' in drawing


def test_the_folders_have_an_order():
    """Only Motion and the formats, to which it hands on, know each other."""
    for folder, others in ALLOWED.items():
        for other in others:
            if {folder, other} != {MOTION, 'model/formats'}:
                assert folder not in ALLOWED[other], f'{folder} and {other} import each other'


@pytest.mark.parametrize(
    ('folder', 'name', 'allowed'),
    [
        ('model/kinematics', 'mgpt3_ros.model.errors.MotionError', True),
        ('model/kinematics', 'mgpt3_ros.model.motion.Motion', False),
        ('model/network', 'mgpt3_ros.model.finishing.foot_lock', False),
        ('model/render', 'mgpt3_ros.model.motion.Motion', True),
        ('model/render', 'mgpt3_ros.model.motiongpt3.MotionGPT3', False),
        ('model/pipelines', 'mgpt3_ros.model.checkpoints.pretrained', False),
        ('model/checkpoints', 'mgpt3_ros.model.pipelines.config', True),
        ('model', 'mgpt3_ros.model.render.render_strip', False),
        ('model', 'mgpt3_ros.training.data', False),
        ('mgpt3_ros/body', 'mgpt3_ros.model.kinematics.skeleton', True),
        ('mgpt3_ros/body', 'mgpt3_ros.nodes.messages', False),
        ('mgpt3_ros/body', 'mgpt3_ros.robots.robot', False),
        ('mgpt3_ros/robots', 'mgpt3_ros.model.kinematics.human', True),
        ('mgpt3_ros/robots', 'mgpt3_ros.body.frames', False),
        ('mgpt3_ros/bags', 'mgpt3_ros.body.frames', True),
        ('mgpt3_ros/nodes', 'mgpt3_ros.training.train', False),
        ('mgpt3_ros/nodes', 'mgpt3_ros.bags', False),
        ('mgpt3_ros/cli', 'mgpt3_ros.nodes.generation', False),
        ('mgpt3_ros/cli', 'mgpt3_ros.training.data.clip', True),
        ('training/data', 'mgpt3_ros.bags.reading', True),
        ('training/data', 'mgpt3_ros.training.evaluation.results', False),
        ('training/evaluation', 'mgpt3_ros.training.data.clip', True),
        ('training', 'mgpt3_ros.body.frames', False),
        ('training', 'mgpt3_ros.bags', False),
    ],
)
def test_the_rule_is_the_one_that_is_meant(folder: str, name: str, allowed: bool):
    assert target_of(name) is not None
    assert may_import(folder, name) is allowed


def test_the_reader_of_imports_sees_every_form(tmp_path: Path):
    path = tmp_path / 'a.py'
    path.write_text(
        'import a.b\nfrom c import d\nfrom . import e\nfrom ..f import g\ndef h():\n    import i\n'
    )
    names = [name for _, name in imported(path, 'mgpt3_ros.model.network')]
    assert names == ['a.b', 'c.d', 'mgpt3_ros.model.network.e', 'mgpt3_ros.model.f.g', 'i']


def test_no_bare_import_of_a_folder():
    # `import model` works where the tree's root is on the path, and breaks once installed.
    found = []
    for folder in ('mgpt3_ros', 'model', 'training', 'tests', 'benchmarks', 'scripts', 'launch'):
        for path in sorted((ROOT / folder).rglob('*.py')):
            for line, name in imported(path, folder):
                if name.split('.')[0] in ('model', 'training'):
                    found.append(f'{path.relative_to(ROOT)}:{line} imports {name}')
    assert found == []


def modules(*folders: str) -> list[str]:
    names = []
    for folder in folders:
        for path in sorted((ROOT / folder).rglob('*.py')):
            parts = path.relative_to(ROOT).with_suffix('').parts
            name = '.'.join(parts if parts[0] == 'mgpt3_ros' else ('mgpt3_ros', *parts))
            if not name.endswith('__main__'):  # it would run
                names.append(name.removesuffix('.__init__'))
    return names


# Folders in an order in which none brings the later ones along, and what stays out after each.
IN_ORDER = [
    (('model',), ('mgpt3_ros.training', 'mgpt3_ros.body')),
    (('mgpt3_ros/body',), ('mgpt3_ros.training', 'mgpt3_ros.nodes')),
    (('mgpt3_ros/bags', 'mgpt3_ros/cli', 'training'), ('mgpt3_ros.nodes',)),
]


def test_every_module_imports_without_ros(tmp_path: Path):
    """From outside the tree, in a process of its own, with rclpy made impossible."""
    steps = [(modules(*folders), stays_out) for folders, stays_out in IN_ORDER]
    code = (
        'import importlib, sys\n'
        'sys.modules["rclpy"] = None  # any import of it fails\n'
        f'for names, stays_out in {steps!r}:\n'
        '    for name in names:\n'
        '        importlib.import_module(name)\n'
        '    loaded = [name for name in sys.modules if name.startswith(stays_out)]\n'
        '    assert not loaded, loaded\n'
    )
    paths = [str(ROOT), os.environ.get('PYTHONPATH', '')]
    env = {**os.environ, 'PYTHONPATH': os.pathsep.join(filter(None, paths))}
    done = subprocess.run(
        [sys.executable, '-c', code], cwd=tmp_path, env=env, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def test_what_plays_a_body_or_reads_a_bag_loads_no_torch():
    """It takes seconds and 200 MB, which a robot that only moves need not have."""
    names = ['mgpt3_ros.bags', 'mgpt3_ros.robots', 'mgpt3_ros.view.clip']
    if importlib.util.find_spec('rclpy'):
        nodes = ('playback', 'retarget', 'sim', 'view')
        names += [f'mgpt3_ros.nodes.{node}_node' for node in nodes]
    code = f'import sys, {", ".join(names)}; assert "torch" not in sys.modules'
    done = subprocess.run([sys.executable, '-c', code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_the_model_is_imported_without_what_few_calls_need() -> None:
    """Half of the time beyond torch's own: they are imported where they are used."""
    heavy = (
        *('scipy.interpolate', 'scipy.optimize', 'scipy.sparse', 'scipy.linalg', 'scipy.ndimage'),
        *('yaml', 'matplotlib', 'pandas', 'mgpt3_ros.model.language.gguf_file'),
    )
    code = (
        'import sys, torch; before = set(sys.modules); from mgpt3_ros.model import MotionGPT3; '
        f'print([name for name in {heavy} if name in set(sys.modules) - before])'
    )
    done = subprocess.run([sys.executable, '-c', code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == '[]'
