# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a frozen text branch says of captions, computed once and kept on disk.

While neither words nor markers are trained, the keys and values of a prompt that stands before the
motion are the same at every step. With them a step costs the motion side alone.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from mgpt3_ros.model.atomic_files import save_array, whole_file
from mgpt3_ros.model.checkpoints.language_weights import digest_of
from mgpt3_ros.model.errors import ConfigError
from mgpt3_ros.model.network.cache import KeyValueCache
from mgpt3_ros.model.network.stream_network import StreamNetwork
from mgpt3_ros.training.data.motion_store import cache_folder

_VERSION, _TOGETHER = 1, 16  # raise it when what is stored changes
TEXT_GROUPS = ('text', 'additions', 'markers')  # of the parameters that words go through
_TYPES = {'float16': np.float16, 'float32': np.float32}


@dataclass(frozen=True)
class SaidBefore:
    """What a frozen text branch says of the token that follows.

    hidden: (Q, D), the state at the token before. words: (Q,), the logarithm of the sum of the
    exponentials of all words' logits. chosen: (Q,), that of the word which follows; where a marker
    does, of any.
    """

    hidden: Tensor
    words: Tensor
    chosen: Tensor


def text_digest(network: StreamNetwork) -> str:
    """A hash of all weights that words go through."""
    groups = network.backbone.parameter_groups().items()
    return digest_of(
        {
            f'{name}.{number}': parameter.detach()
            for name, group in groups
            if name in TEXT_GROUPS
            for number, parameter in enumerate(group)
        }
    )


@torch.no_grad()
def begun_alike(
    network: StreamNetwork, rows: Sequence[tuple[int, ...]], most: int
) -> tuple[Tensor, Tensor, KeyValueCache]:
    """Rows whose common beginning, of ``most`` tokens at most, is read once for all of them.

    Returns:
        What is left of them (B, N), padded on the left; the mask (B, S + N) of the S tokens that
        were read and these; the cache that has read the S tokens.
    """
    count = 0
    while count < most and len({row[count] for row in rows}) == 1:
        count += 1
    left, device = [row[count:] for row in rows], network.backbone.marker_embedding.device
    width = max(map(len, left))
    ids = torch.zeros(len(rows), width, dtype=torch.long)
    mask = torch.zeros(len(rows), count + width, dtype=torch.bool)
    mask[:, :count] = True
    for number, row in enumerate(left):
        ids[number, -len(row) :], mask[number, -len(row) :] = torch.tensor(row), True
    cache = network.backbone.new_cache(count + width)
    if count:
        first = torch.tensor([rows[0][:count]], device=device)
        network.read(first, torch.ones_like(first, dtype=torch.bool), cache=cache)
        cache.keep(torch.zeros(len(rows), dtype=torch.long, device=device))
    return ids.to(device), mask.to(device), cache


class TextCache:
    """Keys, values and last hidden state of prompts: a file for each, by a hash of its tokens.

    Kept are the layers that motion attends to: L of them, with G key heads of the width E.

    Args:
        network: of the stream form; its text branch, additions and markers must be frozen.
        dtype: of the files, 'float16' or 'float32'.
        folder: None for one in the user's cache folder, by a hash of the text branch.

    Raises:
        ConfigError: one of these is trained, or blurred by dropout; or there
            is no such dtype.
    """

    def __init__(self, network: StreamNetwork, dtype: str, folder: Path | None = None) -> None:
        groups = network.parameter_groups()
        text = [name for name in TEXT_GROUPS if name in groups]
        trained = [name for name in text if any(p.requires_grad for p in groups[name])]
        if trained or network.config.backbone.text_dropout:
            why = f'{trained[0]!r} is trained' if trained else 'it has a text_dropout'
            raise ConfigError(f'stream.cache_text keeps what text says, but {why}: leave it out')
        if dtype not in _TYPES:
            raise ConfigError(f'stream.cache_text is {dtype!r}: float16 or float32')
        self.network, self.dtype = network, dtype
        layers = network.backbone.layers
        self.layers = [index for index, layer in enumerate(layers) if layer.shared]
        self.folder = cache_folder() / f'text-{self._key()}' if folder is None else folder

    def _key(self) -> str:
        told = f'{_VERSION} {self.dtype} {self.layers} {text_digest(self.network)}'
        return hashlib.sha256(told.encode()).hexdigest()[:16]

    def read(self, ids: Tensor, mask: Tensor, room: int) -> tuple[KeyValueCache, Tensor]:
        """A cache that has read prompts (B, N), padded on the left, and their summaries (B, D).

        The cache has room for ``room`` tokens more. What is not known yet is computed.
        """
        rows = [tuple(row[seen].tolist()) for row, seen in zip(ids, mask, strict=True)]
        known = {row: self._load_prompt(row) for row in set(rows) if row}
        new = [row for row, found in known.items() if found is None]
        if new:
            known |= self._computed(new)
        batch, count = mask.shape
        like = self.network.backbone.marker_embedding
        config = self.network.config.backbone
        shape = (batch, config.key_heads, count + room, config.head_width)
        pairs = [(like.new_zeros(shape), like.new_zeros(shape)) for _ in range(config.n_layer)]
        summaries = like.new_zeros(batch, config.n_embd)
        for number, row in enumerate(rows):
            found = known.get(row)
            if found is None:
                continue
            states, summary = (part.to(like) for part in self._parts(found, len(row)))
            summaries[number] = summary
            for layer, pair in zip(self.layers, states, strict=True):
                for kept, new_part in zip(pairs[layer], pair, strict=True):
                    kept[number, :, count - len(row) : count] = new_part
        order = (mask.long().cumsum(1) - 1).clamp(min=0)
        return KeyValueCache.holding(pairs, torch.zeros_like(mask, dtype=torch.bool), order), (
            summaries
        )

    def _parts(self, found: np.ndarray, tokens: int) -> tuple[Tensor, Tensor]:
        """Keys and values (L, 2, G, T, E), and the last hidden state (D,)."""
        config = self.network.config.backbone
        values = torch.from_numpy(np.array(found))
        states, summary = values[: -config.n_embd], values[-config.n_embd :]
        shape = (len(self.layers), 2, config.key_heads, tokens, config.head_width)
        return states.view(shape), summary

    def _load_prompt(self, row: tuple[int, ...]) -> np.ndarray | None:
        config = self.network.config.backbone
        size = len(self.layers) * 2 * config.key_width * len(row) + config.n_embd
        return self._load(self._file(row), size)

    def before(self, ids: Tensor, mask: Tensor, learned: Tensor) -> SaidBefore:
        """What stands before each learned token.

        Args:
            ids: (B, N) sentences, padded on the right.
            mask: (B, N), False on padding.
            learned: (B, N), True on the tokens from one on, to the sentence's end; a sentence's
                first is never learned.
        """
        rows = []
        for row, seen, own in zip(ids, mask, learned, strict=True):
            words = tuple(row[seen].tolist())
            rows.append((words, max(len(words) - int(own.sum()), 1)))
        width = self.network.config.backbone.n_embd + 2
        known = {
            row: self._load(self._file(*row), (len(row[0]) - row[1]) * width, np.float32)
            for row in set(rows)
        }
        new = [row for row, found in known.items() if found is None]
        for begin in range(0, len(new), _TOGETHER):
            part = new[begin : begin + _TOGETHER]
            least = min(first for _, first in part) - 1
            hidden, _ = self._read_alone([words for words, _ in part], least)
            for (words, first), states in zip(part, hidden, strict=True):
                said = self._said(states[first - len(words) - 1 : -1], words[first:])
                known[words, first] = self._keep(self._file(words, first), said, np.float32)
        found = [torch.from_numpy(np.array(known[row])).view(-1, width) for row in rows]
        whole = torch.cat(found).to(self.network.backbone.marker_embedding)
        return SaidBefore(whole[:, :-2], whole[:, -2], whole[:, -1])

    @torch.no_grad()
    def _said(self, states: Tensor, words: tuple[int, ...]) -> Tensor:
        """States (T, D) and what the words' logits are at each, in a row."""
        logits = self.network.backbone.text.logits(states).float()
        ids = torch.tensor(words, device=states.device).clamp(max=logits.shape[1] - 1)
        chosen = logits.gather(1, ids[:, None])
        return torch.cat([states.float(), logits.logsumexp(1, keepdim=True), chosen], 1).flatten()

    def _file(self, row: tuple[int, ...], begin: int | None = None) -> Path:
        told = row if begin is None else (*row, -begin)
        name = hashlib.sha256(np.array(told, dtype='<i8').tobytes()).hexdigest()[:32]
        return self.folder / name[:2] / f'{name}.npy'

    def _load(self, file: Path, size: int, kind: type | None = None) -> np.ndarray | None:
        # A file that is missing or damaged is made anew.
        with contextlib.suppress(OSError, ValueError, EOFError):
            found = np.load(file)
            if found.shape == (size,) and found.dtype == (kind or _TYPES[self.dtype]):
                return found
        return None

    def _keep(self, file: Path, values: Tensor, kind: type | None = None) -> np.ndarray:
        kept: np.ndarray = values.float().cpu().numpy().astype(kind or _TYPES[self.dtype])
        file.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(file) as partial:
            save_array(partial, kept)
        return kept

    @torch.no_grad()
    def _read_alone(
        self, rows: list[tuple[int, ...]], shared: int = 0
    ) -> tuple[Tensor, KeyValueCache]:
        """Hidden states (B, N, D) of rows, padded on the left, and the cache that read them.

        What all rows begin with, of their first ``shared`` tokens, may be left out of the states.
        """
        network = self.network
        device = network.backbone.marker_embedding.device
        with torch.autocast(device.type, enabled=False):
            ids, mask, cache = begun_alike(network, rows, shared)
            return network.read(ids, mask, cache=cache).text, cache

    def _computed(self, rows: list[tuple[int, ...]]) -> dict[tuple[int, ...], np.ndarray | None]:
        """Read prompts through the text branch, and keep what it says of each."""
        hidden, cache = self._read_alone(rows)
        states = torch.stack([torch.stack(cache.kept(layer)) for layer in self.layers])
        made: dict[tuple[int, ...], np.ndarray | None] = {}
        for number, row in enumerate(rows):
            parts = (states[:, :, number, :, -len(row) :].flatten(), hidden[number, -1])
            made[row] = self._keep(self._file(row), torch.cat(parts))
        return made
