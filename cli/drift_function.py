"""The stack's functions compare_till and push_till, as `pointbook drift` invokes them."""

import json
from collections.abc import Iterator
from typing import Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from cli.errors import CommandFailed, NotReachable
from cli.target import Target

FUNCTION, PUSHES = "CompareTillFunction", "PushTillFunction"
BATCH_MEMBERS = 20
"""The most customers that it compares in one page."""

_FUNCTION_SECONDS = 900


class CompareTill:
    """The stack's function compare_till."""

    def __init__(self, stack: Target, shop: str) -> None:
        """Raises CommandFailed if the stack has no such function."""
        functions = stack.resources("AWS::Lambda::Function")
        if FUNCTION not in functions:
            raise CommandFailed(f"The stack {stack.name} has no {FUNCTION}; deploy it again.")
        # The function runs as long as it may, and a call that is given up would run on.
        config = Config(read_timeout=_FUNCTION_SECONDS, retries={"max_attempts": 0})
        self._client = stack.session.client(
            "lambda", endpoint_url=stack.endpoint_url, config=config
        )
        self._function = functions[FUNCTION]
        self._pushes = functions.get(PUSHES)
        self.shop = shop

    def ask(self, **event: Any) -> dict[str, Any]:
        """Have it compare. Raises CommandFailed, NotReachable."""
        page = self._invoke(self._function, {"shop": self.shop, **event})
        if "code" in page:
            failed = NotReachable if page["retry"] else CommandFailed
            raise failed(f"{page['code']}: {page['message']}")
        return page

    def push(self) -> None:
        """Run push_till on what is queued, without waiting for its schedule."""
        if self._pushes is not None:
            self._invoke(self._pushes, {})

    def _invoke(self, function: str, event: dict[str, Any]) -> dict[str, Any]:
        try:
            answer = self._client.invoke(FunctionName=function, Payload=json.dumps(event).encode())
            found: dict[str, Any] = json.loads(answer["Payload"].read())
        except (ClientError, BotoCoreError) as error:
            raise NotReachable(f"{function} cannot be called: {error}") from error
        if "FunctionError" in answer:
            raise CommandFailed(f"{function} failed; its log says why: {found.get('errorMessage')}")
        return found

    def customers(self, customer_ids: list[str]) -> Iterator[dict[str, Any]]:
        """Compare these customers, page by page. Raises NotReachable if the till cannot answer."""
        left = customer_ids
        while left:
            page = self.ask(customers=left[:BATCH_MEMBERS])
            yield page
            rest = left[BATCH_MEMBERS:]
            check(page)
            left = [*(page["stopped"] or {"left": []})["left"], *rest]


def check(page: dict[str, Any]) -> None:
    """Raise NotReachable if the till could not be asked any more."""
    stopped = page["stopped"]
    if stopped and stopped["code"] != "time_up":
        raise NotReachable(
            f"The till cannot be asked now ({stopped['code']}): {stopped['message']}"
        )
