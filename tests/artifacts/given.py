"""What a stack is given: the parameters of samconfig.toml, and what references stand for."""

import tomllib

from tests.artifacts.built import QUEUE_URLS, ROOT

CONFIG = tomllib.loads((ROOT / "samconfig.toml").read_text(encoding="utf-8"))

RESOLVED = {
    "LedgerTable": "ledger",
    "AppSecret": "secret",
    "TokenKeyAlias": "alias/pointbook-prod-tokens",
    "PrivacyBucket": "privacy",
    "HeadsBucket": "heads",
    "StatementsBucket": "statements",
    "ImportsBucket": "imports",
    "OperatorTopic": "operator",
    **QUEUE_URLS,
}
"""What a reference to a resource of the template becomes in a deployed stack."""


def overrides(environment: str) -> dict[str, str]:
    """The parameters that an environment of samconfig.toml gives."""
    given = CONFIG[environment]["global"]["parameters"]["parameter_overrides"]
    return dict(one.split("=", 1) for one in given)
