"""The command line: ``loom check``, ``loom routes``, ``loom serve``, ``loom config show`` and ``loom db ...``."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn, TypeVar

import typer

from loom.domain.errors import CompileError, ConfigError, LoomError

if TYPE_CHECKING:
    from loom.adapters.sqlalchemy.migrations import Migrations

T = TypeVar("T")
app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
config = typer.Typer(no_args_is_help=True, help="Look at the configuration.")
app.add_typer(config, name="config")
db = typer.Typer(no_args_is_help=True, help="Make and migrate the tables of the database.")
app.add_typer(db, name="db")

Files = Annotated[list[Path] | None, typer.Argument(help="YAML files, merged left to right.", show_default=False)]
Overrides = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="SECTION.KEY=VALUE", help="Override one value; may be repeated.", show_default=False),
]
Message = Annotated[str, typer.Option("--message", "-m", help="What the migration is about; part of its file's name.")]


@app.callback()
def loom() -> None:
    """loom: one kernel for REST, jobs, ETL and streaming."""


@app.command()
def check(files: Files = None, overrides: Overrides = None) -> None:
    """Compile everything that the configuration would run, without starting anything, and print every issue."""
    from loom.config.kernel import Kernel

    _import_from_here()
    try:
        plans = Kernel.from_yaml(*(files or []), overrides=overrides or []).plans
    except LoomError as error:
        _fail(error)
    kinds = ("models", "interfaces", "jobs", "pipelines", "flows")
    typer.echo("no issues: " + ", ".join(f"{kind} {len(getattr(plans, kind))}" for kind in kinds))


@app.command()
def routes(files: Files = None, overrides: Overrides = None) -> None:
    """Print every route: method, path, status, the use case behind it, generated or not, and who may call."""
    from loom.application.rest.listing import routes_text
    from loom.config.kernel import Kernel
    from loom.ports.security import Authenticator

    _import_from_here()
    try:
        kernel = Kernel.from_yaml(*(files or []), overrides=overrides or [])
        secured = kernel.resolve(Authenticator).scheme is not None
        text = routes_text(kernel.plans.interfaces, secured=secured)
    except LoomError as error:
        _fail(error)
    typer.echo(text, nl=False)


@app.command()
def serve(files: Files = None, overrides: Overrides = None) -> None:
    """Serve every interface on the host and port of the section rest, until SIGINT or SIGTERM."""
    from loom.config.kernel import Kernel
    from loom.config.serving import serve as run

    _import_from_here()
    try:
        started = run(Kernel.from_yaml(*(files or []), overrides=overrides or []))
    except LoomError as error:
        _fail(error)
    if not started:
        raise typer.Exit(1)


@config.command()
def show(files: Files = None, overrides: Overrides = None) -> None:
    """Print the merged configuration with every default, secrets hidden."""
    from loom.config.loading import load
    from loom.config.show import show as shown
    from loom.config.structure import structure

    try:
        text = shown(structure(load(*(files or []), overrides=overrides or [])))
    except LoomError as error:
        _fail(error)
    typer.echo(text, nl=False)


@db.command()
def create(files: Files = None, overrides: Overrides = None) -> None:
    """Make every table that is missing; files of migrations that exist count as applied."""
    made = _migrate(files, overrides, lambda migrations: migrations.create())
    typer.echo("".join(f"created {name}\n" for name in made) or "nothing to create\n", nl=False)


@db.command()
def diff(files: Files = None, overrides: Overrides = None, message: Message = "changes") -> None:
    """Write a file with what changes the database into what the models say, to be read before it is applied."""
    found = _migrate(files, overrides, lambda migrations: migrations.diff(message))
    typer.echo(f"wrote {found.file}" if found.file else "no differences")
    for name in found.without_model:
        typer.echo(f"table {name} has no model; it stays, unless you write op.drop_table({name!r})")


@db.command()
def upgrade(files: Files = None, overrides: Overrides = None) -> None:
    """Apply every file that has not been applied."""
    applied = _migrate(files, overrides, lambda migrations: migrations.upgrade())
    typer.echo("".join(f"applied {name}\n" for name in applied) or "nothing to apply\n", nl=False)


def main() -> None:
    """Entry point of the ``loom`` command."""
    app(prog_name="loom")


def _migrate(
    files: list[Path] | None, overrides: list[str] | None, work: Callable[[Migrations], Coroutine[Any, Any, T]]
) -> T:
    from loom.config.kernel import Kernel
    from loom.config.migrations import migrations_of

    _import_from_here()
    try:
        return asyncio.run(work(migrations_of(Kernel.from_yaml(*(files or []), overrides=overrides or []))))
    except LoomError as error:
        _fail(error)


def _import_from_here() -> None:
    # An installed command does not look into the working folder, where the application mostly is.
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)


def _fail(error: LoomError) -> NoReturn:
    text = str(error) if isinstance(error, CompileError | ConfigError) else f"{error.code} {error}"
    typer.echo(text, err=True)
    raise typer.Exit(1)
