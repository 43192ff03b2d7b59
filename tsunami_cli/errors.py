"""The few ways in which a command can fail, each with its exit code (0 is done, 2 usage, 3 a bug)."""


class TsunamiError(Exception):
    """Base of every expected failure. Its text is one line: the file, the thing and the way out."""

    exit_code = 1


class Refused(TsunamiError):
    """The answer is no: invalid input, an unknown name, a decision that does not fit."""


class Usage(TsunamiError):
    """The command was called in a way that has no meaning."""

    exit_code = 2


class Unreachable(TsunamiError):
    """A git remote, a store or a metrics server could not be asked or reached."""

    exit_code = 4
