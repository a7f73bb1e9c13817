"""Move a demo customer's points on the running stack, as Shopify Flow and my page would.

make run DETACH=1 && .venv/bin/python -m local.tour
"""

import sys
import time
import uuid
from typing import Any

import requests

from local import signing
from local.options import ROOT
from local.problems import LocalProblem
from local.stack import Stack

_LEVEL_WITHIN_SECONDS = 10.0


class Tour:
    """A client of the stack: Shopify's signed requests, and my page with a session token."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.customer = stack.demo_customers[0]

    def flow(self, action: str, points: int, run: str) -> dict[str, Any]:
        """Run the action `grant` or `consume`; the same `run` again has no further effect."""
        properties = {"customer_id": self.customer, "points": points, "reason": "Tour"}
        body = signing.flow_request(f"{action}-points", properties, run)
        headers = {"X-Shopify-Hmac-Sha256": signing.flow_signature(body)}
        url = self.stack.function_urls[f"flow_action_{action}"]
        answer = requests.post(url, data=body, headers=headers, timeout=30)
        value: dict[str, Any] = _content(answer)["return_value"]
        return value

    def my_page(self, path: str) -> dict[str, Any]:
        """Return the API's answer to my page of the customer."""
        headers = {"Authorization": f"Bearer {signing.session_token(self.customer)}"}
        url = f"{self.stack.api_url}/v1/customers/me/{path}"
        return _content(requests.get(url, headers=headers, timeout=30))

    def level_points(self) -> dict[str, Any]:
        """Return the points as my page gets them once the till has the ledger's, or after a while.

        Changes are pushed to the till within a second or so; a stack may have no till.
        """
        give_up = time.monotonic() + _LEVEL_WITHIN_SECONDS
        while True:
            found = self.my_page("points")
            levels = (None, found["figures"]["approved"])
            if found["till"]["balance"] in levels or time.monotonic() > give_up:
                return found
            time.sleep(0.2)


def main() -> int:
    """Show the tour on the running stack; return the exit status."""
    try:
        show(Tour(Stack.read(ROOT / ".local" / "stack.json")))
    except LocalProblem as problem:
        print(problem, file=sys.stderr)
        return 1
    except requests.RequestException as error:
        print(f"The local stack does not answer: {error}", file=sys.stderr)
        return 1
    return 0


def show(tour: Tour) -> None:
    """Print what a grant, a consume and its repetition do. Raises LocalProblem."""
    run = f"tour-{uuid.uuid4()}"
    for what, action, points in (
        ("grant 1,250", "grant", 1250),
        ("consume 300", "consume", 300),
        ("the same again", "consume", 300),
    ):
        value = tour.flow(action, points, run)
        print(f"{what:15} approved {value['approved']:,}, entry {value['entry_id']}", end="")
        print(" (duplicate)" if value["duplicate"] else "")
    found = tour.level_points()
    shown = found["display"]
    print(f"{'figures':15} {found['figures']}")
    print(f"{'the till says':15} {shown['balance']} · {shown['expiry']} · {shown['rank']}")
    for entry in tour.my_page("points/history?limit=2")["entries"]:
        print(f"{'history':15} {entry['at']} {entry['topic']} {entry['approved_delta']:+,}")


def _content(answer: requests.Response) -> dict[str, Any]:
    """Return the JSON of an answer. Raises LocalProblem if it is not a 200."""
    if answer.status_code != 200:
        raise LocalProblem(f"{answer.url} answers {answer.status_code}: {answer.text}")
    content: dict[str, Any] = answer.json()
    return content


if __name__ == "__main__":
    sys.exit(main())
