"""Two import-linter contract types: what a layer may import, and where a library may be imported."""

import sys

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, fields, output

Fault = tuple[str, str, str]


def _inside(module: str, package: str) -> bool:
    return module == package or module.startswith(f"{package}.")


def _is_stdlib(module: str) -> bool:
    return module.partition(".")[0] in sys.stdlib_module_names


def _where(graph: ImportGraph, importer: str, imported: str) -> str:
    details = graph.get_import_details(importer=importer, imported=imported)
    return f"line {details[0]['line_number']}" if details else "line unknown"


def _render(check: ContractCheck) -> None:
    faults: list[Fault] = check.metadata["faults"]
    for importer, imported, where in faults:
        output.print_error(f"- {importer} ({where}) imports {imported}", bold=False)
    output.new_line()


def _verdict(faults: list[Fault]) -> ContractCheck:
    return ContractCheck(kept=not faults, metadata={"faults": sorted(faults)})


class OnlyContract(Contract):
    """A package imports the standard library and what is named, nothing else."""

    type_name = "only"
    package = fields.StringField()
    allowed = fields.ListField(subfield=fields.StringField())

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        package, allowed = str(self.package), [str(name) for name in self.allowed]  # type: ignore[attr-defined]
        faults = [
            (importer, imported, _where(graph, importer, imported))
            for importer in graph.modules
            if _inside(importer, package)
            for imported in graph.find_modules_directly_imported_by(importer)
            if not _is_stdlib(imported) and not any(_inside(imported, name) for name in allowed)
        ]
        return _verdict(faults)

    def render_broken_contract(self, check: ContractCheck) -> None:
        _render(check)


class HomeContract(Contract):
    """A library is imported inside its one home only. Each line reads `library -> package`."""

    type_name = "home"
    homes = fields.ListField(subfield=fields.StringField())

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        faults: list[Fault] = []
        for line in self.homes:  # type: ignore[attr-defined]
            library, _, home = (part.strip() for part in str(line).partition("->"))
            if library in graph.modules:
                faults += [
                    (importer, library, _where(graph, importer, library))
                    for importer in graph.find_modules_that_directly_import(library)
                    if not _inside(importer, home)
                ]
        return _verdict(faults)

    def render_broken_contract(self, check: ContractCheck) -> None:
        _render(check)
