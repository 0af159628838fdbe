"""Migrations of a database, by Alembic: all tables made at once, the difference to the models written as a file, and
the files applied.

A file says what changes on one kind of database: write it on the kind that it is for. All that a command does is one
transaction, so a migration that fails leaves nothing half done. On PostgreSQL two commands at once wait for each other.
"""

from __future__ import annotations

import io
import traceback
import warnings
from argparse import Namespace
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.operations.ops import MigrationScript
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool

from loom.adapters.sqlalchemy.constraints import constrained
from loom.adapters.sqlalchemy.rendering import changed_keys, complete
from loom.adapters.sqlalchemy.settings import SqlalchemySettings
from loom.adapters.sqlalchemy.storage import POSTGRESQL, SQLITE
from loom.adapters.sqlalchemy.system_tables import SYSTEM_MODELS, add_system_indexes
from loom.adapters.sqlalchemy.tables import Catalogue, catalogue_of
from loom.adapters.sqlalchemy.translations import translation_of
from loom.adapters.sqlalchemy.url import read_url, shown
from loom.application.compile import Issues
from loom.application.graph import compile_graph
from loom.domain.errors import ConfigError, Issue, Place
from loom.domain.frozen import frozen

T = TypeVar("T")
VERSION_TABLE = "loom_migrations"
"""The table in which the database keeps how far it has been migrated."""
_SCRIPTS = Path(__file__).with_name("migration_scripts")
_LOCK = 0x6C6F6F6D_00000003


@frozen(kw_only=True)
class Difference:
    """What ``diff`` found: the file that it wrote, or ``None`` where nothing differs, and the tables that no model has,
    which stay as they are."""

    file: Path | None
    without_model: tuple[str, ...]


class Migrations:
    """The migrations of one deployment.

    Args:
        settings: say which database, and in which folder the files are.
        models: all entities of the deployment.

    Raises:
        CompileError: the models have faults.
        ConfigError: the address cannot be used.
    """

    def __init__(self, settings: SqlalchemySettings, models: Iterable[type]) -> None:
        self._url = read_url(settings.url)
        self._folder = Path(settings.migrations)
        self._catalogue = _catalogue([*models, *SYSTEM_MODELS], self._url.get_backend_name())
        self._translation = translation_of(self._url.get_backend_name(), shown(self._url), self._catalogue)

    async def create(self) -> tuple[str, ...]:
        """Make every table that is missing, and note that the files there are need not be applied any more; returns the
        names of the tables.

        Raises:
            Unavailable: the database does not answer.
        """
        return await self._run(self._create)

    async def diff(self, message: str) -> Difference:
        """Write a file with what changes the database into what the models say.

        Args:
            message: what it is about; part of the file's name.

        Raises:
            ConfigError: files have not been applied yet.
            Unavailable: the database does not answer.
        """
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            message = f"the folder {self._folder} cannot be made: {error.strerror}"
            raise _refused(message, "correct persistence.migrations") from error
        return await self._run(lambda connection: self._diff(connection, message))

    async def upgrade(self) -> tuple[str, ...]:
        """Apply every file that has not been applied; returns their names in order.

        Raises:
            ConfigError: the files do not follow each other, the database was migrated by others, or a file failed.
            Unavailable: the database does not answer.
        """
        return await self._run(self._upgrade)

    def _create(self, connection: sa.Connection) -> tuple[str, ...]:
        before = set(sa.inspect(connection).get_table_names())
        self._catalogue.metadata.create_all(connection)
        if self._has_files():
            command.stamp(self._config(connection), "head")
        return tuple(name for name in self._catalogue.tables if name not in before)

    def _diff(self, connection: sa.Connection, message: str) -> Difference:
        present = set(sa.inspect(connection).get_table_names()) - {VERSION_TABLE}
        made = command.revision(self._config(connection), message, autogenerate=True)
        scripts = [script for script in (made if isinstance(made, list) else [made]) if script is not None]
        file = Path(scripts[0].path) if scripts else None
        return Difference(file=file, without_model=tuple(sorted(present - set(self._catalogue.metadata.tables))))

    def _upgrade(self, connection: sa.Connection) -> tuple[str, ...]:
        reached = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE}).get_current_heads()
        if not self._has_files():
            if reached:
                message = f"the database was migrated by files that are not in {self._folder.absolute()}"
                raise _refused(message, "correct persistence.migrations, or the folder in which this is run")
            return ()
        config = self._config(connection)
        scripts = ScriptDirectory.from_config(config)
        waiting = list(scripts.iterate_revisions("heads", reached))
        with _counters_kept(connection):
            command.upgrade(config, "head")
        _check_references(connection)
        return tuple(Path(script.path).name for script in reversed(waiting))

    def _has_files(self) -> bool:
        return self._folder.is_dir() and any(self._folder.glob("*.py"))

    def _config(self, connection: sa.Connection) -> Config:
        config = Config(stdout=io.StringIO(), cmd_opts=Namespace(quiet=True))
        options = {
            "script_location": str(_SCRIPTS),
            "version_locations": str(self._folder.absolute()),
            "path_separator": "newline",
            "file_template": "%(year)d%(month).2d%(day).2d_%(rev)s_%(slug)s",
        }
        for name, value in options.items():
            config.set_main_option(name, value.replace("%", "%%"))
        config.attributes["loom"] = {
            "connection": connection,
            "target_metadata": self._catalogue.metadata,
            "version_table": VERSION_TABLE,
            "render_as_batch": connection.dialect.name == SQLITE,
            "compare_type": True,
            "autogenerate_plugins": ["alembic.autogenerate.*", "alembic.ext.checkconstraint_byname"],
            "include_name": self._is_ours,
            "process_revision_directives": self._processed,
        }
        return config

    def _is_ours(self, name: str | None, kind: str, parents: object) -> bool:
        # A table without a model may be somebody else's: it is never dropped by itself.
        return kind != "table" or name in self._catalogue.metadata.tables

    def _processed(self, context: MigrationContext, revision: object, directives: list[MigrationScript]) -> None:
        found = directives[0].upgrade_ops
        if found is not None and context.connection is not None:
            found.ops.extend(changed_keys(context.connection, self._catalogue))
        if found is None or found.is_empty():
            directives.clear()
        else:
            complete(directives[0], self._catalogue, context.dialect)

    async def _run(self, work: Callable[[sa.Connection], T]) -> T:
        with self._translation.translated(), _explained(self._folder):
            async with _connected(self._url) as connection:
                done = await connection.run_sync(lambda used: _quietly(work, used))
                await connection.commit()
                return done


def _catalogue(models: Iterable[type], dialect: str) -> Catalogue:
    issues = Issues()
    schemas = compile_graph(models, issues).schemas
    issues.raise_if_any()
    made = constrained(catalogue_of(schemas, dialect), dialect)
    add_system_indexes(made, dialect)
    return made


@asynccontextmanager
async def _connected(url: sa.URL) -> AsyncIterator[AsyncConnection]:
    arguments: dict[str, Any] = {"isolation_level": None} if url.get_backend_name() == SQLITE else {}
    engine = create_async_engine(url, poolclass=NullPool, hide_parameters=True, connect_args=arguments)
    if url.get_backend_name() == SQLITE:
        # A table that is copied and dropped would take the rows that refer to it along.
        event.listen(engine.sync_engine, "connect", lambda raw, _: raw.execute("PRAGMA foreign_keys = OFF").close())
        event.listen(engine.sync_engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
    try:
        async with engine.connect() as connection:
            await connection.begin()
            if url.get_backend_name() == POSTGRESQL:
                await connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
            yield connection
    finally:
        await engine.dispose()


@contextmanager
def _counters_kept(connection: sa.Connection) -> Iterator[None]:
    """Let a table that SQLite copies count on where it was; the copy knows only the numbers of the rows that stay."""
    before = _counters(connection)
    yield
    after = _counters(connection)
    for name, last in before.items():
        if name in after:
            statement = "UPDATE sqlite_sequence SET seq = max(seq, ?) WHERE name = ?"
        elif sa.inspect(connection).has_table(name):
            statement = "INSERT INTO sqlite_sequence (seq, name) VALUES (?, ?)"
        else:
            continue
        connection.exec_driver_sql(statement, (last, name))


def _counters(connection: sa.Connection) -> dict[str, int]:
    # The table is there as soon as the first one is that counts.
    if connection.dialect.name != SQLITE or not sa.inspect(connection).has_table("sqlite_sequence"):
        return {}
    found = connection.exec_driver_sql("SELECT name, seq FROM sqlite_sequence")
    return {row[0]: row[1] for row in found}


def _check_references(connection: sa.Connection) -> None:
    """Look after a migration on SQLite whether every reference still leads somewhere."""
    if connection.dialect.name == SQLITE:
        broken = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
        if broken is not None:
            raise _refused(f"a row of {broken[0]} would refer to a row of {broken[2]} that does not exist", "")


def _quietly(work: Callable[[sa.Connection], T], connection: sa.Connection) -> T:
    with warnings.catch_warnings():
        # Tables that refer to each other have no order; their references are made last.
        warnings.filterwarnings("ignore", "Cannot correctly sort tables", sa.exc.SAWarning)
        return work(connection)


@contextmanager
def _explained(folder: Path) -> Iterator[None]:
    try:
        with warnings.catch_warnings():
            # Alembic warns of a file that is gone, and then fails with a KeyError of its own.
            warnings.filterwarnings("error", "Revision .* is not present", UserWarning)
            yield
    except NotImplementedError as error:
        # What a file says that a person has yet to complete.
        raise _refused(str(error), f"write into the file in {folder} how, in place of this line") from error
    except (CommandError, UserWarning) as error:
        remedy = f"see the files in {folder}; loom db upgrade applies those that have not been applied"
        raise _refused(str(error).rstrip("."), remedy) from error
    except Exception as error:
        place = _line_of(error, folder.absolute())
        if place is None or (isinstance(error, DBAPIError) and error.connection_invalidated):
            raise
        cause = error.orig if isinstance(error, DBAPIError) else error
        message = f"{type(cause).__name__}: {cause}"
        raise _refused(message, "correct the file; nothing of it was applied", place) from error


def _line_of(error: Exception, folder: Path) -> Place | None:
    """The line of a migration's file that raised, or that is no Python; ``None`` where it was none of them."""
    lines = [(frame.filename, frame.lineno) for frame in traceback.extract_tb(error.__traceback__)]
    if isinstance(error, SyntaxError):
        lines.append((error.filename or "", error.lineno))
    own = [(file, line) for file, line in lines if Path(file).parent == folder]
    return Place(name="migrations", file=own[-1][0], line=own[-1][1] or 0) if own else None


def _refused(message: str, remedy: str, place: Place = Place(name="migrations")) -> ConfigError:
    return ConfigError([Issue(code="LOOM-DB-005", where=place, message=message, remedy=remedy)])
