"""The page of issues names every code of the source, and is what its generator writes."""

from __future__ import annotations

import ast

from tools.issue_table import PAGE, codes_in, issues_of, render, source_files

_SOURCE = """
def check(issues, where, name, names):
    message = f"{name} is wrong"
    issues.add("LOOM-CORE-901", where, message, "mend it")
    issues.unknown("LOOM-CORE-902", where, f"{name}: column", name, names)
    code, what = "LOOM-CORE-903", "a thing"
    message = "it is too late"
    issues.add(code, where, f"{what} is {name!r}")
    raise ConfigError([Issue(code="LOOM-CORE-904", where=where, message=message, remedy="begin earlier")])
"""


def test_the_page_names_every_code_of_the_source() -> None:
    declared = set().union(*(codes_in(path.read_text(encoding="utf-8")) for path in source_files()))
    assert codes_in(PAGE.read_text(encoding="utf-8")) == declared, "write the page: python -m tools.issue_table"


def test_the_page_is_what_the_generator_writes() -> None:
    assert PAGE.read_text(encoding="utf-8") == render(), "write the page: python -m tools.issue_table"


def test_messages_are_read_from_each_form_in_which_an_issue_is_made() -> None:
    found = [(code, told) for code, told in issues_of(ast.parse(_SOURCE)) if told[0]]
    assert found == [
        ("LOOM-CORE-901", ("... is wrong", "mend it")),
        (
            "LOOM-CORE-902",
            ("...: column `...` does not exist", "the remedy names the nearest, or those that there are"),
        ),
        ("LOOM-CORE-903", ("a thing is ...", "")),
        ("LOOM-CORE-904", ("it is too late", "begin earlier")),
    ]
