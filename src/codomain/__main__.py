"""Run the command line as `python -m codomain`."""

from codomain.cli import main

main()
