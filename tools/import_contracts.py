"""Contract types for import-linter that it does not include; pyproject.toml uses them."""

import sys
from typing import cast, override

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, fields, output
from importlinter.domain.imports import Module


class StandardLibraryOnly(Contract):
    """A package that imports itself and the standard library, and nothing else.

    A forbidden contract needs a list of forbidden packages, and the next library is never on it;
    this one needs none. Imports within the root package are left to the layers contract.
    """

    source_modules = fields.SetField(subfield=fields.ModuleField())

    @override
    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        """Find every import that leaves both the root package and the standard library.

        Raises:
            ModuleNotFoundError: a source module does not exist, so the rule would check nothing.
        """
        violations: list[str] = []
        packages = cast("set[Module]", self.source_modules)
        for package in sorted(package.name for package in packages):
            if package not in graph.modules:
                raise ModuleNotFoundError(f"rule '{self.name}': there is no module {package}")
            for importer in sorted({package, *graph.find_descendants(package)}):
                violations += _violations(graph, importer)
        return ContractCheck(kept=not violations, metadata={"violations": violations})

    @override
    def render_broken_contract(self, check: ContractCheck) -> None:
        """Name each import and its lines."""
        for violation in check.metadata["violations"]:
            output.print_error(violation)


def _violations(graph: ImportGraph, importer: str) -> list[str]:
    """Return "importer -> imported (lines)" for every import of a third-party package."""
    allowed = {importer.partition(".")[0], *sys.stdlib_module_names}
    violations = []
    for imported in sorted(graph.find_modules_directly_imported_by(importer)):
        if imported.partition(".")[0] not in allowed:
            details = graph.get_import_details(importer=importer, imported=imported)
            lines = ", ".join(f"l.{detail['line_number']}" for detail in details)
            violations.append(f"{importer} -> {imported} ({lines})")
    return violations
