"""The control API under /sandbox/: people's actions, what their phones show, the journal, faults and switches.

Requests and answers are JSON; file uploads are multipart. Errors are `{"ok": false, "error": "<sentence>"}`. `dispatch`
has the table of routes. Each route is one method of `Roster`, `Chats`, `Crowd` or `TestRoutes`, and its docstring
appears in the reference.
"""

from botapi_sandbox.control.dispatch import ROUTES, Control

__all__ = ["ROUTES", "Control"]
