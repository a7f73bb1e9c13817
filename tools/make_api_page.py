"""Write docs/api.html from docs/openapi.yaml: the API as a page to read, without scripts.

make api-page
"""

import json
import re
from collections.abc import Iterator, Mapping
from html import escape
from pathlib import Path
from string import Template

from tools import openapi
from tools.openapi import Tree

PAGE = openapi.FILE.with_name("api.html")
STYLE = Path(__file__).with_name("api_page.css")

_TEMPLATE = Template("""<!doctype html>
<!-- Written by `make api-page` from openapi.yaml; change that and run it again. -->
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>$title API</title>
<style>
$style</style>
</head>
<body>
<a class="skip" href="#main">Skip to content</a>
<header>
<p class="name">$title API</p>
<details class="contents" open>
<summary>Contents</summary>
<nav aria-label="Contents">
$contents</nav>
</details>
</header>
<main id="main">
$main</main>
</body>
</html>
""")


def page() -> str:
    """Return the page as HTML."""
    document = openapi.read()
    return _TEMPLATE.substitute(
        title=escape(document["info"]["title"]),
        style=STYLE.read_text(encoding="utf-8"),
        contents="".join(_contents(document)),
        main="".join(_main(document)),
    )


def main() -> None:
    """Write the page."""
    PAGE.write_text(page(), encoding="utf-8")


# --- contents and sections ------------------------------------------------------------------------


def _contents(document: Tree) -> Iterator[str]:
    for tag, operations in _by_tag(document):
        yield f'<h2><a href="#{_slug(tag["name"])}">{escape(tag["name"])}</a></h2>\n<ul>\n'
        for _, method, operation in operations:
            if method != "options":
                name = operation["operationId"]
                yield (
                    f'<li><a href="#{name}">{_method(method)} '
                    f"<span>{escape(operation['summary'])}</span></a></li>\n"
                )
        yield "</ul>\n"
    yield '<h2><a href="#authentication">Authentication</a></h2>\n'
    yield '<h2><a href="#schemas">Schemas</a></h2>\n'


def _main(document: Tree) -> Iterator[str]:
    info = document["info"]
    yield f"<h1>{escape(info['title'])} API</h1>\n"
    yield f'<p class="lead">{_inline(info["summary"])}</p>\n{_text(info["description"])}'
    yield _servers(document["servers"])
    for tag, operations in _by_tag(document):
        yield f'<section aria-labelledby="{_slug(tag["name"])}">\n'
        yield f'<h2 id="{_slug(tag["name"])}">{escape(tag["name"])}</h2>\n'
        yield _text(tag["description"])
        shown = [one for one in operations if one[1] != "options"]
        if len(shown) < len(operations):
            yield _preflights(document, [one for one in operations if one[1] == "options"])
        for path, method, operation in shown:
            yield "".join(_operation(document, path, method, operation))
        yield "</section>\n"
    yield "".join(_authentication(document["components"]["securitySchemes"]))
    yield "".join(_schemas(document["components"]["schemas"]))


def _by_tag(document: Tree) -> Iterator[tuple[Tree, list[tuple[str, str, Tree]]]]:
    """Yield every tag with its operations: path, method, content with the path's parameters."""
    for tag in document["tags"]:
        found = []
        for path, item in document["paths"].items():
            for method in openapi.METHODS:
                if method in item and tag["name"] in item[method]["tags"]:
                    shared = {name: item[name] for name in ("servers",) if name in item}
                    parameters = [*item.get("parameters", []), *item[method].get("parameters", [])]
                    found.append(
                        (path, method, {**shared, **item[method], "parameters": parameters})
                    )
        yield tag, found


def _servers(servers: list[Tree]) -> str:
    rows = "".join(
        f"<dt><code>{escape(server['url'])}</code></dt><dd>{_inline(server['description'])}</dd>\n"
        for server in servers
    )
    return f'<dl class="servers">\n{rows}</dl>\n'


def _preflights(document: Tree, operations: list[tuple[str, str, Tree]]) -> str:
    answer = openapi.resolved(document, operations[0][2])["responses"]["204"]
    paths = "".join(f"<li><code>{_path(path)}</code></li>\n" for path, _, _ in operations)
    headers = "".join(
        f"<dt><code>{escape(name)}</code></dt><dd>{_header(header)}</dd>\n"
        for name, header in answer["headers"].items()
    )
    return (
        f'<details class="preflights"><summary>{_method("options")} Preflights of browsers: 204'
        f"</summary>\n<p>{_inline(answer['description'])}, on</p>\n<ul>\n{paths}</ul>\n"
        f"<dl>\n{headers}</dl>\n</details>\n"
    )


# --- an operation ---------------------------------------------------------------------------------


def _operation(document: Tree, path: str, method: str, operation: Tree) -> Iterator[str]:
    name = operation["operationId"]
    yield f'<article id="{name}">\n<h3>{escape(operation["summary"])}</h3>\n'
    yield f'<p class="route">{_method(method)} <code>{_path(path)}</code></p>\n'
    yield _proofs(operation["security"])
    yield _text(operation.get("description", ""))
    parameters = openapi.resolved(document, operation["parameters"])
    if parameters:
        yield f"<h4>Parameters</h4>\n{_parameters(parameters)}"
    if "requestBody" in operation:
        yield "<h4>Body</h4>\n"
        yield from _media(operation["requestBody"])
    yield "<h4>Answers</h4>\n"
    for status, response in operation["responses"].items():
        yield _answer(document, status, response)
    yield "</article>\n"


def _proofs(security: list[Tree]) -> str:
    if not security:
        return '<p class="proofs">Open to everybody</p>\n'
    links = [
        f'<a href="#proof-{name}">{name}</a>' if name else "nothing"
        for need in security
        for name in (need or {"": []})
    ]
    return f'<p class="proofs">Proof: {" or ".join(links)}</p>\n'


def _parameters(parameters: list[Tree]) -> str:
    rows = "".join(
        _row(
            one["name"],
            f"{one['in']}, {_type(one['schema'])}",
            one.get("description", ""),
            required=one.get("required", False),
        )
        for one in parameters
    )
    return f'<ul class="members">\n{rows}</ul>\n'


def _answer(document: Tree, status: str, response: Tree) -> str:
    whole = openapi.resolved(document, response)
    codes = [
        code
        for media in whole.get("content", {}).values()
        for code in openapi.codes(media["schema"])
    ]
    chips = "".join(f" <code>{escape(code)}</code>" for code in dict.fromkeys(codes))
    written = openapi.referred(document, response["$ref"]) if "$ref" in response else response
    headers = "".join(
        f"<dt><code>{escape(name)}</code></dt><dd>{_header(header)}</dd>\n"
        for name, header in whole.get("headers", {}).items()
    )
    more = "".join(_media(written))
    if headers:
        more += f'<p class="media">Headers</p>\n<dl class="headers">\n{headers}</dl>\n'
    kind = "good" if status < "400" else "bad"
    return (
        f'<details class="answer"><summary><b class="{kind}">{status}</b> '
        f"<span>{_inline(whole['description'])}{chips}</span></summary>\n{more}</details>\n"
    )


def _header(header: Tree) -> str:
    schema = header["schema"]
    said = header.get("description") or ("" if "const" not in schema else f"`{schema['const']}`")
    return _inline(said)


def _media(body: Tree) -> Iterator[str]:
    for media_type, media in body.get("content", {}).items():
        yield f'<p class="media"><code>{escape(media_type)}</code></p>\n'
        yield _schema(media["schema"])
        for name, example in media.get("examples", {}).items():
            title = example.get("summary") or name.replace("_", " ")
            written = json.dumps(example["value"], ensure_ascii=False, indent=2)
            yield (
                f"<details><summary>Example: {_inline(title)}</summary>"
                f'<pre tabindex="0">{escape(written)}</pre></details>\n'
            )


# --- schemas --------------------------------------------------------------------------------------


def _schemas(schemas: Mapping[str, Tree]) -> Iterator[str]:
    yield '<section aria-labelledby="schemas">\n<h2 id="schemas">Schemas</h2>\n'
    for name, schema in schemas.items():
        yield f'<article id="schema-{name}">\n<h3>{name}</h3>\n{_schema(schema)}</article>\n'
    yield "</section>\n"


def _authentication(schemes: Mapping[str, Tree]) -> Iterator[str]:
    yield '<section aria-labelledby="authentication">\n'
    yield '<h2 id="authentication">Authentication</h2>\n<dl class="schemes">\n'
    for name, scheme in schemes.items():
        where = "header <code>Authorization: Bearer</code>"
        if scheme["type"] == "apiKey":
            where = f"{scheme['in']} <code>{escape(scheme['name'])}</code>"
        yield f'<dt id="proof-{name}">{name} <small>{where}</small></dt>\n'
        yield f"<dd>{_text(scheme['description'])}</dd>\n"
    yield "</dl>\n</section>\n"


def _schema(schema: Tree) -> str:
    """Return what a value may be: a sentence, and the members of an object."""
    head = (
        f'<p class="type">{_type(schema)}</p>\n' if not _members(schema) or _bases(schema) else ""
    )
    about = _text(schema.get("description", ""))
    return f"{about}{head}{_member_list(schema)}"


def _member_list(schema: Tree) -> str:
    members = _members(schema)
    if not members:
        return ""
    required = _required(schema)
    rows = "".join(
        _row(
            name,
            _type(one),
            one.get("description", ""),
            _member_list(_items(one)),
            required=name in required,
        )
        for name, one in members.items()
    )
    return f'<ul class="members">\n{rows}</ul>\n'


def _row(name: str, kind: str, about: str, inner: str = "", *, required: bool) -> str:
    mark = "" if required else ' <small class="optional">optional</small>'
    text = f"<p>{_inline(about)}</p>" if about else ""
    head = f'<code>{escape(name)}</code> <span class="type">{kind}</span>{mark}'
    return f"<li>{head}{text}{inner}</li>\n"


def _members(schema: Tree) -> Tree:
    """Return the members that a schema names itself, also in parts of an allOf."""
    found = dict(schema.get("properties", {}))
    for part in schema.get("allOf", ()):
        found |= _members(part)
    return found


def _required(schema: Tree) -> set[str]:
    found = set(schema.get("required", ()))
    for part in schema.get("allOf", ()):
        found |= _required(part)
    return found


def _bases(schema: Tree) -> list[str]:
    return [part["$ref"] for part in schema.get("allOf", ()) if "$ref" in part]


def _items(schema: Tree) -> Tree:
    """Return the schema of a list's items, or the schema itself."""
    items: Tree = schema.get("items", schema)
    return items


def _type(schema: Tree) -> str:
    """Return the kind of a value as HTML, short enough for a line."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f'<a href="#schema-{name}">{name}</a>'
    if "const" in schema:
        return f"<code>{escape(json.dumps(schema['const'], ensure_ascii=False))}</code>"
    if "enum" in schema:
        return " | ".join(f"<code>{escape(_literal(one))}</code>" for one in schema["enum"])
    for word, between in (("anyOf", " or "), ("oneOf", " or "), ("allOf", " with ")):
        if word in schema:
            kinds = [_type(part) for part in schema[word] if word != "allOf" or "$ref" in part]
            return between.join(dict.fromkeys(kinds)) or "object"
    if schema.get("type") == "array":
        return f"list of {_type(schema['items'])}{_count(schema)}"
    return _plain_type(schema)


def _plain_type(schema: Tree) -> str:
    kinds = schema.get("type", "object" if "properties" in schema else "anything")
    text = " or ".join(kinds) if isinstance(kinds, list) else str(kinds)
    if schema.get("format"):
        text = text.replace("string", schema["format"])
    if "minimum" in schema or "maximum" in schema:
        text += f", {_range(schema.get('minimum'), schema.get('maximum'))}"
    if "maxLength" in schema:
        text += f", {schema.get('minLength', 0)} to {schema['maxLength']} characters"
    if "pattern" in schema:
        text += f' <code class="pattern">{escape(schema["pattern"])}</code>'
        return text
    if "default" in schema:
        text += f", default {_literal(schema['default'])}"
    return text


def _range(low: int | None, high: int | None) -> str:
    if high is None:
        return f"from {low:,}"
    return f"up to {high:,}" if low is None else f"{low:,} to {high:,}"


def _count(schema: Tree) -> str:
    if "maxItems" not in schema:
        return ""
    return f", {schema.get('minItems', 0)} to {schema['maxItems']}"


def _literal(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


# --- text -----------------------------------------------------------------------------------------


def _method(method: str) -> str:
    return f'<b class="method {method}">{method.upper()}</b>'


def _path(path: str) -> str:
    """Return a path that may break after each slash."""
    return escape(path).replace("/", "/<wbr>")


def _slug(text: str) -> str:
    return re.sub(r"\W+", "-", text.lower())


def _text(text: str) -> str:
    """Return paragraphs of simple Markdown as HTML."""
    paragraphs = [one for one in re.split(r"\n\s*\n", text.strip()) if one]
    return "".join(f"<p>{_inline(one)}</p>\n" for one in paragraphs)


def _inline(text: str) -> str:
    """Return one paragraph as HTML: code and links."""
    html = escape(" ".join(text.split()), quote=False)
    html = re.sub(r"`([^`]+)`", r"<code>\1</code>", html)
    return re.sub(r"\[([^\]]+)\]\(([^)\s]+)\)", r'<a href="\2">\1</a>', html)


if __name__ == "__main__":
    main()
