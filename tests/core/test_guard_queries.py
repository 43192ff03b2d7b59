"""Queries with `$variable`, `$from`, `$to` and `$role` in them, against an independent reader of PromQL's strings."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.fleets import rollout, val, variable
from tsunami_cli.core.guard.queries import expanded, names_version, unknown_names

# A reader of its own: what a PromQL lexer makes of a text, strings unquoted, comments gone.
Token = tuple[str, str]
SHORT = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
HEX = {"x": 2, "u": 4, "U": 8}


def lexed(text: str) -> list[Token]:
    """Return ("string", its value) and ("text", what stands between strings)."""
    found: list[Token] = []
    place, plain = 0, ""
    while place < len(text):
        char = text[place]
        if char == "#":
            while place < len(text) and text[place] != "\n":
                place += 1
        elif char in "\"'`":
            inside, place = unquoted(text, place)
            found += [("text", plain), ("string", inside)]
            plain = ""
        else:
            plain += char
            place += 1
    return [*found, ("text", plain)]


def unquoted(text: str, place: int) -> tuple[str, int]:
    """Return the value of the string that begins at a place, and where it ends."""
    quote, value = text[place], ""
    place += 1
    while text[place] != quote:
        char = text[place]
        assert char != "\n" or quote == "`", "a line ends within a string"
        if char != "\\" or quote == "`":
            value += char
            place += 1
            continue
        kind = text[place + 1]
        if kind in HEX:
            digits = text[place + 2 : place + 2 + HEX[kind]]
            assert kind != "x" or int(digits, 16) < 0x80, "a byte, no character"
            value += chr(int(digits, 16))
            place += 2 + HEX[kind]
            continue
        assert kind in {*SHORT, "\\", quote}, f"unknown escape {kind}"
        value += SHORT.get(kind, kind)
        place += 2
    return value, place + 1


def filled(
    query: str, to: object = "2", came_from: Sequence[object] = ("1",), roles: Sequence[str] = ("web",)
) -> tuple[str, ...]:
    active = replace(rollout((0, 0), (1, 100)), to=val(to), came_from=tuple(map(val, came_from)))
    return expanded(query, variable(active), active, roles)


def one(query: str, to: object = "2", came_from: Sequence[object] = ("1",), roles: Sequence[str] = ("web",)) -> str:
    (text,) = filled(query, to, came_from, roles)
    return text


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("up", "up"),
        ("up # nothing to fill, as it is", "up # nothing to fill, as it is"),
        ('x{v="$to"}', 'x{v="1.12.3"}'),
        ("x{v='$to'}", "x{v='1.12.3'}"),
        ("x{v=`$to`}", "x{v=`1.12.3`}"),
        ('x{v="${to}"}', 'x{v="1.12.3"}'),
        ('x{v="v${to}-$from$variable"}', 'x{v="v1.12.3-1x"}'),
        ("x{v=${to}}", 'x{v="1.12.3"}'),
        ("x{v=$to}", 'x{v="1.12.3"}'),
        ("x{v=$to,w=$from} > $variable", 'x{v="1.12.3",w="1"} > "x"'),
        ("x{v=~$to}", r'x{v=~"1\\.12\\.3"}'),
        ("x{v !~ ${to}}", r'x{v !~ "1\\.12\\.3"}'),
        ("x{v=~ # the new one\n $to}", 'x{v=~ \n "1\\\\.12\\\\.3"}'),
        ("x{v=$tools,w=${to_x}}", "x{v=$tools,w=${to_x}}"),
        ('x{v=~"$to"}', r'x{v=~"1\\.12\\.3"}'),
        ('x{v !~ "$to|.*rc.*"}', r'x{v !~ "1\\.12\\.3|.*rc.*"}'),
        ("x{v=~`$to`}", r"x{v=~`1\.12\.3`}"),
        ('x{v=~\n  # the new one\n"$to"}', 'x{v=~\n  \n"1\\\\.12\\\\.3"}'),
        ('x{v="$tools"}', 'x{v="$tools"}'),
        ('x{v="$to_x ${to_x} $1 $"}', 'x{v="$to_x ${to_x} $1 $"}'),
        ('x{v="#$to"} # $to $from', 'x{v="#1.12.3"} '),
        ('x{v="\\"$to\\\\"}', 'x{v="\\"1.12.3\\\\"}'),
        ('x{a="it\'s",b="$to"}', 'x{a="it\'s",b="1.12.3"}'),
        ('label_replace(x{v="$to"}, "host", "$1", "instance", "(.*):.*")',
         'label_replace(x{v="1.12.3"}, "host", "$1", "instance", "(.*):.*")'),
        ('x{variable="$variable",role="$role"}', 'x{variable="x",role="web"}'),
    ],
)  # fmt: skip
def test_places(query: str, text: str) -> None:
    assert one(query, to="1.12.3") == text


def test_bare_names_after_a_match_are_alternatives() -> None:
    assert filled("x{v=~$from}", came_from=["1.0", "2"]) == (r'x{v=~"(?:1\\.0|2)"}',)
    assert filled("x{role!~$role}", roles=["web", "db.1"]) == (r'x{role!~"(?:web|db\\.1)"}',)


@pytest.mark.parametrize(
    ("to", "text"),
    [
        (True, "true"),
        (4096, "4096"),
        (0.5, "0.5"),
        ("", ""),
        ("é", "é"),
        ("a\nb", "a\nb"),
        ("\x1b[31m\x00\x7f", "\x1b[31m\x00\x7f"),
        ('"\t"', '"\t"'),
    ],
)
def test_a_value_stands_as_people_see_it(to: object, text: str) -> None:
    for query in ('x{v="$to"}', "x{v='$to'}", "x{v=`$to`}", "x{v=$to}"):
        made = one(query, to=to)
        assert lexed(made) == [("text", "x{v="), ("string", text), ("text", "}")]
        assert "`" in made or made.isprintable()


def test_several_old_values_are_alternatives_of_a_pattern() -> None:
    query = one('x{v=~"$from"}', came_from=["1.0", "a|b", 7])
    ((_, _), (_, pattern), _) = lexed(query)
    assert [text for text in ("1.0", "1x0", "a|b", "a", "7", "1.07") if re.fullmatch(pattern, text)] == [
        "1.0",
        "a|b",
        "7",
    ]
    within = lexed(one('x{v=~"v$from-.*"}', came_from=["1", "2"]))[1][1]
    assert re.fullmatch(within, "v1-x")
    assert re.fullmatch(within, "v2-")
    assert not re.fullmatch(within, "v1")


@pytest.mark.parametrize("query", ['x{v="$from"}', "x == $from", "x{v=`$from`}"])
@pytest.mark.parametrize(("came_from", "words"), [(["1", "2"], "1 and 2"), ([], "nothing")])
def test_where_one_old_value_is_wanted_several_are_refused(query: str, came_from: list[object], words: str) -> None:
    with pytest.raises(ValueError, match=rf"^\$from is {words} here: match it with =~$"):
        filled(query, came_from=came_from)


def test_one_query_for_each_role_only_where_it_has_to_be() -> None:
    roles = ["web", "db.1"]
    assert filled('x{role="$role"}', roles=roles) == ('x{role="web"}', 'x{role="db.1"}')
    assert filled("x{role=${role}}", roles=roles) == ('x{role="web"}', 'x{role="db.1"}')
    assert filled('x{role=~"$role"}', roles=roles) == (r'x{role=~"(?:web|db\\.1)"}',)
    assert filled('x{role=~"$role"} * y{role="$role"}', roles=roles) == (
        'x{role=~"web"} * y{role="web"}',
        r'x{role=~"db\\.1"} * y{role="db.1"}',
    )
    assert filled('x{role="$role"}', roles=[]) == ()
    assert filled('x{v="$to"} # $role', roles=roles) == ('x{v="2"} ',)


def test_what_cannot_stand_between_backticks() -> None:
    with pytest.raises(ValueError, match="a`b cannot stand between backticks: use quotes"):
        filled("x{v=`$to`}", to="a`b")
    assert lexed(one("x{v=`$to`}", to='\\n"'))[1] == ("string", '\\n"')


@pytest.mark.parametrize(
    ("query", "versioned"),
    [
        ("up", False),
        ('up{version="$to"}', True),
        ('up{version!="${from}"}', True),
        ("up == $to", True),
        ('up{job="$variable", role=~"$role"}', False),
        ('up{job="$tool"}', False),
        ('label_replace(up, "a", "$1", "b", "(.*)")', False),
        ("up # of $to", False),
    ],
)
def test_whether_hosts_of_another_version_are_silent_by_design(query: str, versioned: bool) -> None:
    assert names_version(query) == versioned


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("$to $from $role $variable ${to}", []),
        ("$value ${version} $to", ["value", "version"]),
        ('label_replace(x, "a", "$name", "b", "(?P<name>.*)")', []),
        ("$1 $ ${", []),
    ],
)
def test_names_that_are_none(query: str, names: list[str]) -> None:
    assert list(unknown_names(query)) == names


# Any template, any value.


@dataclass(frozen=True)
class Place:
    """A string of a template: literals, and names that stand for values."""

    quote: str
    parts: tuple[str, ...]
    pattern: bool

    @property
    def text(self) -> str:
        return ("=~" if self.pattern else "=") + self.quote + "".join(self.parts) + self.quote


HOSTILE = st.sampled_from(
    [
        '"',
        "'",
        "`",
        "\\",
        '\\"',
        '"} or vector(1) #',
        "$to",
        "${from}",
        "# x",
        "}",
        "(?i)",
        ".*",
        "a|b",
        "[",
        "\\Q",
        "\n",
        "\x00\x1b",
    ]
)
VALUES = (st.text(max_size=8) | HOSTILE | st.lists(HOSTILE, max_size=3).map("".join)).filter(
    lambda text: not any("\ud800" <= char <= "\udfff" for char in text)
)
LITERALS = st.sampled_from(["", "v", "a b", "# no comment", "é", "$", "$1", "-"])
NAMED = st.sampled_from(["$to", "${to}", "$from", "${from}", "$variable"])
PLACES = st.builds(
    Place,
    st.sampled_from("\"'`"),
    # A blank behind a name, so that no letter belongs to it.
    st.lists(LITERALS | NAMED.map(lambda name: name + " "), max_size=4).map(tuple),
    st.booleans(),
)
BETWEEN = st.sampled_from([" sum by (instance) (x", "} / ", "\n", ' # it\'s "a" `comment` $to $nothing\n', ", a"])


@given(st.lists(BETWEEN | PLACES, max_size=6), VALUES, VALUES)
def test_a_query_holds_the_values_and_is_otherwise_as_it_was(template: list[str | Place], to: str, old: str) -> None:
    query = "".join(piece.text if isinstance(piece, Place) else piece for piece in template)
    values = {"$to": to, "${to}": to, "$from": old, "${from}": old, "$variable": "x"}
    places = [piece for piece in template if isinstance(piece, Place)]
    asked = {part.rstrip() for place in places if place.quote == "`" for part in place.parts if part.rstrip() in values}
    if any("`" in values[name] for name in asked):
        with pytest.raises(ValueError, match="backticks"):
            filled(query, to=to, came_from=[old])
        return
    before, after = lexed(query), lexed(one(query, to=to, came_from=[old]))
    assert [token for token in after if token[0] == "text"] == [token for token in before if token[0] == "text"]
    strings = [inside for kind, inside in after if kind == "string"]
    assert len(strings) == len(places)
    for inside, place in zip(strings, places, strict=True):
        words = [values.get(part.rstrip(), part) + " " * (part.rstrip() in values) for part in place.parts]
        if not place.pattern:
            assert inside == "".join(words)
            continue
        # As a pattern: the names match exactly their values, what is around them is the author's.
        quoted = [
            re.escape(w[:-1]) + " " if p.rstrip() in values else p for w, p in zip(words, place.parts, strict=True)
        ]
        assert inside == "".join(quoted)


@given(VALUES)
def test_a_pattern_matches_its_value_alone(to: str) -> None:
    pattern = lexed(one('x{v=~"$to"}', to=to))[1][1]
    assert re.fullmatch(pattern, to)
    assert not re.fullmatch(pattern, to + "x")
    # RE2 knows no escape of a letter or digit that we could mean; of anything else it takes the character itself.
    assert not re.search(r"(?<!\\)(\\\\)*\\[A-Za-z0-9]", pattern)
