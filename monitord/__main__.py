"""`python -m monitord` is the same command line."""

from monitord.cli import main

main()
