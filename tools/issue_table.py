"""Writes docs/reference/issues.md: every code of a compile or configuration issue, read from the source itself.

python -m tools.issue_table
"""

import ast
import re
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "reference" / "issues.md"
CODE = re.compile(r"LOOM-([A-Z]+)-\d{3}")
AREAS = {
    "CONFIG": "Configuration",
    "CORE": "Models and use cases",
    "REST": "Interfaces and routes",
    "JOB": "Jobs",
    "ETL": "Steps and pipelines",
    "STREAM": "Flows",
    "DB": "Databases",
    "KAFKA": "Kafka",
    "SECURITY": "Security",
}
HEAD = """# Issues

What `loom check` and the start of an application report, all together and before anything is started or written. Each
issue has a code, the place of the declaration, what is wrong in your own names, and what to do. `...` stands for your
names. This page is written from the source by `python -m tools.issue_table`.
"""
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)

Names = dict[str, list[ast.expr]]


def codes_in(text: str) -> set[str]:
    return {found.group() for found in CODE.finditer(text)}


def source_files() -> Iterator[Path]:
    yield from sorted((ROOT / "loom").rglob("*.py"))


def within(scope: ast.AST) -> Iterator[ast.AST]:
    """The nodes of a scope; functions inside it are scopes of their own."""
    for child in ast.iter_child_nodes(scope):
        if not isinstance(child, FUNCTIONS):
            yield child
            yield from within(child)


def assigned(scope: ast.AST) -> Names:
    """What each name of a scope is assigned, however often."""
    found: Names = defaultdict(list)
    for node in within(scope):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                if isinstance(target, ast.Name):
                    found[target.id].append(node.value)
                elif isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
                    for name, value in zip(target.elts, node.value.elts, strict=False):
                        if isinstance(name, ast.Name):
                            found[name.id].append(value)
    return found


def latest(node: ast.Name, names: Names) -> list[ast.expr]:
    """What a name was assigned last before it is used here."""
    before = [value for value in names.get(node.id, []) if value.lineno <= node.lineno]
    return before[-1:]


def texts(node: ast.expr, names: Names, depth: int = 0) -> list[str]:
    """The texts that an expression may be; empty where it is none that can be read."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return [node.value]
    if isinstance(node, ast.JoinedStr):
        parts = [
            (texts(part.value, names, depth + 1) or ["..."])[0]
            if isinstance(part, ast.FormattedValue) and isinstance(part.value, ast.Name) and depth < 3
            else texts(part, names)[0]
            if isinstance(part, ast.Constant)
            else "..."
            for part in node.values
        ]
        return ["".join(parts)]
    if isinstance(node, ast.IfExp):
        return [*texts(node.body, names, depth), *texts(node.orelse, names, depth)]
    if isinstance(node, ast.Name) and depth < 3:
        return [text for value in latest(node, names) for text in texts(value, names, depth + 1)]
    return []


def described(call: ast.Call, at: int, names: Names) -> Iterator[tuple[str, str]]:
    """Message and remedy of a call that names a code as its argument ``at``."""
    method = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    keywords = {keyword.arg: keyword.value for keyword in call.keywords}
    following = [found for argument in call.args[at + 1 :] if (found := texts(argument, names))]
    if method == "unknown":
        for what in following[0] if following else ["a name"]:
            yield f"{what} `...` does not exist", "the remedy names the nearest, or those that there are"
    elif method in ("require", "predicate", "check_ref"):
        what = {"require": "a kind", "predicate": "an expression", "check_ref": "a field"}[method]
        yield f"{what} that does not exist or does not fit", "the remedy names what does"
    else:
        given = [texts(keywords[name], names) for name in ("message", "remedy") if name in keywords] or following
        for message in given[0] if given else []:
            yield message, given[1][0] if len(given) > 1 and given[1] else ""


def issues_of(tree: ast.Module) -> Iterator[tuple[str, tuple[str, str]]]:
    """Every code of a module with one of its messages; a code whose message cannot be read comes with none."""
    functions = [node for node in ast.walk(tree) if isinstance(node, FUNCTIONS)]
    for scope in (tree, *functions):
        names = assigned(scope)
        for call in (node for node in within(scope) if isinstance(node, ast.Call)):
            keyword = next((each.value for each in call.keywords if each.arg == "code"), None)
            arguments = [*call.args, *([keyword] if keyword is not None else [])]
            for at, argument in enumerate(arguments):
                for text in texts(argument, names):
                    if CODE.fullmatch(text):
                        yield text, ("", "")
                        yield from ((text, each) for each in described(call, at, names))


def collect() -> dict[str, list[tuple[str, str]]]:
    found: dict[str, dict[tuple[str, str], None]] = defaultdict(dict)
    for path in source_files():
        text = path.read_text(encoding="utf-8")
        for code in codes_in(text):
            found[code].setdefault(("", ""))
        for code, told in issues_of(ast.parse(text)):
            found[code].setdefault(told)
    return {code: [told for told in messages if told[0]] for code, messages in sorted(found.items())}


def cell(text: str) -> str:
    text = re.sub(r"\.{4,}", "...", text)
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;").replace("*", "\\*")


def rows(code: str, messages: list[tuple[str, str]]) -> Iterator[str]:
    for index, (message, remedy) in enumerate(messages or [("see the message", "")]):
        yield f"| {code if index == 0 else ''} | {cell(message)} | {cell(remedy)} |"


def render() -> str:
    found = collect()
    areas = list(dict.fromkeys([*AREAS, *(code.split("-")[1] for code in found)]))
    lines = [HEAD]
    for area in areas:
        codes = [code for code in found if code.split("-")[1] == area]
        if codes:
            lines += [f"## {AREAS.get(area, area.capitalize())}", "", "| Code | What is wrong | What to do |"]
            lines += ["|---|---|---|", *(row for code in codes for row in rows(code, found[code])), ""]
    return "\n".join(lines)


def main() -> int:
    PAGE.write_text(render(), encoding="utf-8")
    print(f"{PAGE.relative_to(ROOT)} written")
    return 0


if __name__ == "__main__":
    sys.exit(main())
