"""`python -m botapi_sandbox`."""

from botapi_sandbox.cli import main

raise SystemExit(main())
