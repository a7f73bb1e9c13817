"""A client that counts: calls, and the units that the engine says they cost."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

_WRITES = frozenset({"transact_write_items", "put_item"})


@dataclass(frozen=True, slots=True)
class Call:
    """One call: what was sent, and how many units the engine reports (0 if it reports none)."""

    operation: str
    request: dict[str, Any]
    units: float


class CountingClient:
    """Passes everything on to a real client. A call that fails counts as well, without units."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self.calls: list[Call] = []

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        def call(**request: Any) -> Any:
            units = 0.0
            try:
                send = getattr(self._client, operation)
                answer = send(**request, ReturnConsumedCapacity="TOTAL")
                units = _units(answer.get("ConsumedCapacity", []))
            finally:
                self.calls.append(Call(operation, request, units))
            return answer

        return call

    @property
    def operations(self) -> list[str]:
        """What was called, in order."""
        return [call.operation for call in self.calls]

    @property
    def read_units(self) -> float:
        """What the reads cost."""
        return sum(call.units for call in self.calls if call.operation not in _WRITES)

    @property
    def write_units(self) -> float:
        """What the writes cost."""
        return sum(call.units for call in self.calls if call.operation in _WRITES)

    def requests(self, operation: str) -> list[dict[str, Any]]:
        """What was sent by this operation, in order."""
        return [call.request for call in self.calls if call.operation == operation]

    def forget(self) -> None:
        """Count from zero."""
        self.calls.clear()


def _units(reported: Any) -> float:
    parts = [reported] if isinstance(reported, dict) else reported
    return sum(part["CapacityUnits"] for part in parts)
