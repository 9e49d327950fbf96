# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A preset of all stages at tiny size, and what a stage has learned, for tests of training."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
import yaml

from mgpt3_ros.model.motiongpt3 import MotionGPT3
from mgpt3_ros.model.network.network import MotionGPT3Network
from mgpt3_ros.training.data.dataset import load_dataset
from mgpt3_ros.training.run_config import StageConfig
from mgpt3_ros.training.samples import Split
from mgpt3_ros.training.tasks import TaskBatcher

OPTIM = {
    'steps': 40,
    'batch_size': 8,
    'learning_rate': 0.003,
    'warmup_steps': 5,
    'checkpoint_every': 20,
    'log_every': 1,
}
TRAINED = ['motion', 'markers', 'holders', 'duration', 'head']
DRAWN = {'flow': 1.0, 'regression': 1.0, 'duration': 0.3}
PRESET: dict[str, Any] = {
    'model': {
        'name': 'tiny',
        'licence': 'CC0-1.0',
        'network': {
            'holders': 2,
            'motion_context': True,
            'backbone': {'n_positions': 96, 'n_embd': 16, 'n_layer': 2, 'n_head': 2, 'dropout': 0},
            'vae': {
                'kind': 'trunk',
                'trunk': {'latent_dim': 12, 'steps': 12, 'width': 16, 'layers': 1, 'heads': 2},
            },
            'head': {
                'kind': 'flow',
                'width': 16,
                'depth': 1,
                'dropout': 0,
                'regression_weight': 1,
                'num_inference_steps': 4,
            },
        },
    },
    'tokenizer': {'vocab_size': 320},
    'stages': {
        'vae': {
            'losses': {'features': 0.3, 'positions': 1, 'motion': 10, 'jerk': 3, 'slide': 3},
            'optim': OPTIM,
        },
        'text': {
            'start_from': 'vae',
            'trained': ['text', *TRAINED],
            'tasks': {'text': 0.2, 'generate': 0.5, 'caption': 0.3},
            'losses': {'text': 0.5, **DRAWN},
            'optim': {**OPTIM, 'learning_rate': 0.01},
        },
        't2m': {
            'start_from': 'text',
            'trained': TRAINED,
            'tasks': {'generate': 1},
            'losses': DRAWN,
            'optim': {**OPTIM, 'learning_rate': 0.01},
        },
        'align': {
            'start_from': 't2m',
            'trained': TRAINED,
            'tasks': {'generate': 0.4, 'caption': 0.2, 'predict': 0.2, 'inbetween': 0.2},
            'losses': {'text': 0.5, **DRAWN},
            'optim': {**OPTIM, 'learning_rate': 0.01},
        },
    },
}


def write_preset(folder: Path) -> Path:
    path = folder / 'tiny.yaml'
    path.write_text(yaml.safe_dump(PRESET, sort_keys=False))
    return path


def group_names(network: MotionGPT3Network, group: str) -> set[str]:
    """Names of the parameters of a group."""
    kept = {id(parameter) for parameter in network.parameter_groups()[group]}
    return {name for name, parameter in network.named_parameters() if id(parameter) in kept}


@torch.no_grad()
def loss_on_fixed_samples(
    folder: Path, stage: StageConfig, pack: Path, samples: int = 96
) -> float:
    """Loss of a checkpoint on samples and noise that are always the same."""
    model = MotionGPT3.from_pretrained(folder, device='cpu')
    batcher = TaskBatcher(
        load_dataset(pack),
        model.network,
        model.tokenizer,
        model.config.prompts,
        stage.tasks,
        stage.options,
        Split(samples, seed=99),
    )
    terms = model.network(*batcher(0, 0, torch.device('cpu')))
    return sum(stage.losses[name] * float(terms[name]) for name in terms if name in stage.losses)
