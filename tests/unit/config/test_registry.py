"""The table of adapters imports nothing until asked, and other distributions extend it."""

import subprocess
import sys
from importlib.metadata import EntryPoint

import attrs
import pytest

from loom.config.loading import load
from loom.config.registry import BUILT_IN, GROUP, Adapter, Registry
from loom.config.structure import structure
from loom.domain.errors import MissingExtra
from loom.domain.installation import how_to_add
from tests.unit.config.config_fakes import REGISTRY, QueueSettings, fake

NATS = fake("transport", "nats", QueueSettings)


@pytest.mark.parametrize("adapter", BUILT_IN, ids=lambda adapter: f"{adapter.port}.{adapter.name}")
def test_every_line_of_the_table_leads_to_a_settings_class_with_defaults_or_required_fields(adapter: Adapter) -> None:
    """The path of each settings class is right, and it can be imported without the vendor being used."""
    assert attrs.has(adapter.settings_class())


def test_settings_import_no_vendor() -> None:
    """Configuration can be checked where none of the libraries is installed."""
    vendors = sorted({module for adapter in BUILT_IN for module in adapter.modules})
    code = (
        "import sys; from loom.config.registry import BUILT_IN; [a.settings_class() for a in BUILT_IN];"
        f"print([name for name in {vendors!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_built_in_defaults_are_those_that_need_no_server() -> None:
    """The same with the real table: an empty YAML is a working kernel."""
    chosen = structure(load(), Registry(points=())).adapters
    assert chosen["persistence"].adapter.name == "memory"
    assert chosen["jobs"].adapter.name == "inline"


def test_a_missing_library_is_told_with_the_extra_that_installs_it() -> None:
    adapter = fake("jobs", "celery", QueueSettings, modules=("no_such_library",), extra="jobs")
    assert adapter.missing() == ("no_such_library",)
    with pytest.raises(MissingExtra) as caught:
        adapter.provider()
    assert caught.value.message == "the celery adapter needs a library that is not installed"
    assert caught.value.remedy == how_to_add("jobs")


def test_an_entry_point_adds_an_adapter() -> None:
    """It is loaded when it is asked for, and listed before."""
    point = EntryPoint(name="transport.nats", value=f"{__name__}:NATS", group=GROUP)
    registry = Registry(points=[point])
    assert registry.names("transport") == ["kafka", "memory", "nats"]
    assert registry.find("transport", "nats") is NATS
    assert registry.find("jobs", "nats") is None


def test_an_entry_point_that_leads_elsewhere_is_refused() -> None:
    point = EntryPoint(name="transport.nats", value=f"{__name__}:attrs", group=GROUP)
    with pytest.raises(
        TypeError, match=r"entry point loom.adapters transport.nats must lead to an Adapter, not module"
    ):
        Registry(points=[point]).find("transport", "nats")


def test_a_given_adapter_wins_over_a_built_in_one() -> None:
    found = REGISTRY.find("transport", "memory")
    assert found is not None
    assert found.settings.startswith("tests.")
