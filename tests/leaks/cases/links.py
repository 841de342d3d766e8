"""Links to an account behind other words, however they are spelt."""

from tests.leaks.canaries import TYPED
from tests.leaks.cases.case import Case, Json, carried

LINKS = [
    "tg://user?id=<id>",
    "tg:user?id=<id>",
    "tg:/user?id=<id>",
    "TG://USER?ID=<id>",
    "tg://openmessage?user_id=<id>",
    "tg://openmessage?chat_id=<id>&message_id=5",
    "tg://resolve?domain=<username>",
    "tg:resolve?domain=<username>",
    "tg:\\\\resolve?domain=<username>",
    "tg://resolve?phone=<phone>",
    "tg://contact?token=<username>",
    "tg%3A//user?id=<id>",
    " \ttg://user?id=<id>",
    "\u200btg://user?id=<id>",
    "t\u00adg://user?id=<id>",
    "tonsite://<username>.ton",
    "http://t.me/<username>",
    "https://t.me/<username>",
    "HTTPS://T.ME/<username>",
    "t.me/<username>",
    "//t.me/<username>",
    "https:t.me/<username>",
    "https:/t.me/<username>",
    "https:///t.me/<username>",
    "https:\\\\t.me\\<username>",
    "https://t.me./<username>",
    "https://t.me:443/<username>",
    "https://t.me:80/<username>?start=1",
    "https://t.me/+<phone>",
    "https://t.me/%2B<phone>",
    "https://t.me/s/<username>",
    "https://t.me/m/<username>",
    "https://t.me/<username>/12",
    "https://t.me/contact/<username>",
    "https://t.me/@<username>",
    "https://t.me/share/url?url=<username>",
    "https://www.t.me/<username>",
    "https://<username>.t.me",
    "https://<username>.t.me/",
    "https://<username>.t.me?text=hi",
    "https://<username>.T.Me#x",
    "https://someone@t.me/<username>",
    "https://user:pass@t.me/<username>",
    "https://example.org%2f@t.me/<username>",
    "https://t%2eme/<username>",
    "https://t%252eme/<username>",
    "https://%74.me/<username>",
    "https://t。me/<username>",
    "https://t．me/<username>",
    "https://ｔ.ｍｅ/<username>",
    "https://ⓣ.ⓜⓔ/<username>",
    "https://t.\u200bme/<username>",
    "ht\ntps://t.\tme/<username>",
    "https://telegram.me/<username>",
    "https://TELEGRAM.ME/<username>",
    "https://telegram.dog/<username>",
    "telegram.me/<username>",
    "https://tx.me/<username>",
    "https://telesco.pe/<username>/1",
    "https://web.telegram.org/k/#@<username>",
    "https://web.telegram.org/a/#<id>",
    "https://webk.telegram.org/#@<username>",
    "https://fragment.com/username/<username>",
    "https://fragment.com/number/<phone>",
    "https://www.fragment.com//username/<username>",
]


def link(url: str, **more: object) -> Json:
    return {"type": "text_link", "offset": 0, "length": 4, "url": url, **more}


CASES: list[Case] = [
    case for url in LINKS for case in carried(f"link {url!r}", {"text": f"{TYPED} page", "entities": [link(url)]})
]
