"""Files merge left to right, includes come first, interpolations resolve once, and each value keeps its place."""

from pathlib import Path

import pytest

from loom.config.loaded import KeyPath
from loom.config.loading import load
from loom.domain.errors import ConfigError
from tests.unit.config.config_fakes import told, write


def test_without_files_there_is_nothing() -> None:
    assert load().values == {}


def test_an_empty_file_is_an_empty_configuration(tmp_path: Path) -> None:
    assert load(write(tmp_path, "a.yaml", "# nothing yet\n")).values == {}


def test_a_later_file_wins_mappings_merge_and_lists_are_replaced(tmp_path: Path) -> None:
    first = write(tmp_path, "a.yaml", "a: {x: 1, y: 2, l: [1, 2]}\nb: 1\n")
    second = write(tmp_path, "b.yaml", "a: {y: 3, l: [9]}\n")
    assert load(first, second).values == {"a": {"x": 1, "y": 3, "l": [9]}, "b": 1}


def test_included_files_come_before_the_file_that_includes_them(tmp_path: Path) -> None:
    """Names are relative to the including file, and one file may be reached by two ways."""
    (tmp_path / "parts").mkdir()
    write(tmp_path / "parts", "base.yaml", "a: 1\nb: 1\nc: 1\n")
    write(tmp_path / "parts", "more.yaml", "includes: base.yaml\nb: 2\nc: 2\n")
    top = write(tmp_path, "top.yaml", "includes: [parts/base.yaml, parts/more.yaml]\nc: 3\n")
    assert load(top).values == {"a": 1, "b": 2, "c": 3}


def test_overrides_win_and_hold_yaml(tmp_path: Path) -> None:
    file = write(tmp_path, "a.yaml", "jobs: {workers: 1, names: [a]}\n")
    loaded = load(file, overrides=["jobs.workers=4", "jobs.names=[b, c]", "app.name=x=y"])
    assert loaded.values == {"jobs": {"workers": 4, "names": ["b", "c"]}, "app": {"name": "x=y"}}
    assert str(loaded.place(("jobs", "workers"))) == "override (jobs.workers)"
    assert str(loaded.place(("jobs", "names", 0))) == "override (jobs.names[0])"


def test_interpolations_are_resolved_in_lists_and_through_each_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOOM_T_HOST", "db")
    text = (
        "host: ${oc.env:LOOM_T_HOST}\nurl: http://${host}:${oc.env:LOOM_T_PORT,80}\nall: ['${url}', {k: '${host}'}]\n"
    )
    loaded = load(write(tmp_path, "a.yaml", text))
    assert loaded.values == {"host": "db", "url": "http://db:80", "all": ["http://db:80", {"k": "db"}]}


@pytest.mark.parametrize(
    ("path", "place"),
    [
        (("a", "x"), "base.yaml:2 (a.x)"),
        (("a", "y"), "top.yaml:3 (a.y)"),
        (("l", 1), "top.yaml:6 (l[1])"),
        (("a", "x", "deeper"), "base.yaml:2 (a.x.deeper)"),
        (("nowhere",), "nowhere"),
    ],
)
def test_every_value_knows_its_file_and_line(tmp_path: Path, path: KeyPath, place: str) -> None:
    write(tmp_path, "base.yaml", "a:\n  x: 1\n  y: 1\n")
    top = write(tmp_path, "top.yaml", "includes: [base.yaml]\na:\n  y: 2\nl:\n  - 1\n  - 2\n")
    assert str(load(top).place(path)).removeprefix(f"{tmp_path}/") == place


def test_a_secret_comes_from_its_file_or_else_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The newline at the end of the file is not part of it, and the key path is known to be secret."""
    write(tmp_path, "DB_PASSWORD", "s3cret\n")
    monkeypatch.setenv("LOOM_SECRETS_DIR", str(tmp_path))
    monkeypatch.setenv("LOOM_T_KEY", "k")
    text = "a: ${loom.secret:DB_PASSWORD}\nb: x-${loom.secret:LOOM_T_KEY}\nc: plain\n"
    loaded = load(write(tmp_path, "a.yaml", text))
    assert loaded.values == {"a": "s3cret", "b": "x-k", "c": "plain"}
    assert loaded.secrets == {("a",), ("b",)}


def test_a_secret_never_leaves_its_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "secrets").mkdir()
    write(tmp_path, "outside", "x")
    monkeypatch.setenv("LOOM_SECRETS_DIR", str(tmp_path / "secrets"))
    loaded = load(write(tmp_path, "a.yaml", "a: ${loom.secret:../outside}\nb: ${loom.secret:..}\n"))
    assert loaded.values == {}
    assert len(loaded.issues) == 2


def test_what_cannot_be_resolved_is_told_for_every_value(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One value that fails hides no other; what does resolve is there."""
    monkeypatch.setenv("LOOM_SECRETS_DIR", "/secrets")
    lines = ["a: ${oc.env:LOOM_T_NO}", "b: ${loom.secret:LOOM_T_NO}", "c: ???", "d: ${nope.x}"]
    lines += ["l: [1, '${oc.env:LOOM_T_NO}']", "e: 1"]
    loaded = load(write(tmp_path, "a.yaml", "\n".join(lines)))
    assert loaded.values == {"l": [1], "e": 1}
    unset = "environment variable 'LOOM_T_NO' is not set"
    default = "set LOOM_T_NO, or write a default: ${oc.env:LOOM_T_NO,value}"
    secret = "write the file /secrets/LOOM_T_NO, or set the environment variable LOOM_T_NO"
    required = "is marked as required (???) and was given by no file"
    nowhere = "cannot be resolved: Interpolation key 'nope.x' not found"
    assert told(ConfigError(loaded.issues), tmp_path) == [
        ("LOOM-CONFIG-004", "a.yaml:1 (a)", unset, default),
        ("LOOM-CONFIG-004", "a.yaml:2 (b)", "secret 'LOOM_T_NO' is not set", secret),
        ("LOOM-CONFIG-005", "a.yaml:3 (c)", required, "give it a value"),
        ("LOOM-CONFIG-004", "a.yaml:4 (d)", nowhere, "correct the ${...} expression"),
        ("LOOM-CONFIG-004", "a.yaml:5 (l[1])", unset, default),
    ]


def test_all_files_that_cannot_be_read_are_told_at_once(tmp_path: Path) -> None:
    """A missing file with a near name, broken YAML with its line, a circle of includes, a broken override."""
    write(tmp_path, "a.yaml", "includes: [b.yaml]\n")
    write(tmp_path, "b.yaml", "x: 1\nincludes: [a.yaml, gone.yaml]\n")
    write(tmp_path, "broken.yaml", "a: 1\nb: [\n")
    write(tmp_path, "twice.yaml", "a: 1\na: 2\n")
    write(tmp_path, "list.yaml", "- 1\n")
    write(tmp_path, "half.yaml", "a: ${oc.env:X\n")
    names = ["a.yaml", "brokn.yaml", "broken.yaml", "twice.yaml", "list.yaml", "half.yaml"]
    with pytest.raises(ConfigError) as caught:
        load(*(tmp_path / name for name in names), overrides=["jobs.adapter", "a=["])
    circle = "files include each other in a circle: a.yaml -> b.yaml -> a.yaml"
    gone = "cannot be read: No such file or directory"
    nothing = "not YAML: expected the node content, but found '<stream end>'"
    assert told(caught.value, tmp_path) == [
        ("LOOM-CONFIG-003", "b.yaml:2 (includes[0])", circle, "remove one of the includes"),
        ("LOOM-CONFIG-001", "b.yaml:2 (includes[1])", f"file 'gone.yaml' {gone}", ""),
        ("LOOM-CONFIG-001", "brokn.yaml", f"file 'brokn.yaml' {gone}", "did you mean 'broken.yaml'?"),
        ("LOOM-CONFIG-002", "broken.yaml:3 (broken.yaml)", nothing, ""),
        ("LOOM-CONFIG-002", "twice.yaml:2 (twice.yaml)", "not YAML: found duplicate key a", ""),
        ("LOOM-CONFIG-002", "list.yaml:1 (list.yaml)", "must hold keys and values", ""),
        (
            "LOOM-CONFIG-002",
            "half.yaml:1 (a)",
            "a value cannot be read: missing BRACE_CLOSE at '<EOF>'",
            "correct the ${...} expression",
        ),
        ("LOOM-CONFIG-011", "jobs.adapter", "override 'jobs.adapter' cannot be read", "section.key=value"),
        ("LOOM-CONFIG-011", "a=[", "override 'a=[' cannot be read: while parsing a flow node", "section.key=value"),
    ]


def test_files_that_do_not_fit_each_other_are_an_issue(tmp_path: Path) -> None:
    first, second = write(tmp_path, "a.yaml", "a: [1]\n"), write(tmp_path, "b.yaml", "a: {b: 1}\n")
    with pytest.raises(
        ConfigError, match="does not fit the files before it: Cannot merge incompatible container types"
    ):
        load(first, second)
