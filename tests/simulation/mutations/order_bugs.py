"""The bugs that are planted."""

from typing import Final

from tests.simulation.mutations.planted import Bug

ORDER_BUGS: Final = tuple[Bug, ...]()
