"""Loads configuration: files merged left to right, then overrides, then every interpolation resolved once.

Interpolations are those of OmegaConf (``${app.name}``, ``${oc.env:PORT,8080}``), and ``${loom.secret:NAME}``, which
reads a file called ``NAME`` in the folder of secrets (``LOOM_SECRETS_DIR``, else ``/run/secrets``) or else the
environment variable ``NAME``. An interpolation gives text; see ``spoken`` for how a number is made of it.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from loom.config.loaded import Loaded
from loom.config.overrides import load_plain


def load(*files: str | Path, overrides: Iterable[str] = ()) -> Loaded:
    """Read and merge files, apply overrides, resolve interpolations.

    Args:
        files: YAML files, the later winning over the earlier; lists are replaced, mappings merged. None is an empty
            configuration.
        overrides: ``section.key=value`` each, with the value in YAML; they win over the files.

    Raises:
        ConfigError: files or overrides that cannot be read at all; every one of them. Values that cannot be resolved
            are in the result's ``issues``, so that they are told together with wrong types and unknown keys.
    """
    given = tuple(overrides)
    plain = None if files else load_plain(given)
    if plain is not None:
        return plain
    from loom.config.merging import load_merged

    return load_merged(files, given)
