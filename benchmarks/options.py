"""What the command line says to every area."""

import attrs


@attrs.frozen(kw_only=True)
class Options:
    """How to measure, and what of it to show.

    Attributes:
        quick: short bursts and few rounds.
        verbose: bare figures beside the ratios.
        databases: of ``sqlite`` and ``postgresql``.
        only: parts of names; empty means everything.
    """

    quick: bool = False
    verbose: bool = False
    databases: tuple[str, ...] = ("sqlite", "postgresql")
    only: tuple[str, ...] = ()

    def wants(self, name: str) -> bool:
        """Whether something of that name is to be measured."""
        return not self.only or any(text in name for text in self.only)
