"""`python -m tsunami_cli`."""

from tsunami_cli.cli import main

main()
