"""What `docs/reference.py` writes: the reference in Markdown, the man page, and the completions of shells."""
