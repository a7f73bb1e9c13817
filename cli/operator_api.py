"""A client of the operators' API that signs with the AWS credentials of the caller."""

import json
from dataclasses import dataclass
from typing import Any

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.exceptions import BotoCoreError, NoCredentialsError
from botocore.httpsession import URLLib3Session

from cli.aws_errors import in_words
from cli.errors import CommandFailed, NotReachable
from cli.target import Target

_FORBIDDEN = 403
_NOT_ALLOWED = (
    ". Log in to AWS again, or have your role given the policy in the stack's output"
    " OperatorPolicyArn (to change points) or OperatorReadPolicyArn (to read)."
)

_ANSWER_SECONDS = 35
"""Longer than API Gateway's own timeout."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer of the API; `repeated` if the request had been carried out before."""

    status: int
    body: dict[str, Any]
    repeated: bool = False

    @property
    def why(self) -> str:
        """The reason for a refusal by the API or by API Gateway."""
        detail = self.body.get("detail") or self.body.get("message") or "no reason given"
        code = f" {self.body['code']}" if "code" in self.body else ""
        return f"{self.status}{code}: {detail}{_NOT_ALLOWED if self.is_gateways_refusal else ''}"

    @property
    def is_gateways_refusal(self) -> bool:
        """Whether API Gateway refused the signature; no function was asked."""
        return self.status == _FORBIDDEN and "code" not in self.body


def post(stack: Target, path: str, content: object, headers: dict[str, str]) -> Answer | None:
    """Send a signed request; None if no answer came, so that the outcome is unknown.

    Raises CommandFailed if there are no credentials.
    """
    body = json.dumps(content, ensure_ascii=False).encode()
    headers = {"Content-Type": "application/json"} | headers
    return _send(stack, AWSRequest("POST", f"{stack.api_url}{path}", headers=headers, data=body))


def get(stack: Target, path: str, **query: object) -> Answer | None:
    """Send a signed read; None if no answer came. Parameters that are None are left out.

    Raises CommandFailed if there are no credentials.
    """
    given = {name: str(value) for name, value in query.items() if value is not None}
    return _send(stack, AWSRequest("GET", f"{stack.api_url}{path}", params=given))


def document(stack: Target, path: str, **query: object) -> dict[str, Any]:
    """Return what a read answers. Raises NotReachable, or CommandFailed if it was refused."""
    answer = get(stack, path, **query)
    if answer is None or answer.status >= 500:
        why = f" ({answer.why})" if answer else ""
        raise NotReachable(f"{stack.name} does not answer{why}. Try again in a moment.")
    if answer.status != 200:
        raise CommandFailed(answer.why)
    return answer.body


def _send(stack: Target, request: AWSRequest) -> Answer | None:
    credentials, region = stack.session.get_credentials(), stack.session.region_name
    try:
        SigV4Auth(credentials, "execute-api", region).add_auth(request)
        response = URLLib3Session(timeout=_ANSWER_SECONDS).send(request.prepare())
    except NoCredentialsError as error:
        raise CommandFailed(in_words(error)) from error
    except BotoCoreError:
        return None
    try:
        decoded = json.loads(response.content)
    except ValueError:
        decoded = {}
    repeated = response.headers.get("Idempotent-Replay") == "true"
    return Answer(response.status_code, decoded, repeated)
