"""Texts: every wording of every bot and language, and other ones that staff write instead.

A change has two steps, as on the page of settings: a preview beside the wording that counts now, and then the change.
The fleet takes it up within seconds.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

from markupsafe import Markup

from passerby.adapters.sql.overrides import SqlOverrides
from passerby.catalogue import Catalogue
from passerby.catalogue.catalogue import NAME
from passerby.catalogue.template import Template, Wording, escape
from passerby.catalogue.wordings import as_written, compiled, most_characters, problems, tags_of, words_and_links
from passerby.domain.elsewhere import new_places
from passerby.kernel.ids import BotId
from passerby.kernel.override import EVERY_BOT, Overridden, Override, OverrideKey, value_of, wordings_in
from passerby.kernel.staff import Permission
from passerby.kernel.staff_requests import OverrideAsked
from passerby.panel.http import Answer, see
from passerby.panel.look import Look
from passerby.panel.visit import Act, Page, Route, Visit
from passerby.ports.staff import StaffRecords

SHOWN: Final = 60
VERSIONS: Final = 30
MOST: Final = 6000


class Chosen(NamedTuple):
    """The text that a page is about, and the wording that came with the release."""

    key: OverrideKey
    original: Wording


class TextsPage:
    page = Page("/texts", "Texts", Permission.SETTINGS)

    def __init__(
        self,
        look: Look,
        words: Catalogue,
        overrides: SqlOverrides,
        staff: StaffRecords,
        act: Act,
        bots: Callable[[], Sequence[BotId]],
    ) -> None:
        self._look = look
        self._words = words
        self._overrides = overrides
        self._staff = staff
        self._act = act
        self._bots = bots

    @property
    def routes(self) -> tuple[Route, ...]:
        needs = Permission.SETTINGS
        return (
            Route("GET", "/texts", self.show, needs),
            Route("GET", "/texts/*", self.one, needs),
            Route("POST", "/texts/review", self.review, needs),
            Route("POST", "/texts/change", self.change, needs, fresh=True),
        )

    async def show(self, visit: Visit) -> Answer:
        wanted = visit.request.query.get("find", "").strip()[:100]
        language = self._language(visit.request.query.get("language", "en"))
        changed = [each for each in await self._current() if each.value is not None]
        keys = {each.key.name for each in changed} if not wanted else self._found(wanted, language)
        listed = sorted(keys)
        rows = [
            {
                "key": key,
                "words": _first(self._words.original(key, language)),
                "is_changed": any(each.key.name == key for each in changed),
            }
            for key in listed[:SHOWN]
        ]
        shown = {
            "title": "Texts",
            "rows": rows,
            "more": max(0, len(listed) - SHOWN),
            "find": wanted,
            "language": language,
            "languages": self._words.languages,
            "changed": changed,
            "count": len(self._words.keys),
        }
        return self._look.page(visit, "texts.html", shown)

    async def one(self, visit: Visit) -> Answer:
        query = visit.request.query
        key = visit.request.path.removeprefix("/texts/")
        chosen = self._chosen(key, query.get("language", "en"), query.get("bot", "0"))
        return await self._one(visit, chosen)

    async def review(self, visit: Visit) -> Answer:
        """Show the wording beside the one that counts now. Nothing changes."""
        form = visit.request.form
        chosen = self._chosen(form.get("key", ""), form.get("language", ""), form.get("bot", ""))
        if chosen is None:
            return await self._one(visit, None)
        written = _written(form, chosen)
        wrong = self._wrong(chosen, written) if written is not None else []
        if wrong:
            return await self._one(visit, chosen, wrong=wrong, written=written, status=400)
        then = chosen.original if written is None else compiled(written, chosen.original)
        if chosen.key.name == NAME and written is None:
            then = Wording((Template("(the name stays; change it at BotFather)", "", ()),))
        review = {
            "written": written,
            "seen": form.get("seen", "0"),
            "now": _previews(self._now(chosen)),
            "then": _previews(then),
            "leads_to": self._leads_to(chosen, written),
        }
        return await self._one(visit, chosen, review=review, written=written)

    async def change(self, visit: Visit) -> Answer:
        form = visit.request.form
        seen = form.get("seen", "")
        chosen = self._chosen(form.get("key", ""), form.get("language", ""), form.get("bot", ""))
        if chosen is None or not seen.isdecimal() or len(seen) > 15:
            return see("/texts")
        written = _written(form, chosen)
        wrong = self._wrong(chosen, written) if written is not None else []
        if wrong:
            return await self._one(visit, chosen, wrong=wrong, written=written, status=400)
        value = value_of(written) if written is not None else None
        asked = OverrideAsked(chosen.key, value, int(seen), leads_to=self._leads_to(chosen, written))
        done = await self._act(asked, visit.by)
        said = self._words.plain(done.reply, "en") if done.reply is not None else ""
        return await self._one(visit, chosen, said=said, status=409 if done.refused else 200)

    async def _one(
        self,
        visit: Visit,
        chosen: Chosen | None,
        *,
        said: str = "",
        wrong: Sequence[str] = (),
        written: Sequence[str] | None = None,
        review: dict[str, Any] | None = None,
        status: int = 200,
    ) -> Answer:
        if chosen is None:
            return self._look.page(visit, "error.html", {"said": "There is no such text."}, 404)
        key = chosen.key
        every = await self._overrides.versions(Overridden.TEXT, key.name, 10 * VERSIONS)
        versions = [each for each in every if each.key == key][:VERSIONS]
        counts = versions[0].value if versions else None
        sources = written or (
            wordings_in(counts) if counts is not None else tuple(map(as_written, self._templates(chosen)))
        )
        names = {0: "command line"} | {int(each.number): each.name for each in await self._staff.everybody()}
        shown = {
            "title": key.name,
            "key": key,
            "languages": self._words.languages,
            "bots": [str(bot) for bot in self._bots()],
            "said": said,
            "wrong": wrong,
            "sources": sources,
            "most": most_characters(key.name),
            "tags": tags_of(key.name),
            "placeholders": sorted({name for each in chosen.original.templates for name in each.names}),
            "originals": tuple(map(as_written, chosen.original.templates)),
            "review": review,
            "seen": versions[0].number if versions else 0,
            "versions": [(each, wordings_in(each.value) if each.value is not None else None) for each in versions],
            "elsewhere": _elsewhere(every, key),
            "names": names,
        }
        at = f"/texts/{key.name}?language={key.language}&bot={key.bot}"
        return self._look.page(visit, "text.html", shown, status, at=at)

    def _templates(self, chosen: Chosen) -> Sequence[Template]:
        return self._now(chosen).templates

    def _now(self, chosen: Chosen) -> Wording:
        """The wording that counts in this process, which is up to date within seconds."""
        key = chosen.key
        return self._words.of(key.bot).current(key.name, key.language) or chosen.original

    def _leads_to(self, chosen: Chosen, written: Sequence[str] | None) -> tuple[str, ...]:
        """The places that these words lead to, and neither those of now nor those of the release do."""
        if written is None:
            return ()
        before = (*words_and_links(self._now(chosen)), *words_and_links(chosen.original))
        return new_places(before, words_and_links(compiled(written, chosen.original)))

    def _chosen(self, key: str, language: str, bot: str) -> Chosen | None:
        if bot not in ("0", *map(str, self._bots())) or language not in self._words.languages:
            return None
        if key == NAME and bot == "0":
            return None
        original = self._words.original(key, language)
        number = BotId(int(bot)) if bot != "0" else EVERY_BOT
        return None if original is None else Chosen(OverrideKey(Overridden.TEXT, key, number, language), original)

    def _wrong(self, chosen: Chosen, written: Sequence[str]) -> list[str]:
        found = problems(chosen.key.name, written, chosen.original)
        taken = self._words.key_with_label(written[0]) if chosen.key.name.startswith("keys.") else None
        if taken not in (None, chosen.key.name):
            found.append("Another key has this label, or had it once. A press would do what that key does.")
        return found

    def _found(self, wanted: str, language: str) -> set[str]:
        low = wanted.lower()
        return {
            key
            for key in self._words.keys
            if low in key
            or any(low in each.html.lower() for each in getattr(self._words.original(key, language), "templates", ()))
        }

    def _language(self, asked: str) -> str:
        return asked if asked in self._words.languages else "en"

    async def _current(self) -> Sequence[Override]:
        return [each for each in await self._overrides.current() if each.key.what is Overridden.TEXT]


def _written(form: Any, chosen: Chosen) -> tuple[str, ...] | None:
    """Return the texts that were written, one for each plural form. None: the release's wording again."""
    if form.get("back"):
        return None
    count = len(chosen.original.templates)
    written = (form.get(f"form{number}", "") for number in range(count))
    return tuple(each.replace("\r\n", "\n").strip()[:MOST] for each in written)


def _previews(wording: Wording) -> list[Markup]:
    """As a phone shows it, with the placeholders' names. Only wordings that passed the checks get here."""
    return [_preview(template) for template in wording.templates]


def _preview(template: Template) -> Markup:
    return Markup(template.html % tuple(escape(f"‹{name}›") for name in template.names))  # noqa: S704  # see above


def _first(wording: Wording | None) -> str:
    if wording is None:
        return ""
    template = wording.templates[-1]
    return (template.plain % tuple(f"‹{name}›" for name in template.names))[:140]


def _elsewhere(every: Sequence[Override], key: OverrideKey) -> list[OverrideKey]:
    """The other bots and languages for which this text is changed."""
    newest: dict[OverrideKey, Override] = {}
    for each in every:
        newest.setdefault(each.key, each)
    return [other for other, each in newest.items() if other != key and each.value is not None]
