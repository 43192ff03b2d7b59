"""Random YAML documents in random layouts, for property tests.

Every comment and nearly every value is another one, so that none can be lost or moved unseen.
"""

import json
from collections.abc import Callable
from typing import Any, TypeVar

from hypothesis import strategies as st

T = TypeVar("T")


class Writer:
    """Writes a random document; what it says is left to the readers of YAML."""

    def __init__(self, draw: Any) -> None:
        self.draw = draw
        self.count = 0
        self.below_block_scalar = False

    def chance(self, percent: int) -> bool:
        return bool(self.draw(st.integers(0, 99)) < percent)

    def pick(self, *choices: T) -> T:
        chosen: T = self.draw(st.sampled_from(choices))
        return chosen

    def fresh(self, word: str) -> str:
        self.count += 1
        return f"{word}{self.count}"

    def comment(self) -> str:
        return f"# {self.fresh('note')} " + self.pick("x", "a: b", "- c", "it's", '"', "{é", "]😀")

    def trailing(self) -> str:
        return " " * self.pick(1, 2, 9) + self.comment() if self.chance(25) else " " * self.pick(0, 0, 0, 1)

    def noise(self, indent: int) -> list[str]:
        lines = []
        while self.chance(20):
            deeper = 0 if self.below_block_scalar else self.pick(0, 1, 2, 5)
            blank = "" if self.below_block_scalar else self.pick("", "", "   ")
            lines.append(self.pick(blank, " " * self.pick(0, indent, indent + deeper) + self.comment()))
        return lines

    def scalar(self) -> str:
        text = self.fresh(self.pick("v", "é", "😀", "1.", "a b", "x:y", "it's ", "#", "a,b]", "yes "))
        plain_text = self.fresh("word")
        return self.pick(plain_text, str(self.count), json.dumps(text, ensure_ascii=False), self.single(text))

    def single(self, text: str) -> str:
        return "'" + text.replace("'", "''") + "'"

    def key(self) -> str:
        key = self.fresh("key")
        return self.pick(key, key, f'"{key}"', f"'{key} é'")

    def flow(self, depth: int, pad: str) -> str:
        if depth == 0 or self.chance(40):
            return self.scalar()
        spread = self.chance(30)

        def gap() -> str:
            if not spread:
                return self.pick("", " ")
            return self.pick("\n" + pad, f" {self.comment()}\n{pad}", f"\n{pad}{self.comment()}\n{pad}", " ")

        if self.chance(50):
            return "[" + self.listed([self.flow(depth - 1, pad) for _ in range(self.pick(0, 1, 3))], gap) + "]"
        pairs = [f"{self.key()}: {self.flow(depth - 1, pad)}" for _ in range(self.pick(0, 1, 2))]
        return "{" + self.listed(pairs, gap) + "}"

    def listed(self, items: list[str], gap: Callable[[], str]) -> str:
        comma = "," if items and self.chance(20) else ""
        return gap() + ",".join(f"{'' if n == 0 else ' '}{gap()}{item}" for n, item in enumerate(items)) + comma + gap()

    def value(self, head: str, indent: int, depth: int, in_map: bool) -> list[str]:
        """The lines of a value behind `head`, a key or dash in column `indent`."""
        kind = self.pick("scalar", "scalar", "flow", "map", "list", "literal", "null") if depth else "scalar"
        if kind == "literal":
            self.below_block_scalar = True
            body = " " * (indent + self.pick(1, 2, 4))
            lines = [body + self.fresh("line") + self.pick("", " # no comment", " ") for _ in range(self.pick(1, 2))]
            return [f"{head} {self.pick('|', '|-', '|+', '>', '>-', '|  # header')}", *lines]
        if kind in ("map", "list") and (in_map or self.chance(30)):
            opened = head + self.trailing()
            self.below_block_scalar = False
            step = self.pick(1, 2, 4) if kind == "map" or not in_map else self.pick(0, 2, 3)
            block = self.mapping if kind == "map" else self.sequence
            return [opened, *self.noise(indent + step), *block(indent + step, depth - 1)]
        if kind in ("map", "list"):
            space = " " * self.pick(1, 1, 3)
            block = self.mapping if kind == "map" else self.sequence
            first, *rest = block(len(head) + len(space), depth - 1)
            return [head + space + first.lstrip(" "), *rest]
        self.below_block_scalar = False
        if kind == "null":
            return [head + self.trailing()]
        if kind == "scalar" and self.chance(10):
            opening, closing = self.pick(("", ""), ('"', '"'), ("'", "'"))
            more = " " * (indent + self.pick(1, 3)) + self.fresh("more")
            return [f"{head} {opening}{self.fresh('some')}", *self.pick([], [""]), f"{more}{closing}{self.trailing()}"]
        text = self.scalar() if kind == "scalar" else self.flow(2, " " * (indent + self.pick(1, 2, 4)))
        return (head + " " * self.pick(1, 1, 1, 4) + text + self.trailing()).split("\n")

    def mapping(self, indent: int, depth: int, keys: int = 0) -> list[str]:
        lines: list[str] = []
        for n in range(keys or self.pick(1, 1, 2, 3)):
            if n:
                lines += self.noise(indent)
            lines += self.value(f"{' ' * indent}{self.key()}:", indent, depth, in_map=True)
        return lines

    def sequence(self, indent: int, depth: int) -> list[str]:
        lines: list[str] = []
        for n in range(self.pick(1, 1, 2, 3)):
            if n:
                lines += self.noise(indent)
            lines += self.value(f"{' ' * indent}-", indent, depth, in_map=False)
        return lines

    def document(self) -> str:
        lines = [*self.noise(0), *(["---"] if self.chance(10) else []), *self.noise(0)]
        lines += [*self.mapping(0, 3, keys=self.pick(1, 2, 4)), *self.noise(0)]
        lines += ["..."] if self.chance(5) else []
        text = "\n".join(lines) + self.pick("\n", "\n", "\n", "", "\n\n")
        return text.replace("\n", "\r\n") if self.chance(25) else text


documents = st.composite(lambda draw: Writer(draw).document())()
"""Texts that every reader of YAML takes for the same mapping."""
