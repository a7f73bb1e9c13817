"""stack.json: what tools and tests need to know of a running stack."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Self

from local.problems import LocalProblem


@dataclass(frozen=True, slots=True)
class Stack:
    """A running stack. Every address is reachable as it stands with an ordinary HTTP client.

    `function_urls` and `functions` (Lambda names) are by function, such as flow_action_grant.
    `build_dir` has the built artifacts, one folder a function with its app.py, the layer's package
    under `<layer>/python`. `python` is the interpreter that the handlers run on; it has boto3.
    The addresses of stand-ins are None when there is none.
    """

    front_url: str
    api_url: str
    function_urls: Mapping[str, str]
    functions: Mapping[str, str]
    aws_endpoint_url: str
    aws_region: str
    table_name: str
    secrets_name: str
    shop_domain: str
    shopify_client_id: str
    shopify_client_secret: str
    session_token_secret: str
    my_page_secret: str
    shopify_stand_in_url: str | None
    till_stand_in_url: str | None
    demo_customers: list[str]
    build_dir: str
    python: str

    def write(self, file: Path) -> None:
        """Write all but what is None, at once, so that no reader sees half of it."""
        content = {name: value for name, value in asdict(self).items() if value is not None}
        new = file.with_suffix(".new")
        new.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
        new.replace(file)

    @classmethod
    def read(cls, file: Path) -> Self:
        """The stack that `file` describes. Raises LocalProblem."""
        try:
            content = json.loads(file.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise LocalProblem(f"{file} is missing: no stack is running here.") from None
        return cls(**{one.name: content.get(one.name) for one in fields(cls)})
