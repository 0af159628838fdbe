"""The picture of the mart: mean departure delay by month and carrier."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
FEWEST = 20
"""Departures in a month below which a mean says little: the cell stays empty, and a carrier without any is left out."""


def draw_delays(days: Iterable[Mapping[str, Any]], names: Mapping[str, str], target: Path) -> None:
    """Draw a heat map of mean delay in minutes, carriers from worst to best, and write it as PNG.

    Args:
        days: rows of the mart of daily delays.
        names: carrier names by code.
        target: the file.
    """
    # Imported here: the example's modules are discovered by every process that runs them, and few draw.
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    grid, order = _means(days)
    figure, axes = plt.subplots(figsize=(10, 6.2), layout="constrained")
    image = axes.imshow(grid, cmap="YlOrRd", aspect="auto", vmin=0)
    axes.set_xticks(range(12), MONTHS)
    axes.set_yticks(range(len(order)), [names.get(code, code) for code in order])
    for row, values in enumerate(grid):
        for column, mean in enumerate(values):
            if mean == mean:  # not NaN
                colour = "white" if mean > 22 else "#333333"
                axes.text(column, row, f"{mean:.0f}", ha="center", va="center", fontsize=8, color=colour)
    axes.set_title("Mean departure delay from New York, 2013 (minutes; early counts as 0)", loc="left")
    figure.colorbar(image, ax=axes, label="minutes", shrink=0.8)
    axes.spines[:].set_visible(False)
    figure.savefig(target, dpi=110)
    plt.close(figure)


def _means(days: Iterable[Mapping[str, Any]]) -> tuple[list[list[float]], list[str]]:
    minutes: dict[tuple[str, int], int] = defaultdict(int)
    departed: dict[tuple[str, int], int] = defaultdict(int)
    for day in days:
        cell = (day["carrier"], day["month"])
        minutes[cell] += day["delay_minutes"]
        departed[cell] += day["departed"]
    carriers = sorted({carrier for (carrier, _), count in departed.items() if count >= FEWEST})

    def mean(carrier: str, months: Iterable[int], fewest: int) -> float:
        flights = sum(departed[carrier, month] for month in months)
        return sum(minutes[carrier, month] for month in months) / flights if flights >= fewest else float("nan")

    order = sorted(carriers, key=lambda carrier: -mean(carrier, range(1, 13), 1))
    return [[mean(carrier, [month], FEWEST) for month in range(1, 13)] for carrier in order], order
