"""docs/openapi.yaml as tests use it: which operations there are, and whether messages conform.

Schemas of answers are closed here: a member that the description does not name is a fault, although
clients have to accept it. What is sent may have more members than are described.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Protocol
from urllib.parse import parse_qsl, unquote

import jsonschema_rs

from tools import openapi

FUNCTION_URL = "/fn/"
"""The path under which the laptop has function URLs."""

type Example = tuple[str, Mapping[str, Any], Any, bool]


class Answer(Protocol):
    """An answer over HTTP; names of headers in any case."""

    status: int
    headers: dict[str, str]
    text: str


class Mismatch(AssertionError):
    """A request or an answer is not as described."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path, with references resolved."""

    path: str
    method: str
    content: Mapping[str, Any]

    @property
    def name(self) -> str:
        """The operation's id: the name of its function, where that has no other operation."""
        return str(self.content["operationId"])

    @property
    def function(self) -> str:
        """The function that answers: `x-function`, or else the operation's id."""
        return str(self.content.get("x-function", self.name.removesuffix("_preflight")))

    def is_at(self, path: str) -> bool:
        """Whether a path is this operation's; function URLs answer on any path."""
        pattern = re.sub(r"\\{\w+\\}", "[^/]+", re.escape(self.path))
        return self.path.startswith(FUNCTION_URL) or bool(re.fullmatch(pattern, path))

    def codes(self) -> set[tuple[int, str]]:
        """Every status with every code that it may come with."""
        return {
            (int(status), code)
            for status, response in self.content["responses"].items()
            for media in response.get("content", {}).values()
            for code in openapi.codes(media["schema"])
        }


@cache
def document() -> dict[str, Any]:
    """The description as it is written."""
    return openapi.read()


@cache
def operations() -> dict[str, Operation]:
    """All operations, by their ids."""
    found: dict[str, Operation] = {}
    for path, item in document()["paths"].items():
        for method in openapi.METHODS:
            if method in item:
                content = _resolved(item[method])
                own = content.get("parameters", [])
                content["parameters"] = [*_resolved(item.get("parameters", [])), *own]
                assert content["operationId"] not in found
                found[content["operationId"]] = Operation(path, method, content)
    return found


def operation_of(function: str, event: Mapping[str, Any]) -> Operation | None:
    """The operation that an event is a request of; None if its method is not described."""
    method = str(event.get("requestContext", {}).get("http", {}).get("method", "")).lower()
    found = [
        one for one in operations().values() if (one.function, one.method) == (function, method)
    ]
    return next((one for one in found if one.is_at(event["rawPath"])), None)


def check_answer(operation: Operation, answer: Answer) -> None:
    """Raise Mismatch unless this is one of the operation's answers, headers included."""
    where = f"{operation.name} {answer.status}"
    response = operation.content["responses"].get(str(answer.status))
    if response is None:
        raise Mismatch(f"{where} is not described: {answer.text[:300]}")
    headers = {name.lower(): value for name, value in answer.headers.items()}
    for name, header in response.get("headers", {}).items():
        value = headers.get(name.lower())
        if value is None and header.get("required"):
            raise Mismatch(f"{where} lacks the header {name}")
        if value is not None:
            _check(header["schema"], value, f"{where}, header {name}")
    media_type = headers.get("content-type", "").partition(";")[0]
    media = response.get("content", {}).get(media_type)
    if media is None:
        if answer.text or response.get("content"):
            raise Mismatch(f"{where} is not described as {media_type!r}: {answer.text[:300]}")
        return
    value = json.loads(answer.text) if "json" in media_type else answer.text
    _check(media["schema"], value, where, closed=True)


def check_request(operation: Operation, event: Mapping[str, Any]) -> None:
    """Raise Mismatch unless this event of the gateway is a request as described."""
    query = dict(parse_qsl(event.get("rawQueryString", ""), keep_blank_values=True))
    headers = {name.lower(): value for name, value in event["headers"].items()}
    path = {name: unquote(one) for name, one in (event.get("pathParameters") or {}).items()}
    given = {"path": path, "query": query, "header": headers}
    for parameter in operation.content["parameters"]:
        name, where = parameter["name"], parameter["in"]
        value = given[where].get(name.lower() if where == "header" else name)
        if value is None and parameter.get("required"):
            raise Mismatch(f"{operation.name} lacks {where} {name}")
        if value is not None:
            schema = parameter["schema"]
            number = schema.get("type") == "integer" and value.lstrip("-").isdigit()
            _check(schema, int(value) if number else value, f"{operation.name}, {where} {name}")
    body = operation.content.get("requestBody")
    if body is not None:
        schema = body["content"]["application/json"]["schema"]
        try:
            value = json.loads(event["body"])
        except ValueError as error:
            raise Mismatch(f"{operation.name}: the body is no JSON") from error
        _check(schema, value, operation.name)


def examples() -> Iterator[Example]:
    """Each example: where it is, its schema, its value, and whether it is an answer's."""
    for name, operation in operations().items():
        for parameter in operation.content["parameters"]:
            yield from _of_value(f"{name}, {parameter['name']}", parameter)
        yield from _of_media(f"{name}, request", operation.content.get("requestBody", {}), False)
        for status, response in operation.content["responses"].items():
            yield from _of_media(f"{name} {status}", response, True)
            for header, content in response.get("headers", {}).items():
                yield from _of_value(f"{name} {status}, {header}", content)
    for name, schema in document()["components"]["schemas"].items():
        for example in schema.get("examples", []):
            yield f"schema {name}", _resolved(schema), example, False


def check_example(where: str, schema: Mapping[str, Any], value: Any, closed: bool) -> None:
    """Raise Mismatch unless an example is as its schema says."""
    _check(schema, value, where, closed=closed)


def _of_value(where: str, content: Mapping[str, Any]) -> Iterator[Example]:
    """The example of a parameter or a header."""
    if "example" in content:
        yield where, content["schema"], content["example"], False


def _of_media(where: str, body: Mapping[str, Any], closed: bool) -> Iterator[Example]:
    for media in body.get("content", {}).values():
        for name, example in media.get("examples", {}).items():
            yield f"{where}, {name}", media["schema"], example["value"], closed


def _resolved(part: Any) -> Any:
    return openapi.resolved(document(), part)


def _closed(schema: Any) -> Any:
    """The schema without further members, wherever a value may be an object."""
    closed = _closed_within(schema)
    return {**closed, "unevaluatedProperties": False} if _has_members(schema) else closed


def _closed_within(schema: Any) -> Any:
    closed = dict(schema)
    if "properties" in schema:
        closed["properties"] = {name: _closed(one) for name, one in schema["properties"].items()}
    for word in ("items", "additionalProperties"):
        if word in schema:
            closed[word] = _closed(schema[word])
    for word in openapi.COMBINED:
        if word in schema:
            closed[word] = [_closed_within(one) for one in schema[word]]
    return closed


def _has_members(schema: Any) -> bool:
    return "properties" in schema or any(
        _has_members(one) for word in openapi.COMBINED for one in schema.get(word, ())
    )


_VALIDATORS: dict[tuple[str, bool], Any] = {}


def _check(schema: Mapping[str, Any], value: Any, where: str, closed: bool = False) -> None:
    key = (json.dumps(schema, sort_keys=True), closed)
    if key not in _VALIDATORS:
        own = _closed(schema) if closed else dict(schema)
        _VALIDATORS[key] = jsonschema_rs.Draft202012Validator(own, validate_formats=True)
    faults = [
        f"{'.'.join(map(str, error.instance_path)) or 'it'}: {error.message}"
        for error in _VALIDATORS[key].iter_errors(value)
    ]
    if faults:
        raise Mismatch(f"{where}: {'; '.join(faults)[:600]}")
