"""A page of the panel as its figures: cards, tables and graphs."""

from html.parser import HTMLParser


class Figures(HTMLParser):
    """`cards`: label -> (value, hint). `tables`: caption -> rows of cells; a graph's table has the graph's title."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.cards: dict[str, tuple[str, str]] = {}
        self.tables: dict[str, list[list[str]]] = {}
        self._texts: list[str] = []
        self._label = self._value = ""
        self._rows: list[list[str]] = []
        self._caption = ""
        self._kinds: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        kind = dict(attrs).get("class") or ""
        if tag == "table":
            self._rows, self._caption = [], ""
        if tag == "tr":
            self._rows.append([])
        if tag in ("div", "p"):
            self._kinds.append(kind)
        if tag in ("td", "th", "caption", "div", "p"):
            self._texts = []

    def handle_endtag(self, tag: str) -> None:
        said = " ".join("".join(self._texts).split())
        match tag:
            case "caption":
                self._caption = said
            case "td" | "th":
                self._rows[-1].append(said)
            case "table":
                self.tables[self._caption] = self._rows[1:]
            case "div" | "p":
                self._card(self._kinds.pop(), said)

    def _card(self, kind: str, said: str) -> None:
        match kind:
            case "label":
                self._label = said
            case "value":
                self._value = said
            case "hint" if self._label:
                self.cards[self._label] = (self._value, said)
                self._label = ""

    def handle_data(self, data: str) -> None:
        self._texts.append(data)
