"""Finds user names, links and e-mail addresses in a text that `normal_form` has normalised.

No pattern here begins with a repetition, and every repetition has a limit. So a search costs the same at every place of
any text. `tests/linear` measures it.
"""

import re

from passerby.domain.contacts.normal_form import SYMBOL
from passerby.domain.contacts.words import NAMES, SIGNS, words_in

ENDINGS = words_in(
    """
    com net org biz info edu gov mil io ru ua kz uk gg xyz dev vip cc tv fr pl nl cz gr jp cn kr ly ws br bio рф au cl
    dk fi bg rs hk sk lt lv uz vn sg tw ae eg ng za
    """
)
_WORDS_TOO = words_in(
    """
    me to it in id us no co ai name space site online club live link app shop store top pro page chat social fun de es
    se eu su by pt ir tr at am my so is as ch do be hu ro hr ma sa ee mx ph th ar ca az pe ve ke ge cam tube art blog
    media
    cloud wiki zone team plus sexy porn adult agency studio design world today life love email digital network dating
    photography онлайн москва сайт ком орг рус бел укр дети
    """
)
"""Domain endings that are also words in some language: a missing space after a full stop looks the same. So they count
only with a path, or alone where no sentence ends with this word. Telegram marks most of these addresses itself, and
those marks count, too."""
_COMMON = "com|net|org|ru"

_MAIL = "gmail|googlemail|yandex|outlook|hotmail|yahoo|icloud|proton|protonmail|gmx|web|rambler|inbox|bk|list|g?mail|ya"

_OPEN, _CLOSED = r"[\[({<] ?", r" ?[\])}>]"
_SPELT_SIGNS = "|".join(sorted(map(re.escape, SIGNS), key=len, reverse=True))
_BRACKET = re.compile(r"[\[({<]")
_BRACKETED = re.compile(rf" ?{_OPEN}([@.\x7f:/]|{_SPELT_SIGNS}){_CLOSED} ?")
_SPELT = re.compile(rf"[ *_~|-]{{0,3}}(?<![^\W_])(?<!\bthe )(?:{_SPELT_SIGNS})(?![^\W_])[ *_~|-]{{0,3}}")
_SPELT_NAME = re.compile(rf"(?<![^\W_])(?:{'|'.join(NAMES)})(?![^\W_])")
_EDGES = " *_~|-"
_SPELT_DOT = "\1"

_EMAIL = re.compile(
    rf"[\w.+-]@(?:[\w-]{{1,63}}\.){{1,4}}[^\W\d_]{{2}}|[\w.+-]@(?:{_MAIL})\b|"
    rf"[\w.+-] ?@ ?[\w-]{{1,63}} ?[.\x7f] ?(?:[^\W\d_]{{2}}|{_COMMON})\b"
)
_MAIL_ALONE = re.compile(
    r"(?<![^\W_])(?:gmail|yandex|outlook|hotmail|yahoo|icloud|protonmail) ?[.,\x7f_-]? ?(?:com|ru)\b|\bmailto:\w"
)
_SPELT_EMAIL = re.compile(r"[\w.+-]@((?:[\w-]{1,63}[.\1]){1,4})([^\W\d_]{2,18})(?!\w)")
_NAME = re.compile(
    r"(?<![\w.])@(?!(?:all|everyone|here|home|work|school|uni|gym|night|noon|midnight)\b)_?[^\W\d_][\w.]{2,31}|"
    r"(?<![\w.])@ (?=[a-z_]{0,31}[0-9_])[a-z][a-z0-9_]{3,31}"
)
_LINK = re.compile(
    r"\b(?:h(?:tt|xx)ps?|ftp|tg|ton)(?: ?: ?[/\\]{1,2}|[/\\]{2}) ?\S|\bhttps?:\w|\bwww ?[.\x7f] ?\w|\btg:\w{1,32}\?|"
    r"(?<![\w@'’.])(?:(?:t|tg|telegram|wa|fb)(?:\.me\b|[\W_]{0,3}me\s?[/\\|>+]\s?\w)|telegram\.dog\b)|"
    r"(?<![\w@'’.])discord ?[.\x7f] ?gg\b|\bjoinchat/\w|"
    r"(?<![\w@])(?:vk|instagram|snapchat|facebook|onlyfans|tiktok|discord|youtube) ?[.\x7f*|~_] ?com\b|"
    rf"[a-z0-9-]{{2}}[a-z0-9](?: \. ?|,|\x7f{{1,3}}|[.*]{{1,3}})(?:{_COMMON})\b|[\w-]\.рф\b"
)
_HOST = re.compile(r"(?<![\w.-])[\w-]++((?:\.[\w-]++)++)(/[\w?#@+-]{0,3}|:\d{2,5}\b)?")
_ARTICLES = frozenset({"the", "a", "el", "o", "der"})


def signs_for_brackets(read: str) -> str:
    """Replace signs in brackets, written or spelt out, by the bare signs: `name[at]mail(.)com`."""
    if not _BRACKET.search(read):
        return read

    def sign(found: re.Match[str]) -> str:
        drawn = SIGNS.get(found[1], found[1]).replace(SYMBOL, ".")
        return " @" if drawn == "@" and found[0][0] == " " else drawn

    return _BRACKETED.sub(sign, read)


def signs_for_words(read: str) -> str:
    """Replace words that spell signs by the signs: `name at mail dot com`. A spelt-out dot is never a full stop."""

    def sign(found: re.Match[str]) -> str:
        drawn = SIGNS[found[0].strip(_EDGES)]
        return _SPELT_DOT if drawn == "." else drawn

    spelt = _SPELT.sub(sign, read)
    return _SPELT_NAME.sub(lambda found: NAMES[found[0]], spelt) if spelt != read else read


def holds_email(form: str) -> bool:
    return ("@" in form and _EMAIL.search(form) is not None) or _MAIL_ALONE.search(form) is not None


def holds_spelt_email(spelt: str) -> bool:
    """Whether a text, in which words for signs were replaced by the signs, contains an e-mail address.

    "At" is a common word, so the end must be certain: it needs a spelt-out dot as well, or an ending that is not a
    word.
    """
    known = ENDINGS | _WORDS_TOO
    return any(found[2] in (known if _SPELT_DOT in found[1] else ENDINGS) for found in _SPELT_EMAIL.finditer(spelt))


def holds_spelt_link(spelt: str) -> bool:
    return holds_link(spelt.replace(_SPELT_DOT, "."))


def holds_name(form: str) -> bool:
    return "@" in form and _NAME.search(form) is not None


def holds_link(form: str) -> bool:
    return _LINK.search(form) is not None or ("." in form and _holds_host(form))


def _holds_host(form: str) -> bool:
    for found in _HOST.finditer(form):
        labels = found[0].removesuffix(found[2] or "").split(".")
        path = found[2] or ""
        last = len(labels) - 1
        for at in range(1, len(labels)):
            if _is_host(labels[max(at - 2, 0) : at], labels[at], path if at == last else ""):
                return True
    return False


def _is_host(labels: list[str], ending: str, path: str) -> bool:
    """Whether the words before and after a full stop form a host name. `labels`: the one or two before the `ending`."""
    label = labels[-1]
    if ending in ENDINGS:
        return label not in _ARTICLES
    if ending in _WORDS_TOO:
        no_word = "-" in label or (not label.isalpha() and not label.isdecimal())
        return bool(path) or no_word or (len(labels) > 1 and min(map(len, labels)) > 2)
    return len(path) > 3 and path[0] == "/" and len(label) > 1 and 1 < len(ending) < 19 and ending.isalpha()
