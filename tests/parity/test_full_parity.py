# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A full-size checkpoint of the authors, converted, computes what their code computes."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import re
import shutil
from collections import OrderedDict
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from mgpt3_ros.model.kinematics.features import features_to_joints
from mgpt3_ros.model.kinematics.skeleton import FPS
from mgpt3_ros.model.language.vocabulary import MOTION
from mgpt3_ros.model.motiongpt3 import MotionGPT3
from mgpt3_ros.model.network.backbone import Hidden
from mgpt3_ros.model.network.decoding import write_text
from mgpt3_ros.model.network.heads.base import Draw
from mgpt3_ros.model.network.network import MotionGPT3Network, MotionInputs
from mgpt3_ros.model.network.sequences import (
    TokenBatch,
    TokenSequence,
    build_sequence,
    collate,
)
from mgpt3_ros.model.released.convert import Conversion, convert_motiongpt3
from mgpt3_ros.model.released.official_names import TIED_TO_WTE, UNUSED_IN_BACKBONE, WTE
from mgpt3_ros.model.sampling import SamplingOptions
from tests.support.recipe import official_shapes, recipe, rs

pytestmark = pytest.mark.slow
TOLERANCE = 1e-3  # of an array's standard deviation, as the README beside the fixtures has it
OBSERVED = 0.2  # share of a motion that the authors' prediction task reads


class Hostile:
    """Runs a command when an ordinary unpickler reads it."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (f'touch {self.marker}',)


def write_lightning_file(reference_dir: Path, path: Path, hyper_parameters: Any) -> dict[str, str]:
    """Write the recipe's weights as Lightning does; return a checksum of each that is needed."""
    shapes = official_shapes(reference_dir)
    needed = {key for key in shapes if key.startswith(('lm.', 'vae.'))}

    def value(key: str) -> Tensor:
        shape = shapes[key]
        return torch.from_numpy(recipe(key, shape)) if key in needed else torch.zeros(shape)

    def checksum(key: str) -> str:
        return hashlib.sha256(state[key].numpy()).hexdigest()[:16]

    own = [key for key in shapes if not key.endswith(TIED_TO_WTE)]
    with ThreadPoolExecutor() as pool:  # NumPy's numbers and checksums let go of the interpreter
        state = OrderedDict(zip(own, pool.map(value, own), strict=True))
        used = [key for key in own if key in needed]
        sums = dict(zip(used, pool.map(checksum, used), strict=True))
    for name in TIED_TO_WTE:
        state[f'lm.language_model.{name}'] = state[f'lm.language_model.{WTE}']
    assert set(state) == set(shapes)
    content = {
        'epoch': 0,
        'global_step': 0,
        'state_dict': state,
        'optimizer_states': [{'state': {0: {'exp_avg': torch.zeros(3)}}, 'param_groups': [{}]}],
        'lr_schedulers': [],
        'loops': {'fit_loop': {'state_dict': {}}},
        'hyper_parameters': hyper_parameters,
    }
    torch.save(content, path)
    return sums


@dataclass
class Full:
    """The converted model, and how it came to be."""

    model: MotionGPT3
    conversion: Conversion
    sums: dict[str, str]
    ran: Path  # stands there once the hostile part of the file has run

    @property
    def network(self) -> MotionGPT3Network:
        return self.model.network

    def sequences(self, *pairs: tuple[str, str | None]) -> list[TokenSequence]:
        holders = self.model.config.network.holders
        return [build_sequence(self.model.tokenizer, holders, *pair) for pair in pairs]

    def inputs(self, latents: Tensor) -> MotionInputs:
        """Input motions by their latents (P, L, C), not whitened."""
        none = torch.zeros(len(latents))
        return MotionInputs(self.network.whiten(latents), none, torch.zeros(len(none), 4), none)


@pytest.fixture(scope='module')
def full(parity_dir: Path, reference_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Full:
    folder = tmp_path_factory.mktemp('full')
    geometry = np.load(parity_dir / 'geometry_012314.npz')
    for name in ('mean', 'std'):
        np.save(folder / f'{name}.npy', geometry[f'{name}_gen'])
    file, ran = folder / 'motiongpt3.ckpt', folder / 'ran'
    sums = write_lightning_file(reference_dir, file, {'cfg': Hostile(ran)})
    conversion = convert_motiongpt3(
        file,
        folder / 'converted',
        stats=(folder / 'mean.npy', folder / 'std.npy'),
        tokenizer=reference_dir / 'gpt2_bpe',
    )
    file.unlink()  # a gigabyte each
    model = MotionGPT3.from_pretrained(folder / 'converted', device='cpu')
    shutil.rmtree(folder / 'converted')
    return Full(model, conversion, sums, ran)


@pytest.fixture(scope='module')
def step(parity_dir: Path) -> Mapping[str, np.ndarray]:
    return dict(np.load(parity_dir / 'full_train_step.npz'))


@pytest.fixture(scope='module')
def t2m(parity_dir: Path) -> Mapping[str, np.ndarray]:
    return dict(np.load(parity_dir / 'full_t2m.npz'))


@pytest.fixture(scope='module')
def texts(parity_dir: Path) -> dict[str, Any]:
    return json.loads((parity_dir / 'lm_text.json').read_text(encoding='utf-8'))


def assert_close(ours: Tensor | np.ndarray, theirs: np.ndarray) -> None:
    ours = np.asarray(ours)
    assert ours.shape == theirs.shape
    scale = theirs.std() if theirs.size > 1 else abs(float(theirs))
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=TOLERANCE * scale)


# ---------------------------------------------------------------------- conversion


def test_the_file_holds_the_recorded_bytes(full: Full, parity_dir: Path) -> None:
    recorded = json.loads((parity_dir / 'full_weights_recipe_sha16.json').read_text())
    assert full.sums == recorded


def test_every_needed_weight_was_used(full: Full, reference_dir: Path) -> None:
    names = list(official_shapes(reference_dir))
    needed = [name for name in names if name.startswith(('lm.', 'vae.'))]
    assert full.conversion.used == len(needed) - len(UNUSED_IN_BACKBONE)
    for part in ('metrics', '_losses'):
        assert full.conversion.ignored[part] == sum(n.startswith(f'{part}.') for n in names)
    assert full.conversion.ignored['lm'] == len(UNUSED_IN_BACKBONE)


def test_no_code_of_the_file_has_run(full: Full) -> None:
    assert not full.ran.exists()
    assert 'posix.system' in full.conversion.unknown


# ---------------------------------------------------------------------- a training step


@dataclass
class Step:
    """What our model computes of the fixture's training step."""

    batch: TokenBatch
    is_motion: Tensor
    before: list[tuple[Tensor, Tensor]]  # streams before each layer, (B, N, D) and (B, N, M)
    hidden: Hidden
    terms: dict[str, Tensor]


@pytest.fixture(scope='module')
def ours(full: Full, step: Mapping[str, np.ndarray], texts: dict[str, Any]) -> Step:
    """Run the step as the authors do: padded to their length, the padding learned."""
    network, tokenizer = full.network, full.model.tokenizer
    classes = [task['class'] for task in texts['train_tasks']]
    assert classes == ['t2m', 'm2t', 'predict']
    pairs = []
    for task, text in zip(texts['train_tasks'], texts['train_texts'], strict=True):
        prompt, answer = (
            re.sub(r'<Motion_Placeholder\w*>', MOTION, task[side][0]).replace(
                '<Caption_Placeholder>', text
            )
            for side in ('input', 'output')
        )
        pairs.append((prompt, answer))
    width = step['labels'].shape[1]
    batch = collate(full.sequences(*pairs), tokenizer.eos_id, pad_to=width, learn_padding=True)
    whole, read, head, tail = latents_of(network, step)
    motions = full.inputs(torch.stack([read, head]))
    config = network.backbone.config
    network.backbone.config = dataclasses.replace(config, reference_masking=True)
    with torch.no_grad():
        before, hidden = run(network, batch, motions)
        draw = Draw(
            torch.from_numpy(step['diff_t']),
            torch.from_numpy(step['diff_noise']),
            torch.from_numpy(step['cfg_rand'] < network.config.head.condition_drop),
        )
        target = network.whiten(torch.stack([whole, tail]))
        terms = network.head.loss_of(target, network.output_hidden(hidden, batch.ids), draw)
        terms['text'] = network.text_loss(hidden, batch)
    network.backbone.config = config
    is_motion = batch.ids >= tokenizer.masked_motion
    return Step(batch, is_motion, before, hidden, terms)


@torch.no_grad()
def latents_of(network: MotionGPT3Network, step: Mapping[str, np.ndarray]) -> list[Tensor]:
    """Latents (L, C) of rows 0 and 1, and of the head and the tail of row 2, with their noise."""
    motion, lengths = torch.from_numpy(step['motion']), step['lengths']
    split = int(OBSERVED * lengths[2])
    clips = [
        motion[0, : lengths[0]],
        motion[1, : lengths[1]],
        motion[2, :split],
        motion[2, split : lengths[2]],
    ]
    noises = [
        step['vae_eps_0'],
        step['vae_eps_1'],
        step['vae_eps_2'][:, :1],
        step['vae_eps_2'][:, 1:],
    ]
    latents = []
    for clip, noise in zip(clips, noises, strict=True):
        mean, logvar = network.vae.encode(clip[None], torch.tensor([len(clip)]))
        latents.append(mean[0] + torch.exp(0.5 * logvar[0]) * torch.from_numpy(noise)[:, 0])
    return latents


def run(
    network: MotionGPT3Network, batch: TokenBatch, motions: MotionInputs
) -> tuple[list[tuple[Tensor, Tensor]], Hidden]:
    is_motion = (batch.ids >= network.vocabulary.first_motion).flatten()
    before = []

    def keep(_: object, streams: tuple[Tensor, ...]) -> None:
        full_size = []
        for stream, at in zip(streams[:2], (~is_motion, is_motion), strict=True):
            whole = stream.new_zeros(len(is_motion), stream.shape[1])
            whole[at] = stream
            full_size.append(whole.unflatten(0, batch.ids.shape))
        before.append((full_size[0], full_size[1]))

    hooks = [layer.register_forward_pre_hook(keep) for layer in network.backbone.layers]
    hidden = network.hidden(batch.ids, batch.mask, motions)
    for hook in hooks:
        hook.remove()
    return before, hidden


def test_tokens_and_labels(ours: Step, step: Mapping[str, np.ndarray]) -> None:
    np.testing.assert_array_equal(ours.batch.mask, step['attention_mask'].astype(bool))
    np.testing.assert_array_equal(ours.is_motion, step['type_ids'].astype(bool))
    np.testing.assert_array_equal(ours.batch.labels, step['labels'])


@pytest.mark.parametrize('layer', [0, 1, 6])
def test_hidden_states_within(ours: Step, step: Mapping[str, np.ndarray], layer: int) -> None:
    text, motion = ours.before[layer]
    for name, row, stream, wanted in (('text', 1, text, False), ('motion', 0, motion, True)):
        theirs = step[f'hidden_l{layer}_{name}_row{row}']
        count = len(theirs)
        at = ours.batch.mask[row, :count] & (ours.is_motion[row, :count] == wanted)
        assert at.any()
        assert_close(stream[row, :count][at], theirs[at])


def test_last_hidden_states_and_logits(
    full: Full, ours: Step, step: Mapping[str, np.ndarray]
) -> None:
    count = step['hidden_text_last'].shape[1]
    mask, is_motion = ours.batch.mask[:, :count], ours.is_motion[:, :count]
    of_text, of_motion = mask & ~is_motion, mask & is_motion
    hidden = ours.hidden.text[:, :count][of_text]
    assert_close(hidden, step['hidden_text_last'][of_text])
    assert_close(ours.hidden.motion[:, :count][of_motion], step['hidden_motion_last'][of_motion])
    logits = full.network.backbone.text_logits(hidden).detach()
    first = step['text_logits_first64'][of_text]
    assert_close(logits[:, : first.shape[1]], first)
    chosen = torch.from_numpy(step['text_logits_argmax'][of_text])
    assert_close(logits.gather(1, chosen[:, None])[:, 0], logits.max(dim=1).values.numpy())


def test_losses(ours: Step, step: Mapping[str, np.ndarray]) -> None:
    assert_close(ours.terms['text'], step['text_loss'])
    assert_close(ours.terms['diffusion'], step['diff_loss'])


# ---------------------------------------------------------------------- text to motion

PROMPTS = {'hidden_eval': '{text} \n', 'hidden_demo': '{text}'}


@torch.no_grad()
@pytest.mark.parametrize('name', list(PROMPTS))
def test_hidden_states_of_a_prompt(
    full: Full, t2m: Mapping[str, np.ndarray], texts: dict[str, Any], name: str
) -> None:
    """Ours are not padded: padding has no influence."""
    prompts = [PROMPTS[name].format(text=text) for text in texts['t2m_texts']]
    rows = full.sequences(*((prompt, MOTION) for prompt in prompts))
    batch = collate(rows, full.model.tokenizer.eos_id)
    hidden = full.network.hidden(batch.ids, batch.mask, None)
    assert_close(full.network.output_hidden(hidden, batch.ids), t2m[name])


@torch.no_grad()
def test_from_text_to_joints(
    full: Full,
    t2m: Mapping[str, np.ndarray],
    texts: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    network, stats, lengths = full.network, full.model.stats, torch.from_numpy(t2m['lengths'])
    rows = len(lengths)
    # Their noise is drawn for the batch that guidance doubles; the conditional half is used.
    added = rs(int(t2m['step_noise_seed']), 100, 2 * rows, *t2m['init_noise'].shape[1:])[:, :rows]
    latents: list[Tensor] = []

    def sample(hidden: Tensor, *_: object) -> Tensor:
        stream = iter([t2m['init_noise'], *added])
        latents.append(
            network.head.denoise(
                lambda: torch.from_numpy(next(stream)), hidden, SamplingOptions(3.0, 100)
            )
        )
        return latents[0]

    monkeypatch.setattr(network.head, 'sample', sample)
    prompts = dataclasses.replace(full.model.config.prompts, generate=PROMPTS['hidden_eval'])
    config = dataclasses.replace(full.model.config, prompts=prompts)
    monkeypatch.setattr(full.model.pipeline, 'config', config)
    motions = full.model.generate(
        texts['t2m_texts'], [length / FPS for length in lengths.tolist()]
    )
    latent = network.unwhiten(latents[0])
    assert_close(latent, t2m['latent'])
    features = network.vae.decode(latent, lengths)
    assert_close(features, t2m['feats_norm'])
    joints = features_to_joints(stats.denormalise(features))
    for row, length in enumerate(lengths.tolist()):
        assert_close(joints[row, :length], t2m['joints'][row, :length])
        assert_close(motions[row].joints, t2m['joints'][row, :length])


# ---------------------------------------------------------------------- motion to text


@torch.no_grad()
def test_greedy_captions(
    full: Full, step: Mapping[str, np.ndarray], texts: dict[str, Any]
) -> None:
    theirs = texts['m2t_eval_greedy']
    rows, tokenizer = len(theirs['sequences']), full.model.tokenizer
    prompt = theirs['prompt'].split(' (')[0].replace('<Motion_Placeholder>', MOTION)
    batch = collate(full.sequences(*[(f'{prompt} \n', None)] * rows), tokenizer.eos_id)
    motion, lengths = (torch.from_numpy(step[name][:rows]) for name in ('motion', 'lengths'))
    mean, _ = full.network.vae.encode(motion, lengths)
    written = write_text(
        full.network,
        batch.ids,
        batch.mask,
        full.inputs(mean),
        full.model.config.decoding,
        (tokenizer.start_of_motion, tokenizer.end_of_motion),
        tokenizer.eos_id,
    )
    assert written == theirs['sequences']
    assert [tokenizer.decode(ids) for ids in written] == theirs['texts']
