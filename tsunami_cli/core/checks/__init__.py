"""From parsed documents to checked ones: what JSON Schema cannot say, each complaint with its address.

The schema's own complaints come in by path. What they touch is left alone here, so that every problem of a file is
reported once, and all of them in one go.
"""
