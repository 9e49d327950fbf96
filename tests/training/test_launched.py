# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Two machines of one process each, as `accelerate launch` starts them: both are this one."""

from __future__ import annotations

import os
import signal
from functools import partial
from pathlib import Path

import pytest
import torch

from mgpt3_ros.model.motiongpt3 import MotionGPT3
from mgpt3_ros.training.run_log import read_log
from tests.support import apart, programs, two_processes
from tests.support.tiny_runs import write_preset
from tests.training.test_two_processes import free_port, held_to_one_process

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[2]
STAGE, KILLED_AT = 'align', 3
SETTINGS = ('checkpoint_every=2', 'clip_norm=0.5', 'ema_decay=0.9', 'learning_rate=1e-3')


def launched(rank: int, port: int, log: Path, words: list[str], cache: Path) -> apart.Program:
    """Start `accelerate launch` on one of two machines."""
    command = ['-m', 'accelerate.commands.launch', '--multi_gpu']
    command += ['--num_machines', '2', '--num_processes', '2', '--machine_rank', str(rank)]
    command += ['--main_process_ip', '127.0.0.1', '--main_process_port', str(port)]
    command += ['--mixed_precision', 'no', '--dynamo_backend', 'no']
    paths = filter(None, [str(ROOT), os.environ.get('PYTHONPATH', '')])
    environment = {'XDG_CACHE_HOME': str(cache), 'PYTHONPATH': os.pathsep.join(paths)}
    command += ['-m', 'tests.support.two_processes', *words]
    return apart.Program(log, programs.run, command, folder=ROOT, **environment)


@pytest.mark.parametrize('sharded', [False, True], ids=['ddp', 'fsdp'])
def test_a_rank_is_killed_and_the_run_goes_on_as_one_process(
    sharded: bool, pack: Path, tmp_path: Path
) -> None:
    settings = (*SETTINGS, f'sharded={str(sharded).lower()}')
    preset, one, two = write_preset(tmp_path), tmp_path / 'one', tmp_path / 'two'
    environment = {
        'MASTER_ADDR': 'localhost',
        'MASTER_PORT': str(free_port()),
        'WORLD_SIZE': '2',
        'LOCAL_WORLD_SIZE': '1',
        'LOCAL_RANK': '0',
        'XDG_CACHE_HOME': str(tmp_path / 'cache'),
        'DIES': f'{STAGE} {KILLED_AT} 1',
    }
    work = (partial(two_processes.train, signals=False), preset, pack, two, 3, *settings)
    ranks = [apart.started(tmp_path / r, *work, RANK=r, **environment) for r in '01']
    codes = [apart.exit_code(process) for process in ranks]
    assert codes[1] == -signal.SIGKILL
    assert codes[0] not in (0, None)  # it does not wait for the other for ever
    assert torch.load(two / STAGE / 'checkpoint.pt', weights_only=True)['step'] == 2
    logs = [tmp_path / f'again{rank}' for rank in (0, 1)]
    if sharded:  # once by accelerate will do: PyTorch is imported four times there
        environment |= {'MASTER_PORT': str(free_port()), 'DIES': ''}
        ranks = [apart.started(logs[r], *work, RANK=str(r), **environment) for r in (0, 1)]
        codes = [apart.exit_code(process) for process in ranks]
    else:
        words, port = [*map(str, (preset, pack, two, 3)), *settings], free_port()
        machines = [launched(r, port, logs[r], words, tmp_path / 'cache') for r in (0, 1)]
        codes = [machine.wait(240) for machine in machines]
    assert codes == [0, 0], ''.join(log.read_text() for log in logs)
    two_processes.train(preset, pack, one, 6, *settings)
    whole, split = (torch.load(r / STAGE / 'gradients.pt', weights_only=True) for r in (one, two))
    assert len(split) == two_processes.STEPS - 2  # from the checkpoint on
    held_to_one_process(whole[2:], split)
    losses = [[line['loss'] for line in read_log(run / STAGE)] for run in (one, two)]
    assert losses[1] == pytest.approx(losses[0], rel=1e-5)
    # Weights whose gradient is nothing but rounding go anywhere with Adam; they decide no loss.
    assert torch.load(two / STAGE / 'checkpoint.pt', weights_only=True)['step'] == len(whole)
    assert MotionGPT3.from_pretrained(two / STAGE, device='cpu').name == 'tiny'
