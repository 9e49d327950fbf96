# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Each program in examples/ runs as its page says, and does what it says."""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import runpy
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from mgpt3_ros.model.motion import Motion
from mgpt3_ros.model.motiongpt3 import MotionGPT3
from tests.nodes.conftest import domain, start, tiny_checkpoint  # noqa: F401  fixtures
from tests.support.tiny import swinging_motion
from tests.support.tiny_pack import write_tiny_pack

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / 'examples'


def command(name: str, *arguments: str) -> list[str]:
    return [sys.executable, str(EXAMPLES / name), *arguments]


def run(folder: Path, name: str, *arguments: str) -> str:
    """What a program says: run in this process, which has PyTorch loaded."""
    said = io.StringIO()
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(said):
        patch.chdir(folder)
        patch.setattr(sys, 'argv', [name, *arguments])
        runpy.run_path(str(EXAMPLES / name), run_name='__main__')
    return said.getvalue()


def test_the_page_shows_them_all():
    page = (ROOT / 'docs' / 'examples.md').read_text(encoding='utf-8')
    names = sorted(path.name for path in EXAMPLES.glob('*.py'))
    assert names == re.findall(r'<!-- file: \.\./examples/(\S+) -->', page)
    assert names == re.findall(r'^\| \[(\S+)\]\(', page, re.MULTILINE)
    assert [name[:2] for name in names] == [f'{n:02}' for n in range(1, len(names) + 1)]


def test_a_text_becomes_a_bvh_file_and_a_caption(tmp_path: Path):
    said = run(tmp_path, '01_text_to_bvh.py', 'a person runs fast', 'run.bvh', '--duration', '2')
    assert '(40, 22, 3)' in said
    assert Motion.load(tmp_path / 'run.bvh').num_frames == 40
    assert re.search(r'\b(run|jog)', run(tmp_path, '02_caption_file.py', 'run.bvh'))


def test_a_motion_goes_on_where_it_was(tmp_path: Path):
    Motion(swinging_motion(seed=0, frames=40)).save(tmp_path / 'seen.npz')
    arguments = ('seen.npz', 'whole.npz', '--horizon', '1')
    said = run(tmp_path, '03_continue_motion.py', *arguments)
    whole = Motion.load(tmp_path / 'whole.npz')
    assert whole.num_frames == 60
    seam_mm = float(re.search(r'by ([\d.]+) mm', said)[1])
    step = np.linalg.norm(np.diff(whole.joints, axis=0), axis=-1).mean(axis=1) * 1000
    assert step[39] == pytest.approx(seam_mm, abs=0.1)
    assert seam_mm < 100


def test_several_actions_become_one_motion(tmp_path: Path):
    text = 'walk forward for 2 seconds, then bow for 2 seconds'
    run(tmp_path, '04_several_actions.py', text, 'two.npz')
    motion = Motion.load(tmp_path / 'two.npz')
    assert 3.0 < motion.duration_s < 5.0
    assert np.linalg.norm(np.diff(motion.joints, axis=0), axis=-1).max() < 0.5  # no jump


def test_a_node_counts_captions(domain: int):  # noqa: F811
    import rclpy
    from rclpy.context import Context
    from rclpy.executors import SingleThreadedExecutor
    from rclpy.qos import DurabilityPolicy, QoSProfile
    from std_msgs.msg import String

    arguments = ('--ros-args', '-p', 'stop_after:=2')
    counter = subprocess.Popen(
        command('05_caption_listener.py', *arguments),
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, 'PYTHONPATH': str(ROOT)},
    )
    context = Context()
    rclpy.init(context=context, domain_id=domain)
    node = rclpy.create_node('speaker', context=context)
    executor = SingleThreadedExecutor(context=context)
    executor.add_node(node)
    qos = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
    publisher = node.create_publisher(String, 'caption', qos)
    try:
        publisher.publish(String(data='a person bows'))  # before it listens: kept for it
        while not publisher.get_subscription_count():
            assert counter.poll() is None, counter.communicate()[1]
            executor.spin_once(timeout_sec=0.1)
        assert counter.stderr is not None
        assert 'a person bows (1)' in counter.stderr.readline()
        publisher.publish(String(data='a person bows'))
        assert counter.wait(timeout=30) == 0
        assert 'a person bows (2)' in counter.stderr.read()
    finally:
        counter.kill()
        rclpy.shutdown(context=context)


def send(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command('06_send_command.py', *arguments),
        env={**os.environ, 'PYTHONPATH': str(ROOT)},
        capture_output=True,
        text=True,
    )


def test_a_command_is_answered(start: Callable, tiny_checkpoint: Path):  # noqa: F811
    # A machine under load may take long to load it: what is sent meanwhile is not too old.
    start('generate_node', checkpoint=str(tiny_checkpoint), max_command_age_s=0.0)
    done = send('a person walks for 1 seconds')
    assert done.returncode == 0, done.stderr
    assert re.match(r'\d+ points of 63 joints over \d\.\d\d s', done.stdout)


def test_a_command_is_an_action(start: Callable, tiny_checkpoint: Path, tmp_path: Path):  # noqa: F811
    pytest.importorskip('mgpt3_interfaces', reason='mgpt3_interfaces is not built')
    start(checkpoint=str(tiny_checkpoint), device='cpu', seed=0)
    said = answered('09_generate_action.py', 'walk for 1 second')
    assert 'published' in said
    assert said.splitlines()[-1].startswith('finished after 1.')


def test_tools_for_a_language_model(start: Callable, tiny_checkpoint: Path, tmp_path: Path):  # noqa: F811
    tools = json.loads(answered('10_agent_tools.py', '--list'))
    assert [tool['name'] for tool in tools] == ['move', 'stop', 'look']
    assert all(tool['description'] and tool['parameters'] for tool in tools)
    start(checkpoint=str(tiny_checkpoint), device='cpu', seed=0, max_command_age_s=0.0)
    moved = answered('10_agent_tools.py', 'move', '{"text": "walk for 9 seconds"}')
    assert 'published' in moved
    assert 'cancelled command 1' in answered('10_agent_tools.py', 'stop')


def answered(name: str, *arguments: str) -> str:
    """What an example says, in a process of its own."""
    done = subprocess.run(
        command(name, *arguments),
        env={**os.environ, 'PYTHONPATH': str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_nobody_answers(domain: int):  # noqa: F811
    done = send('bow', '--timeout', '0.5')
    assert done.returncode == 1
    assert 'is generate_node running' in done.stderr


def test_the_shipped_checkpoint_is_fine_tuned(tmp_path: Path):
    captures = tmp_path / 'captures'
    captures.mkdir()
    for number in range(3):
        Motion(swinging_motion(number, 40)).save(captures / f'take{number}.bvh')
        (captures / f'take{number}.txt').write_text('a person swings.\n')
    said = run(tmp_path, '07_fine_tune.py', 'captures', 'runs', '--steps', '1')
    assert "'train': 1" in said
    assert '--checkpoint runs/align' in said
    log = (tmp_path / 'runs' / 'align' / 'log.jsonl').read_text().splitlines()
    assert len(log) == 1
    shipped, tuned = (
        MotionGPT3.from_pretrained(folder, 'cpu') for folder in (None, tmp_path / 'runs' / 'align')
    )
    np.testing.assert_array_equal(tuned.stats.mean, shipped.stats.mean)


def test_a_checkpoint_is_measured(tmp_path: Path):
    write_tiny_pack(tmp_path / 'PACK')
    said = run(tmp_path, '08_evaluate_checkpoint.py', str(ROOT / 'models' / 'default'), 'PACK')
    assert 'ADE [m]' in said
    assert re.search(r'^model: ADE \d\.\d+ m', said, re.MULTILINE)


SMALL = (
    *('model.network.backbone.n_embd=16', 'model.network.backbone.n_layer=1'),
    *(
        'model.network.backbone.n_head=2',
        'model.network.head.width=16',
        'tokenizer.vocab_size=320',
    ),
    'model.network.vae.trunk={latent_dim: 8, steps: 12, width: 16, layers: 1, heads: 2}',
    *('stages.vae.optim.batch_size=4', 'stages.text.optim.batch_size=4'),
)


@pytest.fixture
def importable(monkeypatch: pytest.MonkeyPatch):
    """Modules of examples/ can be imported by their names, as with PYTHONPATH=examples."""
    monkeypatch.syspath_prepend(str(EXAMPLES))


@pytest.mark.parametrize(
    ('name', 'part'), [('11_own_head', 'GaussianHead'), ('12_own_vae', 'RecurrentVae')]
)
def test_a_part_of_ones_own_is_trained_and_draws(
    name: str, part: str, tmp_path: Path, importable: None
):
    write_tiny_pack(tmp_path / 'PACK')
    overrides = [text for text in SMALL if 'vae' not in name or 'trunk' not in text]
    overrides += ['model.network.vae.options={latent_dim: 8, width: 16}'] * ('vae' in name)
    said = run(tmp_path, f'{name}.py', 'PACK', 'runs', '--steps', '3', *overrides)
    assert '--checkpoint runs/text' in said
    model = MotionGPT3.from_pretrained(tmp_path / 'runs' / 'text', 'cpu')
    parts = (type(model.network.head).__name__, type(model.network.vae).__name__)
    assert part in parts
    assert model.generate('walk', 1.0).num_frames == 20
    if 'head' in name:
        log = (tmp_path / 'runs' / 'text' / 'log.jsonl').read_text()
        assert 'likelihood' in json.loads(log.splitlines()[0])


def test_a_layout_of_ones_own_is_read(tmp_path: Path, importable: None):
    rows = ['name,captions,split,action']
    (tmp_path / 'data').mkdir()
    for number in range(6):
        np.save(tmp_path / 'data' / f'take{number}.npy', swinging_motion(number, 40 + 4 * number))
        split = 'val' if number == 5 else 'train'
        rows.append(f'take{number},a person swings.|someone swings.,{split},swing')
    (tmp_path / 'data' / 'clips.csv').write_text('\n'.join(rows) + '\n')
    said = run(tmp_path, '13_own_reader.py', 'data', 'runs', '--steps', '2', *SMALL)
    assert '--checkpoint runs/text' in said
    from mgpt3_ros.training.evaluation.clip_filter import load_clips

    clips, _ = load_clips(tmp_path / 'data', 'val', reader='13_own_reader:read')
    assert [clip.id for clip in clips] == ['take5']
