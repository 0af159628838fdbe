"""The container: every port is a provider, chosen by the ``adapter:`` key of its section, and found by its type.

    container = Container(structure(load("config/api.yaml")))
    container.bind(Mailer, SmtpMailer("localhost"))
    container.resolve(Persistence)                    # made at the first call, the same afterwards
    with container.override(Mailer, FakeMailer()):
        ...

Application code never sees it: the compilers ask it, as a ``Resolver``, for what constructors want.
"""

from __future__ import annotations

import typing
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar, cast

# Not ``containers``: that module brings the wiring, which imports every web framework that is installed.
from dependency_injector import providers

from loom.adapters.system.clock import SystemClock
from loom.application.compile import nearest
from loom.config.registry import Adapter, Registry
from loom.config.structure import Chosen, Config
from loom.domain.errors import Unbound
from loom.ports.cache import Cache
from loom.ports.clock import Clock
from loom.ports.codec import Codec
from loom.ports.etl import EtlEngine
from loom.ports.jobs import JobQueue
from loom.ports.metrics import Metrics
from loom.ports.persistence import Persistence
from loom.ports.security import Authenticator, Authorizer
from loom.ports.streaming import StreamEngine
from loom.ports.transport import Topics

T = TypeVar("T")

PORTS: Mapping[str, type] = {
    "persistence": Persistence,
    "transport": Topics,
    "jobs": JobQueue,
    "etl": EtlEngine,
    "streaming": StreamEngine,
    "security": Authenticator,
}
"""The port of each section that binds one. The codec and the clock are given to each adapter."""


class Container:
    """Ports and services by type. What it makes, it makes once, when first asked.

    Args:
        config: chooses the adapter of each port.

    Overrides and bindings belong to this container; no other sees them.
    """

    def __init__(self, config: Config) -> None:
        self._providers: dict[Any, providers.Provider[Any]] = {}
        self._made: dict[type, Any] = {}
        chosen = config.adapters
        clock = self._register(Clock, providers.Singleton(SystemClock))
        codec = self._register(Codec, providers.Singleton(_codec, providers.Object(chosen["codec"])))
        for section, port in PORTS.items():
            made = providers.Singleton(self._make, port, providers.Object(chosen[section]), codec=codec, clock=clock)
            self._register(port, made)
        self._register(Cache, providers.Singleton(_cache, chosen["cache"], codec=codec, clock=clock))
        if chosen["cache"].adapter.name != "none":
            store, cache = self._provider(Persistence), self._provider(Cache)
            self._register(Persistence, providers.Singleton(_cached, store, cache, codec))
        self._register(Metrics, providers.Singleton(_metrics, config, codec=codec, clock=clock))
        self._register(Authorizer, providers.Singleton(_authorizer))
        self._register(Config, providers.Object(config))

    def bind(self, wanted: type[T], service: T | providers.Provider[T]) -> None:
        """Register a service of the application under its type; a later call replaces it.

        Args:
            wanted: the type that constructors ask for, a Protocol or a class.
            service: the object, or a dependency-injector provider that makes it (``providers.Singleton(SmtpMailer)``).
        """
        provider = service if isinstance(service, providers.Provider) else providers.Object(service)
        self._register(wanted, provider)

    def knows(self, wanted: type) -> bool:
        """Whether something is bound to a type. ``EtlEngine[Plan]`` is known as ``EtlEngine``."""
        return _key(wanted) in self._providers

    def resolve(self, wanted: type[T]) -> T:
        """The object that is bound to a type.

        Raises:
            Unbound: nothing is; the remedy names what is near.
            MissingExtra: the library of the chosen adapter is not installed.
        """
        return cast("T", self._provider(wanted)())

    @contextmanager
    def override(self, wanted: type[T], fake: T) -> Iterator[T]:
        """Give ``fake`` for a type until the block ends; the original comes back with the state that it had.

        An adapter that was made before keeps the codec and the clock that it was given: override those first.

        Raises:
            Unbound: nothing is bound to the type; bind it instead.
        """
        provider = self._provider(wanted)
        with provider.override(providers.Object(fake)):
            yield fake

    def made(self) -> Mapping[type, Any]:
        """The adapters that have been made so far, by port, oldest first: what is to be closed."""
        return dict(self._made)

    def _register(self, wanted: Any, provider: providers.Provider[Any]) -> providers.Provider[Any]:
        self._providers[_key(wanted)] = provider
        return provider

    def _provider(self, wanted: Any) -> providers.Provider[Any]:
        found = self._providers.get(_key(wanted))
        if found is None:
            title = getattr(wanted, "__name__", str(wanted))
            near = nearest(title, [key.__name__ for key in self._providers])
            raise Unbound(
                f"nothing is bound to {title}",
                remedy=f"did you mean {near!r}?" if near else f"bind({title}, ...) before it is asked for",
            )
        return found

    def _make(self, port: type, chosen: Chosen, *, codec: Codec, clock: Clock) -> Any:
        found = chosen.adapter.provider()(chosen.settings, codec=codec, clock=clock)
        self._made[port] = found
        return found


def _codec(chosen: Chosen) -> Codec:
    # A codec needs neither a codec nor a clock, so its provider takes its settings alone.
    adapter: Adapter = chosen.adapter
    found: Codec = adapter.provider()(chosen.settings)
    return found


def _cache(chosen: Chosen, *, codec: Codec, clock: Clock) -> Cache:
    # The store that it stands in front of closes it.
    found: Cache = chosen.adapter.provider()(chosen.settings, codec=codec, clock=clock)
    return found


# What a deployment does not use is not imported.


def _cached(store: Persistence, cache: Cache, codec: Codec) -> Persistence:
    from loom.application.caching.persistence import CachedPersistence

    return CachedPersistence(store, cache, codec)


def _authorizer() -> Authorizer:
    from loom.application.rest.grants import GrantsAuthorizer

    return GrantsAuthorizer()


def _metrics(config: Config, *, codec: Codec, clock: Clock) -> Metrics:
    chosen = config.observability.metrics
    adapter = Registry().find("metrics", "prometheus" if chosen.enabled else "memory")
    assert adapter is not None
    cls = adapter.settings_class()
    settings = cls(process=chosen.process) if chosen.enabled else cls()
    found: Metrics = adapter.provider()(settings, codec=codec, clock=clock)
    return found


def _key(wanted: Any) -> Any:
    return typing.get_origin(wanted) or wanted
