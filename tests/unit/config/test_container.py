"""The container makes each thing once, finds it by type, and is overridden for the length of a block."""

import re
from typing import Any, Protocol

import attrs
import pytest
from dependency_injector import providers

from loom.adapters.json.codec import JsonCodec
from loom.adapters.system.clock import SystemClock
from loom.config.container import PORTS, Container
from loom.config.structure import Config
from loom.domain.errors import MissingExtra, Unbound
from loom.domain.installation import how_to_add
from loom.ports.clock import Clock
from loom.ports.codec import Codec
from loom.ports.etl import EtlEngine
from loom.ports.jobs import JobQueue
from loom.ports.persistence import Persistence
from loom.testing.clock import FakeClock
from tests.unit.config.config_fakes import REGISTRY, Made, configured


class Mailer(Protocol):
    def send(self, to: str) -> str: ...


class LoudMailer:
    def send(self, to: str) -> str:
        return to.upper()


class QuietMailer:
    def send(self, to: str) -> str:
        return to.lower()


def made(container: Container, port: type) -> Made:
    found: object = container.resolve(port)
    assert isinstance(found, Made)
    return found


def test_every_port_is_made_once_with_its_settings_and_the_codec_and_clock() -> None:
    container = Container(configured())
    for section, port in PORTS.items():
        found = made(container, port)
        assert found is made(container, port)
        assert found.settings == container.resolve(Config).adapters[section].settings
        assert found.codec is container.resolve(Codec)
        assert found.clock is container.resolve(Clock)
    assert isinstance(container.resolve(Codec), JsonCodec)
    assert isinstance(container.resolve(Clock), SystemClock)


def test_nothing_is_made_before_it_is_asked_for() -> None:
    """What is to be closed is what was made, oldest first."""
    container = Container(configured())
    assert container.made() == {}
    queue, persistence = container.resolve(JobQueue), container.resolve(Persistence)
    assert list(container.made().items()) == [(JobQueue, queue), (Persistence, persistence)]


def test_a_generic_port_is_found_with_and_without_arguments() -> None:
    container = Container(configured())
    assert container.knows(EtlEngine[int])
    assert container.resolve(EtlEngine[int]) is container.resolve(EtlEngine)


def test_a_service_is_bound_by_type_as_an_object_or_a_provider() -> None:
    container = Container(configured())
    assert not container.knows(Mailer)
    container.bind(Mailer, LoudMailer())
    assert container.resolve(Mailer).send("a@b") == "A@B"
    container.bind(Mailer, providers.Singleton(QuietMailer))
    assert container.resolve(Mailer) is container.resolve(Mailer)
    assert container.resolve(Mailer).send("a@b") == "a@b"


def test_an_override_lasts_as_long_as_its_block_and_stays_in_its_container() -> None:
    """The original comes back with its state, also after an error; other containers never see the fake."""
    container, other = Container(configured()), Container(configured())
    container.bind(Mailer, LoudMailer())
    original = container.resolve(Persistence)
    fake: Any = Made(None, JsonCodec(), FakeClock())

    def fail() -> None:
        with container.override(Persistence, fake):
            assert container.resolve(Persistence) is fake
            assert other.resolve(Persistence) is not fake
            with container.override(Mailer, QuietMailer()):
                assert container.resolve(Mailer).send("A") == "a"
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert container.resolve(Persistence) is original
    assert container.resolve(Mailer).send("a") == "A"


def test_a_clock_that_is_overridden_first_reaches_the_adapters() -> None:
    container = Container(configured())
    clock = FakeClock()
    with container.override(Clock, clock):
        assert made(container, JobQueue).clock is clock


def test_what_nobody_bound_is_told_with_what_is_near() -> None:
    class Persistance:
        pass

    container = Container(configured())
    with pytest.raises(Unbound) as caught:
        container.resolve(Persistance)
    assert str(caught.value) == "nothing is bound to Persistance. did you mean 'Persistence'?"
    with pytest.raises(Unbound, match=r"nothing is bound to Mailer. bind\(Mailer, ...\) before it is asked for"):
        container.resolve(Mailer)
    with pytest.raises(Unbound), container.override(Mailer, LoudMailer()):
        pass


def test_a_default_whose_library_is_missing_is_told_when_it_is_asked_for() -> None:
    """The configuration did not mention it, so that it was no fault until now."""
    config = configured()
    absent = REGISTRY.find("jobs", "absent")
    assert absent is not None
    chosen = attrs.evolve(config.adapters["jobs"], adapter=absent)
    container = Container(attrs.evolve(config, adapters={**config.adapters, "jobs": chosen}))
    with pytest.raises(MissingExtra, match=re.escape(how_to_add("jobs"))):
        container.resolve(JobQueue)
