"""Ratios of interleaved measurements, and when they have settled."""

from collections.abc import Sequence
from statistics import median

import attrs

SETTLED = 0.02
"""Relative change of the median over two more rounds, below which it counts as settled."""


@attrs.frozen
class Ratio:
    """One ratio for each round; their median is what counts."""

    values: tuple[float, ...]

    @property
    def middle(self) -> float:
        return median(self.values)

    @property
    def settled(self) -> bool:
        """Whether the last two rounds moved the median by less than ``SETTLED``."""
        if len(self.values) < 4:
            return False
        earlier = [median(self.values[:-back]) for back in (1, 2)]
        return all(abs(each - self.middle) <= SETTLED * self.middle for each in earlier)

    def __str__(self) -> str:
        # The middle half of the rounds shows the noise; the extremes would show the worst disturbance.
        if len(self.values) == 1:
            return f"{self.middle:.2f}"
        ordered = sorted(self.values)
        quarter = len(ordered) // 4
        return f"{self.middle:.2f} ({ordered[quarter]:.2f}-{ordered[-1 - quarter]:.2f})"


def ratio(above: Sequence[float], below: Sequence[float]) -> Ratio:
    """The ratios of two series that were measured round by round, side by side."""
    return Ratio(tuple(a / b for a, b in zip(above, below, strict=True)))
