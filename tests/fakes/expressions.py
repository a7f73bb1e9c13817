"""The expressions that the in-memory DynamoDB understands: no more than the store sends."""

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

type Item = dict[str, Any]
type Test = Callable[[Item | None, Mapping[str, Any]], bool]

_EXISTENCE = re.compile(r"attribute_(not_exists|exists)\((\w+)\)")
_COMPARISON = re.compile(r"(\w+) (=|<>|<=|>=|<|>) (:\w+)")
_BETWEEN = re.compile(r"(\w+) BETWEEN (:\w+) AND (:\w+)")
_BEGINS = re.compile(r"begins_with\((\w+), (:\w+)\)")
_GROUP = re.compile(r"^\((.*)\)$")
_UPDATE = re.compile(r"SET (.+?)(?: REMOVE ([\w, ]+))?")
_ASSIGNMENT = re.compile(r"(\w+) = (?:if_not_exists\((\w+), )?(:\w+)\)?")
_ADDITION = re.compile(r"(\w+) = (?:\1|if_not_exists\(\1, (:\w+)\)) \+ (:\w+)")
_KEY_CONDITION = re.compile(r"(\w+) = (:\w+)(?: AND (.+))?")
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "=": lambda left, right: left == right,
    "<>": lambda left, right: left != right,
    "<": lambda left, right: left < right,
    "<=": lambda left, right: left <= right,
    ">": lambda left, right: left > right,
    ">=": lambda left, right: left >= right,
}


@lru_cache
def condition(expression: str) -> Test:
    """A test for terms joined by AND: existence of an attribute, comparison with a value.

    A term may be several in parentheses, joined by OR.
    """
    tests = [_any_of(term) for term in expression.split(" AND ")]
    return lambda fields, values: all(test(fields, values) for test in tests)


def changed(item: Item, expression: str, values: Mapping[str, Any]) -> Item:
    """The item after an update: SET to `:value`, `if_not_exists(name, :value)`, or their sum."""
    match = _UPDATE.fullmatch(expression)
    if match is None:
        raise NotImplementedError(f"the update {expression!r}")
    after = dict(item)
    for assignment in re.split(r", (?=\w+ =)", match[1]):
        if added := _ADDITION.fullmatch(assignment):
            name, begin, more = added.groups()
            before = item.get(name, values.get(begin))
            if before is not None:  # else DynamoDB refuses, but looks at the condition first
                after[name] = {"N": str(scalar(before) + scalar(values[more]))}
            continue
        part = _ASSIGNMENT.fullmatch(assignment)
        if part is None:
            raise NotImplementedError(f"the assignment {assignment!r}")
        if part[2] is None or part[2] not in item:
            after[part[1]] = values[part[3]]
    for name in match[2].split(", ") if match[2] else ():
        after.pop(name, None)
    return after


def key_condition(request: Item) -> tuple[Test, str]:
    """The test of a query on the range key, and the hash key's value."""
    names = request.get("ExpressionAttributeNames", {})
    match = _KEY_CONDITION.fullmatch(named(request["KeyConditionExpression"], names))
    if match is None:
        raise NotImplementedError(f"the key condition {request['KeyConditionExpression']!r}")
    hash_value: str = request["ExpressionAttributeValues"][match[2]]["S"]
    return (_range_term(match[3]) if match[3] else lambda _, __: True), hash_value


def filter_condition(expression: str) -> Test:
    """A test for terms joined by OR, each as of a range key; none: everything."""
    if not expression:
        return lambda _, __: True
    tests = [_range_term(term) for term in expression.split(" OR ")]
    return lambda fields, values: any(test(fields, values) for test in tests)


def named(expression: str, names: Mapping[str, str]) -> str:
    """The expression with its #names put in."""
    for placeholder, name in names.items():
        expression = re.sub(rf"{re.escape(placeholder)}\b", name, expression)
    return expression


def _any_of(term: str) -> Test:
    tests = [_term(one) for one in _GROUP.sub(r"\1", term).split(" OR ")]
    return lambda fields, values: any(test(fields, values) for test in tests)


def _term(term: str) -> Test:
    if match := _EXISTENCE.fullmatch(term):
        name, exists = match[2], match[1] == "exists"
        return lambda fields, _: (fields is not None and name in fields) is exists
    if match := _COMPARISON.fullmatch(term):
        return _comparison(*match.groups())
    raise NotImplementedError(f"the condition {term!r}")


@lru_cache
def _range_term(term: str) -> Test:
    if match := _BETWEEN.fullmatch(term):
        low = _comparison(match[1], ">=", match[2])
        high = _comparison(match[1], "<=", match[3])
        return lambda fields, values: low(fields, values) and high(fields, values)
    if match := _BEGINS.fullmatch(term):
        name, value = match.groups()
        return lambda fields, values: (
            fields is not None and scalar(fields[name]).startswith(scalar(values[value]))
        )
    if match := _COMPARISON.fullmatch(term):
        return _comparison(*match.groups())
    raise NotImplementedError(f"the range condition {term!r}")


def _comparison(name: str, operator: str, value: str) -> Test:
    compare = _COMPARE[operator]

    def test(fields: Item | None, values: Mapping[str, Any]) -> bool:
        """An attribute that is missing, or of another type, compares with nothing."""
        if fields is None or name not in fields or fields[name].keys() != values[value].keys():
            return False
        if operator == "=" and "L" in fields[name]:
            return bool(fields[name] == values[value])
        return compare(scalar(fields[name]), scalar(values[value]))

    return test


def scalar(value: Mapping[str, Any]) -> Any:
    """A string or a number out of its typed form."""
    ((kind, content),) = value.items()
    if kind == "N":
        return int(content)
    if kind == "S":
        return content
    raise NotImplementedError(f"comparing values of type {kind}")
