# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""glTF 2.0 as it stands in a binary file (.glb): its JSON, its arrays, its tree of nodes.

Khronos's specification, https://registry.khronos.org/glTF/specs/2.0/glTF-2.0.html. Which node is
which joint is the business of ``gltf_bones.py``.
"""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from mgpt3_ros.model.errors import MotionError

Array = NDArray[np.float64]

MAX_BYTES = 500_000_000  # of a file that is read: an avatar has some ten million
FLOAT, UNSIGNED_BYTE, UNSIGNED_SHORT = 5126, 5121, 5123
_DTYPES = {5120: 'i1', 5121: 'u1', 5122: '<i2', 5123: '<u2', 5125: '<u4', 5126: '<f4'}
_SIZES = {'SCALAR': 1, 'VEC2': 2, 'VEC3': 3, 'VEC4': 4, 'MAT2': 4, 'MAT3': 9, 'MAT4': 16}
_TYPES = {1: 'SCALAR', 3: 'VEC3', 4: 'VEC4', 16: 'MAT4'}
_MAGIC, _JSON, _BINARY = b'glTF', b'JSON', b'BIN\0'


class Gltf:
    """One file: ``json`` as the specification has it, and the bytes of its one buffer."""

    def __init__(self, content: dict[str, Any] | None = None, binary: bytes = b'') -> None:
        self.json: dict[str, Any] = content or {
            'asset': {'version': '2.0', 'generator': 'mgpt3_ros'}
        }
        self._binary = bytearray(binary)

    @classmethod
    def load(cls, path: Path) -> Gltf:
        """Read a ``.glb`` (or ``.vrm``, ``.vrma``, which are the same).

        Raises:
            MotionError: the file is huge, damaged or of another kind, or its data lies elsewhere.
        """
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise MotionError(
                f'the file has {size / 1e6:.0f} MB; up to {MAX_BYTES / 1e6:.0f} are read: '
                'leave its textures or other animations out'
            )
        data = path.read_bytes()
        if data[:4] != _MAGIC or len(data) < 20:
            raise MotionError('this is no binary glTF file (it does not begin with glTF)')
        version, length = struct.unpack('<II', data[4:12])
        if version != 2 or length > len(data):
            raise MotionError(
                f'glTF version {version} of {length} bytes, of which {len(data)} are there: '
                'version 2, whole, is read'
            )
        chunks: dict[bytes, bytes] = {}
        at = 12
        while at + 8 <= length:
            size, kind = struct.unpack('<I4s', data[at : at + 8])
            chunks.setdefault(kind, data[at + 8 : at + 8 + size])
            at += 8 + size
        try:
            content = json.loads(chunks[_JSON].decode('utf-8'))
        except (KeyError, ValueError) as error:
            raise MotionError(f'its JSON cannot be read: {error}') from error
        if not isinstance(content, dict):
            raise MotionError('its JSON is no object')
        buffers = content.get('buffers', [])
        if len(buffers) > 1 or any('uri' in buffer for buffer in buffers):
            raise MotionError('its data lies in other files: export it as one .glb')
        return cls(content, chunks.get(_BINARY, b''))

    def to_bytes(self) -> bytes:
        """The file: a header, a chunk of JSON and a chunk of data, each a multiple of 4 long."""
        if self._binary:
            self.json['buffers'] = [{'byteLength': len(self._binary)}]
        text = json.dumps(self.json, separators=(',', ':')).encode()
        text += b' ' * (-len(text) % 4)
        binary = bytes(self._binary) + b'\0' * (-len(self._binary) % 4)
        chunks = struct.pack('<I4s', len(text), _JSON) + text
        if binary:
            chunks += struct.pack('<I4s', len(binary), _BINARY) + binary
        return struct.pack('<4sII', _MAGIC, 2, 12 + len(chunks)) + chunks

    # ------------------------------------------------------------------ arrays

    def add(
        self,
        values: np.ndarray,
        component: int = FLOAT,
        target: int | None = None,
        bounds: bool = False,
        normalised: bool = False,
    ) -> int:
        """Add an array (N,) or (N, C); return the number of its accessor.

        Args:
            values: what it holds.
            component: type of the numbers, as the specification counts them.
            target: 34962 for vertices, 34963 for faces, None for anything else.
            bounds: whether its least and greatest values are said, as some uses ask for.
            normalised: whether whole numbers stand for shares of the largest one.
        """
        array = np.ascontiguousarray(values, dtype=_DTYPES[component])
        rows = array.reshape(len(array), -1)
        self._binary += b'\0' * (-len(self._binary) % 4)
        view: dict[str, Any] = {
            'buffer': 0,
            'byteOffset': len(self._binary),
            'byteLength': array.nbytes,
        }
        if target is not None:
            view['target'] = target
        self._binary += array.tobytes()
        views = self.json.setdefault('bufferViews', [])
        views.append(view)
        accessor: dict[str, Any] = {
            'bufferView': len(views) - 1,
            'componentType': component,
            'count': len(rows),
            'type': _TYPES[rows.shape[1]],
        }
        if normalised:
            accessor['normalized'] = True
        if bounds:
            accessor['min'] = rows.min(axis=0).astype(float).tolist()
            accessor['max'] = rows.max(axis=0).astype(float).tolist()
        accessors = self.json.setdefault('accessors', [])
        accessors.append(accessor)
        return len(accessors) - 1

    def array(self, number: int) -> Array:
        """Return the values (N, C) of an accessor.

        Raises:
            MotionError: it reaches beyond the data, or is compressed in some way.
        """
        accessor = self.json['accessors'][number]
        if 'sparse' in accessor or 'bufferView' not in accessor:
            raise MotionError('its arrays are sparse or compressed: export it without compression')
        view = self.json['bufferViews'][accessor['bufferView']]
        dtype = np.dtype(_DTYPES[accessor['componentType']])
        size, count = _SIZES[accessor['type']], int(accessor['count'])
        step = int(view.get('byteStride', size * dtype.itemsize))
        first = int(view.get('byteOffset', 0)) + int(accessor.get('byteOffset', 0))
        if count < 1 or first + (count - 1) * step + size * dtype.itemsize > len(self._binary):
            raise MotionError('an array reaches beyond the data: the file is damaged')
        strides = (step, dtype.itemsize)
        raw = np.ndarray((count, size), dtype, bytes(self._binary), first, strides)
        values = raw.astype(np.float64)
        if accessor.get('normalized') and dtype.kind in 'iu':
            values = np.maximum(values / np.iinfo(dtype).max, -1.0)
        return values

    # ------------------------------------------------------------------ nodes

    @property
    def nodes(self) -> list[dict[str, Any]]:
        """The nodes."""
        return self.json.get('nodes', [])

    def node_name(self, number: int) -> str:
        """A node's name; a number where it has none."""
        return str(self.nodes[number].get('name', f'node {number}'))

    def parents(self) -> list[int]:
        """The parent of each node; -1 where there is none."""
        parents = [-1] * len(self.nodes)
        for number, node in enumerate(self.nodes):
            for child in node.get('children', []):
                parents[child] = number
        return parents

    def order(self) -> list[int]:
        """All nodes, parents before children.

        Raises:
            MotionError: nodes are their own ancestors.
        """
        parents = self.parents()
        done = [number for number, parent in enumerate(parents) if parent < 0]
        for number in done:
            done.extend(self.nodes[number].get('children', []))
            if len(done) > len(parents):
                raise MotionError('its nodes form no tree: the file is damaged')
        if len(done) < len(parents):
            raise MotionError('its nodes form no tree: the file is damaged')
        return done

    def rest(self, number: int) -> tuple[Array, Rotation, Array]:
        """Translation (3,), rotation and scale (3,) of a node in its parent, at rest."""
        node = self.nodes[number]
        if 'matrix' in node:
            matrix = np.array(node['matrix'], dtype=np.float64).reshape(4, 4).T
            scale = np.linalg.norm(matrix[:3, :3], axis=0)
            return matrix[:3, 3], Rotation.from_matrix(matrix[:3, :3] / scale), scale
        return (
            np.array(node.get('translation', (0.0, 0.0, 0.0)), dtype=np.float64),
            Rotation.from_quat(node.get('rotation', (0.0, 0.0, 0.0, 1.0))),
            np.array(node.get('scale', (1.0, 1.0, 1.0)), dtype=np.float64),
        )
