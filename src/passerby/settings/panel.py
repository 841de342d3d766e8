"""The settings of the operators' panel. `Settings` inherits them."""

from pydantic import Field, SecretStr, field_validator

from passerby.settings import addresses
from passerby.settings.described import write
from passerby.settings.section import Section
from passerby.settings.wrong import WrongSetting


class PanelSettings(Section):
    """Where the panel is, and how it reads."""

    panel_url: str | None = Field(
        default=None,
        description=(
            "The address of the operators' panel, without a path. With it, `passerby run` and `passerby web` serve the "
            "panel. Either http on this machine, or https with nginx or Caddy in front of PANEL_LISTEN."
        ),
        examples=["http://127.0.0.1:8090"],
    )
    panel_listen: str = Field(
        default="127.0.0.1:8090",
        description="The address on which the panel answers, in plain http.",
        examples=["127.0.0.1:8090"],
    )
    panel_postgres_uri: SecretStr | None = Field(
        default=None,
        description=(
            "The records' database for what the panel reads, as a user who may only read. Default: POSTGRES_URI, in "
            "transactions that may only read."
        ),
        examples=["postgresql://panel:<password>@localhost/passerby"],
    )

    @field_validator("panel_url")
    @classmethod
    def _panel_is_reached_safely(cls, value: str | None) -> str | None:
        if value is None:
            return None
        url = addresses.split(value.rstrip("/"))
        remedy = write(cls, "panel_url")
        if url is None or url.scheme not in ("http", "https") or not url.hostname or url.username is not None:
            raise WrongSetting("PANEL_URL", "is not the address of a page", remedy)
        if url.path or url.query or url.fragment:
            raise WrongSetting("PANEL_URL", "has something after the name and port", remedy)
        if url.scheme == "http" and not addresses.is_loopback(url.hostname):
            raise WrongSetting("PANEL_URL", "is http, and not on this machine", "use https, or 127.0.0.1")
        return value.rstrip("/").lower()

    @field_validator("panel_listen")
    @classmethod
    def _panel_listens(cls, value: str) -> str:
        found = addresses.host_port(value)
        if not found.host or not 1 <= found.port <= 65_535:
            raise WrongSetting("PANEL_LISTEN", "is not host:port", write(cls, "panel_listen"))
        return value

    @field_validator("panel_postgres_uri")
    @classmethod
    def _panel_reads_postgres(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not addresses.is_postgres(value.get_secret_value()):
            raise WrongSetting("PANEL_POSTGRES_URI", "is not a PostgreSQL address", write(cls, "panel_postgres_uri"))
        return value

    @property
    def panel_address(self) -> addresses.HostPort:
        """The address on which the panel answers."""
        return addresses.host_port(self.panel_listen)
