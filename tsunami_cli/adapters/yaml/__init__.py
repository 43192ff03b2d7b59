"""The YAML door: documents read with the address of every piece, and edited so that nothing else changes.

documents   parse: a document as nodes, or everything that is wrong with it
events      the parser's events, C or Python, and what is refused before there are any
scalars     what YAML readers take a plain scalar for
edits       edit: one edit after the other, each read again and compared with what it means
splices     where an edit cuts the text
layout      how the text around a place is indented
fragments   new pieces of text
"""
