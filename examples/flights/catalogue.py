"""The catalogue that the API serves: the lake's tables, loaded into the SQL store."""

import asyncio
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from examples.flights.models import Airline, Airport, Flight, Plane
from loom.core import Repository, UseCase
from loom.ports.etl import EtlEngine

CHUNK = 20_000
"""Rows that are in memory at a time."""

Row = Mapping[str, object]


class LoadCatalogue(UseCase[None, dict[str, int]]):
    """Copy airlines, airports, planes and flights from the lake, in one transaction; returns rows by table."""

    def __init__(
        self,
        engine: EtlEngine[Any],
        airlines: Repository[Airline],
        airports: Repository[Airport],
        planes: Repository[Plane],
        flights: Repository[Flight],
    ) -> None:
        self._tables = engine.tables
        # What others refer to comes first.
        self._targets = {"airlines": airlines, "airports": airports, "planes": planes, "flights": flights}

    async def execute(self) -> dict[str, int]:
        counts = {}
        for table, repository in self._targets.items():
            rows = self._tables.rows(table)
            counts[table] = 0
            while chunk := await asyncio.to_thread(_next, rows):
                counts[table] += await repository.create_many(chunk)
        return counts


def _next(rows: Iterator[Row]) -> list[Row]:
    return list(islice(rows, CHUNK))
