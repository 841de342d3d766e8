"""The word lists of the detector: spelt-out signs and digits, services where people have a user name, and words that
are not a name.

Each list covers the ten languages of the product and a few more, in the form that `reading.plain` returns. A longer
list does not make a search slower: each word of a text is looked up, not each word of the list.
"""

from passerby.domain.contacts.normal_form import plain


def words_in(text: str) -> frozenset[str]:
    """The words of a list, normalised."""
    return frozenset(plain(text).split())


def _table(rows: dict[str, str]) -> dict[str, str]:
    return {plain(word): sign for sign, words in rows.items() for word in words.split(", ")}


SIGNS = _table(
    {
        ".": "dot, d0t, period, point, punkt, punto, ponto, nokta, titik, точка, тчк, дот, डॉट, डाट, बिंदु, बिन्दु, "
        "نقطه, "
        "نقطة, نقطہ, دات, دوت",
        "@": "at, aet, ad, et, at sign, arroba, chiocciola, klammeraffe, chez, kuyruklu a, собака, собачка, эт, ат, "
        "एट, "
        "ऐट, ات, آت, ایت, اتساین, ادساین",
        "/": "slash, schrägstrich, barra, barra oblicua, taksim, bölü, eğik çizgi, garis miring, слэш, слеш, स्लैश, "
        "اسلش, سلاش, شرطة مائلة",
        "_": "underscore, unterstrich, guion bajo, sublinhado, underline, alt çizgi, alt tire, garis bawah, "
        "нижнее подчеркивание, подчеркивание, андерскор, अंडरस्कोर, آندرلاین, اندرلاین, اندرسكور, شرطة سفلية",
    }
)
"""One or two words, and the sign that they spell."""

NAMES = _table(
    {
        "com": "ком, kom, कॉम, कौम, کام, كوم",
        "ru": "ру",
        "me": "ми, मी, می, مي",
        "net": "нет, नेट, نت",
        "gmail": "джимейл, джимэйл, гмейл, гмаил, जीमेल, جیمیل, جيميل",
        "mail": "мейл, маил, मेल, ایمیل, ايميل",
        "yandex": "яндекс",
        "t": "т, टी, تی, تي",
    }
)
"""Parts of addresses in other alphabets. They count only next to a spelt-out sign."""

_DIGITS = {
    "en": "zero one two three four five six seven eight nine",
    "more en": "nil - - - - - - - - niner",
    "ru": "ноль один два три четыре пять шесть семь восемь девять",
    "more ru": "нуль раз две - - - - - - -",
    "de": "null eins zwei drei vier fünf sechs sieben acht neun",
    "more de": "- ein zwo - - fuenf - - - -",
    "es": "cero uno dos tres cuatro cinco seis siete ocho nueve",
    "pt": "zero um dois três quatro cinco seis sete oito nove",
    "more pt": "- uma duas - - - meia - - -",
    "tr": "sıfır bir iki üç dört beş altı yedi sekiz dokuz",
    "id": "nol satu dua tiga empat lima enam tujuh delapan sembilan",
    "more id": "kosong - - - - - - - - -",
    "hi": "शून्य एक दो तीन चार पांच छह सात आठ नौ",
    "more hi": "जीरो - - - - पाँच छः - - -",
    "latin hi": "shunya ek do teen chaar paanch chhah saat aath nau",
    "fa": "صفر یک دو سه چهار پنج شش هفت هشت نه",
    "ar": "صفر واحد اثنان ثلاثة أربعة خمسة ستة سبعة ثمانية تسعة",
    "more ar": "- واحدة اثنين ثلاث أربع خمس ست سبع ثمان تسع",
    "fr": "zéro un deux trois quatre cinq six sept huit neuf",
    "it": "zero uno due tre quattro cinque sei sette otto nove",
}
DIGITS = {
    plain(word): str(digit) for row in _DIGITS.values() for digit, word in enumerate(row.split(" ")) if word != "-"
}
"""Spelt-out digits."""

_LATIN_PLACES = (
    "insta instagram instagramm ig tg tele telegram telegramm vk snap snapchat discord kik skype viber whatsapp "
    "watsapp "
    "wa fb facebook tiktok onlyfans wechat twitter threads bluesky signal steam roblox twitch youtube spotify "
    "reddit tumblr psn "
    "xbox kakao zalo imo zangi bereal"
)
_OWN_ENDINGS = ("", "m", "im", "um")
_ENDINGS = (*_OWN_ENDINGS, "ima", "uma", "imda", "umda", "mda", "da", "de", "ta", "te")
_OTHER_PLACES = (
    "инст инста инсту инсте инсты инстик инстаграм инстаграме инстаграма тг тгшка телега телеге телегу телеграм "
    "телеграме "
    "телеграмм вк вконтакте снап снапчат снапе дискорд дискорде дис скайп скайпе вайбер ватсап вотсап ватсапе тикток "
    "इंस्टा इंस्टाग्राम टेलीग्राम व्हाट्सएप फेसबुक स्नैपचैट "
    "اینستا اینستام اینستاگرام اینستاگرامم تلگرام تلگرامم واتساپ فیسبوک "
    "انستا انستغرام انستقرام انستجرام تيليجرام تلغرام تليجرام واتساب فيسبوك سناب"
)
PLACES = frozenset(place + ending for place in words_in(_LATIN_PLACES) for ending in _ENDINGS) | words_in(_OTHER_PLACES)
OWN_PLACES = frozenset(place + ending for place in words_in(_LATIN_PLACES) for ending in _OWN_ENDINGS[1:])
"""Places with possessive endings, as Turkish writes them."""
ACCOUNTS = words_in(
    "username handle benutzername юз юзер юзернейм آیدی ایدی یوزر يوزر یوزرنیم यूजरनेम आईडी kullaniciadim"
)
"""Words for "user name"."""
CALLS = words_in("add follow find dm text message search look write hit pm ping")

OWN = words_in(
    "my mein meine mi meu minha benim moj мой моя мое моём моей saya aku gue gw aq मेरा मेरी mera meri من حسابي حسابى"
)
COPULAS = words_in(
    "is id name nick nickname user username handle under as account are called ist heißt unter als es se llama está é "
    "adım hesabım adı aku saya gue gw ник айди это акк аккаунт юз है का पर की هست اسم حسابي ایدی آیدی"
)
"""Words that may stand between a place and a name."""

COMMON = words_in(
    """
    about account accounts active addict addicted again alone also always annoying another anymore anyone anything
    anyway
    apps back banned bans because been before being better blocked boring both boys broken broke bugs busy buggy
    called came can't cannot channel channels chat chats clean come content cool crashed crashes cringe cute dead
    deleted
    died does doesn't done dont down dumb else empty even ever every everybody everyone everything fake family fantastic
    feed fine filter filters first follower followers forever free friend friends from full fun funny games girl girls
    gone good great group groups guys hacked half hard hate have haven't here hidden honestly horrible inactive instead
    into isn't just kids lame later laggy lately like live lives locked lost love lovely made married mean memes message
    messages messy model models more most mostly much name names need needed never nice nobody none notes nothing
    offline
    often okay only online open others over overrated people person phone photo photos pics picture pictures please
    posts post pretty private profile public question quite random real really reel reels right sad same says secret
    server servers share shit should shut sick slow some somebody someone something soon sorry spam stalking stickers
    still stolen stories story stuff stupid suck sucks suspended tbh than thanks that then there these they thing
    things think this though time today together tomorrow tonight toxic trash true under update updates used useless
    using video videos wait want weird well what when where which while with without work working works world worse
    worst
    would years your yours yeah crew links link page pages stream streams
    privat leer gesperrt kaputt langweilig gelöscht nicht nichts besser schon auch wieder heute langsam super komisch
    öffentlich doof schlecht freunde leute gruppe
    privado privada cerrado cerrada cerrada aburrido aburrida abierto abierta publico publica mejor vacio vacia nada
    tambien nunca siempre ahora malo mala mucho gente amigos grupo
    fechado fechada privado chato chata melhor aberto aberta vazio vazia também agora sempre muito ruim parado caiu
    gizli kapali acik kapandi yok degil guzel kotu bozuk coktu donuyor sikici kapattim sildim iyi grubu kanali
    digembok privat kosong jelek bagus sepi error rusak dihapus hilang udah sudah lagi juga terus ramai aktif
    hello there kaise kaisa kyun nahi nahin accha bilkul
    """
)
"""Words that people use when they talk about a place. They are not a user name there."""
