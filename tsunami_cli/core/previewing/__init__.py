"""What a change to the files will do, before it counts: two states of a fleet held against each other.

`comparing` has all of it. `standing` says where a variable stands, and what every host has, after the next publish of
a state; `keys` what differs between documents; `courses` what a new or rescheduled rollout will do; `fleet` what
became of the inventory; `remarks` what a reviewer should stop at; `preview` holds it as one value.
"""
