"""What the Spark adapter decides without Spark: Java, commits, partitions, sessions of others."""

import threading
from pathlib import Path

import pytest

from loom.adapters.spark.java import require_java
from loom.adapters.spark.manifest import COMMITS, Manifest, Part, commit, newest
from loom.application.etl.conflicts import CommitConflict
from loom.domain.errors import EngineFailure


def fake_java(folder: Path, said: str) -> dict[str, str]:
    """An environment whose only ``java`` says which version it is."""
    folder.mkdir()
    java = folder / "java"
    java.write_text(f"#!/bin/sh\necho '{said}' >&2\n")
    java.chmod(0o755)
    return {"PATH": str(folder)}


@pytest.mark.parametrize("said", ['openjdk version "17.0.15" 2025-04-15', 'openjdk version "21" 2023-09-19'])
def test_java_17_and_newer_will_do(tmp_path: Path, said: str) -> None:
    require_java(fake_java(tmp_path / "bin", said))


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ('java version "1.8.0_292"', "is version 8"),
        ('openjdk version "11.0.2" 2019-01-15', "is version 11"),
        ("what?", "is of an unknown version"),
    ],
)
def test_an_older_java_is_one_clear_error(tmp_path: Path, said: str, found: str) -> None:
    environment = fake_java(tmp_path / "bin", said)
    with pytest.raises(EngineFailure) as caught:
        require_java(environment)
    assert str(caught.value) == (
        f"Spark needs Java 17 or newer, but {tmp_path}/bin/java {found}. "
        "install Java 17 and set JAVA_HOME to its folder, or set etl.adapter to polars"
    )


def test_no_java_is_one_clear_error(tmp_path: Path) -> None:
    """Neither on the path nor where JAVA_HOME says."""
    with pytest.raises(EngineFailure, match="Spark needs Java 17 or newer, but none was found"):
        require_java({"PATH": str(tmp_path)})
    with pytest.raises(EngineFailure, match=r"Spark needs Java 17 or newer, but .*bin/java does not start"):
        require_java({"JAVA_HOME": str(tmp_path), "PATH": ""})


FIRST = Manifest(version=0, schema="{}", layout=("day",), parts=(Part("loom_part=a/day=1", 3, 30),), appended=("x",))


def test_the_newest_version_is_the_table(tmp_path: Path) -> None:
    assert newest(tmp_path) is None
    commit(tmp_path, FIRST)
    second = Manifest(version=1, schema="{}")
    commit(tmp_path, second)
    assert newest(tmp_path) == second
    assert (FIRST.rows, second.rows) == (3, 0)


def test_what_was_not_committed_is_not_there(tmp_path: Path) -> None:
    """A writer that was killed leaves data and perhaps half a commit; the old version is the table."""
    commit(tmp_path, FIRST)
    (tmp_path / "loom_part=b").mkdir()
    (tmp_path / COMMITS / ".half").write_text('{"version": 1, "sche')
    assert newest(tmp_path) == FIRST


def test_one_version_is_made_by_one_writer(tmp_path: Path) -> None:
    """Of many that try at once, one succeeds and the others are told."""
    commit(tmp_path, FIRST)
    start, outcomes = threading.Barrier(8), list[str]()

    def work(number: int) -> None:
        start.wait(30)
        try:
            commit(tmp_path, Manifest(version=1, schema=f'"{number}"'))
            outcomes.append(f'"{number}"')
        except CommitConflict:
            outcomes.append("conflict")

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = newest(tmp_path)
    assert found is not None
    assert sorted(outcomes) == [found.schema, *["conflict"] * 7]
    assert [path.name for path in (tmp_path / COMMITS).iterdir() if path.name.startswith(".")] == []


def test_a_part_knows_its_partition() -> None:
    part = Part("loom_part=a/day=2013-01-05/name=it%27s%2Fx/none=__HIVE_DEFAULT_PARTITION__", 1, 1)
    assert part.partition == "day=2013-01-05/name=it%27s%2Fx/none=__HIVE_DEFAULT_PARTITION__"
    assert part.values == {"day": "2013-01-05", "name": "it's/x", "none": None}
    assert Part("loom_part=a", 1, 1).values == {}
