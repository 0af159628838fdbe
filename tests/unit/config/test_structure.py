"""Sections are structured strictly, and every fault of every section is told at once, by file, line, key and remedy."""

from pathlib import Path

import pytest

from loom.config.loading import load
from loom.config.sections import SECTIONS
from loom.config.show import show
from loom.domain.errors import ConfigError
from loom.domain.installation import how_to_add
from tests.unit.config.config_fakes import QueueSettings, configured, told, write


def faults(file: Path) -> list[tuple[str, str, str, str]]:
    with pytest.raises(ConfigError) as caught:
        configured(file)
    return told(caught.value, file.parent)


def test_an_empty_configuration_has_a_default_for_everything() -> None:
    """Every port has an adapter, none of which was asked for."""
    config = configured()
    assert config.app.name == "app"
    assert config.app.discovery.include == ()
    assert config.jobs.overrides == {}
    assert config.observability.log.format == "console"
    assert {name: (chosen.adapter.name, chosen.explicit) for name, chosen in config.adapters.items()} == {
        "persistence": ("memory", False),
        "cache": ("none", False),
        "transport": ("memory", False),
        "jobs": ("inline", False),
        "etl": ("polars", False),
        "streaming": ("inline", False),
        "rest": ("fastapi", False),
        "security": ("anonymous", False),
        "codec": ("json", False),
    }


def test_keys_beside_the_adapter_are_its_settings_and_the_section_keeps_its_own(tmp_path: Path) -> None:
    text = """
        app: {name: store, discovery: {mode: manifest, include: ["store:Product"]}}
        jobs:
          adapter: queue
          url: redis://h
          workers: 2
          options: {a: b}
          overrides: {Notify: {queue: slow, retries: 3, timeout: 1.5}}
    """
    config = configured(write(tmp_path, "api.yaml", text))
    assert config.adapters["jobs"].settings == QueueSettings(url="redis://h", workers=2, options={"a": "b"})
    assert config.adapters["jobs"].explicit
    assert config.jobs.overrides["Notify"].queue == "slow"
    assert config.jobs.overrides["Notify"].priority is None
    assert config.app.discovery.include == ("store:Product",)


def test_text_of_the_environment_is_read_as_the_number_it_spells(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The environment knows text alone; where a field is text, it stays text, also if it spells a number."""
    monkeypatch.setenv("LOOM_T_N", "3")
    monkeypatch.setenv("LOOM_T_NO", "false")
    text = """
        jobs:
          adapter: queue
          url: "${oc.env:LOOM_T_N}"
          workers: ${oc.env:LOOM_T_N}
          wait: ${oc.env:LOOM_T_NONE,2.5}
          durable: ${oc.env:LOOM_T_NO}
          options: {a: "${oc.env:LOOM_T_N}"}
          overrides: {Notify: {retries: "${oc.env:LOOM_T_N}"}}
    """
    config = configured(write(tmp_path, "api.yaml", text))
    expected = QueueSettings(url="3", workers=3, wait=2.5, durable=False, options={"a": "3"})
    assert config.adapters["jobs"].settings == expected
    assert config.jobs.overrides["Notify"].retries == 3
    assert type(config.adapters["jobs"].settings.url) is str


def test_text_that_spells_no_number_is_a_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOOM_T_N", "three")
    file = write(tmp_path, "api.yaml", "jobs: {adapter: queue, url: u, workers: '${oc.env:LOOM_T_N}'}\n")
    message = "must be a whole number, not text (found 'three')"
    assert faults(file) == [("LOOM-CONFIG-007", "api.yaml:1 (jobs.workers)", message, "")]


def test_text_in_the_file_itself_is_never_a_number(tmp_path: Path) -> None:
    """Only the environment has an excuse."""
    file = write(tmp_path, "api.yaml", "jobs: {adapter: queue, url: u, workers: '3'}\n")
    message = "must be a whole number, not text (found '3')"
    assert faults(file) == [("LOOM-CONFIG-007", "api.yaml:1 (jobs.workers)", message, "")]


FAULTS: dict[str, tuple[str, tuple[str, str, str, str]]] = {
    "a section that does not exist": (
        "jobss: {}",
        ("LOOM-CONFIG-006", "api.yaml:1 (jobss)", "section 'jobss' does not exist", "did you mean 'jobs'?"),
    ),
    "a key that does not exist": (
        "jobs:\n  adapter: queue\n  url: u\n  wrkers: 2",
        ("LOOM-CONFIG-006", "api.yaml:4 (jobs.wrkers)", "key 'wrkers' does not exist", "did you mean 'workers'?"),
    ),
    "a key that is near none": (
        "jobs: {adapter: queue, url: u, zzz: 1}",
        (
            "LOOM-CONFIG-006",
            "api.yaml:1 (jobs.zzz)",
            "key 'zzz' does not exist",
            "known: adapter, durable, options, overrides, password, url, wait, workers",
        ),
    ),
    "a deeper key that does not exist": (
        "observability: {log: {levl: info}}",
        (
            "LOOM-CONFIG-006",
            "api.yaml:1 (observability.log.levl)",
            "key 'levl' does not exist",
            "did you mean 'level'?",
        ),
    ),
    "a wrong type": (
        "jobs: {adapter: queue, url: 5}",
        ("LOOM-CONFIG-007", "api.yaml:1 (jobs.url)", "must be text, not a whole number (found 5)", ""),
    ),
    "a boolean for a number": (
        "jobs: {adapter: queue, url: u, workers: true}",
        ("LOOM-CONFIG-007", "api.yaml:1 (jobs.workers)", "must be a whole number, not a boolean (found true)", ""),
    ),
    "none of the choices": (
        "observability: {log: {format: jsn}}",
        (
            "LOOM-CONFIG-007",
            "api.yaml:1 (observability.log.format)",
            "must be one of 'console', 'json', 'silent' (found 'jsn')",
            "did you mean 'json'?",
        ),
    ),
    "a value that the settings' validator refuses": (
        "jobs: {adapter: queue, url: u, workers: 0}",
        ("LOOM-CONFIG-007", "api.yaml:1 (jobs.workers)", "'workers' must be >= 1: 0", ""),
    ),
    "an outbox that would relay nothing": (
        "outbox: {batch: 0}",
        ("LOOM-CONFIG-007", "api.yaml:1 (outbox.batch)", "'batch' must be >= 1: 0", ""),
    ),
    "a section of another shape": (
        "jobs: 5",
        ("LOOM-CONFIG-007", "api.yaml:1 (jobs)", "must hold keys and values", ""),
    ),
    "a value that is missing": (
        "jobs: {adapter: queue}",
        ("LOOM-CONFIG-008", "api.yaml:1 (jobs.url)", "is required and has no default", "set jobs.url"),
    ),
    "an adapter that does not exist": (
        "jobs: {adapter: quue, url: u}",
        ("LOOM-CONFIG-009", "api.yaml:1 (jobs.adapter)", "jobs adapter 'quue' does not exist", "did you mean 'queue'?"),
    ),
    "an adapter that is near none": (
        "jobs: {adapter: rabbit}",
        (
            "LOOM-CONFIG-009",
            "api.yaml:1 (jobs.adapter)",
            "jobs adapter 'rabbit' does not exist",
            "known: absent, celery, inline, queue",
        ),
    ),
    "an adapter that is no name": (
        "jobs: {adapter: [queue]}",
        ("LOOM-CONFIG-007", "api.yaml:1 (jobs.adapter)", "must be the name of an adapter", ""),
    ),
    "an extra that is not installed": (
        "jobs: {adapter: absent, url: u}",
        (
            "LOOM-CONFIG-010",
            "api.yaml:1 (jobs.adapter)",
            "the absent adapter needs a library that is not installed",
            how_to_add("jobs"),
        ),
    ),
    "the extra of a switch that is not installed": (
        "observability:\n  metrics:\n    enabled: true",
        (
            "LOOM-CONFIG-010",
            "api.yaml:3 (observability.metrics.enabled)",
            "the prometheus adapter needs a library that is not installed",
            how_to_add("observability"),
        ),
    ),
    "an environment variable that is not set": (
        "jobs: {adapter: queue, url: '${oc.env:LOOM_T_NO}'}",
        (
            "LOOM-CONFIG-004",
            "api.yaml:1 (jobs.url)",
            "environment variable 'LOOM_T_NO' is not set",
            "set LOOM_T_NO, or write a default: ${oc.env:LOOM_T_NO,value}",
        ),
    ),
}


@pytest.mark.parametrize("case", FAULTS)
def test_a_fault_is_told_with_place_and_remedy(tmp_path: Path, case: str) -> None:
    text, issue = FAULTS[case]
    assert faults(write(tmp_path, "api.yaml", text)) == [issue]


def test_the_error_reads_as_one_text(tmp_path: Path) -> None:
    file = write(tmp_path, "api.yaml", "jobss: {}\njobs: 5\n")
    with pytest.raises(ConfigError) as caught:
        configured(file)
    assert str(caught.value).replace(str(file), "api.yaml") == (
        "2 configuration issues\n"
        "LOOM-CONFIG-006 api.yaml:1 (jobss)\n    section 'jobss' does not exist\n    remedy: did you mean 'jobs'?\n"
        "LOOM-CONFIG-007 api.yaml:2 (jobs)\n    must hold keys and values"
    )


def test_all_faults_of_all_sections_are_told_together(tmp_path: Path) -> None:
    text = "jobs:\n  adapter: queue\n  workers: x\n  url: ???\nap: {}\napp: {nme: x}\ntransport: {adapter: kafk}\n"
    assert [(code, place) for code, place, _, _ in faults(write(tmp_path, "api.yaml", text))] == [
        ("LOOM-CONFIG-005", "api.yaml:4 (jobs.url)"),
        ("LOOM-CONFIG-006", "api.yaml:5 (ap)"),
        ("LOOM-CONFIG-006", "api.yaml:6 (app.nme)"),
        ("LOOM-CONFIG-009", "api.yaml:7 (transport.adapter)"),
        ("LOOM-CONFIG-007", "api.yaml:3 (jobs.workers)"),
    ]


def test_no_fault_repeats_a_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither by its name, nor where it came from a secret, nor inside an address."""
    monkeypatch.setenv("LOOM_T_KEY", "hunter2")
    text = """
        jobs:
          adapter: queue
          url: [http://u:hunter2@h]
          password: 12345
          workers: ${loom.secret:LOOM_T_KEY}
          wait: http://u:hunter2@h
    """
    assert [(place, message) for _, place, message, _ in faults(write(tmp_path, "api.yaml", text))] == [
        ("api.yaml:4 (jobs.url)", "must be text, not a list"),
        ("api.yaml:6 (jobs.workers)", "must be a whole number, not text"),
        ("api.yaml:7 (jobs.wait)", "must be a number, not text (found 'http://u:***@h')"),
        ("api.yaml:5 (jobs.password)", "must be text, not a whole number"),
    ]


def test_show_prints_everything_and_hides_secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Defaults are part of what is shown, since they are in force."""
    monkeypatch.setenv("LOOM_T_KEY", "hunter2")
    text = """
        app: {name: store}
        jobs:
          adapter: queue
          url: redis://u:hunter2@h/0
          password: hunter2
          options: {sasl.password: hunter2, note: "${loom.secret:LOOM_T_KEY}", api-key: "",
                    more: "http://h?token=hunter2&x=1"}
    """
    text = show(configured(write(tmp_path, "api.yaml", text)))
    assert "hunter2" not in text
    shown = load(write(tmp_path, "again.yaml", text)).values
    assert list(shown) == [section.name for section in SECTIONS]
    assert shown["app"] == {"name": "store", "discovery": {"mode": "modules", "include": []}}
    assert shown["persistence"] == {"adapter": "memory"}
    assert shown["jobs"] == {
        "adapter": "queue",
        "url": "redis://u:***@h/0",
        "workers": 1,
        "wait": 1.5,
        "durable": True,
        "password": "***",
        "options": {"sasl.password": "***", "note": "***", "api-key": "", "more": "http://h?token=***&x=1"},
        "overrides": {},
    }


def test_settings_without_fields_take_no_keys(tmp_path: Path) -> None:
    file = write(tmp_path, "api.yaml", "persistence: {url: x}")
    issue = ("LOOM-CONFIG-006", "api.yaml:1 (persistence.url)", "key 'url' does not exist", "known: adapter")
    assert faults(file) == [issue]
