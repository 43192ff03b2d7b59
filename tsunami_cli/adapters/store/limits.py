"""How long a store may take, and text from outside in one line."""

import os
import re

from tsunami_cli.errors import Usage

DEFAULT_LIMIT = 20.0
_CONTROL = re.compile(r"[\x00-\x20\x7f-\xa0\u2028\u2029]+")


def plain(text: str) -> str:
    """Render text from outside as one line that steers no terminal."""
    return _CONTROL.sub(" ", text).strip()


def request_limit() -> float:
    """Return how many seconds a request may take, retries included: `TSUNAMI_STORE_TIMEOUT`, by default 20."""
    text = os.environ.get("TSUNAMI_STORE_TIMEOUT", "").strip()
    if not text:
        return DEFAULT_LIMIT
    if not re.fullmatch(r"\d{1,6}(\.\d{1,6})?", text, re.ASCII) or float(text) == 0:
        raise Usage(f"TSUNAMI_STORE_TIMEOUT: {plain(text)!r} is no number of seconds above 0, such as 20")
    return float(text)
