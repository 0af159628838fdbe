"""The runner: everything that is wrong comes before anything starts, and steps may use the application."""

import sys
from pathlib import Path
from typing import Any

import attrs
import pytest

import loom.streaming.bytewax
import loom.streaming.kafka
from loom.config.kernel import Kernel
from loom.core import (
    Application,
    CompileError,
    ConfigError,
    Input,
    MissingExtra,
    Query,
    UseCase,
    command,
    entity,
    key,
)
from loom.domain.context import CORRELATION_HEADER
from loom.ports.codec import Codec
from loom.ports.persistence import Persistence
from loom.ports.transport import TopicRecord, Topics
from loom.streaming import (
    CollectBatch,
    Drain,
    FromTopic,
    IntoTable,
    Process,
    RecordStep,
    StreamFlow,
    StreamingRunner,
)


@attrs.frozen
class Visit:
    id: int
    page: str


@entity(table="visits")
class StoredVisit:
    id: int = key()
    page: str


@entity(table="seen_pages")
class SeenPage:
    page: str = key()
    correlation: str


@command
class NotePage:
    page: str


class Noting(UseCase[SeenPage, None]):
    def __init__(self, log: list[str]) -> None:
        self.log = log

    async def execute(self, cmd: NotePage = Input()) -> None:
        await self.main_repo.create({"page": cmd.page, "correlation": self._loom_scope.context.correlation_id})
        self.log.append(cmd.page)


class Note(RecordStep[Visit, Visit]):
    def __init__(self, app: Application) -> None:
        self.app = app

    async def process(self, visit: Visit) -> Visit:
        await self.app.invoke(Noting, NotePage(page=visit.page))
        return visit


FLOW = StreamFlow(
    "visits", FromTopic("visits", payload=Visit), Process(Note, CollectBatch(10, 1000), IntoTable(StoredVisit))
)


def port(kernel: Kernel, wanted: Any) -> Any:
    return kernel.resolve(wanted)


async def send(kernel: Kernel, *values: Visit | bytes) -> None:
    encode = port(kernel, Codec).encode
    records = [
        TopicRecord(
            topic="visits",
            value=value if isinstance(value, bytes) else encode(value),
            headers={CORRELATION_HEADER: f"visit-{index}"},
        )
        for index, value in enumerate(values)
    ]
    await port(kernel, Topics).producer().send(records)


async def stored(kernel: Kernel, model: type[Any]) -> tuple[Any, ...]:
    async with port(kernel, Persistence).begin(read_only=True) as unit:
        found: tuple[Any, ...] = (await unit.repository(model).list(Query())).items
        return found


@pytest.mark.parametrize("engine", ["inline", "bytewax"])
async def test_steps_use_the_application_each_in_a_scope_of_its_own(engine: str) -> None:
    """With the correlation id that the record carries, on either engine, in the kernel that runs already."""
    if engine == "bytewax":
        pytest.importorskip("bytewax", reason="bytewax has no wheel for this Python")
    kernel = Kernel.from_yaml(overrides=[f"streaming.adapter={engine}"], modules=[sys.modules[__name__]])
    log: list[str] = []
    kernel.bind(list, log)
    async with kernel:
        await send(kernel, Visit(1, "home"), Visit(2, "cart"))
        report = await StreamingRunner.of(FLOW, kernel, lifespan=kernel.lifespan).run_until_idle()
        assert report.written == {"visits": 2}
        assert log == ["home", "cart"]
        assert await stored(kernel, StoredVisit) == (StoredVisit(id=1, page="home"), StoredVisit(id=2, page="cart"))
        assert {(row.page, row.correlation) for row in await stored(kernel, SeenPage)} == {
            ("home", "visit-0"),
            ("cart", "visit-1"),
        }


async def test_a_runner_from_yaml_makes_the_tables_of_its_flow(tmp_path: Path) -> None:
    """No other declaration is needed, and the store is there when the run is over."""
    config = tmp_path / "app.yaml"
    config.write_text(f"persistence: {{adapter: sqlalchemy, url: 'sqlite+aiosqlite:///{tmp_path}/store.db'}}\n")
    flow = StreamFlow("visits", FromTopic("visits", payload=Visit), Process(IntoTable(StoredVisit)))
    report = await StreamingRunner.from_yaml(flow, config).run_until_idle()
    assert (report.flow, report.read) == ("visits", 0)
    assert (tmp_path / "store.db").stat().st_size > 0


def test_faults_of_the_flow_come_before_anything_starts(tmp_path: Path) -> None:
    """All of them, and no file of the store is made."""
    flow = StreamFlow("visits", FromTopic("visits", payload=int), Process(CollectBatch(0, 1), IntoTable(Visit)))
    database = tmp_path / "store.db"
    with pytest.raises(CompileError) as failure:
        StreamingRunner.from_yaml(
            flow, overrides=["persistence.adapter=sqlalchemy", f"persistence.url=sqlite+aiosqlite:///{database}"]
        )
    assert [issue.code for issue in failure.value.issues] == [
        "LOOM-STREAM-008",
        "LOOM-STREAM-016",
        "LOOM-STREAM-019",
    ]
    assert not database.exists()


def test_an_engine_that_does_not_exist_is_a_fault_of_the_configuration() -> None:
    flow = StreamFlow("visits", FromTopic("visits", payload=Visit), Process(Drain()))
    with pytest.raises(ConfigError, match="did you mean 'bytewax'"):
        StreamingRunner.from_yaml(flow, overrides=["streaming.adapter=bytewacks"])


@pytest.mark.parametrize(
    ("face", "name", "library"),
    [
        (loom.streaming.bytewax, "BytewaxStreamEngine", "bytewax"),
        (loom.streaming.kafka, "KafkaTopics", "confluent_kafka"),
    ],
)
def test_a_face_says_which_extra_is_missing(
    face: Any, name: str, library: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On use, with the command that installs it; the settings are there without it."""
    adapter = face.__name__.rpartition(".")[2]
    for module in [known for known in sys.modules if known.startswith((f"loom.adapters.{adapter}", library))]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(MissingExtra, match=rf"the {adapter} adapter needs a library .*\["):
        getattr(face, name)
    with pytest.raises(AttributeError):
        _ = face.Nothing
