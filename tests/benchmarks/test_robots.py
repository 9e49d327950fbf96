# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The benchmark of robots measures, and writes its table and pictures into a page."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks import posture, robots
from mgpt3_ros.model.motion import Motion
from mgpt3_ros.model.motiongpt3 import MotionGPT3
from mgpt3_ros.robots.human import COLLAR, FLAT_FOOT, UPRIGHT_NECK
from tests.support.domains import free_domain
from tests.support.robots import tin_man, walking, write_tin_man
from tests.support.tiny import save_tiny_model

pytestmark = pytest.mark.slow


def test_a_robot_is_measured_and_written_down(tmp_path: Path):
    pytest.importorskip('cv2')
    model = MotionGPT3.from_pretrained(str(save_tiny_model(tmp_path / 'checkpoint')))
    tin = tin_man(tmp_path)
    motions = [Motion(walking(40 + n).astype(np.float32)) for n in range(2)]
    row = robots.measure(tin, motions, model)
    assert row.quality.limit_excess == 0
    assert len(row.slowdowns) == 2
    assert len(row.quality.limbs['forearm']) == 2 * (40 + 41)
    text = robots.table([row], 2)
    assert '|  | tin |' in text
    assert '| beyond position limits [rad] | 0 |' in text
    page = tmp_path / 'docs' / 'robots.md'
    (page.parent / 'images').mkdir(parents=True)
    page.write_text(f'above\n{robots.BEGIN}\nold\n{robots.END}\nbelow\n', encoding='utf-8')
    robots.write(page, text, [tin])
    written = page.read_text(encoding='utf-8')
    assert written.startswith('above\n')
    assert written.endswith('below\n')
    assert text in written
    assert 'old' not in written
    assert (page.parent / 'images' / 'robot_tin.jpg').is_file()


def test_the_default_list_has_both_sides():
    named = robots.actions()
    assert {'walk', 'run', 'bow', 'raise-up-left-hand', 'raise-up-right-hand'} <= set(named)
    assert not any('SIDE' in name for name in named)


def test_people_stand_as_is_taken_for_granted():
    model = MotionGPT3.from_pretrained(device='cpu')
    foot, neck, collar = posture.posture(robots.draw(model, len(robots.actions()), seed=5))
    assert foot == pytest.approx(np.degrees(FLAT_FOOT), abs=2.0)
    assert neck == pytest.approx(np.degrees(UPRIGHT_NECK), abs=3.0)
    assert np.degrees(np.arccos(collar @ COLLAR / np.linalg.norm(COLLAR))) < 4.0


def test_captions_of_robots_are_asked_for_over_ros(tmp_path: Path, capsys: pytest.CaptureFixture):
    pytest.importorskip('rclpy', reason='rclpy is not installed: nothing can talk over DDS')
    from benchmarks import robot_captions

    checkpoint = str(save_tiny_model(tmp_path / 'checkpoint'))
    mine = str(write_tin_man(tmp_path))
    with free_domain():
        code = robot_captions.main(
            ['--robots', mine, '--motions', '1', '--checkpoint', checkpoint]
        )
    said = capsys.readouterr().out
    assert '| tin | ' in said
    assert (code == 0) == ('| tin | 100% |' in said)
