"""The number of a staff member."""

from typing import NewType

StaffId = NewType("StaffId", int)
"""The number of a staff member, in the order in which they joined. It is never used twice."""

COMMAND_LINE = StaffId(0)
"""Stands for whoever can run commands on the server."""
