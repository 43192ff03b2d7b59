"""The guard's judgement: what was measured on the hosts that have moved, and what follows from it."""
