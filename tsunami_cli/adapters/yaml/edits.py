"""Carry edits out on YAML so that every byte survives that is not their business.

Text is spliced where nodes stand; the document is never written anew. After each edit the text is read again and must
say what the edit means: where it does not, nothing is changed and the caller is told to edit by hand.

What goes along with a piece, and what stays:
- a value that is replaced takes the comments within it along; those above it and behind it stay;
- a new key or item comes behind the last one and the comments that belong to that (`yaml_layout` says which do);
- what is removed takes the comment on its line and those that belong to it along;
- the last item of `pins` takes the key along, that of any other sequence leaves `[]`, the last key of a mapping `{}`.
"""

from collections.abc import Sequence

from tsunami_cli.adapters.yaml.documents import parse
from tsunami_cli.adapters.yaml.fragments import meaning, same
from tsunami_cli.adapters.yaml.layout import Splice, entry, node_at
from tsunami_cli.adapters.yaml.splices import appended, inserted, removed, replaced, replaced_root
from tsunami_cli.core.edits import Edit, Insert, Put, Remove
from tsunami_cli.core.nodes import ListNode, MapNode, Node, Path, Plain, ScalarNode, plain, spelled
from tsunami_cli.errors import Refused


def edit(data: bytes, edits: Sequence[Edit], file: str) -> bytes:
    """Return `data` with `edits` carried out one after the other, each on what the one before left.

    Raises Refused where `data` is not valid, a path leads nowhere, or the layout of the file allows no safe edit;
    ValueError for a fragment that is not YAML.
    """
    root, problems = parse(data, file)
    if root is None:
        raise Refused(f"{problems[0]}: mend this first")
    text = data.decode()
    for step in edits:
        text, root = _edited(text, root, step, file)
    return text.encode()


def _edited(text: str, root: Node, step: Edit, file: str) -> tuple[str, Node]:
    try:
        meant = _meant(plain(root), step)
    except LookupError:
        raise Refused(f"{file}: {spelled(step.path)}: there is no such place in this file") from None
    new = _spliced(text, _splices(text, root, _settled(text, root, step)))
    read, _ = parse(new.encode(), file)
    if read is None or not same(plain(read), meant):
        where = spelled(step.path)
        raise Refused(f"{file}: {where}: the layout here allows no safe edit: make the change by hand")
    return new, read


def _spliced(text: str, splices: Sequence[Splice]) -> str:
    for start, end, new in sorted(splices, reverse=True):
        text = text[:start] + new + text[end:]
    return text


def _meant(tree: Plain, step: Edit) -> Plain:
    """Return `tree` as it is to read after `step`; raises LookupError for a path that leads nowhere."""
    if isinstance(step, Put):
        return _with(tree, step.path, meaning(step.fragment))
    *above, last = step.path
    if isinstance(step, Insert):
        below = _below(tree, above)
        items = [] if below is None else below
        if not isinstance(items, list) or not isinstance(last, int) or not 0 <= last <= len(items):
            raise LookupError
        return _with(tree, tuple(above), [*items[:last], meaning(step.fragment), *items[last:]])
    holder = _below(tree, above)
    if isinstance(holder, dict) and last in holder:
        return _with(tree, tuple(above), {key: value for key, value in holder.items() if key != last})
    if not isinstance(holder, list) or not isinstance(last, int) or not 0 <= last < len(holder):
        raise LookupError
    if len(holder) == 1 and above[-1:] == ["pins"]:
        return _meant(tree, Remove(tuple(above)))
    return _with(tree, tuple(above), [*holder[:last], *holder[last + 1 :]])


def _below(tree: Plain, path: Sequence[str | int]) -> Plain:
    """Return what stands at `path`, None where nothing does."""
    for step in path:
        if isinstance(tree, dict) and isinstance(step, str):
            tree = tree.get(step)
        elif isinstance(tree, list) and isinstance(step, int) and 0 <= step < len(tree):
            tree = tree[step]
        else:
            return None
    return tree


def _with(tree: Plain, path: Path, value: Plain) -> Plain:
    """Return `tree` with `value` at `path`, whose last key may be new."""
    if not path:
        return value
    step, *rest = path
    if isinstance(step, str) and (tree is None or isinstance(tree, dict)):
        known = tree or {}
        if rest and step not in known:
            raise LookupError
        return known | {step: _with(known.get(step), tuple(rest), value)}
    if isinstance(tree, list) and isinstance(step, int) and 0 <= step < len(tree):
        return [*tree[:step], _with(tree[step], tuple(rest), value), *tree[step + 1 :]]
    raise LookupError


def _settled(text: str, root: Node, step: Edit) -> Edit:
    """Return the edit that does it in the text: collections that are not there are made, those left empty replaced."""
    if not step.path:
        return step
    above, last = step.path[:-1], step.path[-1]
    holder = node_at(text, root, above)
    if isinstance(step, Remove):
        if isinstance(holder, ListNode) and len(holder.items) == 1 and above[-1:] == ("pins",):
            return _settled(text, root, Remove(above))
        return Put(above, {} if isinstance(holder, MapNode) else ()) if _is_emptied(text, holder) else step
    if isinstance(step, Insert) and (not isinstance(holder, ListNode) or _is_bare(text, holder)):
        return _settled(text, root, Put(above, (step.fragment,)))
    if isinstance(step, Put) and isinstance(holder, ScalarNode):
        return _settled(text, root, Put(above, {str(last): step.fragment}))
    return step


def _is_emptied(text: str, node: Node | None) -> bool:
    """Tell whether a collection is to be written as `[]` or `{}` once its only entry goes: not if it has comments."""
    if isinstance(node, ScalarNode) or node is None:
        return False
    count = len(node.entries if isinstance(node, MapNode) else node.items)
    return count == 1 and not (node.flow and "#" in text[node.span.start : node.span.end])


def _is_bare(text: str, node: ListNode) -> bool:
    """Tell whether a sequence is empty, and of comments too."""
    return not node.items and "#" not in text[node.span.start : node.span.end]


def _splices(text: str, root: Node, step: Edit) -> Sequence[Splice]:
    found = entry(text, root, step.path)
    above = node_at(text, root, step.path[:-1])
    match step:
        case Put(path=()):
            return replaced_root(text, root, step.fragment)
        case Put() if found is not None:
            return replaced(text, found, step.fragment)
        case Put(path=(*_, str(key))) if isinstance(above, MapNode):
            return appended(text, above, key, step.fragment)
        case Insert(path=(*_, int(place))) if isinstance(above, ListNode):
            return inserted(text, above, entry(text, root, step.path[:-1]), place, step.fragment)
        case Remove() if found is not None:
            return removed(text, found, bare=step.bare)
        case _:
            return []
