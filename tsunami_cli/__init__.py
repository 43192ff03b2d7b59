"""Tsunami rolls a change out to a fleet of hosts slowly, unattended and under control."""

__version__ = "0.1.0"
