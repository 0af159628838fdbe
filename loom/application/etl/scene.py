"""What the compiler of one step may ask: names, columns and files around it, and where to report faults.

Kinds of sources, targets and write modes register a behaviour here. A new kind is one new file that declares its
class, its plan and its behaviour; each engine registers how it reads or writes the plan.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

from loom.application.compile import Issues, Kinds
from loom.application.etl.contract import Contract, contract_of
from loom.application.etl.plan import Resource, SourcePlan, StepPlan, TargetPlan
from loom.domain.errors import Place
from loom.domain.expr import Expr, Ref, Root
from loom.domain.frozen import frozen
from loom.domain.schema import Kind
from loom.ports.etl import EtlEngine

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*(\.[A-Za-z][A-Za-z0-9_]*)*")

Columns: TypeAlias = Mapping[str, Kind | None]
"""Names and kinds of known columns; the kind is ``None`` where it is not known."""


@frozen(kw_only=True)
class Scene:
    """What is known about the whole pipeline before its steps are compiled.

    Attributes:
        engine: the engine that the pipeline is compiled for.
        params: name and kind of each parameter.
        written: what the steps of this pipeline write, with the contract where a model states it.
    """

    engine: EtlEngine[StepPlan]
    params: Mapping[str, Kind]
    written: Mapping[Resource, Contract | None]


@frozen(kw_only=True)
class Site:
    """One source or target under compilation. ``argument`` is the name of its class attribute."""

    scene: Scene
    issues: Issues
    where: Place
    argument: str

    def add(self, code: str, message: str, remedy: str = "") -> None:
        """Report a fault of this declaration."""
        self.issues.add(code, self.where, message, remedy)

    def check_name(self, name: str, what: str) -> bool:
        """Whether the name can be that of a table or temporary result; where not, a fault."""
        if _NAME.fullmatch(name):
            return True
        self.add("LOOM-ETL-018", f"{name!r} cannot be the name of a {what}", "use letters, digits and _, joined by .")
        return False

    def check_columns(self, names: tuple[str, ...], known: Columns | None, what: str) -> None:
        """Report each name that is not among the known columns."""
        for name in names:
            if known is not None and name not in known:
                self.issues.unknown("LOOM-ETL-012", self.where, f"{what}: column", name, known)

    def check_predicate(self, expr: Expr, known: Columns | None) -> None:
        """Report every fault of a predicate over columns and ``params``."""

        def kind_of(ref: Ref) -> Kind | None:
            if ref.ref_root not in (Root.PARAMS, Root.COLUMN):
                raise LookupError(ref)
            names: Columns | None = self.scene.params if ref.ref_root is Root.PARAMS else known
            # What lies inside a struct is not known here.
            return names[ref.ref_path[0]] if names is not None and len(ref.ref_path) == 1 else None

        self.issues.predicate("LOOM-ETL-013", self.where, expr, kind_of, {*(known or ()), *self.scene.params})

    def contract(self, model: type) -> Contract | None:
        """The contract of a model; where it has none, a fault."""
        try:
            return contract_of(model)
        except TypeError as error:
            self.add("LOOM-ETL-020", str(error), "give the name of a table, or an entity")
            return None


@frozen(kw_only=True)
class SourceBehaviour:
    """How one kind of source compiles.

    Attributes:
        reads: what the declaration reads; ``None`` where the declaration is too broken to tell.
        plan: checks the declaration and gives its plan, or ``None`` after reporting faults.
    """

    reads: Callable[[Any, EtlEngine[StepPlan]], Resource | None]
    plan: Callable[[Any, Site], SourcePlan | None]


@frozen(kw_only=True)
class TargetBehaviour:
    """How one kind of target compiles.

    Attributes:
        writes: what the declaration writes; ``None`` where the declaration is too broken to tell.
        contract: the model's contract where the declaration names a model.
        plan: checks the declaration and gives its plan, or ``None`` after reporting faults.
        settle: the final plan, once it is known what is written to the same place before it in the same run.
    """

    writes: Callable[[Any, EtlEngine[StepPlan]], Resource | None]
    contract: Callable[[Any], Contract | None]
    plan: Callable[[Any, Site], TargetPlan | None]
    settle: Callable[[Any, tuple[TargetPlan, ...]], TargetPlan] = lambda plan, earlier: plan


SOURCES: Final = Kinds[SourceBehaviour]("ETL source")
TARGETS: Final = Kinds[TargetBehaviour]("ETL target")
