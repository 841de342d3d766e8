"""Bugs on purpose, one line each, and whether the suites catch them: `python -m tests.planted`.

`bugs` has the list. Each bug breaks a promise; none is a matter of taste. What no suite catches needs a test.
"""
