"""Plants deliberate bugs, one line each, and checks whether the suites catch them: `python -m tests.planted`.

`bugs` has the list. Each bug breaks a promise; none is a matter of taste. A bug that no suite catches needs a test.
"""
