"""Options that several commands have."""

from typing import Annotated

import typer

Name = Annotated[str, typer.Option(help="The name of this process in RUN_DIR. Each process needs its own.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead.")]
