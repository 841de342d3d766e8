"""Finds processes of this machine that serve the same bots from another run directory. It imports no Typer, because
every start of `passerby run` looks."""

from passerby.ops.cluster.installations import serving
from passerby.settings import Settings, addresses


def api_of(settings: Settings) -> str:
    """The address of the Bot API server, in the form in which processes report it."""
    return addresses.without_password(settings.bot_api_url)


def where_else(settings: Settings) -> str:
    """A sentence about processes that serve these bots from another run directory. Empty if there are none."""
    beside = serving(frozenset(settings.tokens), api_of(settings), besides=settings.run_path)
    if not beside:
        return ""
    return f"these bots are served by {', '.join(map(str, beside))}: set RUN_DIR={beside[0].directory} for that one"
