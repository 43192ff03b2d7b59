"""What init laid out or renewed, and what comes next."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict

from tsunami_cli.core.laying_out import Ci, LaidOut, Upgrade
from tsunami_cli.core.values import printable
from tsunami_cli.output.streams import OLD, console, count_of, emit

_FIRST = (
    ("put your hosts in", "$EDITOR inventory.csv"),
    ("check it", "tsunami validate"),
    ("before every commit", "pre-commit install"),
    ("commit it", "git add --all && git commit --message 'A rollouts repository'"),
)
_IMPORT = (
    "or take hosts over",
    "ansible-inventory --list | tsunami inventory import --from ansible - --drop-label site --accept-shrink 7",
)
_THEN = {
    Ci.GITHUB: (
        ("say where to publish", "$EDITOR .github/workflows/rollouts.yml .github/workflows/halt.yml"),
        ("settings on GitHub", "less README.md"),
        ("let GitHub do it", "git push --set-upstream origin HEAD"),
    ),
    Ci.GITLAB: (
        ("say where to publish", "$EDITOR .gitlab-ci.yml"),
        ("settings on GitLab", "less README.md"),
        ("let GitLab do it", "git push --set-upstream origin HEAD"),
    ),
    Ci.NONE: (("say where to publish", "$EDITOR tsunami.yaml"), ("tell hosts", "tsunami publish")),
}
_EXAMPLE = ("your first rollout", "tsunami start docker --to 1.12.3 --over 14d --dry-run")
_NO_EXAMPLE = ("see it", "tsunami status")
_MORE = ("commit it", "git add --all && git commit --message 'More of a rollouts repository'")
_OLDER = ("renew what is older", "tsunami init --upgrade")


def show(laid_out: LaidOut, *, dry_run: bool, as_json: bool) -> None:
    """Write the files made and kept to stdout, and what to do next."""
    if as_json:
        data = asdict(laid_out)
        del data["moved_up"]
        emit({**data, "dry_run": dry_run})
        return
    from rich.text import Text

    out, would = console(), "would have " if dry_run else ""
    for path in laid_out.made:
        out.print(f"  {would}made  {path}")
    for path in laid_out.kept:
        why = "  (older or edited: tsunami init --upgrade)" if path in laid_out.older else ""
        out.print(Text(f"  {would}kept  {path}", OLD).append(why, "default"), soft_wrap=True)
    if dry_run:
        out.print("nothing was written")
        return
    where = ", laid out at its top" if laid_out.moved_up else ""
    out.print(f"{printable(laid_out.root)} is a rollouts repository{where}", soft_wrap=True)
    _print_steps(_next(laid_out))


def show_upgrade(upgrade: Upgrade, *, dry_run: bool, as_json: bool) -> None:
    """Write what an upgrade changed to stdout, and how to keep that."""
    if as_json:
        emit({**asdict(upgrade), "dry_run": dry_run})
        return
    out, would = console(), "would have " if dry_run else ""
    for word, paths in (("made", upgrade.made), ("upgraded", upgrade.upgraded), ("removed", upgrade.removed)):
        for path in paths:
            out.print(f"  {would}{word}  {path}")
    for path in upgrade.left:
        out.print(f"  left  {path}  (no longer tsunami's: delete it, once tsunami init has made what replaces it)")
    if not upgrade.changed:
        out.print(f"{count_of(len(upgrade.kept), 'file')} of tsunami {upgrade.version}: all as they should be")
    elif dry_run:
        out.print("nothing was written")
    else:
        out.print(f"upgraded to tsunami {upgrade.version}; settings, hosts and variables are as they were")
        tops = " ".join(sorted({path.partition("/")[0] for path in upgrade.changed}))
        commit = f"git add --all {tops} && git commit --message 'Upgrade tsunami to {upgrade.version}'"
        _print_steps([("look at it", "git diff"), ("commit it", commit)])


def _next(laid_out: LaidOut) -> Sequence[tuple[str, str]]:
    """Return what to do next, each with a command: everything the first time, later what this run leaves to do."""
    if "tsunami.yaml" in laid_out.made:
        take_over = (_IMPORT,) if "inventory.csv" in laid_out.made else ()
        example = _EXAMPLE if "rollouts/docker.yaml" in laid_out.made else _NO_EXAMPLE
        return (*_FIRST, *take_over, *_THEN[laid_out.ci], example)
    return [step for step, asked in ((_MORE, laid_out.made), (_OLDER, laid_out.older)) if asked]


def _print_steps(steps: Iterable[tuple[str, str]]) -> None:
    lines = [f"  {what:<20} {how}" for what, how in steps]
    if lines:
        # A line that was broken in two could not be pasted.
        console().print("\n".join(["", *lines]), soft_wrap=True)
