"""The world around the demo: what its hosts do with a bad version, and the metrics servers that tell of it."""
