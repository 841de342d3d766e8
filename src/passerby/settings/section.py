"""The base of the sections of the settings."""

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """Some settings with their checks. `Settings` inherits all sections.

    pydantic builds the validation of `Settings` only: to build that of each section, too, would take a twentieth of a
    start.
    """

    model_config = ConfigDict(defer_build=True)
