"""The stack's functions, as commands invoke them."""

import json
from typing import Any

from botocore.config import Config

from cli.aws_errors import AWS_ERRORS, in_words
from cli.errors import CommandFailed, NotReachable
from cli.target import Target

_FUNCTION_SECONDS = 900


class Functions:
    """The functions of one stack, by their logical ids in the template."""

    def __init__(self, stack: Target) -> None:
        """Look up which functions the stack has."""
        self._stack = stack
        self._names = stack.resources("AWS::Lambda::Function")
        # A function runs as long as it may, and a call that is given up would run on.
        config = Config(read_timeout=_FUNCTION_SECONDS, retries={"max_attempts": 0})
        self._client = stack.session.client(
            "lambda", endpoint_url=stack.endpoint_url, config=config
        )

    def __contains__(self, logical_id: str) -> bool:
        """Whether the stack has this function."""
        return logical_id in self._names

    def require(self, logical_id: str) -> None:
        """Raise CommandFailed if the stack does not have this function."""
        if logical_id not in self:
            raise CommandFailed(
                f"The stack {self._stack.name} has no {logical_id}; deploy it again."
            )

    def invoke(self, logical_id: str, event: dict[str, Any]) -> dict[str, Any]:
        """Return the function's answer. Raises CommandFailed, NotReachable."""
        name = self._names[logical_id]
        try:
            answer = self._client.invoke(FunctionName=name, Payload=json.dumps(event).encode())
            found: dict[str, Any] = json.loads(answer["Payload"].read())
        except AWS_ERRORS as error:
            raise NotReachable(f"{name} cannot be called. {in_words(error)}") from error
        if "FunctionError" in answer:
            raise CommandFailed(f"{name} failed; its log says why: {found.get('errorMessage')}")
        return found

    def page(self, logical_id: str, event: dict[str, Any]) -> dict[str, Any]:
        """Return a page of the function's results, or raise what it refused the page with."""
        found = self.invoke(logical_id, event)
        if "code" in found:
            failed = NotReachable if found["retry"] else CommandFailed
            raise failed(f"{found['code']}: {found['message']}")
        return found
