# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Where no extra is installed the nodes and the model work, and the rest says what it needs."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from mgpt3_ros.model.errors import MissingExtraError
from mgpt3_ros.model.extras import extra

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parent.parent
# The modules of requirements/bags.txt, cluster.txt, eval.txt, language.txt, serve.txt, sim.txt,
# train.txt and view.txt.
ABSENT = (
    *('rosbags', 'mcap', 'zstandard', 'lz4', 'sklearn', 'matplotlib', 'accelerate'),
    *('transformers', 'tensorboard', 'cv2', 'av', 'mujoco', 'viser', 'motionmcp', 'gguf'),
    *('fastapi', 'uvicorn', 'ray'),
)
SHOWS = {'mgpt3_ros.nodes.demo', 'mgpt3_ros.robots.picture'}  # draw
SIMULATES = {
    f'mgpt3_ros.robots.{name}'
    for name in ('physics', 'self_collision', 'simulation', 'simulation_model')
}


def without_extras(code: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run code outside the tree in a process in which no import of an extra's library succeeds."""
    head = f'import sys\nsys.modules.update(dict.fromkeys({ABSENT!r}))\n'
    paths = [str(ROOT), os.environ.get('PYTHONPATH', '')]
    env = {**os.environ, 'PYTHONPATH': os.pathsep.join(filter(None, paths))}
    return subprocess.run(
        [sys.executable, '-c', head + code], cwd=folder, env=env, capture_output=True, text=True
    )


def modules(*rooms: str) -> list[str]:
    paths = [path for room in rooms for path in (ROOT / 'mgpt3_ros' / room).glob('**/*.py')]
    names = ('.'.join(path.relative_to(ROOT).with_suffix('').parts) for path in paths)
    return sorted({name.removesuffix('.__init__') for name in names} - SHOWS - SIMULATES)


def test_the_nodes_and_the_model_need_no_extra(tmp_path: Path) -> None:
    rooms = [
        'body',
        'robots',
        'cli',
        'bags',
        *(f'model/{room.name}' for room in (ROOT / 'model').iterdir()),
    ]
    rooms = [room for room in rooms if room != 'model/render']
    if importlib.util.find_spec('rclpy'):
        rooms.append('nodes')
    names = modules(*rooms)
    if not importlib.util.find_spec('launch_ros'):  # it comes with a ROS installation alone
        names = [name for name in names if name != 'mgpt3_ros.nodes.launching']
    assert len(names) > 60
    done = without_extras(
        f'import importlib\nfor name in {names!r}:\n    importlib.import_module(name)\n'
        'from mgpt3_ros.model import MotionGPT3\n'
        'model = MotionGPT3.from_pretrained(device="cpu")\n'
        'motion = model.generate("a person walks forward", 2.0)\n'
        'print(model.caption(motion))\n',
        tmp_path,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()


def test_commands_and_imports_name_the_extra_that_they_lack(tmp_path: Path) -> None:
    (tmp_path / 'bag.mcap').write_bytes(b'\x89MCAP0\r\n')
    (tmp_path / 'run').mkdir()
    (tmp_path / 'list.txt').write_text('walk\n')
    commands = {
        'bag-info bag.mcap': 'bags',
        'caption-bag bag.mcap': 'bags',
        'predict-bag bag.mcap --at 1 -o a.npz': 'bags',
        'predict-bag bag.mcap --at 1 -o a.mp4': 'view',
        'generate walk -o a.mp4': 'view',
        'render a.npz -o a.png': 'view',
        'render a.npz -o a.html': 'view',
        'view': 'view',
        'serve': 'serve',
        'batch generate list.txt -o out --ray auto': 'cluster',
        'train all --config small --data x --output y': 'train',
        'plot run -o a.png': 'train',
        'evaluate x --data y --protocol reconstruction': 'eval',
        'evaluate x --data y --protocol t2m --evaluator z -o a.png': 'eval',
    }
    imports = {
        'mgpt3_ros.model.render': 'view',
        'mgpt3_ros.nodes.demo': 'view',
        'mgpt3_ros.training.stages': 'train',
        'mgpt3_ros.robots.simulation_model': 'sim',
        'mgpt3_ros.robots.picture': 'view',
        'mgpt3_ros.training.trainer': 'train',
        'mgpt3_ros.training.plots': 'train',
        'mgpt3_ros.training.evaluation.protocols': 'eval',
    }
    if not importlib.util.find_spec('rclpy'):
        del imports['mgpt3_ros.nodes.demo']
    done = without_extras(
        'import contextlib, importlib, io, json\n'
        'from mgpt3_ros.cli.main import main\n'
        'said = {}\n'
        f'for command in {list(commands)!r}:\n'
        '    with contextlib.redirect_stderr(io.StringIO()) as noted:\n'
        '        try:\n'
        '            code = main(command.split())\n'
        '        except SystemExit as error:\n'
        '            code = error.code\n'
        '    said[command] = code, noted.getvalue()\n'
        f'for name in {list(imports)!r}:\n'
        '    try:\n'
        '        importlib.import_module(name)\n'
        '    except ImportError as error:\n'
        '        said[name] = 2, str(error)\n'
        'from mgpt3_ros.model.network.text.gpt2_weights import text_weights\n'
        'try:\n'
        '    text_weights("gpt2", None, {})\n'
        'except ImportError as error:\n'
        '    said["text_weights"] = 2, str(error)\n'
        'from pathlib import Path\n'
        'from mgpt3_ros.model.language.gguf_file import convert\n'
        'try:\n'
        '    convert(Path("model.gguf"), Path("folder"))\n'
        'except ImportError as error:\n'
        '    said["gguf"] = 2, str(error)\n'
        'print(json.dumps(said))\n',
        tmp_path,
    )
    assert done.returncode == 0, done.stderr
    said: dict[str, Any] = json.loads(done.stdout)
    for what, name in (commands | imports | {'text_weights': 'train', 'gguf': 'language'}).items():
        code, noted = said[what]
        assert f'pip install "mgpt3_ros[{name}]"' in noted, what
        assert code == 2, what
        assert 'Traceback' not in noted


def test_other_errors_of_an_import_pass() -> None:
    with pytest.raises(ImportError, match='cannot import name') as caught, extra('bags'):
        from math import no_such_function  # type: ignore[attr-defined] # noqa: F401
    assert not isinstance(caught.value, MissingExtraError)
