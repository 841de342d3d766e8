"""`python -m passerby.cli`: how supervisor starts our processes, whatever PATH is."""

from passerby.cli import main

main()
