"""Expands SAM's resources in a template to plain CloudFormation; standard input to output, JSON.

Runs on the interpreter of .venv-sam with the translator that AWS itself uses. The emulator could do
it too, but then the translator and all it needs would be on the path of every handler.
"""

import json
import os
import sys
from types import SimpleNamespace

from samtranslator.translator.transform import transform

_MANAGED_POLICIES_BY_NAME = SimpleNamespace(load=dict)
"""The template names no managed policy, so none has to be looked up in an account."""


def main() -> None:
    """Expand one template."""
    os.environ["AWS_DEFAULT_REGION"] = sys.argv[1]
    json.dump(transform(json.load(sys.stdin), {}, _MANAGED_POLICIES_BY_NAME), sys.stdout)


if __name__ == "__main__":
    main()
