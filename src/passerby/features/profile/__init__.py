"""The profile and the wishes of a person, in one menu that is edited in place.

A press carries its section and the new value (`langs.es`). The menu is then made again from the person's current
profile, so an old menu shows and does the right thing.
"""

from passerby.features.profile.changes import put, talk, type_country, type_interests, type_language
from passerby.features.profile.menus import open_section, settings, show
from passerby.kernel.feature import Feature, MenuCommand

feature = Feature(
    "profile",
    commands={
        "profile": show,
        "settings": settings,
        "language": type_language,
        "interests": type_interests,
        "country": type_country,
    },
    menu=(
        MenuCommand("settings", "commands.settings", 70),
        MenuCommand("profile", "commands.profile", 80),
        MenuCommand("language", "commands.language", 90),
    ),
    presses={"set": open_section, "put": put, "speakers": talk},
)
