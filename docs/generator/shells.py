"""Completions for shells, as files that a package puts where the shell looks for them.

They ask the program the way typer's own do. bash's is typer's. zsh's differs in its end: a file in `fpath` is the body
of the function, which typer's would only define with the first key. fish's asks once for every key, and typer's twice.
"""

from typer.completion import get_completion_script  # type: ignore[attr-defined]

from docs.generator.commands import PROGRAM

_ASKS = "_TSUNAMI_COMPLETE"
_FIRST = """\
if [[ $funcstack[1] == _tsunami ]]; then
  _tsunami_completion "$@"
else
  compdef _tsunami_completion tsunami
fi"""

_FISH = """\
function __tsunami_complete
    set -l found (env _TSUNAMI_COMPLETE=complete_fish _TYPER_COMPLETE_FISH_ACTION=get-args \\
        _TYPER_COMPLETE_ARGS=(commandline -cp | string collect) tsunami)
    if test -n "$found"
        printf '%s\\n' $found
    else
        __fish_complete_path (commandline -ct)
    end
end

complete --command tsunami --no-files --arguments "(__tsunami_complete)"
"""


def bash() -> str:
    """Return the file `tsunami` for bash-completion."""
    return _typers("bash")


def zsh() -> str:
    """Return the file `_tsunami`: typer's, which answers from the first key on."""
    *script, last = _typers("zsh").splitlines()
    if last != "compdef _tsunami_completion tsunami":
        raise ValueError(f"typer's script for zsh ends in {last!r}: see whether it now answers the first key by itself")
    return "\n".join([*script, _FIRST]) + "\n"


def fish() -> str:
    """Return the file `tsunami.fish`."""
    return _FISH


def _typers(shell: str) -> str:
    return f"{get_completion_script(prog_name=PROGRAM, complete_var=_ASKS, shell=shell)}\n"
