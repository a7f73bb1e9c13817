"""The bugs that are planted."""

from typing import Final

from tests.simulation.mutations.planted import Bug

ERASURE_BUGS: Final = tuple[Bug, ...]()
