"""What things cost. Each module is a command; `python -m benchmarks` runs the short form of all.

How it is measured: the process that is measured is alone on one core, everything else is on another; CPU is user plus
system time of the whole process, threads included (getrusage); a warm-up is left out; the median of several windows is
shown with the lowest and the highest. The machine is shared and noisy: believe factors, not tenths.
"""
