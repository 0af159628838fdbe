"""The command line: ``loom check``, ``loom routes``, ``loom serve`` and ``loom config show``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from loom.domain.errors import CompileError, ConfigError, LoomError

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
config = typer.Typer(no_args_is_help=True, help="Look at the configuration.")
app.add_typer(config, name="config")

Files = Annotated[list[Path] | None, typer.Argument(help="YAML files, merged left to right.", show_default=False)]
Overrides = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="SECTION.KEY=VALUE", help="Override one value; may be repeated.", show_default=False),
]


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


def main() -> None:
    """Entry point of the ``loom`` command."""
    app(prog_name="loom")


def _import_from_here() -> None:
    # An installed command does not look into the working folder, where the application mostly is.
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)


def _fail(error: LoomError) -> NoReturn:
    text = str(error) if isinstance(error, CompileError | ConfigError) else f"{error.code} {error}"
    typer.echo(text, err=True)
    raise typer.Exit(1)
