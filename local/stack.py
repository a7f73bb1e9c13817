"""stack.json: the addresses, names and keys of a running stack, for tools and tests."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Self

from local.problems import LocalProblem


@dataclass(frozen=True, slots=True)
class Stack:
    """A running stack. Any HTTP client can use its URLs as they are. Fields are the JSON's names.

    `function_urls` and `functions` (names at Lambda) are by function, such as flow_action_grant.
    `build_dir` has the built artifacts, one folder per function with its app.py, the layer's
    package under `<layer>/python`. `python` is the handlers' interpreter; it has boto3.
    `shopify_stand_in_url` and `till_stand_in_url` are the fakes; None if there is none.
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
    demo_staff: list[str]
    build_dir: str
    python: str

    def write(self, file: Path) -> None:
        """Write the file atomically, without fields that are None."""
        content = {name: value for name, value in asdict(self).items() if value is not None}
        new = file.with_suffix(".new")
        new.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
        new.replace(file)

    @classmethod
    def read(cls, file: Path) -> Self:
        """Read the stack from `file`. Raises LocalProblem."""
        try:
            content = json.loads(file.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise LocalProblem(f"{file} is missing: no stack is running here.") from None
        return cls(**{one.name: content.get(one.name) for one in fields(cls)})
