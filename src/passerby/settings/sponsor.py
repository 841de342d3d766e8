"""The settings about a sponsor's channel. `Settings` inherits them."""

import re
from typing import Final

from pydantic import Field, field_validator

from passerby.kernel.rules import Sponsor
from passerby.settings.described import write
from passerby.settings.section import Section
from passerby.settings.wrong import WrongSetting

_NAME: Final = re.compile(r"@[A-Za-z]\w{3,31}")
_NUMBER: Final = re.compile(r"-100\d{5,15}")


class SponsorSettings(Section):
    """A channel that people are asked to join when they search."""

    sponsor_channel: str = Field(
        default="",
        description=(
            "A channel that people are asked to join when they search: its @username, or its number. The staff bot "
            "must be an admin of it. Empty: none."
        ),
        examples=["@your_channel"],
    )
    sponsor_link: str = Field(
        default="",
        pattern=r"^(?:|https://t\.me/\S{1,100})$",
        description="The link that people follow to join SPONSOR_CHANNEL, if it has no @username.",
        examples=["https://t.me/+AbCdEfGh"],
    )
    sponsor_required: bool = Field(
        default=False,
        description=(
            "Whether only members of SPONSOR_CHANNEL may search. If not, the channel is suggested once a week. VIPs "
            "see neither. If Telegram does not say who is a member, everybody may search."
        ),
        examples=["true"],
    )

    @property
    def sponsor(self) -> Sponsor | None:
        if not self.sponsor_channel:
            return None
        link = self.sponsor_link or f"https://t.me/{self.sponsor_channel.removeprefix('@')}"
        return Sponsor(self.sponsor_channel, link, self.sponsor_required)

    @field_validator("sponsor_channel", check_fields=False)
    @classmethod
    def _channel_is_wellformed(cls, value: str) -> str:
        if value and not _NAME.fullmatch(value) and not _NUMBER.fullmatch(value):
            problem = "is neither a @username nor the number of a channel"
            raise WrongSetting("SPONSOR_CHANNEL", problem, write(cls, "sponsor_channel"))
        return value
