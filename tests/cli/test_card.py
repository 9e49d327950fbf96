# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""``mgpt3 card`` says of a checkpoint what its run and its figures say, and no more."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mgpt3_ros.cli.main import main
from mgpt3_ros.model.checkpoints.checkpoint import CARD
from mgpt3_ros.training.run_config import load_run_config
from mgpt3_ros.training.stages import run_stage
from tests.support.tiny import save_tiny_model
from tests.support.tiny_pack import write_tiny_pack
from tests.support.tiny_runs import write_preset


def test_the_card_of_a_run_tells_its_stages_and_figures(tmp_path: Path) -> None:
    pack = write_tiny_pack(tmp_path / 'pack')
    steps = ('stages.vae.optim.steps=1', 'stages.text.optim.steps=2')
    config = load_run_config(write_preset(tmp_path), steps)
    for stage in ('vae', 'text'):
        folder = run_stage(stage, config, pack, tmp_path / 'run', 'cpu')
    figures = tmp_path / 'found.json'
    command = ['evaluate', str(folder), '--data', str(pack), '--device', 'cpu']
    assert main([*command, '--protocol', 'reconstruction', '-o', str(figures)]) == 0
    about = tmp_path / 'about.yaml'
    about.write_text('about: Swings of the arms.\ndata: Seven made-up clips.\nlicence: MIT\n')
    arguments = ['card', str(folder), '--figures', str(figures), '--about', str(about)]
    assert main(arguments) == 0
    card = (folder / CARD).read_text()
    assert card.startswith('# tiny\n\nSwings of the arms.')
    assert 'Licence of the weights: MIT.' in card
    assert card.index('| vae | nothing | 1 | 8 x 1 |') < card.index('| text | vae | 2 | 8 x 1 |')
    mean = json.loads(figures.read_text())['figures']['reconstruction']['MPJPE from the root [mm]']
    assert f'{mean["mean"]:.4g}' in card
    assert card.endswith('## Limits\n\nNobody has said.\n')
    assert main(arguments) == 2  # it is there already
    assert main([*arguments, '--force']) == 0


def test_a_checkpoint_without_a_run_says_so(tmp_path: Path) -> None:
    folder = save_tiny_model(tmp_path / 'model')
    assert main(['card', str(folder)]) == 0
    card = (folder / CARD).read_text()
    assert 'no `run.json`' in card
    assert '## What was measured\n\nNothing.' in card


@pytest.mark.parametrize(
    ('option', 'content', 'message'),
    [
        ('--about', 'maker: me\n', "unknown key 'maker'; known keys: about, data"),
        ('--figures', '{"protocol": "t2m"}', 'holds no figures'),
        ('--figures', 'no json', 'holds no figures'),
    ],
)
def test_what_is_no_such_file_is_refused(
    option: str, content: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    folder = save_tiny_model(tmp_path / 'model')
    file = tmp_path / 'file'
    file.write_text(content)
    assert main(['card', str(folder), option, str(file)]) == 2
    assert message in capsys.readouterr().err
    assert not (folder / CARD).exists()
