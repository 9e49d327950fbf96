# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A text branch whose large tables are in bfloat16, for inference on a CPU.

Half the memory, and words are written faster, since each has to read all of them. Norms, attention
and the stream from layer to layer stay in float32, and so does all of the motion side.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - the field's own abbreviation

from mgpt3_ros.model.network.text.branch import TextBlock, TextTables

HALF = torch.bfloat16


class HalfLinear(nn.Linear):
    """A linear layer with weights in half precision, of any value, between numbers in any."""

    def __init__(self, plain: nn.Linear) -> None:
        super().__init__(plain.in_features, plain.out_features, plain.bias is not None, 'meta')
        self.weight = _empty(plain.weight)
        if plain.bias is not None:
            self.bias = _empty(plain.bias)

    def forward(self, x: Tensor) -> Tensor:
        """X (..., in_features) to (..., out_features)."""
        return F.linear(x.to(HALF), self.weight, self.bias).to(x.dtype)


def half_is_fast() -> bool:
    """Whether the CPU computes with bfloat16 at all; others would be slower by it."""
    mkldnn = torch.backends.mkldnn
    return mkldnn.is_available() and bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())


def halve_text(parts: list[TextBlock | TextTables]) -> None:
    """Put half precision behind the linear layers and embeddings of a text branch, in place.

    Their values are those of a checkpoint, which come next: nothing is copied, so that tables that
    are read from a file when they are used need no room beside it.
    """
    for part in parts:
        for name, layer in list(part.named_children()):
            if isinstance(layer, nn.Linear):
                setattr(part, name, HalfLinear(layer))
            elif isinstance(layer, nn.Embedding):
                layer.weight = _empty(layer.weight)


def _empty(weight: Tensor) -> nn.Parameter:
    return nn.Parameter(torch.empty(weight.shape, dtype=HALF), requires_grad=False)
