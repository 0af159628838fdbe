"""The reference shows the fields of values, which griffe alone does not see."""

from pathlib import Path

from griffe import Class, Module, temporary_visited_module

from tools.reference_fields import ReferenceFields, classes_of

SOURCE = """
import attrs
from loom.domain.frozen import frozen

@frozen(kw_only=True)
class Base:
    name: str
    tags: dict[str, str] = attrs.field(factory=dict)
    id: str = attrs.field(factory=lambda: "x", repr=False)

@frozen
class Value(Base):
    size: int
    weight: float = 1.5
    total: float = attrs.field(init=False)
    declared_at: str = attrs.field(default="", repr=False)
    kind = "none of the fields"

    @property
    def double(self) -> int:
        return 2 * self.size

@frozen
class Handle:
    id: str
    _owner: object

@attrs.frozen(eq=False, repr=False)
class Service:
    value: Value
"""


def shown(module: Module) -> dict[str, list[str]]:
    """The constructor of each class, as its heading shows it."""
    ReferenceFields().on_package(pkg=module)
    return {cls.name: _parameters(cls) for cls in classes_of(module)}


def _parameters(cls: Class) -> list[str]:
    found = [each for each in cls.parameters if each.name != "self"]
    return [f"{each.kind.value} {each.name} = {each.default}" for each in found]


def test_a_value_shows_its_fields_and_those_of_its_bases() -> None:
    with temporary_visited_module(SOURCE) as module:
        found = shown(module)
    base = [
        "keyword-only name = None",
        "keyword-only tags = dict()",
        "keyword-only id = ...",
    ]
    own = ["positional or keyword size = None", "positional or keyword weight = 1.5"]
    assert found == {"Base": base, "Value": [*own, *base], "Handle": [], "Service": []}


def test_the_reference_is_built_with_it() -> None:
    assert "tools/reference_fields.py" in (Path(__file__).parents[2] / "mkdocs.yml").read_text()
