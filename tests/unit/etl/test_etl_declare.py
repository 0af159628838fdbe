"""Declarations are values: parameters, sources and targets."""

import datetime as dt
import inspect

import attrs
import pytest

from loom.application.etl.frames import FrameKind, frame_kind
from loom.application.etl.graph import mermaid
from loom.application.etl.params import params_identity, params_text
from loom.domain.schema import Kind
from loom.etl import ETLParams, FromFile, FromTable, IntoTable, col
from tests.unit.etl import etl_steps as s
from tests.unit.etl.etl_fakes import FakeEngine, FakeTables, compiled, pipeline


class Base(ETLParams):
    day: dt.date


class More(Base):
    limit: int = 10


def test_a_subclass_of_the_parameters_is_a_frozen_value() -> None:
    """No decorator is needed, subclasses add fields, and equal values are equal."""
    found = More(day=dt.date(2013, 1, 5))
    assert (found.day, found.limit) == (dt.date(2013, 1, 5), 10)
    assert found == More(day=dt.date(2013, 1, 5), limit=10)
    assert len({found, More(day=dt.date(2013, 1, 5))}) == 1
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        found.limit = 3  # type: ignore[misc]
    with pytest.raises(TypeError):
        More()  # type: ignore[call-arg]


def test_equal_parameters_have_one_identity_and_others_another() -> None:
    first, same, other = (More(day=dt.date(2013, 1, day)) for day in (5, 5, 6))
    assert params_text(first) == {"day": "2013-01-05", "limit": "10"}
    assert params_identity(first) == params_identity(same) != params_identity(other)


def test_predicates_of_one_source_must_all_hold() -> None:
    found = FromTable("t").where(col("a") > 1).columns("a", "b").where(col("b").is_null())
    assert found.selected == ("a", "b")
    assert repr(found.predicate) == "((col('a') > 1) & col('b').is_null())"


def test_sources_and_targets_know_where_they_were_written() -> None:
    """The line of the first call counts, not that of a method after it."""
    frame = inspect.currentframe()
    assert frame is not None
    source, line = FromTable("t"), frame.f_lineno
    assert (source.declared_at.file, source.declared_at.line) == (__file__, line)
    target = IntoTable("t")
    assert target.replace().declared_at == target.declared_at
    assert FromFile("f", null_values="NA").null_values == ("NA",)


@pytest.mark.parametrize(
    ("module", "name", "expected"),
    [
        ("polars.lazyframe.frame", "LazyFrame", FrameKind("polars.LazyFrame", "polars")),
        ("narwhals.stable.v2", "LazyFrame", FrameKind("narwhals.LazyFrame", "narwhals.stable.v2")),
        ("narwhals.dataframe", "LazyFrame", FrameKind("narwhals.LazyFrame", "narwhals")),
        ("pyspark.sql.dataframe", "DataFrame", FrameKind("pyspark.sql.DataFrame", "pyspark")),
        ("polars.dataframe.frame", "DataFrame", None),
        ("builtins", "int", None),
    ],
)
def test_a_frame_is_known_by_the_name_of_its_class(module: str, name: str, expected: FrameKind | None) -> None:
    assert frame_kind(type(name, (), {"__module__": module})) == expected


def test_a_plan_is_drawn_as_mermaid() -> None:
    orders = {"id": Kind.INT, "amount": Kind.DECIMAL, "run_date": Kind.DATE}
    engine = FakeEngine(tables=FakeTables({"raw.orders": orders}))
    assert mermaid(compiled(pipeline(s.Clean, s.Enrich, params=s.Run), engine)) == (
        "flowchart LR\n"
        '    r0(["table raw.orders"])\n'
        '    r1(["table clean"])\n'
        '    r2(["table rich"])\n'
        "    subgraph Daily\n"
        '        Daily_Clean["Clean"]\n'
        '        Daily_Enrich["Enrich"]\n'
        "    end\n"
        "    r0 --> Daily_Clean\n"
        "    Daily_Clean --> r1\n"
        "    r1 --> Daily_Enrich\n"
        "    Daily_Enrich --> r2\n"
    )
