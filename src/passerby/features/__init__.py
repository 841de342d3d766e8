"""One folder an ability, with its texts. `ALL` is what a fleet offers.

A feature imports the kernel and the domain, nothing else, and never another feature.
"""

from passerby.features import after, again, blocks, chat, idle, pace, pages, profile, search, start
from passerby.kernel.feature import Feature

ALL: tuple[Feature, ...] = (
    start.feature,
    search.feature,
    chat.feature,
    after.feature,
    blocks.feature,
    again.feature,
    idle.feature,
    pace.feature,
    profile.feature,
    pages.feature,
)
