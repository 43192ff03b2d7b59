"""Hosts of another inventory turned into ours.

`machines` has the rules that read name, role and labels of a host, `intake` makes an inventory of many hosts or says
why not, and `difference` is what that changes, and what it may not change.
"""
