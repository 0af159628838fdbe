"""Structures loaded values into typed sections, by the strict converter, and tells every fault of every section."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any, cast

import attrs

from loom.application.compile import Issues
from loom.application.conversion.converter import Converter, make_converter
from loom.application.outbox.relay import RelaySettings
from loom.config.loaded import KeyPath, Loaded, dotted
from loom.config.registry import Adapter, Registry
from loom.config.sections import SECTIONS, AppSection, JobsSection, ObservabilitySection, Section, StreamingSection
from loom.config.spoken import Spoken, heard
from loom.domain.errors import ConfigError, FieldError, InvalidInput, MissingExtra
from loom.domain.secrecy import is_secret_name, without_passwords


@attrs.frozen(eq=False, kw_only=True, repr=False, slots=False)
class Chosen:
    """The adapter of a section.

    Attributes:
        adapter: what was chosen.
        given: its settings, where the configuration mentions the section.
    """

    adapter: Adapter
    given: Any = None

    @property
    def explicit(self) -> bool:
        """Whether the configuration mentions the section."""
        return self.given is not None

    @cached_property
    def settings(self) -> Any:
        """The settings that were given, or else the adapter's defaults, whose class is imported only now."""
        return self.adapter.settings_class()() if self.given is None else self.given


@attrs.frozen(eq=False, kw_only=True, repr=False)
class Config:
    """The whole configuration, typed.

    Attributes:
        own: each section's own keys, by the name of the section.
        adapters: the chosen adapter of each section that has one.
        secrets: key paths whose values must not be shown, whatever they are called.
    """

    own: Mapping[str, Any]
    adapters: Mapping[str, Chosen]
    secrets: frozenset[KeyPath] = frozenset()

    @property
    def app(self) -> AppSection:
        """Name and discovery."""
        return cast("AppSection", self.own["app"])

    @property
    def jobs(self) -> JobsSection:
        """Overrides of jobs."""
        return cast("JobsSection", self.own["jobs"])

    @property
    def streaming(self) -> StreamingSection:
        """What holds for every stream engine."""
        return cast("StreamingSection", self.own["streaming"])

    def group_of(self, flow: str) -> str:
        """The consumer group of a flow: applications that share a broker share no group by accident."""
        prefix = "" if self.app.name == AppSection().name else f"{self.app.name}."
        return self.streaming.groups.get(flow, f"{prefix}{flow}")

    @property
    def outbox(self) -> RelaySettings:
        """How the relay works."""
        return cast("RelaySettings", self.own["outbox"])

    @property
    def observability(self) -> ObservabilitySection:
        """Logging."""
        return cast("ObservabilitySection", self.own["observability"])


def structure(loaded: Loaded, registry: Registry | None = None) -> Config:
    """Typed sections of loaded values.

    Raises:
        ConfigError: every value that could not be resolved, every unknown section and key, wrong type, missing value,
            unknown adapter, and missing extra of a section that the configuration mentions.
    """
    work = _Structuring(loaded=loaded, registry=registry or Registry())
    for path in _unknown_sections(loaded.values):
        work.issues.unknown("LOOM-CONFIG-006", loaded.place(path), "section", dotted(path), _NAMES)
    for section in SECTIONS:
        work.section(section)
    work.metrics()
    if work.issues.found:
        raise ConfigError(work.issues.found)
    return Config(own=work.own, adapters=work.adapters, secrets=loaded.secrets)


_NAMES = tuple(section.name for section in SECTIONS)


def _unknown_sections(values: Mapping[str, Any]) -> Iterable[KeyPath]:
    return [(name,) for name in values if name not in _NAMES]


@attrs.define(eq=False, repr=False)
class _Structuring:
    loaded: Loaded
    registry: Registry
    converter: Converter = attrs.field(factory=make_converter)
    issues: Issues = attrs.field(init=False)
    own: dict[str, Any] = attrs.field(factory=dict)
    adapters: dict[str, Chosen] = attrs.field(factory=dict)

    def __attrs_post_init__(self) -> None:
        self.issues = Issues(found=list(self.loaded.issues))

    def section(self, section: Section) -> None:
        """Structure one section: its own keys, and the rest by the settings of its adapter."""
        values = self.loaded.values.get(section.name)
        if values is None:
            self._keep_defaults(section)
            return
        if not isinstance(values, Mapping):
            self.issues.add("LOOM-CONFIG-007", self.loaded.place((section.name,)), "must hold keys and values")
            return
        given = dict(values)
        if not section.adapter:
            self._keep_own(section, given, ())
            return
        adapter = self._adapter(section, given.pop("adapter", section.adapter))
        names = self._names(section.shape)
        mine = {key: value for key, value in given.items() if key in names}
        if adapter is None:
            # The other keys belong to an adapter that nobody knows, so that nothing can be said about them.
            self._keep_own(section, mine, ())
            return
        rest = {key: value for key, value in given.items() if key not in names}
        cls = adapter.settings_class()
        settings = self._structured(section, rest, cls, (*names, *self._names(cls), "adapter"))
        self._keep_own(section, mine, ())
        if settings is not None:
            self.adapters[section.name] = Chosen(adapter=adapter, given=settings)

    def metrics(self) -> None:
        """Counting is a switch and names no adapter, but what counts has a library as well."""
        section, adapter = self.own.get("observability"), self.registry.find("metrics", "prometheus")
        if adapter is not None and section is not None and section.metrics.enabled:
            self._check_extra(("observability", "metrics", "enabled"), adapter)

    def _keep_defaults(self, section: Section) -> None:
        self.own[section.name] = section.shape()
        adapter = self.registry.find(section.name, section.adapter) if section.adapter else None
        if adapter is not None:
            self.adapters[section.name] = Chosen(adapter=adapter)

    def _keep_own(self, section: Section, values: Mapping[str, Any], known: tuple[str, ...]) -> None:
        found = self._structured(section, values, section.shape, known or self._names(section.shape))
        if found is not None:
            self.own[section.name] = found

    def _names(self, cls: type) -> tuple[str, ...]:
        plan = self.converter.plan(cls)
        return tuple(slot.name for slot in plan.slots) if plan else ()

    def _adapter(self, section: Section, name: Any) -> Adapter | None:
        path = (section.name, "adapter")
        if not isinstance(name, str):
            self.issues.add("LOOM-CONFIG-007", self.loaded.place(path), "must be the name of an adapter")
            return None
        adapter = self.registry.find(section.name, str(name))
        if adapter is None:
            known = self.registry.names(section.name)
            self.issues.unknown("LOOM-CONFIG-009", self.loaded.place(path), f"{section.name} adapter", name, known)
        else:
            self._check_extra(path, adapter)
        return adapter

    def _check_extra(self, path: KeyPath, adapter: Adapter) -> None:
        if adapter.missing():
            error = MissingExtra(adapter.name, adapter.extra)
            self.issues.add("LOOM-CONFIG-010", self.loaded.place(path), error.message, error.remedy)

    def _structured(self, section: Section, values: Mapping[str, Any], cls: type, known: tuple[str, ...]) -> Any:
        plain = heard(values, cls, self.converter)
        try:
            return self.converter.structure(plain, cls)
        except InvalidInput as error:
            for fault in error.errors:
                self._fault((section.name, *fault.path), fault, plain, known)
            return None

    def _fault(self, path: KeyPath, fault: FieldError, plain: Any, known: tuple[str, ...]) -> None:
        if path in self.loaded.faulty:
            return
        place = self.loaded.place(path)
        if fault.code == "unknown":
            # Only the keys of the section itself: deeper ones have their hint from the converter.
            if len(path) == 2:
                self.issues.unknown("LOOM-CONFIG-006", place, "key", str(path[-1]), known)
            else:
                self.issues.add("LOOM-CONFIG-006", place, *_hinted(f"key {path[-1]!r} does not exist", fault.message))
        elif fault.code == "required":
            self.issues.add("LOOM-CONFIG-008", place, "is required and has no default", f"set {dotted(path)}")
        else:
            secret = path in self.loaded.secrets or any(is_secret_name(str(key)) for key in path)
            self.issues.add("LOOM-CONFIG-007", place, *_told(fault, _value(plain, fault.path), secret=secret))


def _value(plain: Any, path: KeyPath) -> Any:
    for key in path:
        try:
            plain = plain[key]
        except (KeyError, IndexError, TypeError):
            # A validator may object to a default.
            return None
    return plain


def _told(fault: FieldError, value: Any, *, secret: bool) -> tuple[str, str]:
    if secret:
        # A validator of the settings' class may repeat the value.
        return ("is not accepted (the value is secret)" if fault.code == "invalid" else fault.message), ""
    message, remedy = _hinted(fault.message, fault.message)
    if isinstance(value, str | int | float) and fault.code != "invalid":
        message = f"{message} (found {_quoted(value)})"
    return message, remedy


def _hinted(text: str, fault: str) -> tuple[str, str]:
    """The did-you-mean of a fault is the remedy of its issue."""
    _, found, hint = fault.partition("; did you mean ")
    return text.partition("; did you mean ")[0], f"did you mean {hint}" if found else ""


def _quoted(value: str | int | float) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    text = repr(without_passwords(str(value)) if isinstance(value, (str, Spoken)) else value)
    return text if len(text) <= 60 else f"{text[:57]}..."
