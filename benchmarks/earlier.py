# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the work of ``benchmarks.speed`` took before, beside what it takes now.

CPU seconds of one thread at full size on one core of an AMD EPYC (AVX-512, 235 GFLOP/s and 37.5
GB/s read, 2026-11-29): the authors' code, this project's at that day, and the best trial with the
same mathematics; and the floor that those rates gave, of the products as they were written and of
what is left after exact rewriting. Another machine has other rates: there ratios to the floor can
be compared, seconds cannot.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Earlier:
    """Seconds; ``authors`` with the memory where it was measured, None where nothing was."""

    authors: str | None
    before: str
    trial: float
    floor: float
    rewritten: float | None = None

    @property
    def ratio(self) -> float:
        """How many times its last floor the work took on that day."""
        return float(self.before.split()[0]) / (self.rewritten or self.floor)


EARLIER = {
    'text to motion, 1, ddpm 100': Earlier('2.34', '0.86', 0.30, 0.24, 0.13),
    'text to motion, 1, ddim 10': Earlier(None, '0.22', 0.12, 0.06, 0.046),
    'text to motion, 32, ddpm 100': Earlier('41.6', '5.6', 2.5, 2.05, 1.63),
    'caption, 1': Earlier('2.65', '1.34', 1.06, 0.55),
    'caption, 16': Earlier('24.4', '4.15', 2.64, 0.91),
    'training step, t2m, 8': Earlier('18.6 (9.1 GB)', '1.22 (3.5 GB)', 0.76, 0.48),
    'training step, align, 8': Earlier('18.1', '1.41', 0.87, 0.52),
    'training step, instruct, 8': Earlier('21.2 (10.8 GB)', '2.47 (5.7 GB)', 1.22, 0.96),
}


def beside(cases: dict[str, dict[str, Any]]) -> list[str]:
    """Lines of a table of cases of a report at full size that were measured before; none, none."""
    known = [name for name in EARLIER if name in cases]
    if not known:
        return []
    lines = [
        '| work | authors | before | trial | floor then | ratio then '
        '| now | floor now | ratio now | asked | met |',
        '|---|---|---|---|---|---|---|---|---|---|---|',
    ]
    for name in known:
        then, now = EARLIER[name], cases[name]
        floor = f'{then.floor:g}' + ('' if then.rewritten is None else f' / {then.rewritten:g}')
        memory = '' if now.get('memory_gb') is None else f' ({now["memory_gb"]:.1f} GB)'
        lines.append(
            f'| {name} | {then.authors or "-"} | {then.before} | {then.trial:g} | {floor} '
            f'| {then.ratio:.1f} | {now["seconds"]:.3g}{memory} | {now["floor_s"]:.3g} '
            f'| {now["ratio"]:.2f} | {now["target"]:g} | {"yes" if now["met"] else "NO"} |'
        )
    return lines
