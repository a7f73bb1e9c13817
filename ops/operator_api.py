"""The HTTP API's calls for operators, signed with the credentials of whoever runs the command."""

import json
from dataclasses import dataclass
from typing import Any

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.exceptions import BotoCoreError, NoCredentialsError
from botocore.httpsession import URLLib3Session

from ops.problems import OpsProblem
from ops.target import Target

_ANSWER_SECONDS = 35
"""Longer than API Gateway waits itself."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the API says; `repeated`: the request had been carried out before."""

    status: int
    body: dict[str, Any]
    repeated: bool = False

    @property
    def why(self) -> str:
        """The reason of a refusal, the API's or the gateway's in front of it."""
        said = self.body.get("detail") or self.body.get("message") or "no reason given"
        code = f" {self.body['code']}" if "code" in self.body else ""
        return f"{self.status}{code}: {said}"


def post(stack: Target, path: str, content: object, headers: dict[str, str]) -> Answer | None:
    """Send a signed request; None where no answer came, so that nobody knows what was done.

    Raises OpsProblem where there are no credentials to sign with.
    """
    body = json.dumps(content, ensure_ascii=False).encode()
    headers = {"Content-Type": "application/json"} | headers
    request = AWSRequest("POST", f"{stack.api_url}{path}", headers=headers, data=body)
    credentials, region = stack.session.get_credentials(), stack.session.region_name
    try:
        SigV4Auth(credentials, "execute-api", region).add_auth(request)
        response = URLLib3Session(timeout=_ANSWER_SECONDS).send(request.prepare())
    except NoCredentialsError as error:
        raise OpsProblem(f"{stack.name}: {error}") from error
    except BotoCoreError:
        return None
    try:
        said = json.loads(response.content)
    except ValueError:
        said = {}
    repeated = response.headers.get("Idempotent-Replay") == "true"
    return Answer(response.status_code, said, repeated)
