"""Reading YAML: what nodes know, what a plain scalar is taken for, what is refused and where."""

import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path as File
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from ruamel.yaml.loader import SafeLoader
from ruamel.yaml.nodes import ScalarNode as ForeignScalar

from tests.adapters.yaml_layouts import documents
from tsunami_cli.adapters.yaml import events as yaml_events
from tsunami_cli.adapters.yaml.documents import DEEPEST, MIB, parse
from tsunami_cli.adapters.yaml.scalars import LONGEST_NUMBER, resolved
from tsunami_cli.core.nodes import MapNode, Node, ScalarNode, Span, plain, walk
from tsunami_cli.core.problems import Problem

ROOT = File(__file__).parent.parent.parent
SCALARS = json.loads((ROOT / "tests" / "vectors" / "yaml-scalars.json").read_text("utf-8"))
C_PARSER = yaml_events.CParser
by_each_parser = pytest.mark.usefixtures("parser")
many = settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.fixture(params=["C", "Python"])
def parser(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    assert C_PARSER is not None
    if request.param == "Python":
        monkeypatch.setattr(yaml_events, "CParser", None)


def read(text: str) -> Node:
    root, problems = parse(text.encode(), "f.yaml")
    assert root is not None, (text, problems)
    assert problems == ()
    return root


def complaints(data: bytes) -> tuple[Problem, ...]:
    root, problems = parse(data, "f.yaml")
    assert root is None, data
    assert problems, data
    return problems


# Where things stand.

PLACES = """\
# é
ключ: "ü😀"  # c
b:
- [x, {w: 'z'}]
-
- 😀 c: |  # h
    d

  e:
f: >+
  g

# h
"""


@by_each_parser
@pytest.mark.parametrize("ending", ["\n", "\r\n"], ids=["LF", "CRLF"])
def test_nodes_know_where_they_stand(ending: str) -> None:
    text = PLACES.replace("\n", ending)
    found = {
        ".".join(map(str, path)): (
            text[node.span.start : node.span.end].replace("\r", ""),
            node.span.line,
            node.span.column,
        )
        for path, node in walk(read(text))
    }
    assert found == {
        "": (PLACES[4:-5], 2, 1),
        "ключ": ('"ü😀"', 2, 7),
        "b": (PLACES[PLACES.index("- [x") : PLACES.index("\nf:")], 4, 1),
        "b.0": ("[x, {w: 'z'}]", 4, 3),
        "b.0.0": ("x", 4, 4),
        "b.0.1": ("{w: 'z'}", 4, 7),
        "b.0.1.w": ("'z'", 4, 11),
        "b.1": ("", 5, 2),
        "b.2": ("😀 c: |  # h\n    d\n\n  e:", 6, 3),
        "b.2.😀 c": ("|  # h\n    d", 6, 8),
        "b.2.e": ("", 9, 5),
        "f": (">+\n  g\n", 10, 4),
    }


@by_each_parser
def test_keys_know_where_they_stand() -> None:
    root = read('é: 1\n"b" : 2\n')
    assert isinstance(root, MapNode)
    assert [(key.text, key.span) for key, _ in root.entries] == [("é", Span(0, 1, 1, 1)), ("b", Span(5, 8, 2, 1))]


@by_each_parser
@many
@given(documents)
def test_spans_are_those_of_the_text(text: str) -> None:
    for path, node in walk(read(text)):
        span = node.span
        assert span.line == text.count("\n", 0, span.start) + 1, (text, path)
        assert span.column == span.start - text.rfind("\n", 0, span.start), (text, path)
        raw = text[span.start : span.end]
        if isinstance(node, ScalarNode):
            assert raw == "" or raw[0] in "'\"|>" or raw.split() == node.text.split(), (text, path, raw)
        elif node.flow:
            assert raw[0] + raw[-1] in ("[]", "{}"), (text, path, raw)


@by_each_parser
@many
@given(documents)
def test_other_readers_read_the_same(text: str) -> None:
    assert plain(read(text)) == yaml.safe_load(text), text


# What scalars say.


def scalar(text: str) -> ScalarNode:
    root = read(text)
    assert isinstance(root, MapNode)
    node = root.entries[0][1]
    assert isinstance(node, ScalarNode), text
    return node


@pytest.mark.parametrize(
    ("text", "value", "taken_for"),
    [
        ("1.12.1", "1.12.1", None), ("1.10", 1.1, "the number 1.1"), ("8", 8, "the number 8"),
        ("010", 10, "the number 8"), ("08", 8, "the number 8"), ("0o10", 8, "the number 8"),
        ("0x1F", 31, "the number 31"), ("0b11", "0b11", "the number 3"), ("1_000", "1_000", "the number 1000"),
        ("-0x1_f", "-0x1_f", "the number -31"), ("+12", 12, "the number 12"), ("-0", 0, "the number 0"),
        ("1e3", 1000.0, "the number 1000.0"), (".5", 0.5, "the number 0.5"), ("5.", 5.0, "the number 5.0"),
        ("1_0.5", "1_0.5", "the number 10.5"), ("1:30", "1:30", "the base-60 number 90"),
        ("-1:30", "-1:30", "the base-60 number -90"), ("1:30.5", "1:30.5", "the base-60 number 90.5"),
        ("09:30", "09:30", None), ("09:00-17:00", "09:00-17:00", None), ("30%", "30%", None), ("14d", "14d", None),
        (".inf", float("inf"), "infinity"), ("-.INF", float("-inf"), "minus infinity"),
        ("1e999", float("inf"), "the number inf"),
        ("true", True, "the boolean true"), ("FALSE", False, "the boolean false"), ("tRUE", "tRUE", None),
        ("yes", "yes", "the boolean true"), ("Off", "Off", "the boolean false"), ("y", "y", "the boolean true"),
        ("N", "N", "the boolean false"), ("~", None, "null"), ("Null", None, "null"), ("", None, "null"),
        ("2016-11-14", "2016-11-14", "a date"), ("2016-11-14T10:00:00Z", "2016-11-14T10:00:00Z", "a timestamp"),
        ("2016-1-4 1:00:00.5 +01:00", "2016-1-4 1:00:00.5 +01:00", "a timestamp"), ("2016-1-4", "2016-1-4", None),
        ("=", "=", "the default value of a mapping"), ("<<", "<<", "a merge key"), ("+", "+", None),
        (".", ".", None), ("0o8", "0o8", None), ("1e_5", "1e_5", None), ("._", "._", "a number"),
        ("1_e5", "1_e5", "a number"),
    ],
)  # fmt: skip
def test_plain_scalars(text: str, value: Any, taken_for: str | None) -> None:
    node = scalar(f"v: {text}\n")
    assert (node.value, node.taken_for, node.text) == (value, taken_for, text)
    assert type(node.value) is type(value)


def test_not_a_number() -> None:
    node = scalar("v: .NaN\n")
    assert isinstance(node.value, float)
    assert node.value != node.value
    assert node.taken_for == "not a number"


@by_each_parser
@pytest.mark.parametrize("text", ['"1.10"', "'no'", '""', "|\n  8", ">-\n  2016-11-14", '"\\x31"'])
def test_quoted_scalars_are_text_to_everybody(text: str) -> None:
    node = scalar(f"v: {text}\n")
    assert isinstance(node.value, str)
    assert node.value == node.text == yaml.safe_load(f"v: {text}\n")["v"]
    assert node.taken_for is None


@by_each_parser
@pytest.mark.parametrize("vector", SCALARS, ids=lambda vector: vector["scalar"])
def test_vectors(vector: dict[str, Any]) -> None:
    """What must be quoted is refused, or said to be taken for something else; all else is text."""
    text = vector["scalar"]
    root, problems = parse(f"v: {text}\n".encode(), "f.yaml")
    if root is None:
        assert vector["must_be_quoted"] or text.startswith("!"), (text, problems)
        return
    assert isinstance(root, MapNode)
    node = root.entries[0][1]
    if isinstance(node, ScalarNode) and node.text == text:
        assert (node.taken_for is not None) is vector["must_be_quoted"], (vector, node)
        loose = "_" in text or text.startswith("0b")  # Numbers to ruamel.yaml, but not to YAML 1.2.
        number = vector["yaml12_type"] in ("int", "float") and not loose
        assert isinstance(node.value, int | float) is (number or vector["yaml12_type"] == "bool"), (vector, node)
    else:
        assert vector["must_be_quoted"] or text[0] in "'\"", (vector, node)


CORE_NUMBER = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+|[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
"""As YAML 1.2.2 has it in 10.3.2."""


def is_text(loader: Any, node: Any, text: str) -> bool:
    return str(loader.resolve(node, text, (True, False))).endswith(":str")


@settings(max_examples=800, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.one_of(
        st.text("0123456789_-+.:xobeETZ ", min_size=1, max_size=12),
        st.text("aefilnortuyNYOT~=<.", min_size=1, max_size=5),
    )
)
@example("._")
@example("-_")
@example("0o7_7")
@example("-o0")
def test_no_reader_takes_for_other_than_text_what_is_said_to_be_text(text: str) -> None:
    readers = [
        is_text(yaml.SafeLoader(""), yaml.ScalarNode, text),
        is_text(SafeLoader("", version="1.1"), ForeignScalar, text),
        is_text(SafeLoader("", version="1.2"), ForeignScalar, text),
        not CORE_NUMBER.fullmatch(text),
    ]
    value, taken_for = resolved(text)
    assert (taken_for is None) is all(readers), (text, taken_for, readers)
    assert taken_for is not None or value == text, (text, value)


@pytest.mark.parametrize("digits", [LONGEST_NUMBER + 1, 5000])
@pytest.mark.parametrize("number", ["{}", "-{}", "0x{}", "0o{}", "{}.5", "{}_1", "1:{}", "1.{}", "1e{}", "0b{}"])
def test_long_numbers_do_no_harm(number: str, digits: int) -> None:
    text = number.format("1" * digits)
    root, problems = parse(f"v: {text}\n".encode(), "f.yaml")
    if root is None:
        assert [(p.line, p.column, p.where) for p in problems] == [(1, 4, "v")], number
        assert problems[0].message.startswith(f"a number of {len(text)} digits"), number
    else:
        assert scalar(f"v: {text}\n").taken_for or number == "1:{}", number


# What is refused.

REFUSED = {
    "empty": (b"", 1, 1, "", "the file is empty"),
    "comments only": (b"# a\n\n", 1, 1, "", "the file is empty"),
    "empty document": (b"---\n", 1, 1, "", "the file is empty"),
    "not UTF-8": (b"a: 1\nb: \xc3\xa9 \xff\n", 2, 6, "", "byte 12 of the file (0xff) is not UTF-8"),
    "UTF-16": ("a: 1".encode("utf-16"), 1, 1, "", "byte 1 of the file (0xff) is not UTF-8"),
    "cut off": (b"a: \xc3", 1, 4, "", "byte 4 of the file (0xc3) is not UTF-8"),
    "byte order mark": (b"\xef\xbb\xbfa: 1\n", 1, 1, "", "byte order mark"),
    "byte order mark within": ("a: \ufeff1\n".encode(), 1, 4, "", "U+FEFF"),
    "NUL": (b"a: 1\nb: \x00\n", 2, 4, "", "the character U+0000: take it out"),
    "control character": (b"a: \x1b[0m\n", 1, 4, "", "U+001B"),
    "next line": ("a: \x85b\n".encode(), 1, 4, "", "U+0085"),
    "line separator": ("a: '\u2028'\n".encode(), 1, 5, "", "\\u2028 in double quotes"),
    "lone CR": (b"a: 1\rb: 2\n", 1, 5, "", "a carriage return without a line feed"),
    "tab as indentation": (b"a:\n\tb: 1\n", 2, 1, "", "a tab: write spaces"),
    "tab behind spaces": (b"a:\n  b: 1\n \tc: 1\n", 3, 2, "", "a tab: write spaces"),
    "tab behind a colon": (b"a:\t1\n", 1, 3, "", "a tab: write spaces"),
    "tab before a comment": (b"a: 1\t# c\n", 1, 5, "", "a tab: write spaces"),
    "tab in flow": (b"a: [1,\t2]\n", 1, 7, "", "a tab: write spaces"),
    "tab in a plain scalar": (b"a: b\tc\n", 1, 5, "", "a tab: write spaces"),
    "conflict": (b"a: 1\n<<<<<<< HEAD\nb: 1\n=======\nb: 2\n>>>>>>> x\n", 2, 1, "", "(<<<<<<<): finish the merge"),
    "half a conflict": (b"a: 1\r\n=======\r\nb: 2\r\n", 2, 1, "", "(=======): finish the merge"),
    "end of a conflict": (b"a: 1\n>>>>>>> x\n", 2, 1, "", "(>>>>>>>): finish the merge"),
    "base of a conflict": (b"a: 1\n||||||| x\n", 2, 1, "", "(|||||||): finish the merge"),
    "two documents": (b"a: 1\n---\nb: 1\n", 2, 1, "", "a second document begins here"),
    "two documents, the first ended": (b"a: 1\n...\n---\nb: 1\n", 3, 1, "", "a second document begins here"),
    "two ends": (b"a: 1\n...\n...\n", 3, 1, "", "a second document"),
    "directive": (b"%YAML 1.2\n---\na: 1\n", 1, 1, "", "a directive (`%`)"),
    "unknown directive": (b"%x\n---\na: 1\n", 1, 1, "", "a directive (`%`)"),
    "anchor": (b"a: 1\nb: &x 1\n", 2, 4, "b", "an anchor (`&`)"),
    "anchor on a block": (b"b:\n- &x\n  c: 1\n", 2, 3, "b[0]", "an anchor (`&`)"),
    "alias": (b"roles: [*x]\n", 1, 9, "roles[0]", "an alias (`*`): write the value itself, or quote the text"),
    "glob without quotes": (b"roles: [*]\n", 1, None, "", "quote the text"),
    "merge key": (b"a:\n  <<: {b: 1}\n", 2, 3, "a", "a merge key (`<<`)"),
    "tag": (b"a: !!str 1\n", 1, 4, "a", "a tag (`!`)"),
    "tag of one's own": (b"a: [!x 1]\n", 1, 5, "a[0]", "a tag (`!`)"),
    "tag on a mapping": (b"a: !!map {}\n", 1, 4, "a", "a tag (`!`)"),
    "duplicate key": (b"a: 1\nb:\n  c: 1\n  'c': 2\n", 4, 3, "b.c", "stands on line 3 already"),
    "duplicate key in flow": (b"a: [{b: 1, b: 1}]\n", 1, 12, "a[0].b", "stands on line 1 already"),
    "number as key": (b"a:\n  1: b\n", 2, 3, "a", "read as the number 1: put it in quotes"),
    "null as key": (b"~: b\n", 1, 1, "", "read as null"),
    "boolean as key": (b"on: b\n", 1, 1, "", "read as the boolean true"),
    "date as key": (b"2016-11-14: b\n", 1, 1, "", "read as a date"),
    "mapping as key": (b"{a: 1}: b\n", 1, 1, "", "keys are text"),
    "sequence as key": (b"? [a]\n: b\n", 1, 3, "", "a key with `?`"),
    "key with a question mark": (b"? a\n: b\n", 1, 3, "", "a key with `?`"),
    "key with a question mark in flow": (b"{? a : b}\n", 1, 4, "", "a key with `?`"),
    "pair within brackets": (b"a: [b: 1]\n", 1, 5, "a[0]", "put it in braces"),
    "colon at the end of a word in flow": (b"a: {b:, c: 1}\n", 1, None, None, "in quotes"),
    "colon behind a quote in flow": (b'a: [b":c]\n', 1, None, None, "in quotes"),
    "colon before a word in flow": (b"a: [b, :c]\n", 1, None, None, ""),
    "block scalar with a tab": (b"a: |\n  \tx\n", None, None, None, ""),
    "block scalar alone": (b"|\n  x\n", 1, 1, "", "in quotes"),
    "colon": (b"a: b: c\n", 1, 5, "", "mapping values are not allowed"),
    "no colon": (b"a: 1\nb\nc: 1\n", 3, 1, "", "could not find expected ':' (begun on line 2): check the indentation"),
    "indentation": (b"a:\n  b: 1\n c: 2\n", 3, 2, "", "check the indentation"),
    "quote": (b"a: 'b\nc: 1\n", 3, 1, "", "found unexpected end of stream (begun on line 1): close the quote"),
    "bracket": (b"a: [b\nc: 1\n", 2, 2, "", "',' or ']'"),
    "brace": (b"a: b}\nc: {", 2, None, "", ""),
    "at sign": (b"a: @b\n", 1, 4, "", "put the text in quotes"),
    "escape": (b'a: "\\d"\n', 1, None, "", "found unknown escape character"),
    "code point": (b'a: "\\U00110000"\n', 1, 7, "", "found invalid Unicode character escape code"),
    "larger code point": (b'a: "\\UFFFFFFFF"\n', 1, 7, "", "found invalid Unicode character escape code"),
    "half a surrogate": (b'a: "\\\\\\ud800"\n', 1, 9, "", "found invalid Unicode character escape code"),
    "deep block": (b"- " * (DEEPEST + 1) + b"x\n", 1, 2 * DEEPEST + 1, None, "nested deeper than 20 levels"),
    "deep flow": (b"[" * 100_000, 1, DEEPEST + 1, None, "nested deeper than 20 levels"),
    "large": (b"a: " + b"x" * MIB, 1, 1, "", f"the file has {MIB + 3} bytes, more than the {MIB} allowed"),
}


@by_each_parser
@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused(name: str) -> None:
    data, line, column, where, message = REFUSED[name]
    problem = complaints(data)[0]
    assert (problem.file, problem.severity) == ("f.yaml", "error")
    assert problem.line == (line or problem.line), (data, problem)
    assert problem.column == (column or problem.column), (data, problem)
    assert problem.where == (problem.where if where is None else where), (data, problem)
    assert message in problem.message, (data, problem)
    assert "\n" not in str(problem), (data, problem)


@by_each_parser
def test_problems_come_together_and_in_order() -> None:
    found = complaints(b"a: &x 1\nb: *x\na: 2\n1: !!str x\nc: [\n")
    assert [(p.line, p.column) for p in found] == [(1, 4), (2, 4), (3, 1), (4, 1), (4, 4), (6, 1)]


def test_problems_have_an_end() -> None:
    assert len(complaints(b"- &x 1\n" * 1000)) == 50


def test_a_key_cannot_break_a_problem_in_two() -> None:
    assert complaints(b'"a\\n\\e[0m": *x\n')[0].where == "a??[0m"


@by_each_parser
@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "a: {at: 2016-11-14T10:00:00Z, of: why?not?, url: http://x:80/?a=b:c}",
            {"at": "2016-11-14T10:00:00Z", "of": "why?not?", "url": "http://x:80/?a=b:c"},
        ),
        ("a: [b:c, 'd:e', \"f:g?\", h::i]", ["b:c", "d:e", "f:g?", "h::i"]),
        ('a: {"b":1,"c":["d:e"]}', {"b": 1, "c": ["d:e"]}),
        ("a: {b, c: }", {"b": None, "c": None}),
        ("a: avg(x:y) # b:c", "avg(x:y)"),
        ("a:\n- b: |\n    c:d\n    ?e\n- f", [{"b": "c:d\n?e\n"}, "f"]),
        ('a: "\tb"\n#\tc\n', "\tb"),
        ("a: |\n  b\tc\n  \td\n", "b\tc\n\td\n"),
        ("a: '<<<<<<< x'", "<<<<<<< x"),
        ("---\na: b\n...\n# c\n", "b"),
        ("a: 1%\n", "1%"),
        ('a: {"<<": b, "1": c}', {"<<": "b", "1": "c"}),
        ('a: "\\u2028\\0\\ud7ff"', "\u2028\0\ud7ff"),
        ("a: " + "[" * (DEEPEST - 1) + "]" * (DEEPEST - 1), None),
    ],
)
def test_what_is_not_refused(text: str, said: Any) -> None:
    root = plain(read(text))
    assert isinstance(root, dict)
    assert said is None or root == {"a": said}, text


def test_the_size_allowed_is_a_parameter() -> None:
    data = b"a: " + b"x" * MIB
    assert parse(data, "f.yaml", largest=2 * MIB)[1] == ()
    assert parse(b"a: 1", "f.yaml", largest=4)[1] == ()
    assert "more than the 3 allowed" in parse(b"a: 1", "f.yaml", largest=3)[1][0].message


# Any bytes at all.

PIECES = [
    *" \n:-[]{},\"'#!&*|>?%@`\\.~=a1é😀\t", "  ", "\n  ", "\r\n", ": ", "- ", ", ", " #", "? ", "|\n", "|+\n", ">-\n",
    "---\n", "...\n", "<<", "a: b", "\n- ", '"k":', "\n\n", ":x", "x?", "\\u00e9", "\\ud800", "&a ", "*a", "!x ", "a: ",
    "{b: c}", "[d]",
]  # fmt: skip


def by_both(data: bytes) -> Iterator[Any]:
    for chosen in (C_PARSER, None):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(yaml_events, "CParser", chosen)
            yield parse(data, "f.yaml")


@settings(max_examples=800, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.sampled_from(PIECES), max_size=20).map("".join))
@example("...\n...")
@example("a: |#")
@example("a: |\n \n  x")
@example("{a\n?b: c}")
@example('["k":1]')
@example("a:")
@example("-")
@example("a:\n-")
def test_both_parsers_read_the_same(text: str) -> None:
    (root, problems), (other_root, other_problems) = by_both(text.encode())
    assert repr(root) == repr(other_root), (text, problems, other_problems)
    assert bool(problems) is bool(other_problems) is (root is None), (text, problems, other_problems)


@many
@given(documents)
def test_both_parsers_read_documents_alike(text: str) -> None:
    (root, _), (other, _) = by_both(text.encode())
    assert root is not None
    assert repr(root) == repr(other), text


@by_each_parser
@many
@given(st.binary(max_size=40))
def test_no_bytes_do_harm(data: bytes) -> None:
    root, problems = parse(data, "f.yaml")
    assert (root is None) is bool(problems), data
    for problem in problems:
        assert problem.line >= 1, (data, problem)
        assert problem.column >= 1, (data, problem)


@by_each_parser
@pytest.mark.parametrize(
    "data", [b"- " * 50_000, b"a:\n" * 30_000, b"{" * 100_000, b"a: |\n  x" + b"\n" * 100_000 + b"  y\n"]
)
def test_hostile_files_take_no_time(data: bytes) -> None:
    start = time.process_time()
    parse(data, "f.yaml")
    assert time.process_time() - start < 5, data[:10]


def test_nothing_heavy_is_imported() -> None:
    code = "import sys, tsunami_cli.adapters.yaml.documents; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    ).stdout.split()
    assert not {"typer", "rich", "git", "jsonschema_rs", "yaml"} & set(loaded)
