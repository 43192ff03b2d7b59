"""What init laid out, and what comes next."""

from collections.abc import Sequence

from tsunami_cli.output.streams import OLD, console, emit

_NEXT = (
    ("put your hosts in", "$EDITOR inventory.csv"),
    ("commit it", "git add --all && git commit --message 'A rollouts repository'"),
    ("check it", "tsunami validate"),
    ("see it", "tsunami status"),
    ("tell hosts", "tsunami publish"),
    ("your first rollout", "tsunami start docker --to 1.12.3 --over 14d --dry-run"),
)


def show(root: str, made: Sequence[str], kept: Sequence[str], *, as_json: bool) -> None:
    """Write the files made and kept to stdout."""
    if as_json:
        emit({"root": root, "made": list(made), "kept": list(kept)})
        return
    from rich.text import Text

    out = console()
    for path in made:
        out.print(f"  made  {path}")
    for path in kept:
        out.print(Text(f"  kept  {path}", OLD))
    out.print(f"{root} is a rollouts repository")
    out.print()
    for what, how in _NEXT:
        out.print(f"  {what:<20} {how}")
