"""What the demo shows while it runs and at its end."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

console = Console()


@contextmanager
def stage(title: str) -> Iterator[None]:
    """Announce a part of the demo, and tell how long it took."""
    console.print(f"[bold]{title}[/bold]")
    began = time.perf_counter()
    yield
    console.print(f"  done in {time.perf_counter() - began:.1f} s\n", style="dim")


@contextmanager
def progress() -> Iterator[Progress]:
    """A progress display whose tasks have a description and a count."""
    columns = (SpinnerColumn(), TextColumn("{task.description:<34}"), BarColumn(24), MofNCompleteColumn())
    with Progress(*columns, TimeElapsedColumn(), console=console) as shown:
        yield shown


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print a table; every column but the first is right-aligned where its values are numbers."""
    made = Table(title=title, title_justify="left", title_style="bold", show_edge=False, pad_edge=False)
    for index, column in enumerate(columns):
        numeric = index > 0 and all(isinstance(row[index], int) for row in rows)
        made.add_column(column, justify="right" if numeric else "left")
    for row in rows:
        made.add_row(*(f"{value:,}" if isinstance(value, int) else str(value) for value in row))
    console.print(made)
    console.print()


def places(found: Mapping[str, object]) -> None:
    """Say where everything lies."""
    for name, place in found.items():
        console.print(f"  {name:<10} {place}", highlight=False)
