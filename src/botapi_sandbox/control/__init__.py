"""The control API under /sandbox/: what people do, what their phones show, the journal, faults and switches.

JSON in and out (the upload of a file is multipart). Errors are `{"ok": false, "error": "<sentence>"}`. The table of
routes stands in `dispatch`; each route is one method of `Roster`, `Chats` or `Laboratory`, and its docstring is the
reference.
"""

from botapi_sandbox.control.dispatch import ROUTES, Control

__all__ = ["ROUTES", "Control"]
