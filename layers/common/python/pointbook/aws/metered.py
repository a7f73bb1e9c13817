"""A client of DynamoDB that counts the capacity units it uses, and keeps to a rate of them."""

from collections.abc import Callable
from typing import Any

from pointbook.domain.ports import Clock


class MeteredClient:
    """Botocore's client, with a count; waits after a call for as long as the call was too fast."""

    def __init__(self, client: Any, clock: Clock, units_per_second: float | None = None) -> None:
        """Send through `client`; without a rate, as fast as it goes."""
        self._client = client
        self._clock = clock
        self._rate = units_per_second
        self._began = clock.monotonic()
        self.units = 0.0
        """The read and write units of all calls so far, as DynamoDB reports them."""

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        """One of the client's operations."""
        send = getattr(self._client, operation)

        def call(**request: Any) -> Any:
            answer = send(**request, ReturnConsumedCapacity="TOTAL")
            consumed = answer.get("ConsumedCapacity", [])
            for part in consumed if isinstance(consumed, list) else [consumed]:
                self.units += part["CapacityUnits"]
            self._wait()
            return answer

        return call

    @property
    def seconds(self) -> float:
        """Seconds since the first call could be made."""
        return self._clock.monotonic() - self._began

    def _wait(self) -> None:
        ahead = self.units / self._rate - self.seconds if self._rate else 0
        if ahead > 0:
            self._clock.sleep(ahead)
