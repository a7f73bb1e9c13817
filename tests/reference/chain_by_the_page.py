"""Checks chains by the words of docs/hash-chain.md alone.

Fields, their order and how each is written are read off the page's tables; the rest is written
down here as the page says it. Nothing of the package is used, nor is any JSON writer.
"""

import base64
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

type Item = Mapping[str, Mapping[str, Any]]
"""An item as `aws dynamodb query` prints it: bytes are in Base64."""

_FIELD = re.compile(r"^\| (\d+) \| [^|]+ \| (?:`(\w+)`)? ?\| ([\w ]+) \|$", re.MULTILINE)
_SAMPLE = re.compile(r'^\| `([^|]+)` \| `(".+")` \|$', re.MULTILINE)
_BUCKETS = re.compile(r"in this order:\n +([a-z, ]+)\.$", re.MULTILINE)
_CONSTANT = "the number "
_SHORT = {'"': '"', "\\": "\\", "\b": "b", "\f": "f", "\n": "n", "\r": "r", "\t": "t"}


@dataclass(frozen=True)
class Field:
    """One row of the page's first table."""

    attribute: str
    form: str


@dataclass(frozen=True)
class Page:
    """What the page defines, and its example."""

    fields: tuple[Field, ...]
    buckets: tuple[str, ...]
    samples: Mapping[str, str]
    items: tuple[Item, ...]
    printed: Mapping[str, str]
    """The example's digests, lines and hashes by their names: "line of 1"."""

    @classmethod
    def read(cls, text: str) -> Self:
        """Read it."""
        rows = _FIELD.findall(text)
        assert [int(number) for number, _, _ in rows] == list(range(1, len(rows) + 1))
        (buckets,) = _BUCKETS.findall(text)
        (example,) = re.findall(r"^```json\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
        return cls(
            fields=tuple(Field(attribute, form) for _, attribute, form in rows),
            buckets=tuple(buckets.split(", ")),
            samples=dict(_SAMPLE.findall(text)),
            items=tuple(json.loads(example)["Items"]),
            printed=dict(re.findall(r"^((?:digest|line|hash) of \d+): (.+)$", text, re.MULTILINE)),
        )

    def without(self, number: int) -> "Page":
        """The page without one of its fields."""
        return replace(self, fields=self.fields[:number] + self.fields[number + 1 :])

    def swapped(self, number: int) -> "Page":
        """The page with a field in the place of the one after it."""
        fields = list(self.fields)
        fields[number : number + 2] = reversed(fields[number : number + 2])
        return replace(self, fields=tuple(fields))

    def line(self, entry: Item, account_id: str) -> str:
        """The line of an entry: what is hashed."""
        written = (
            form.removeprefix(_CONSTANT)
            if (form := field.form).startswith(_CONSTANT)
            else self._written(
                form, {"S": account_id} if field.attribute == "book" else entry[field.attribute]
            )
            for field in self.fields
        )
        return f"[{','.join(written)}]"

    def wrong(self, items: tuple[Item, ...]) -> list[str]:
        """What is wrong with the chain of an account, by the page's six steps."""
        accounts = [item for item in items if item["sk"]["S"] == "ACCOUNT"]
        entries = [item for item in items if item["sk"]["S"].startswith("ENTRY#")]
        if len(accounts) != 1:
            return [f"{len(accounts)} accounts"]
        account, found, before = accounts[0], [], ""
        entries.sort(key=lambda entry: entry["sk"]["S"])
        numbers = [int(entry["version"]["N"]) for entry in entries]
        if numbers != list(range(1, int(account["version"]["N"]) + 1)):
            found.append(f"the entries are {numbers}")
        for entry in entries:
            name = entry["version"]["N"]
            if digits(entry["previous_hash"]) != before:
                found.append(f"{name} is not chained to the one before it")
            if "salt" in entry and digits(entry["text_digest"]) != digest(entry):
                found.append(f"{name} has another text")
            before = digits(entry["hash"])
            if before != sha256(self.line(entry, account["book"]["S"])):
                found.append(f"{name} is not what its hash says")
        if before != digits(account["head"]):
            found.append("the last entry is not the head")
        return found

    def _written(self, form: str, value: Mapping[str, Any]) -> str:
        match form:
            case "number":
                return str(int(value["N"]))
            case "numbers":
                return f"[{','.join(self._written('number', one) for one in value['L'])}]"
            case "text":
                return quoted(value["S"])
            case "hash":
                return quoted(digits(value))
            case "moves":
                moves = value["M"]
                named = [bucket for bucket in self.buckets if bucket in moves]
                assert len(named) == len(moves), f"the page does not know all of {sorted(moves)}"
                return _pairs((bucket, moves[bucket]["N"]) for bucket in named)
            case "lots":
                pairs = [
                    (day["N"], change["N"]) for day, change in (one["L"] for one in value["L"])
                ]
                assert pairs == sorted(pairs), "lots are sorted by day"
                return _pairs((f"{day[:4]}-{day[4:6]}-{day[6:]}", change) for day, change in pairs)
        raise AssertionError(f"the page does not say how {form} is written")


def quoted(text: str) -> str:
    """A text in the line."""
    return f'"{"".join(map(_escaped, text))}"'


def digest(entry: Item) -> str:
    """The digest of what can be erased."""
    return sha256("\n".join(entry[name]["S"] for name in ("salt", "cause", "reason")))


def digits(value: Mapping[str, Any]) -> str:
    """The hex digits of a hash in the table."""
    return base64.b64decode(value["B"], validate=True).hex()


def sha256(text: str) -> str:
    """SHA-256 in hex."""
    return hashlib.sha256(text.encode()).hexdigest()


def _escaped(character: str) -> str:
    if character in _SHORT:
        return "\\" + _SHORT[character]
    if " " <= character <= "~":
        return character
    units = character.encode("utf-16-be")
    return "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))


def _pairs(pairs: Any) -> str:
    return f"[{','.join(f'[{quoted(name)},{int(change)}]' for name, change in pairs)}]"
