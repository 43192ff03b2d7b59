"""From a result value to words, tables or JSON."""
