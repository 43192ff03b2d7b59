"""The reference of files, as Markdown: every key of every JSON Schema, by its path."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from docs.generator.pages import NOTE, markdown, table
from docs.generator.words import INVENTORY

SCHEMAS = Path(__file__).parents[2] / "schemas"
_PAGES = {
    "settings": "`tsunami.yaml`",
    "variable": "`rollouts/VARIABLE.yaml`",
    "bundle": "`roles/ROLE.json`, published",
    "host": "`hosts/HOST.json`, published",
    "manifest": "`manifest.json`, published",
}
_HEAD = ("key", "type", "default", "means")

Schema = dict[str, Any]


def files() -> str:
    """Return `files.md`."""
    lines = [NOTE, "", "# Files", "", "What each file may say, from the JSON Schemas in [schemas](../../schemas).", ""]
    lines += ["In a key, `[]` stands for each item of a list, and `<...>` for a name that you choose.", ""]
    for name, heading in _PAGES.items():
        schema = json.loads((SCHEMAS / f"{name}.schema.json").read_text("utf-8"))
        rows = [*_Keys(schema).rows(schema, "", ())]
        lines += [f"## {heading}", "", markdown(schema["description"]), "", *table(_HEAD, rows), ""]
        if name == "variable":
            lines += ["## The inventory", "", INVENTORY]
    return "\n".join(lines).rstrip("\n") + "\n"


class _Keys:
    """The keys of one schema."""

    def __init__(self, whole: Schema) -> None:
        self._whole = whole

    def rows(self, schema: Schema, above: str, inside: tuple[str, ...]) -> Iterator[tuple[str, str, str, str]]:
        """Yield a row for every key below `above`; `inside` are the definitions that it stands in."""
        required = schema.get("required", ())
        for path, one in self._below(schema, above):
            merged, entered = self._resolved(one)
            key = path.rpartition(".")[2].removesuffix("[]")
            default = f"`{json.dumps(merged['default'])}`" if "default" in merged else ""
            yield f"`{path}`", self._type(merged), "**required**" if key in required else default, _meaning(merged)
            if not set(entered) & set(inside):
                yield from self._deeper(merged, path, (*inside, *entered))

    def _deeper(self, schema: Schema, path: str, inside: tuple[str, ...]) -> Iterator[tuple[str, str, str, str]]:
        items, entered = self._resolved(schema.get("items", {}))
        if not set(entered) & set(inside):
            yield from self.rows(items, f"{path}[].", (*inside, *entered))
        yield from self.rows(schema, f"{path}.", inside)

    def _below(self, schema: Schema, above: str) -> Iterator[tuple[str, Schema]]:
        for key, one in schema.get("properties", {}).items():
            yield f"{above}{key}", one
        more = schema.get("additionalProperties")
        if isinstance(more, dict):
            name = self._resolved(schema.get("propertyNames", {}))[0].get("title", "name")
            yield f"{above}<{name.lower().removeprefix('name of a ')}>", more

    def _resolved(self, schema: Schema) -> tuple[Schema, tuple[str, ...]]:
        """Return a schema with what it refers to; its own words win. Also the definitions that it went through."""
        entered: list[str] = []
        while "$ref" in schema and isinstance(schema["$ref"], str):
            name = schema["$ref"].rpartition("/")[2]
            entered.append(name)
            schema = self._whole["$defs"][name] | {key: value for key, value in schema.items() if key != "$ref"}
            if name in entered[:-1]:
                break
        return schema, tuple(entered)

    def _type(self, schema: Schema) -> str:
        if "enum" in schema:
            return " or ".join(f"`{json.dumps(one)}`" for one in schema["enum"])
        if "const" in schema:
            return f"`{json.dumps(schema['const'])}`"
        types = schema.get("type", "any")
        if types == "array":
            items = self._resolved(schema.get("items", {}))[0]
            return f"list of {self._type(items)}".replace("list of mapping", "list of mappings")
        names = {"array": "list", "object": "mapping", "string": "text"}
        return " or ".join(names.get(one, one) for one in ([types] if isinstance(types, str) else types))


def _meaning(schema: Schema) -> str:
    text = markdown(schema.get("description", ""))
    low, high = schema.get("minimum"), schema.get("maximum")
    if low is not None and high is None and schema.get("type") in ("integer", "number"):
        text += f" At least {low}."
    examples = [example for example in schema.get("examples", ()) if example != []]
    if not examples:
        return text
    return f"{text} As in {' or '.join(f'`{json.dumps(one, ensure_ascii=False)}`' for one in examples[:2])}."
