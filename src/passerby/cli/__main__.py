"""`python -m passerby.cli`: supervisor starts our processes this way, because it does not depend on PATH."""

from passerby.cli import main

main()
