# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Samples per second, memory and arithmetic of each stage of a preset, on this machine.

    python -m benchmarks.training --config paper --device cuda
    python -m benchmarks.training --config paper --device cpu --batch-size 4 --steps 3
    python -m benchmarks.training --config small --data mocap22

Without --data, motions are made up, as long as HumanML3D's (7 s in the mean). Weights are random
and a vocabulary of GPT-2's size is filled up, so that no file is needed: speed does not depend on
them. Each stage runs in a process of its own, for its memory.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.nn import functional as F  # noqa: N812 - the field's own abbreviation
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.table import circumstances
from mgpt3_ros.model.devices import resolve_device
from mgpt3_ros.model.kinematics.features import features_to_joints, joints_to_features
from mgpt3_ros.model.kinematics.skeleton import PARENTS, REST_OFFSETS
from mgpt3_ros.model.language.tokenizer import MotionTokenizer
from mgpt3_ros.model.network.onednn import OneDnnLinear
from mgpt3_ros.model.network.text.branch import TextTables
from mgpt3_ros.model.network.vae.mld import MldVae
from mgpt3_ros.training.data.clip import Clip
from mgpt3_ros.training.data.dataset import MotionDataset, load_dataset
from mgpt3_ros.training.run_config import RunConfig, load_run_config
from mgpt3_ros.training.samples import Split
from mgpt3_ros.training.stages import make_trainer
from mgpt3_ros.training.start import start_model
from mgpt3_ros.training.trainer import Trainer

GPT2_WORDS = 50257
CLIPS = 256
WARM_UP = 2  # steps that are not counted: kernels are chosen and memory is taken
CAPTIONS = (
    'a person walks forward slowly, turns around and comes back.',
    'someone raises the left arm above the head and waves with it.',
    'the man bends down, picks something up with both hands and puts it on a shelf.',
)


def main(argv: list[str] | None = None) -> int:
    """Measure the stages, one process each, and print a table."""
    parser = argparse.ArgumentParser(
        prog='python -m benchmarks.training',
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('--config', default='paper', help='preset or YAML file (default: paper)')
    parser.add_argument('--stage', help='one stage (default: all of the preset)')
    parser.add_argument('--device', default='auto', help='auto, cpu or cuda (default: auto)')
    parser.add_argument('--batch-size', type=int, help='samples a step (default: the preset has)')
    parser.add_argument('--steps', type=int, default=20, help='steps to time (default: 20)')
    parser.add_argument('--data', type=Path, help='data set (default: made-up motions)')
    parser.add_argument('--json', action='store_true', help='one stage as JSON, no table')
    parser.add_argument('overrides', nargs='*', metavar='key=value', help='as of mgpt3 train')
    options = parser.parse_intermixed_args(argv)
    with tempfile.TemporaryDirectory() as folder:
        run = _run_config(options, Path(folder))
        if options.json:
            print(json.dumps(measure(run, options, Path(folder))))
            return 0
    stages = [options.stage] if options.stage else list(run.stages)
    print(f'{circumstances()}, torch {torch.__version__}, {_device_name(options.device)}')
    print(
        '| stage | batch | s per step | samples/s | GFLOP per sample | attention | memory [GB] '
        '| stage [h] |'
    )
    print('|---|---|---|---|---|---|---|---|')
    for stage in stages:
        row = _in_own_process(stage, sys.argv[1:] if argv is None else argv)
        hours = run.stages[stage].optim.steps * row['samples_a_step'] / row['samples_per_s'] / 3600
        print(
            f'| {stage} | {row["batch"]} | {row["seconds"]:.3g} | {row["samples_per_s"]:.3g} | '
            f'{row["gflop"]:.3g} | {row["attention"]:.1%} | {row["memory_gb"]:.2f} '
            f'| {hours:.3g} |',
            flush=True,
        )
    return 0


def measure(run: RunConfig, options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Time a stage: seconds a step (median), samples/s, arithmetic and memory.

    Arithmetic is that of forward and backward; PyTorch does not count its fused encoder, by which
    the frozen VAE encodes.
    """
    device = resolve_device(options.device)
    dataset = load_dataset(options.data) if options.data else made_up_data()
    stage = run.stages[options.stage]
    model = start_model(run, stage, dataset, folder)
    network = model.network.to(device)
    network.train()
    split = Split(stage.optim.batch_size, stage.optim.seed)
    trainer = make_trainer(options.stage, stage, model, dataset, folder, split)
    trainer.module.train()
    trainer.train_step()
    seconds, busy = [], []
    for step in range(WARM_UP + options.steps):
        _finish(device)
        begin, begun_busy = time.perf_counter(), time.process_time()
        trainer.train_step()
        _finish(device)
        if step >= WARM_UP:
            seconds.append(time.perf_counter() - begin)
            busy.append(time.process_time() - begun_busy)
    making = [_making_s(trainer, step) for step in range(options.steps)]
    attention = _attention_share(trainer)
    flops = _counted_flops(trainer, WARM_UP + 1, options.steps)
    samples = stage.optim.batch_size * stage.optim.accumulate
    median = float(np.median(seconds))
    return {
        'stage': options.stage,
        'batch': stage.optim.batch_size,
        'samples_a_step': samples,
        'seconds': median,
        'samples_per_s': samples / median,
        'cpu_seconds': float(np.median(busy)),  # of all cores: what others do hardly counts
        'cpu_seconds_each': busy,
        'batch_cpu_seconds': float(np.median(making)),  # what prefetching takes off the step
        'attention': attention,  # all that packing sequences could save
        'trained': sum(weight.numel() for weight in trainer.trained.values()),
        'gflop': flops / samples / 1e9,
        'memory_gb': _memory_gb(device),
    }


def _making_s(trainer: Trainer, step: int) -> float:
    """CPU seconds of making the batch of a step."""
    begun = time.thread_time()
    trainer.batch(step, 0, trainer.accelerator.device)
    return time.thread_time() - begun


def _counted_flops(trainer: Trainer, first: int, steps: int) -> float:
    """Arithmetic of a step, the mean of some that are done again: batches differ by their tasks.

    It is counted in PyTorch's own products: oneDNN's are unknown to it.
    """
    fast = [each for each in trainer.raw.modules() if isinstance(each, OneDnnLinear)]
    learns = [layer.learns for layer in fast]
    owners = [each for each in trainer.raw.modules() if isinstance(each, TextTables | MldVae)]
    ways = [owner.product for owner in owners]
    for layer in fast:
        layer.learns = False
    for owner in owners:
        owner.product = F.linear
    trainer.step = first
    with FlopCounterMode(display=False) as counter:
        for _ in range(steps):
            trainer.train_step()
    for layer, before in zip(fast, learns, strict=True):
        layer.learns = before
    for owner, way in zip(owners, ways, strict=True):
        owner.product = way
    return counter.get_total_flops() / steps


def _attention_share(trainer: Trainer) -> float:
    """The share of a step's CPU time that attention has; all else computes no padding."""
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU]) as profile:
        trainer.train_step()
    spent = {event.key: event.self_cpu_time_total for event in profile.key_averages()}
    # With dropout, as a VAE learns, it is not one operation: nothing else has products in batches.
    apart = {'aten::bmm', 'aten::_softmax', 'aten::_safe_softmax', 'aten::_softmax_backward_data'}
    own = sum(
        time for name, time in spent.items() if 'scaled_dot_product' in name or name in apart
    )
    return own / sum(spent.values())


def made_up_data() -> MotionDataset:
    """Bodies that glide and swing, with lengths and captions as HumanML3D has them."""
    rng = np.random.default_rng(0)
    clips, features = [], []
    for number in range(CLIPS):
        frames = int(np.clip(rng.normal(140, 55), 41, 200))
        rows = joints_to_features(_gliding(rng, frames)).astype(np.float32)
        captions = (CAPTIONS[number % len(CAPTIONS)],)
        joints = features_to_joints(rows)
        clips.append(Clip(f'{number:06}', joints, captions, 'train', 'humanml3d', None))
        features.append(rows)
    return MotionDataset(clips, features, [], [], 'made up')


def _gliding(rng: np.random.Generator, frames: int) -> np.ndarray:
    joints = np.zeros((frames, 22, 3))
    for joint, parent in enumerate(PARENTS[1:], start=1):
        joints[:, joint] = joints[:, parent] + REST_OFFSETS[joint]
    time_s = np.arange(frames) / 20
    joints[..., 2] += (rng.uniform(0.2, 1.5) * time_s)[:, None]
    joints[:, 20, 1] += 0.2 * np.sin(rng.uniform(2, 6) * time_s)
    joints[..., 1] -= joints[..., 1].min()
    return joints


def _run_config(options: argparse.Namespace, folder: Path) -> RunConfig:
    run = load_run_config(options.config)
    changes = [f'stages.{name}.start_from=null' for name in run.stages]
    if options.batch_size:
        changes += [f'stages.{name}.optim.batch_size={options.batch_size}' for name in run.stages]
    if run.text_branch is not None:
        write_gpt2_sized_tokenizer(folder)
        changes += ['text_branch=null', f'tokenizer.folder={folder}']
    return load_run_config(options.config, (*changes, *options.overrides))


def write_gpt2_sized_tokenizer(folder: Path) -> None:
    """Write a tokenizer of a few words, filled up to as many as GPT-2 has."""
    MotionTokenizer.train(CAPTIONS, 2000).save(folder)
    file = folder / 'tokenizer.json'
    content = json.loads(file.read_text(encoding='utf-8'))
    words = content['model']['vocab']
    words |= {f'<unused {number}>': number for number in range(len(words), GPT2_WORDS)}
    file.write_text(json.dumps(content), encoding='utf-8')


def _in_own_process(stage: str, argv: list[str]) -> dict[str, Any]:
    command = [sys.executable, '-m', 'benchmarks.training', *argv, '--stage', stage, '--json']
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f'stage {stage} failed:\n{done.stderr}')
    return json.loads(done.stdout.splitlines()[-1])


def _device_name(device: str) -> str:
    found = resolve_device(device)
    return torch.cuda.get_device_name(found) if found.type == 'cuda' else 'CPU'


def _finish(device: torch.device) -> None:
    if device.type == 'cuda':
        torch.cuda.synchronize(device)


def _memory_gb(device: torch.device) -> float:
    """Peak: of the GPU's memory, or of the whole process on a CPU."""
    if device.type == 'cuda':
        return torch.cuda.max_memory_allocated(device) / 1e9
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9


if __name__ == '__main__':
    raise SystemExit(main())
