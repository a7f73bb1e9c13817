"""The bugs that are planted."""

from typing import Final

from tests.simulation.mutations.planted import Bug

HOLD_BUGS: Final = tuple[Bug, ...]()
HARMLESS_TO_HOLDS: Final = tuple[Bug, ...]()
