"""What is written reads back as the same inventory, whatever names look like."""

from hypothesis import given, settings
from hypothesis import strategies as st

from tsunami_cli.adapters.inventory_writing import comments_lost, csv_of, head_of, yaml_of
from tsunami_cli.commands.fleet import load_inventory
from tsunami_cli.core.inventory import Inventory, host_fault, role_fault

ODD = ["12", "1e3", "0x1f", "no", "y", "on", "null", "2016-11-14", "1.10", "0o7", "12.5e-3", "true", "nan", "e5", "a.b"]
NAMES = st.one_of(st.sampled_from(ODD), st.from_regex(r"[a-z0-9][a-z0-9.-]{0,8}", fullmatch=True))
HOSTS = NAMES.filter(lambda name: host_fault(name) is None)
ROLES = st.one_of(NAMES, st.just("1_000")).filter(lambda name: role_fault(name) is None)
LABELS = st.text(max_size=6).filter(lambda text: text.isprintable() and text == text.strip())
FLEETS = st.dictionaries(HOSTS, st.tuples(ROLES, LABELS), min_size=1, max_size=8)


@settings(max_examples=15)
@given(FLEETS)
def test_it_reads_back(rows: dict[str, tuple[str, str]]) -> None:
    roles, labels = zip(*rows.values(), strict=True)
    bare = Inventory.of(list(rows), roles, {})
    labelled = Inventory.of(list(rows), roles, {"site": labels})
    assert load_inventory(csv_of(labelled), "inventory.csv") == (labelled, ())
    assert load_inventory(csv_of(bare), "inventory.csv") == (bare, ())
    assert load_inventory(yaml_of(bare), "inventory.yaml") == (bare, ())


def test_the_comments_at_the_top() -> None:
    assert head_of(b"# a\n\n#b\nweb: [x]\n# c\n") == ["# a", "", "#b"]
    assert head_of(b"web: [x]\n") == []
    for text, lost in ((b"# a\nweb: [x]\n", False), (b"web: [x] # a\n", True), (b"web:\n  # a\n  - x\n", True)):
        assert comments_lost(text) == lost, text
