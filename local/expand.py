"""Expands SAM's resources in a template to plain CloudFormation; standard input to output, JSON.

Runs on the interpreter of .venv-sam with the translator that AWS itself uses. The emulator could do
it too, but then the translator and its dependencies would be importable by every handler.
"""

import json
import os
import sys
from types import SimpleNamespace

from samtranslator.translator.transform import transform

_MANAGED_POLICIES_BY_NAME = SimpleNamespace(load=dict)
"""The template refers to no managed policy, so none is looked up in an account."""


def main() -> None:
    """Expand one template."""
    os.environ["AWS_DEFAULT_REGION"] = sys.argv[1]
    json.dump(transform(json.load(sys.stdin), {}, _MANAGED_POLICIES_BY_NAME), sys.stdout)


if __name__ == "__main__":
    main()
