"""Finds the command that a message begins with, and guesses which command a mistyped one was meant to be.

In a chat, a message that begins like a command does not reach the partner unless its sender confirms it: it was most
likely meant for the bot. "Begins like a command" means a slash and a word at the very start. A slash with a space after
it, or a backslash, counts only if the word is the whole message and resembles a command.
"""

import re
import unicodedata
from collections.abc import Collection

_INVISIBLE = "\u00ad\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff"
"""Invisible marks that are copied together with a command, for example from a text in a right-to-left script."""

_TYPED = re.compile(rf"\A[\s{_INVISIBLE}]*+[/／]([{_INVISIBLE}]*+\w\S*+)")
_APART = re.compile(rf"\A[\s{_INVISIBLE}]*+[/／\\]++\s*+(\w{{2,32}}+)[.!…]*+\s*+")
_MARKS = re.compile(f"[{_INVISIBLE}]")
_NOT_LETTERS = re.compile(r"^[\W_]++|(?<![\W_])[\W_]++$")

LONGEST = 32
"""Source: Bot API, BotCommand. A longer word is not compared with commands."""

_SLIPS = ((8, 2), (4, 1))
"""How many slips are allowed, by the length of the longer word. A slip is one extra, missing or wrong letter, or two
swapped letters."""

_SURE_BEGINNING = 5
"""In words shorter than this the first letter must be right: "text" is not "next"."""

_RUN = re.compile(r"(.)\1{2,}")
"""A letter that is repeated because a key was held down."""

_SHORTEST_BEGINNING = 3

_RUSSIAN_KEYS = str.maketrans("йцукенгшщзхъфывапролджэячсмитьбю", "qwertyuiop[]asdfghjkl;'zxcvbnm,.")
"""For words that were typed with the keyboard still set to Russian."""

_IN_OTHER_WORDS = {
    "search": "pair connect match partner поиск искать найти buscar encontrar procurar suche suchen finden ara bul"
    " cari खोज खोजें جستجو پیدا بحث",
    "next": "дальше далее следующий siguiente próximo próxima nächster weiter sıradaki sonraki lanjut berikutnya"
    " अगला بعدی التالي",
    "stop": "quit exit leave bye cancel стоп parar terminar detener encerrar stopp beenden bitir dur durdur berhenti"
    " akhiri रोकें बंद پایان توقف إنهاء",
    "report": "жалоба пожаловаться reportar denunciar melden şikayet lapor laporkan शिकायत گزارش إبلاغ",
    "blocked": "unblock unblocked blocklist blacklist",
    "block": "блок заблокировать bloquear blockieren sperren engelle blokir ब्लॉक بلاک حظر",
    "settings": "menu options настройки ajustes configuración configurações einstellungen ayarlar pengaturan"
    " सेटिंग्स تنظیمات الإعدادات",
    "profile": "профиль perfil profil profilim प्रोफ़ाइल پروفایل",
    "help": "помощь ayuda ajuda hilfe yardım bantuan मदद راهنما مساعدة",
    "language": "язык idioma sprache dil bahasa भाषा زبان لغة",
    "friends": "друзья amigos freunde arkadaşlar teman दोस्त دوستان أصدقاء",
}
"""Other names of commands, as people know them from other bots or in their own language."""


def _folded(word: str) -> str:
    """A word without case, accents or surrounding punctuation."""
    word = word[: 4 * LONGEST]  # normalising sorts runs of accents, in quadratic time
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", word).casefold())
    letters = "".join(sign for sign in plain if not unicodedata.combining(sign))
    return _NOT_LETTERS.sub("", letters.replace("ı", "i"))


_MEANT = {_folded(word): name for name, words in _IN_OTHER_WORDS.items() for word in words.split()}


def command_in(words: str) -> str | None:
    """The command at the start of a text: "/STOP@a_bot now" gives "stop", "/stop." gives "stop.". None if there is
    none."""
    if words[:1].isalnum():  # nearly every message
        return None
    found = _TYPED.match(words)
    return _MARKS.sub("", found[1]).partition("@")[0].lower() if found is not None else None


def words_after(words: str) -> str:
    """Return the words after a command, behind a space or in the next line. Empty if there are none."""
    return "".join(words.split(maxsplit=1)[1:]).strip()


def begins_like_a_command(words: str) -> bool:
    """Whether the message may have been meant for the bot. Such a command need not exist."""
    return command_in(words) is not None or (not words[:1].isalnum() and _APART.fullmatch(words) is not None)


def slip_in(words: str, commands: Collection[str]) -> str | None:
    """The only word of a text, after something like a slash, if it resembles a command."""
    if words[:1].isalnum():
        return None
    apart = _APART.fullmatch(words)
    return apart[1] if apart is not None and nearest(apart[1], commands) is not None else None


def nearest(typed: str, commands: Collection[str]) -> str | None:
    """The command that was probably meant. None if the word resembles no command."""
    word = _folded(typed[: LONGEST + 1])
    if not word or len(word) > LONGEST:
        return None
    return _like(word, commands) or _like(word.translate(_RUSSIAN_KEYS), commands)


def _like(word: str, commands: Collection[str]) -> str | None:
    other = {each: name for each, name in _MEANT.items() if name in commands}
    for known in ({name: name for name in commands}, other):
        if word in known:
            return known[word]
    held = _RUN.sub(r"\1", word)
    near = [(slips, name) for name in commands if (slips := _slips(held, name)) is not None]
    if near:
        return min(near)[1]
    begun = [name for name in commands if len(word) >= _SHORTEST_BEGINNING and name.startswith(word)]
    return min(begun, key=lambda name: (len(name), name), default=None)


def _slips(typed: str, meant: str) -> int | None:
    """How many slips there are between two words. None if there are too many."""
    longer = max(len(typed), len(meant))
    most = next((slips for length, slips in _SLIPS if longer >= length), 0)
    if abs(len(typed) - len(meant)) > most or (longer < _SURE_BEGINNING and typed[:1] != meant[:1]):
        return None
    slips = _distance(typed, meant)
    return slips if slips <= most else None


def _distance(one: str, other: str) -> int:
    """The Damerau-Levenshtein distance (optimal string alignment)."""
    before: list[int] = []
    row = list(range(len(other) + 1))
    for down, letter in enumerate(one):
        last, before, row = before, row, [down + 1]
        for along, facing in enumerate(other):
            cost = min(before[along] + (letter != facing), before[along + 1] + 1, row[along] + 1)
            if down and along and letter == other[along - 1] and one[down - 1] == facing:
                cost = min(cost, last[along - 1] + 1)
            row.append(cost)
    return row[-1]
