"""Simulated people who chat in the sandbox, and a judge that finds lost, doubled and misrouted messages.

`habits` has what people do and how long they take. `people` acts for one person, through the sandbox's HTTP API
(`control`), and `crowd` for all of them. `seen` keeps what phones show, `phrases` tells what a notice means, `judge`
judges the messages, and `book` measures them.
"""
