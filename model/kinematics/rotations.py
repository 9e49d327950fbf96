# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Quaternions (w, x, y, z) as torch tensors, any leading dimensions.

Only what HumanML3D's features need, batched and differentiable; elsewhere scipy's Rotation serves.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - the field's own abbreviation


def multiply(q: Tensor, r: Tensor) -> Tensor:
    """Hamilton product: the rotation ``r``, then ``q``; (..., 4) each."""
    qw, qv, rw, rv = q[..., :1], q[..., 1:], r[..., :1], r[..., 1:]
    w = qw * rw - (qv * rv).sum(dim=-1, keepdim=True)
    return torch.cat([w, qw * rv + rw * qv + _cross(qv, rv)], dim=-1)


def inverse(q: Tensor) -> Tensor:
    """Inverse of unit quaternions (..., 4)."""
    return q * q.new_tensor([1.0, -1.0, -1.0, -1.0])


def rotate(q: Tensor, v: Tensor) -> Tensor:
    """Rotate vectors (..., 3) by unit quaternions (..., 4)."""
    q, v = torch.broadcast_tensors(q[..., :, None], v[..., None, :])
    w, axis, v = q[..., :1, 0], q[..., 1:, 0], v[..., 0, :]
    twice = 2 * _cross(axis, v)
    return v + w * twice + _cross(axis, twice)


def between(u: Tensor, v: Tensor) -> Tensor:
    """Shortest rotation that turns the direction of ``u`` to that of ``v``, (..., 3) each."""
    w = torch.sqrt(u.square().sum(-1, keepdim=True) * v.square().sum(-1, keepdim=True))
    u, v = torch.broadcast_tensors(u, v)
    w = w + (u * v).sum(-1, keepdim=True)
    return F.normalize(torch.cat([w, _cross(u, v)], dim=-1), dim=-1)


def about_y(half_angle: Tensor) -> Tensor:
    """Quaternions (..., 4) that turn by twice ``half_angle`` (...) about Y."""
    zero = torch.zeros_like(half_angle)
    return torch.stack([half_angle.cos(), zero, half_angle.sin(), zero], dim=-1)


def to_6d(q: Tensor) -> Tensor:
    """First two columns of the rotation matrix (Zhou et al. 2019), (..., 4) -> (..., 6)."""
    w, x, y, z = q.unbind(-1)
    first = [1 - 2 * (y * y + z * z), 2 * (x * y + z * w), 2 * (x * z - y * w)]
    second = [2 * (x * y - z * w), 1 - 2 * (x * x + z * z), 2 * (y * z + x * w)]
    return torch.stack([*first, *second], dim=-1)


def _cross(u: Tensor, v: Tensor) -> Tensor:
    """Cross product (..., 3); a third of the time that ``torch.linalg.cross`` takes on a CPU."""
    (a, b, c), (x, y, z) = u.unbind(-1), v.unbind(-1)
    return torch.stack([b * z - c * y, c * x - a * z, a * y - b * x], dim=-1)
