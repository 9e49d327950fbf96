# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The authors' checkpoints become checkpoint folders of this project.

Neither MotionGPT3's released file nor MLD's VAE holds the feature statistics or the tokenizer:
both are given by name. No code that a file carries is run (see `unpickling`).
"""

from __future__ import annotations

import dataclasses
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from mgpt3_ros.model.checkpoints import checkpoint
from mgpt3_ros.model.errors import CheckpointError
from mgpt3_ros.model.kinematics.stats import FeatureStats
from mgpt3_ros.model.language.prompts import PromptConfig
from mgpt3_ros.model.language.tokenizer import MotionTokenizer
from mgpt3_ros.model.language.vocabulary import MARKERS, MASKED, MOTION
from mgpt3_ros.model.motiongpt3 import MotionGPT3
from mgpt3_ros.model.network.backbone_config import BackboneConfig
from mgpt3_ros.model.network.heads import HeadConfig
from mgpt3_ros.model.network.network import MotionGPT3Network, NetworkConfig
from mgpt3_ros.model.network.vae import VaeConfig
from mgpt3_ros.model.pipelines.config import MotionGPT3Config
from mgpt3_ros.model.released import official_names as names
from mgpt3_ros.model.released.official_names import Weight, size_of
from mgpt3_ros.model.released.unpickling import load_inert

# What the authors multiply latents with on HumanML3D (`mean_std_inv`); 0.7281 on Motion-X.
LATENT_SCALE = 0.8457
GUIDANCE_SCALE = 7.5  # of their test.yaml and webui.yaml
GPT2_HEAD_WIDTH = 64  # of every GPT-2, small to xl

# The forms of the authors' demo (`forward`), which are those that stages 1 and 2 train on; the
# masked motion is that of their in-betweening instructions.
PROMPTS = PromptConfig(
    generate='{text}',
    caption=MOTION,
    predict=f'Predict motion: {MOTION}',
    inbetween=f'Complete the masked motion: {MOTION}{MASKED}{MOTION}',
    normalise=False,
)

_BACKBONE = re.compile(r'lm\.language_model\.(?P<name>.+)')
_OTHER_LM = re.compile(r'(?P<name>lm\.(?!language_model\.).+)')
_VAE = re.compile(r'(?:.*\.)?(?:motion_)?vae\.(?P<name>.+)')
_OTHER_NAMES = {
    'lm.motion_und_head.layers.weight': 'motion_in.weight',
    'lm.motion_und_head.layers.bias': 'motion_in.bias',
    'lm.norm_layer.weight': 'hidden_norm.weight',
    'lm.norm_layer.bias': 'hidden_norm.bias',
    'lm.diffusion_pos_embed_learned': 'hidden_positions',  # (1, K, M) there
}
_UNUSED = {f'lm.language_model.{name}' for name in names.UNUSED_IN_BACKBONE}
_FAKE, _NORM = 'lm.fake_latent', 'lm.norm_layer.weight'
_HEAD = 'lm.diffloss.net.'

Paths = tuple[str | Path, str | Path]


@dataclass(frozen=True)
class Conversion:
    """What became of a file.

    Attributes:
        folder: the checkpoint folder that was written.
        used: number of tensors of the file that were used, tied copies counted.
        ignored: what else the file holds and the model does not need, with the number of entries.
        unknown: classes and functions that the file names; they were neither loaded nor run.
    """

    folder: Path
    used: int
    ignored: Mapping[str, int]
    unknown: tuple[str, ...]


def convert_motiongpt3(
    ckpt: str | Path,
    output: str | Path,
    *,
    stats: Paths,
    tokenizer: str | Path,
    name: str = 'motiongpt3',
    licence: str = 'unstated',
    text_heads: int | None = None,
    vae_heads: int = 4,
    condition_heads: int = 4,
    shared_layers: tuple[int, ...] | None = None,
    latent_scale: float = LATENT_SCALE,
) -> Conversion:
    """Convert a checkpoint of MotionGPT3 as its authors' training writes it (Lightning).

    All sizes are read off the tensors' shapes, but for the numbers of attention heads and the
    layers that share attention, of which the file says nothing.

    Args:
        ckpt: the file, such as ``motiongpt3.ckpt``.
        output: folder to write; made where it is missing.
        stats: the data set's Mean.npy and Std.npy, (263,) each.
        tokenizer: folder with GPT-2's vocabulary and merges.
        name: of the checkpoint.
        licence: of the weights; it follows the data that they were trained on.
        text_heads: heads of the backbone; None for one per 64 channels, as in every GPT-2.
        vae_heads: heads of the VAE.
        condition_heads: heads of the attention that reads the holders.
        shared_layers: layers whose attention spans both modalities; None for all.
        latent_scale: factor by which training multiplied the VAE's latents.

    Raises:
        CheckpointError: a file is missing, damaged or of another kind; a tensor is missing,
            unknown or of a wrong shape (both shapes are named); the tokenizer does not fit.
    """
    words, features = MotionTokenizer.load(tokenizer), load_stats(*stats)
    source = _Source(ckpt)
    backbone = source.take('lm.language_model.', _BACKBONE)
    other = source.take('lm.', _OTHER_LM)
    vae = source.take('vae.', _VAE)
    config = NetworkConfig(
        backbone=_backbone_config(backbone, text_heads, shared_layers),
        vae=VaeConfig(kind='mld', mld=names.vae_config(vae, vae_heads)),
        head=_head_config(other, condition_heads),
        holders=_holders(backbone, other),
        hidden_norm=_NORM in other,
    )
    if words.vocab_size != config.backbone.vocab_size:
        raise CheckpointError(
            f'the tokenizer in {tokenizer} has {words.vocab_size} tokens, '
            f'{ckpt} was trained with {config.backbone.vocab_size}'
        )
    with checkpoint.Unfilled():
        network = MotionGPT3Network(config)
    weights = [
        *_under('lm.language_model.', 'backbone.', names.backbone_weights(backbone)),
        *_under('vae.', 'vae.', names.vae_weights(vae)),
        *_other_weights(other),
    ]
    _fill(network, weights, latent_scale, str(ckpt))
    whole = MotionGPT3Config(
        config,
        name=name,
        licence=licence,
        prompts=PROMPTS,
        max_frames=196,
        finishing=False,
        inbetween_whole=True,
    )
    model = MotionGPT3(whole, network, words, features)
    return _write(model, output, source, f'The weights of MotionGPT3 in `{Path(ckpt).name}`.')


def convert_mld_vae(
    ckpt: str | Path,
    output: str | Path,
    *,
    stats: Paths,
    tokenizer: str | Path,
    gpt2: str | Path | None = None,
    network: NetworkConfig | None = None,
    name: str = 'mld-vae',
    licence: str = 'unstated',
    vae_heads: int = 4,
    latent_scale: float = LATENT_SCALE,
    seed: int = 0,
) -> Conversion:
    """Convert the VAE in a checkpoint of MLD, as a start for training MotionGPT3 on it.

    The folder holds a whole model: the VAE from the file, the text branch from ``gpt2``, all else
    untrained.

    Args:
        ckpt: the file, such as ``1222_mld_humanml3d_FID041.ckpt``.
        output: folder to write; made where it is missing.
        stats: the data set's Mean.npy and Std.npy, (263,) each.
        tokenizer: folder with GPT-2's vocabulary and merges.
        gpt2: a local folder or a name on the hub; None leaves the text branch untrained.
        network: sizes of all but the VAE and the vocabulary; None for the paper's.
        name: of the checkpoint.
        licence: of the weights; it follows the data that they were trained on.
        vae_heads: heads of the VAE, which no shape tells.
        latent_scale: factor by which latents are multiplied before the backbone sees them.
        seed: of the untrained weights.

    Raises:
        CheckpointError: as `convert_motiongpt3`.
    """
    words, features = MotionTokenizer.load(tokenizer), load_stats(*stats)
    source = _Source(ckpt)
    vae = source.take('vae.', _VAE)
    base = network or NetworkConfig(BackboneConfig(words.vocab_size))
    config = dataclasses.replace(
        base,
        backbone=dataclasses.replace(base.backbone, vocab_size=words.vocab_size),
        vae=VaeConfig(kind='mld', mld=names.vae_config(vae, vae_heads)),
    )
    torch.manual_seed(seed)
    whole = MotionGPT3Network(config)
    if gpt2 is not None:
        whole.backbone.load_text(gpt2)
    _fill(whole, _under('vae.', 'vae.', names.vae_weights(vae)), latent_scale, str(ckpt), 'vae.')
    settings = MotionGPT3Config(whole.config, name=name, licence=licence, max_frames=196)
    model = MotionGPT3(settings, whole, words, features)
    text = 'an untrained text branch' if gpt2 is None else f'the text branch of {gpt2}'
    rest = 'the rest is untrained: a start for training.'
    return _write(model, output, source, f'The VAE in `{Path(ckpt).name}` and {text}; {rest}')


def load_stats(mean: str | Path, std: str | Path) -> FeatureStats:
    """Read a data set's Mean.npy and Std.npy.

    Raises:
        CheckpointError: a file is missing or does not hold 263 numbers.
    """
    arrays = []
    for path in (mean, std):
        try:
            arrays.append(np.load(path, allow_pickle=False))
        except (OSError, ValueError, EOFError) as error:
            raise CheckpointError(f'{path} holds no feature statistics: {error}') from error
    return FeatureStats(*arrays)


# ---------------------------------------------------------------------- reading


class _Source:
    """The weights of a file, by their official names, and which of them were taken."""

    def __init__(self, path: str | Path) -> None:
        self.path = path
        self.content, self.unknown = load_inert(path)
        state = self.content.get('state_dict', {}) if isinstance(self.content, dict) else {}
        if not isinstance(state, dict) or not state:
            raise CheckpointError(f"{path} holds no 'state_dict': Lightning did not write it")
        self.state: dict[str, object] = {str(key): value for key, value in state.items()}
        self.taken: set[str] = set()

    def take(self, what: str, pattern: re.Pattern[str]) -> dict[str, Tensor]:
        """Read the weights whose names match, by the group ``name``; tied ones share memory.

        Raises:
            CheckpointError: there is none, or one is no tensor.
        """
        weights = {}
        for key, value in self.state.items():
            if not (match := pattern.fullmatch(key)) or key in _UNUSED:
                continue
            if not isinstance(value, Tensor):
                raise CheckpointError(f'{self.path}: {key} is no tensor')
            weights[match['name']] = value
            self.taken.add(key)
        if not weights:
            raise CheckpointError(f'{self.path} holds no weights {what}*')
        return weights

    def ignored(self) -> dict[str, int]:
        """Count what was not taken, by the first part of its name."""
        counts = Counter(key.split('.')[0] for key in self.state if key not in self.taken)
        counts.update(str(key) for key in self.content if key != 'state_dict')
        return dict(sorted(counts.items()))


def _under(theirs: str, ours: str, weights: Iterable[Weight]) -> Iterator[Weight]:
    return (Weight(theirs + w.theirs, ours + w.ours, w.value) for w in weights)


def _other_weights(official: Mapping[str, Tensor]) -> Iterator[Weight]:
    of_head = {}
    for name, value in official.items():
        if name in _OTHER_NAMES:
            yield Weight(name, _OTHER_NAMES[name], value[0] if value.dim() == 3 else value)
        else:
            of_head[name] = value
    yield from _under('', 'head.', names.head_weights(of_head))


# ---------------------------------------------------------------------- sizes


def _backbone_config(
    weights: Mapping[str, Tensor], heads: int | None, shared_layers: tuple[int, ...] | None
) -> BackboneConfig:
    wpe = 'transformer.wpe.weight'
    width = size_of(weights, (names.WTE, 1), (wpe, 1), ('transformer.ln_f.fn.0.weight', 0))
    motion_width = _motion_width(weights)
    if heads is None:
        heads, rest = divmod(width, GPT2_HEAD_WIDTH)
        if rest:
            raise CheckpointError(
                f'a text branch of width {width} is no GPT-2 with heads of {GPT2_HEAD_WIDTH} '
                'channels: say how many heads it has'
            )
    return BackboneConfig(
        vocab_size=size_of(weights, (names.WTE, 0)) - MARKERS,
        n_positions=size_of(weights, (wpe, 0)),
        n_embd=width,
        n_layer=names.count_layers(weights, 'transformer.h'),
        n_head=heads,
        motion_width=None if motion_width == width else motion_width,
        shared_layers=shared_layers,
    )


def _motion_width(weights: Mapping[str, Tensor]) -> int:
    norm = 'transformer.ln_f.fn.1'
    return size_of(
        weights, (f'{norm}.weight', 0), (f'{norm}.bias', 0), ('pre_processors.1.weight', 1)
    )


def _head_config(weights: Mapping[str, Tensor], condition_heads: int) -> HeadConfig:
    guided = _FAKE in weights
    return HeadConfig(
        kind='ddpm',
        width=size_of(
            weights,
            (f'{_HEAD}input_proj.weight', 0),
            (f'{_HEAD}input_proj.bias', 0),
            (f'{_HEAD}final_layer.linear.weight', 1),
        ),
        depth=names.count_layers(weights, f'{_HEAD}res_blocks'),
        condition_heads=condition_heads,
        condition_drop=0.1 if guided else 0.0,
        guidance_scale=GUIDANCE_SCALE if guided else 1.0,
    )


def _holders(backbone: Mapping[str, Tensor], other: Mapping[str, Tensor]) -> int:
    stem, width = 'lm.motion_und_head.layers', _motion_width(backbone)
    rows = size_of(other, (f'{stem}.bias', 0), (f'{stem}.weight', 0))
    if rows % width:
        raise CheckpointError(
            f'{stem}.bias has {rows} entries, which is no multiple of the motion width {width}'
        )
    return rows // width


# ---------------------------------------------------------------------- writing


def _fill(
    network: MotionGPT3Network,
    weights: Iterable[Weight],
    latent_scale: float,
    where: str,
    part: str = '',
) -> None:
    """Load the weights of a part of the network (of all of it: ''), whole."""
    own, weights = network.state_dict(), list(weights)
    for weight in weights:
        needed = own.get(weight.ours)
        if needed is not None and needed.shape != weight.value.shape:
            found, asked = (
                names.official_shape(weight.theirs, tuple(value.shape))
                for value in (weight.value, needed)
            )
            raise CheckpointError(f'{where}: {weight.theirs} has shape {found}, not {asked}')
    state = {key: value for key, value in own.items() if not key.startswith(part)} | {
        'latent_mean': torch.zeros_like(network.latent_mean),
        'latent_std': torch.full_like(network.latent_std, 1.0 / latent_scale),
    }
    checkpoint.load_state(network, state | names.as_state(weights), where)


def _write(model: MotionGPT3, output: str | Path, source: _Source, description: str) -> Conversion:
    folder = Path(output)
    if folder.exists() and not folder.is_dir():
        raise CheckpointError(f'{folder} is a file; name a folder to write')
    model.save_pretrained(folder)
    ignored, used = source.ignored(), len(source.taken)
    card = f'# {model.name}\n\n{description}\n\nLicence of the weights: {model.licence}.\n\n'
    left_out = ', '.join(f'{name} ({count})' for name, count in ignored.items()) or 'nothing'
    card += f'{used} tensors were converted by mgpt3_ros; not needed were: {left_out}.\n'
    checkpoint.write_text(folder / checkpoint.CARD, card)
    return Conversion(folder, used, ignored, source.unknown)
