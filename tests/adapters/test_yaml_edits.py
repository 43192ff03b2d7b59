"""Edits of YAML: what they write, that nothing else changes, and that every reader then reads what was meant."""

import copy
import difflib
import json
import re
from io import StringIO
from pathlib import Path as File
from textwrap import dedent
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from tests.adapters.yaml_layouts import documents
from tsunami_cli.adapters.yaml.documents import parse
from tsunami_cli.adapters.yaml.edits import edit
from tsunami_cli.core.edits import Edit, Fragment, Insert, Put, Remove
from tsunami_cli.core.nodes import ListNode, MapNode, Node, Path, ScalarNode, walk
from tsunami_cli.errors import Refused

AT = "2016-11-20T08:31:00Z"
SCALARS = json.loads((File(__file__).parent.parent / "vectors" / "yaml-scalars.json").read_text("utf-8"))
ROLLOUT: Fragment = {
    "id": "docker-2",
    "selection": "1",
    "from": '["1.12.1"]',
    "to": '"1.12.3"',
    "over": "14d",
    "schedule": ("{at: 2016-11-14T10:00:00Z, percent: 0}", "{at: 2016-11-28T10:00:00Z, percent: 100}"),
}
BLOCK = """\
name: docker   # the name

# Who may not move.
pins:
  # Sessions.
  - {roles: [login], value: "1"}   # until Q3
  # The proxy.
  # Ask Ada.
  - {hosts: ["a*"], value: "2"}
    # deeper: belongs to the pin above

  # None of these yet.
rollouts: # oldest first
- id: one
  schedule:
    # open hours
    - {at: x, percent: 0}
    - {at: y, percent: 100} # end
    # - {at: z, percent: 100}
# Between the two.
-   id: two # second
    text: |
      # no comment

      last

    over: 14d
# The end.
"""
CASES: dict[str, tuple[str, list[Edit], str]] = {
    "scalar, comment kept": ("a: 1  # c\nb: 2\n", [Put(("a",), '"x"')], 'a: "x"  # c\nb: 2\n'),
    "scalar of several lines": ("a: 'x\n  y'  # c\nb: 2\n", [Put(("a",), "3")], "a: 3  # c\nb: 2\n"),
    "block scalar": ("a: |  # h\n  x\n\n  y\n\nb: 2\n", [Put(("a",), "3")], "a: 3\n\nb: 2\n"),
    "null gets a value": ("a:   # c\nb: 2\n", [Put(("a",), "3")], "a: 3   # c\nb: 2\n"),
    "null item gets a value": ("-   # c\n- 2\n", [Put((0,), "3")], "- 3   # c\n- 2\n"),
    "value below its key": ("a: # c\n  'x' # d\nb: 2\n", [Put(("a",), "3")], "a: # c\n  3 # d\nb: 2\n"),
    "flow value": ("a: [1,\n  2] # c\n", [Put(("a",), "{b: 1}")], "a: {b: 1} # c\n"),
    "new key at the end": ("a: 1\n\n# end\n\n", [Put(("b",), "2")], "a: 1\n\n# end\nb: 2\n\n"),
    "new key before the end of the document": ("a: 1\n...\n# end\n", [Put(("b",), "2")], "a: 1\nb: 2\n...\n# end\n"),
    "new key, no final newline": ("a: 1", [Put(("b",), "2")], "a: 1\nb: 2"),
    "new key, CRLF": ("a: 1 # c\r\n# d\r\n", [Put(("b",), "2")], "a: 1 # c\r\n# d\r\nb: 2\r\n"),
    "new key behind a block scalar that keeps lines": (
        "a: |+\n  x\n\n\n",
        [Put(("b",), "2")],
        "a: |+\n  x\n\n\nb: 2\n",
    ),
    "new key where a line behind would change the last": (
        "a: 1\nb: |\n  x",
        [Put(("c",), "2")],
        "a: 1\nc: 2\nb: |\n  x",
    ),
    "new key in flow": ("{a: 1, }", [Put(("b",), ('"x"', "y, z"))], '{a: 1, b: ["x", "y, z"], }'),
    "new key in flow behind null": ("{a: , b: }", [Put(("c",), "1")], "{a: , b: , c: 1 }"),
    "new key in empty flow": ("a: { }\n", [Put(("a", "b"), "1")], "a: {b: 1 }\n"),
    "new key in JSON": ('{"a":1}\n', [Put(("b c",), "1")], '{"a":1, "b c": 1}\n'),
    "new key under null": ("a: # c\nb: 1\n", [Put(("a", "x"), "1")], "a: # c\n  x: 1\nb: 1\n"),
    "new key that is read as a boolean": ("a: 1\n", [Put(("no",), "2")], 'a: 1\n"no": 2\n'),
    "key without value in flow": ("{a, b}\n", [Put(("a",), "1")], "{a: 1, b}\n"),
    "block under a key": (
        "a: [1] # c\nb: 2\n",
        [Put(("a",), ("x", ("y", "z")))],
        "a: # c\n  - x\n  - - y\n    - z\nb: 2\n",
    ),
    "block in the place of a block": (
        "a: # c\n  # d\n  - x # e\n  # f\n  - y # g\n  # h\nb: 2\n",
        [Put(("a",), ("z",))],
        "a: # c\n  # d\n  - z\n  # h\nb: 2\n",
    ),
    "mapping in the place of dashes below their key": (
        "a:\n- x\nb: 2\n",
        [Put(("a",), {"c": "1"})],
        "a:\n  c: 1\nb: 2\n",
    ),
    "line in the place of a block": (
        "a: # c\n  # d\n  b: 1 # e\nf: 2\n",
        [Put(("a",), "x")],
        "a: x # c\n  # d\nf: 2\n",
    ),
    "nothing in the place of a block": ("a:\n  - 1\nf: 2\n", [Put(("a",), ())], "a: []\nf: 2\n"),
    "item becomes a block": (
        "- x # c\n-\n- y\n",
        [Put((0,), {"a": "1", "b": "2"}), Put((1,), ("z",))],
        "- a: 1\n  b: 2 # c\n- - z\n- y\n",
    ),
    "item of several lines": ("- a: 1\n  b: 2\n- y\n", [Put((0,), "x")], "- x\n- y\n"),
    "item at the front": ("a:\n  - x\n", [Insert(("a", 0), "y")], "a:\n  - y\n  - x\n"),
    "item at the front of a nested sequence": ("- - x\n  - y\n", [Insert((0, 0), "z")], "- - z\n  - x\n  - y\n"),
    "item between": (
        "a:\n- x # c\n  # of x\n# of y\n- y\n",
        [Insert(("a", 1), "z")],
        "a:\n- x # c\n  # of x\n- z\n# of y\n- y\n",
    ),
    "item at the end": (
        "a:\n  - x\n  # of a\n# of b\nb: 1\n",
        [Insert(("a", 1), "z")],
        "a:\n  - x\n  # of a\n  - z\n# of b\nb: 1\n",
    ),
    "item at the end, dashes below the key": (
        "a:\n- x\n# of b\nb: 1\n",
        [Insert(("a", 1), "z")],
        "a:\n- x\n- z\n# of b\nb: 1\n",
    ),
    "items in flow": (
        "a: [x, y]\n",
        [Insert(("a", 0), "1"), Insert(("a", 3), "2"), Insert(("a", 1), "3")],
        "a: [1, 3, x, y, 2]\n",
    ),
    "mapping into flow": ("a: [\n  x, # c\n]\n", [Insert(("a", 1), {"b": ("1",)})], "a: [\n  x, {b: [1]}, # c\n]\n"),
    "first item of none": ("a: 1\n# c\n", [Insert(("b", 0), "x")], "a: 1\n# c\nb:\n  - x\n"),
    "first item of null": ("a: # c\nb: 1\n", [Insert(("a", 0), "x")], "a: # c\n  - x\nb: 1\n"),
    "first item of []": (
        "a: [ ] # c\nb: 1\n",
        [Insert(("a", 0), {"x": "1", "z": "2"})],
        "a: # c\n  - x: 1\n    z: 2\nb: 1\n",
    ),
    "first item of [] in flow": ("{a: []}\n", [Insert(("a", 0), "x")], "{a: [x]}\n"),
    "first item among comments": ("a: [ # c\n ]\n", [Insert(("a", 0), "x")], "a: [x # c\n ]\n"),
    "key goes": ("a: 1\n# of b\nb: # c\n  - x\n  # d\n\n# of c\nc: 2\n", [Remove(("b",))], "a: 1\n\n# of c\nc: 2\n"),
    "comment above the first key stays": ("# file\na: 1\nb: 2\n", [Remove(("a",))], "# file\nb: 2\n"),
    "comment with a gap stays": ("a: 1\n# section\n\nb: 2\nc: 3\n", [Remove(("b",))], "a: 1\n# section\n\nc: 3\n"),
    "text like a comment stays": ('a: "x\n# y"\nb: 2\nc: 3\n', [Remove(("b",))], 'a: "x\n# y"\nc: 3\n'),
    "last key goes": ("a: 1\nb: 2", [Remove(("b",))], "a: 1\n"),
    "only key goes": ("a: # c\n  b: 1\nc: 2\n", [Remove(("a", "b"))], "a: {} # c\nc: 2\n"),
    "first key of an item goes": ("- a: 1 # c\n  b: 2\n", [Remove((0, "a"))], "- b: 2\n"),
    "first key of an item goes, comment stays": (
        "- a: 1 # c\n  # of b\n  b: 2\n",
        [Remove((0, "a"))],
        "-\n  # of b\n  b: 2\n",
    ),
    "blank lines do not join a block scalar": ("a: |+\n  x\nb: 1\n\nc: 2\n", [Remove(("b",))], "a: |+\n  x\nc: 2\n"),
    "item goes": ("- x\n# of y\n- y # c\n  # d\n- z\n", [Remove((1,))], "- x\n- z\n"),
    "only item goes": ("a: # c\n- x\nb: 1\n", [Remove(("a", 0))], "a: [] # c\nb: 1\n"),
    "last pin goes": ("a: 1\npins: # c\n- x\nb: 1\n", [Remove(("pins", 0))], "a: 1\nb: 1\n"),
    "last pin of a flow goes": ("{a: 1, pins: [x]}\n", [Remove(("pins", 0))], "{a: 1}\n"),
    "flow entries go": (
        "{a: 1, b: [x, y, z], c: 3}\n",
        [Remove(("a",)), Remove(("b", 1)), Remove(("c",))],
        "{b: [x, z]}\n",
    ),
    "flow lines go": ("[\n  a, # 1\n  b, # 2\n  c # 3\n]\n", [Remove((1,)), Remove((1,))], "[\n  a, # 1\n]\n"),
    "flow comments stay": ("[a, # 1\n  # 2\n  b, c]\n", [Remove((0,)), Remove((1,))], "[ # 1\n  # 2\n  b]\n"),
    "only flow item among comments": ("a: [ # c\n  x ]\n", [Remove(("a", 0))], "a: [ # c\n   ]\n"),
    "one edit after the other": (
        "a: [x]\n",
        [Insert(("a", 0), "y"), Remove(("a", 1)), Put(("b",), {"c": "1"}), Put(("b", "d"), "2"), Remove(("b", "c"))],
        "a: [y]\nb:\n  d: 2\n",
    ),
    "halt of the first": (
        BLOCK,
        [Put(("rollouts", 0, "halted"), AT)],
        BLOCK.replace("# Between", f"  halted: {AT}\n# Between"),
    ),
    "halt of the last": (
        BLOCK,
        [Put(("rollouts", 1, "halted"), AT)],
        BLOCK.replace("# The end", f"    halted: {AT}\n# The end"),
    ),
    "halt twice": (
        BLOCK,
        [Put(("rollouts", 1, "halted"), "x"), Put(("rollouts", 1, "halted"), AT)],
        BLOCK.replace("# The end", f"    halted: {AT}\n# The end"),
    ),
    "resume": (
        BLOCK,
        [
            Put(("rollouts", 0, "halted"), AT),
            Remove(("rollouts", 0, "halted")),
            Put(("rollouts", 0, "schedule"), ("a", "b")),
        ],
        BLOCK.replace("    - {at: x, percent: 0}\n    - {at: y, percent: 100} # end\n", "    - a\n    - b\n"),
    ),
    "unpin the first": (
        BLOCK,
        [Remove(("pins", 0))],
        BLOCK.replace('  - {roles: [login], value: "1"}   # until Q3\n', ""),
    ),
    "unpin the second": (
        BLOCK,
        [Remove(("pins", 1))],
        re.sub(r"  # The proxy.*above\n", "", BLOCK, flags=re.DOTALL),
    ),
    "start": (
        BLOCK,
        [Insert(("rollouts", 2), ROLLOUT)],
        BLOCK.replace(
            "# The end",
            dedent("""\
                - id: docker-2
                  selection: 1
                  from: ["1.12.1"]
                  to: "1.12.3"
                  over: 14d
                  schedule:
                    - {at: 2016-11-14T10:00:00Z, percent: 0}
                    - {at: 2016-11-28T10:00:00Z, percent: 100}
                # The end"""),
        ),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_what_an_edit_writes(name: str) -> None:
    text, edits, wanted = CASES[name]
    got = edit(text.encode(), edits, "f.yaml").decode()
    assert got == wanted, f"{edits} on\n{text}\ngives\n{got}"


NOWHERE: list[tuple[str, Edit]] = [
    ("a: 1\n", Put(("b", "c"), "1")),
    ("a: 1\n", Put(("a", "c"), "1")),
    ("a: 1\n", Put((0,), "1")),
    ("a: [1]\n", Put(("a", 1), "1")),
    ("a: [1]\n", Put(("a", "b"), "1")),
    ("a: ''\n", Insert(("a", 0), "1")),
    ("a: [1]\n", Insert(("a", 2), "1")),
    ("a: [1]\n", Insert(("a", "b"), "1")),
    ("a: 1\n", Insert(("b", 1), "1")),
    ("a: 1\n", Insert(("b", "c", 0), "1")),
    ("a: [1]\n", Remove(("a", 1))),
    ("a: [1]\n", Remove(("b",))),
    ("a: 1\n", Remove(("a", "b"))),
]


@pytest.mark.parametrize(("text", "step"), NOWHERE, ids=str)
def test_a_path_that_leads_nowhere_is_refused(text: str, step: Edit) -> None:
    with pytest.raises(Refused, match=r"^f\.yaml: \S+: there is no such place in this file$"):
        edit(text.encode(), [step], "f.yaml")


UNSAFE: list[tuple[str, Edit]] = [
    ("- |\n  x", Insert((1,), "y")),
    ("a: 1\n", Put(("b",), "c: 1")),
    ("a: 1\n", Put(("b",), {"c": "- 1"})),
    ("{a: 1}\n", Put(("b",), "1 # c")),
]


@pytest.mark.parametrize(("text", "step"), UNSAFE, ids=str)
def test_a_layout_that_allows_no_safe_edit_is_refused(text: str, step: Edit) -> None:
    with pytest.raises(Refused, match=r"^f\.yaml: \S+: .*make the change by hand$"):
        edit(text.encode(), [step], "f.yaml")


def test_a_file_that_is_not_valid_is_not_edited() -> None:
    with pytest.raises(Refused, match=r"^f\.yaml:2:1  a  the key stands on line 1 already: .*mend this first$"):
        edit(b"a: 1\na: 2\n", [Put(("b",), "1")], "f.yaml")


@pytest.mark.parametrize("fragment", ["", "# c", "a\nb", "[", "*a"])
def test_a_fragment_that_is_not_yaml_is_an_error_of_the_caller(fragment: str) -> None:
    with pytest.raises(ValueError, match="not one line of YAML"):
        edit(b"a: 1\n", [Put(("a",), fragment)], "f.yaml")


def test_no_edit_changes_nothing() -> None:
    assert edit(BLOCK.encode(), [], "f.yaml") == BLOCK.encode()


@pytest.mark.parametrize("scalar", [vector["scalar"] for vector in SCALARS], ids=str)
@pytest.mark.parametrize("text", ["to: 1 # c\n", "{to: 1}\n", "x: 1\n", "- 1\n"])
def test_quoted_values_come_back_as_text(text: str, scalar: str) -> None:
    path: Path = (0,) if text.startswith("-") else ("to",)
    new = checked(text, Put(path, json.dumps(scalar)))
    assert scalar in (by_pyyaml(new)["to"] if path == ("to",) else by_pyyaml(new)), (text, scalar, new)


# Any edit of any document.

many = settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
FRAGMENTS: list[Fragment] = [
    '"no"',
    "17",
    "{a: [1, 2]}",
    (),
    {},
    ('"1"', '"2"'),
    {"a": '"1"', "b": ("x", {"c": "2"})},
]


@many
@given(documents, st.data())
def test_a_key_is_added_anywhere(text: str, data: st.DataObject) -> None:
    path, node = data.draw(st.sampled_from(places(text, MapNode)))
    new = checked(text, Put((*path, "halted"), f'"{AT}"'))
    assert comments(new) == comments(text), (text, path, new)
    old_lines, new_lines = text.splitlines(), new.splitlines()
    assert len(new_lines) - len(old_lines) == (0 if node.flow else 1), (text, path, new)
    if not ends_in_block_scalar(text):
        differing = [line[0] for line in difflib.ndiff(old_lines, new_lines) if line[0] in "+-"]
        assert differing == (["-", "+"] if node.flow else ["+"]), (text, path, new)


@many
@given(documents, st.data(), st.sampled_from(FRAGMENTS))
def test_any_value_is_replaced(text: str, data: st.DataObject, fragment: Fragment) -> None:
    path, node = data.draw(st.sampled_from(places(text, Node)[1:]))
    new = checked(text, Put(path, fragment))
    begin, end = text.rfind("\n", 0, node.span.start) + 1, text.find("\n", node.span.end)
    only_between(text, new, begin, end if end >= 0 else len(text))


@many
@given(documents, st.data())
def test_an_item_is_inserted_anywhere(text: str, data: st.DataObject) -> None:
    lists = places(text, ListNode)
    assume(lists and not ends_in_block_scalar(text))
    path, node = data.draw(st.sampled_from(lists))
    place = data.draw(st.integers(0, len(node.items)))
    new = checked(text, Insert((*path, place), '"new"'))
    assert comments(new) == comments(text), (text, path, place, new)
    if not node.flow:
        differing = [line[0] for line in difflib.ndiff(text.splitlines(), new.splitlines()) if line[0] in "+-"]
        assert differing.count("+") - differing.count("-") == 1, (text, path, place, new)


@many
@given(documents, st.data())
def test_anything_is_removed(text: str, data: st.DataObject) -> None:
    path, node = data.draw(st.sampled_from(places(text, Node)[1:]))
    new = checked(text, Remove(path))
    others = [other.span for below, other in places(text, ScalarNode) if below[: len(path)] != path]
    before = max((span.end for span in others if span.end <= node.span.start), default=0)
    behind = min((span.start for span in others if span.start >= node.span.end), default=len(text))
    newline = text.find("\n", before)
    only_between(text, new, newline if 0 < before < newline < node.span.start else before, behind)


def checked(text: str, step: Edit) -> str:
    """Edit, and see that both readers find what was meant and that the line endings are as they were."""
    new = edit(text.encode(), [step], "f.yaml").decode()
    meant = changed(by_pyyaml(text), step)
    assert by_pyyaml(new) == meant, (text, step, new)
    assert by_ruamel(new) == meant, (text, step, new)
    assert set(re.findall(r"\r?\n", new)) <= set(re.findall(r"\r?\n", text) or ["\n"]), (text, step, new)
    return new


def changed(tree: Any, step: Edit) -> Any:
    """What `step` makes of plain data: told by other means than those under test."""
    tree = copy.deepcopy(tree)
    *above, last = step.path
    holder = tree
    for place in above:
        holder = holder[place]
    if isinstance(step, Remove):
        del holder[last]
    elif isinstance(step, Insert):
        holder.insert(last, said(step.fragment))
    else:
        holder[last] = said(step.fragment)
    return tree


def said(fragment: Fragment) -> Any:
    if isinstance(fragment, str):
        return by_pyyaml(fragment)
    if isinstance(fragment, tuple):
        return [said(item) for item in fragment]
    return {key: said(value) for key, value in fragment.items()}


def only_between(text: str, new: str, begin: int, end: int) -> None:
    """Comments may be lost between two offsets of `text`, and nowhere else."""
    own = comments(text[begin:end])
    kept = [comment for comment in comments(text) if comment not in own]
    assert [comment for comment in comments(new) if comment not in own] == kept, (text, text[begin:end], new)


def comments(text: str) -> list[str]:
    return re.findall(r"# note\d+ ", text)


def places(text: str, kind: Any) -> list[tuple[Path, Any]]:
    root, problems = parse(text.encode(), "f.yaml")
    assert root is not None, (text, problems)
    return [(path, node) for path, node in walk(root) if isinstance(node, kind)]


def ends_in_block_scalar(text: str) -> bool:
    """Whether a line behind the text would add a line ending to its last value."""
    _, last = places(text, Node)[-1]
    return not text.endswith("\n") and text[last.span.start : last.span.start + 1] in ("|", ">")


def by_pyyaml(text: str) -> Any:
    return yaml.safe_load(text)


def by_ruamel(text: str) -> Any:
    return YAML(typ="safe", pure=True).load(StringIO(text))
