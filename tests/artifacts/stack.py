"""The built functions in Lambda's runtime, on the services of MiniStack and a Shopify."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from local import demo, processes
from tests.artifacts.built import ANSWERS_HTTP, FUNCTIONS, ROOT, function_property, variables
from tests.artifacts.cloud import Cloud
from tests.artifacts.lambda_runtime import (
    HOST,
    RunningFunction,
    running,
    wait_for_port,
)
from tests.support.harness import SECRETS, event
from tests.support.ports import free_port


@dataclass(slots=True)
class Stack:
    """The built functions on one table; each is started when it is first called."""

    build: Path
    cloud: Cloud
    directory: Path
    environment: Mapping[str, str]
    ending: ExitStack
    started: dict[str, RunningFunction] = field(default_factory=dict)

    def function(self, name: str) -> RunningFunction:
        """A function, running."""
        if name not in self.started:
            self.started[name] = self.ending.enter_context(
                running(
                    self.build / FUNCTIONS[name],
                    self.build / "CommonLayer" / "python",
                    {
                        **variables(name, values_for(self.environment["STAGE"], self.cloud)),
                        **self.environment,
                        "AWS_ENDPOINT_URL": self.cloud.url,
                    },
                    self.directory / f"{name}.log",
                    function_property(name, "Timeout"),
                )
            )
        return self.started[name]

    def invoke(self, name: str, payload: Mapping[str, Any]) -> dict[str, Any]:
        """What a function returns; an HTTP answer is checked to be one."""
        answer: dict[str, Any] = self.function(name).invoke(payload)
        if name in ANSWERS_HTTP:
            check_http_answer(answer)
        return answer

    def sample(self, name: str, case: str) -> dict[str, Any]:
        """The status and the body by which a sample event is answered."""
        return response(self.invoke(name, event(name, case)))


def values_for(stage: str, cloud: Cloud) -> dict[str, str]:
    """The template's parameters and resources, as the demo shop of a stage has them."""
    return {
        "Stage": stage,
        "ShopDomain": demo.SHOP_DOMAIN,
        "ShopifyClientId": demo.SHOPIFY_CLIENT_ID,
        **demo.PARAMETERS,
        **cloud.resolved,
    }


def local_environment(clock: Path, shopify_url: str) -> dict[str, str]:
    """What the laptop stack adds."""
    return {
        "STAGE": "local",
        "LOCAL_SECRETS": json.dumps(SECRETS),
        "LOCAL_CLOCK_FILE": str(clock),
        "LOCAL_SHOPIFY_URL": shopify_url,
    }


def check_http_answer(answer: dict[str, Any]) -> None:
    """What an HTTP API or a function URL accepts (payload version 2.0)."""
    assert answer.keys() <= {"statusCode", "headers", "body", "cookies", "isBase64Encoded"}, answer
    assert isinstance(answer["statusCode"], int)
    assert 200 <= answer["statusCode"] < 600
    assert all(isinstance(value, str) for value in answer["headers"].values())
    assert isinstance(answer["body"], str)
    assert answer.get("isBase64Encoded", False) is False


def response(answer: Mapping[str, Any]) -> dict[str, Any]:
    """Status and body as an object."""
    return {"status": answer["statusCode"], **json.loads(answer["body"])}


@contextmanager
def shopify(log_file: Path) -> Iterator[str]:
    """The fake Shopify with a memory of its own. Its URL."""
    port = free_port()
    command: list[str | Path] = [sys.executable, "-m", "local.fakes.shopify"]
    path = os.pathsep.join((str(ROOT), str(ROOT / "layers" / "common" / "python")))
    environment = {"PATH": os.defpath, "LANG": "C.UTF-8", "PYTHONPATH": path}
    process = processes.start([*command, "--port", str(port)], environment, log_file)
    try:
        wait_for_port(port, log_file)
        yield f"http://{HOST}:{port}"
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
