"""Traces are found through the usual disguises, and ordinary talk passes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from passerby.domain.contacts import LOOKED_AT, Trace, find, normal_form, search, traces
from passerby.domain.contacts.words import ACCOUNTS, CALLS, COMMON, COPULAS, DIGITS, OWN, PLACES, SIGNS
from passerby.kernel.content import Content, Entity, Kind

NAMES = [
    "@annsmith",
    "write me @ann_99",
    "(@annsmith)",
    "I'm @AnnSmith on there",
    "＠annsmith",
    "@\u200bannsmith",
    "@аnnsmith",
    "@аннsmith"[:1] + "annsmith2",
    "@\u2060ann_smith",
    "@ann.smith",
    "@ ann_smith1",
    "@𝐚𝐧𝐧𝐬𝐦𝐢𝐭𝐡",
    "@ａｎｎｓｍｉｔｈ",
    "@ⓐⓝⓝⓢⓜⓘⓣⓗ",
    "пиши @annsmith",
    "мой ник @ann_smith, пиши",
    "schreib mir @annsmith",
    "escríbeme @annsmith",
    "راسلني @annsmith",
    "(at) annsmith",
    "[at]annsmith",
    "insta: ann.smith",
    "my insta is ann_smith",
    "Instagram - ann99",
    "instagram: annsmith",
    "ig ann_smith",
    "snap: annsmith22",
    "my snapchat is ann_s",
    "add me on discord annsmith77",
    "tg annsmith_1",
    "telegram = annsmith",
    "kik ann_banana",
    "тг ann_smith",
    "телега: annsmith",
    "мой тг ann_smith77",
    "инста ann.smith99",
    "инстаграм: annsmith",
    "вк ann_smith",
    "скайп live.ann_7",
    "дискорд annsmith5",
    "mein insta ist ann_smith",
    "mi insta es ann_smith",
    "t\u00adg ann_smith",
    "find me on insta under ann.k98",
    "тг: @аня98",
]

LINKS = [
    "https://example.org",
    "http://example.org/x",
    "HTTPS://EXAMPLE.ORG",
    "hxxp://example.org",
    "http : // example.org",
    "www.example.org",
    "www . example . org",
    "example.com",
    "example . com",
    "example,com",
    "go to my-site.ru now",
    "t.me/annsmith",
    "t.me",
    "T.ME/annsmith",
    "t . me / annsmith",
    "t me/annsmith",
    "t,me/annsmith",
    "lnk.bio/ann",
    "t。me/annsmith",
    "t∙me/annsmith",
    "t․me/annsmith",
    "ｔ.ｍｅ/annsmith",
    "т.me/annsmith",
    "t.mе/annsmith",
    "t\u200b.me/annsmith",
    "telegram.me/annsmith",
    "telegram.dog/annsmith",
    "tg://resolve?domain=annsmith",
    "tg:resolve?domain=annsmith",
    "wa.me/491701234567",
    "vk.com/annsmith",
    "vk . com/annsmith",
    "instagram.com/annsmith",
    "discord.gg/abcdef",
    "onlyfans.com/ann",
    "annsmith.t.me/",
    "example.live/ann",
    "example.site/ann?x=1",
    "https:\\\\example.org",
    "смотри на example.ru",
    "заходи: сайт.рф",
    "мой сайт example точка ру",
    "example (dot) com",
    "example dot com",
    "ехаmple.com",
    "schau auf example.net",
    "mira example.org",
    "xn--80ak6aa92e.com",
]

EMAILS = [
    "ann@example.org",
    "Ann.Smith+x@mail.example.com",
    "ann@gmail . com",
    "ann98@gmail",
    "ann @ gmail.com",
    "ann＠example.org",
    "ann(at)example.org",
    "ann [at] example [dot] org",
    "ann <at> example <dot> org",
    "ann at gmail.com",
    "ann at example dot org",
    "ann at mail dot ru",
    "аnn@example.org",
    "ann@exаmple.org",
    "ann@\u200bexample.org",
    "моя почта ann@yandex.ru",
    "анна собака mail точка ру",
    "ann собака yandex.ru",
    "ann (собака) mail (точка) ru",
    "ana arroba gmail punto com",
    "meine mail ist ann@web.de",
]

PHONES = [
    "+49 170 1234567",
    "+491701234567",
    "call 0170 1234567",
    "0170-123-45-67",
    "+7 (916) 123-45-67",
    "8 916 123 45 67",
    "89161234567",
    "(916) 123-4567 9",
    "+1 555 010 9999",
    "555.010.99.99",
    "＋４９ １７０ １２３４５６７",
    "١٧٠١٢٣٤٥٦٧",
    "1️⃣7️⃣0️⃣8️⃣2️⃣3️⃣4️⃣5️⃣9️⃣",
    "0 1 7 0 8 2 3 4 9 6 7",
    "+\u200b49\u200b170\u200b1234567",
    "мой номер 8-916-123-45-67",
    "звони +380 44 123 45 67",
    "06 12 34 56 78",
    "whatsapp 06.12.34.56.78",
    "+44/20/7946/0958",
    "llámame 612_345_678",
    "+12 34 56 7",
]

FOUND = {
    **dict.fromkeys(NAMES, Trace.NAME),
    **dict.fromkeys(LINKS, Trace.LINK),
    **dict.fromkeys(EMAILS, Trace.EMAIL),
    **dict.fromkeys(PHONES, Trace.PHONE),
}

LOOKS_LIKE = [
    "meet me @ home tonight",
    "see you @ midnight",
    "I was @ work all day",
    "@home now",
    "@everyone says so",
    "@",
    "@ @ @",
    "a@b",
    "5 @ 3",
    "I can't. Me too",
    "don't.me neither",
    "I deleted instagram. Me too",
    "i don't use insta or telegram",
    "Do you have Telegram? I do",
    "telegram is slow today",
    "discord: no thanks",
    "instagram: never again, honestly",
    "fb. com on",
    "i like it.it is fine",
    "ok.so what",
    "yes.no.maybe",
    "fine.to be honest",
    "I live.in a house",
    "it was fun.live and learn",
    "hi.de nada",
    "claro.es verdad",
    "hola.de donde eres",
    "sim.eu gosto",
    "evet.de ki",
    "nothing.page two",
    "wait...what",
    "e.g. this",
    "i.e. that",
    "U.S.A. and U.K.",
    "p.s. I like you",
    "3.5 stars",
    "Mr.Smith",
    "at the dot of midnight",
    "look at the polka dot dress",
    "the dot com bubble",
    "I was at the lake. ok?",
    "we met at home.it was cold",
    "yes, net worth is a lie",
    "моя собака любит мячик",
    "точка. и всё.",
    "ком в горле",
    "вот и всё.ну ладно",
    "да.нет.не знаю",
    "сижу в тг весь день",
    "инста лагает",
    "вк умер давно",
    "в телеге тихо",
    "телега: скрипит, но едет",
    "12.05.1999",
    "12.05.1999 18:30",
    "2024-05-12 10:00",
    "2024/05/12",
    "10:30 - 11:45",
    "1 000 000 000",
    "1,000,000,000",
    "1.000.000.000",
    "1000000000",
    "3.14159265358979",
    "1 2 3 4 5 6 7 8 9",
    "10 9 8 7 6 5 4 3 2 1",
    "123456789",
    "1234567890",
    "10 20 30 40 50",
    "4 8 15 16 23 42",
    "21 13 8 5 3 2 1 0",
    "2019 2020 2021 2022",
    "2019-2020-2021",
    "999999999",
    "11111111111",
    "1945, 1968, 1989",
    "5'11 and 170 lbs",
    "180 cm 75 kg 30 y",
    "12345678",
    "20.000 steps",
    "100% sure, 50/50",
    "8/10 would meet again",
    "1920x1080 60fps",
    "room 1408, floor 14",
    "€ 1.299,00",
    "v1.2.3",
    "C++ and C#",
    "half past 7, at 8 or at 9",
    "haha :D :/ :// xD",
    "and/or",
    "¯\\_(ツ)_/¯",
    "/start",
    "/next please",
    "#music",
    "f(x) = x.y",
    "a.b.c.d",
    "ok :)",
    "(at last) you answer",
    "[at night] it is dark",
    "10. 20. 30.",
    "...",
    "🙂🙂🙂",
]  # fmt: skip

ORDINARY = """
hey
hi there, how are you?
hey! what's up
m or f?
m20 you?
F 24 from Berlin
where are you from?
I'm from a small town near Munich, you would not know it
how old are you
I'm 23, almost 24
what are you doing right now
just lying in bed, can't sleep
it's 3:45 am here lol
what time is it where you live? here it's 22:10
do you like music?
yes! mostly rock from the 80s and 90s
I have 3 cats and a dog
cool, what are their names
Luna, Max and Mr. Whiskers
haha that's cute
what do you study?
computer science, 2nd year
I work at a hospital, night shifts
that sounds hard
it is, but I like it
what's your favourite film
probably Blade Runner 2049
I watched it 4 times...
same!! the music is so good
do you play any games
yes, chess and some shooters
my rating is 1450 on the site, not great
that is better than mine
I'm learning Spanish, 100 days in a row
wow, congrats
what's the weather like
-5 degrees and snow
here it's 30 and humid
I miss winter
do you believe in aliens?
no. do you?
maybe. the universe is big
I was born in 1998
so you are 26 or 27
27 in may
happy early birthday :)
thanks <3
what's your sign? I'm a Gemini
I don't believe in that stuff
fair enough.
why are you on this bot
bored, and you?
same, just want to talk to somebody
my ex texted me at 2 in the morning
oh no. what did you say?
nothing, I turned my phone off
good. do not answer
I got 8.5/10 in my exam!
nice. what subject
maths. I hate it
I run 10 km every sunday, my best is 52:30
impressive
I can barely run 2
are you single?
yes. it's complicated
what do you look like?
brown hair, green eyes, 1.75 m
I'd rather not send a picture
that's ok, no pressure
what did you eat today
pasta. again.
I could eat pasta every day
do you smoke
no, never did
good for you
let's play a game: truth or dare
truth
what's your biggest fear
losing my family I think
same here
it's getting late, I should sleep
sleep well, it was nice to talk
good night!
bye, take care
привет
прив, как дела?
норм, ты как
м или ж?
м 19, а ты?
ж 21, Питер
откуда ты?
из Казани, а ты?
сколько тебе лет
мне 25, скоро 26
что делаешь?
лежу, смотрю сериал
какой?
«Тьма», второй сезон
о, крутой сериал
да, смотрел 2 раза
чем занимаешься по жизни
учусь на врача, 4 курс
сложно наверное
ну да, сессия с 10 по 25 января
удачи тебе!
спасибо)))
а хобби есть?
рисую и катаюсь на велике
я на гитаре играю, лет 5 уже
круто! что играешь?
в основном рок и немного блюз
какая погода у вас?
минус 20, холодно
у нас +3 и дождь
завидую
почему не спишь, уже 2:30
бессонница, а ты чего
работаю в ночь, с 20:00 до 8:00
тяжко
привык уже
есть братья или сёстры?
сестра, ей 14 лет
любишь животных?
да, у меня кот и собака
как зовут?
Барсик и Рекс
ахах классика
ты в отношениях?
нет, расстались месяц назад
сочувствую
да ничего, всё к лучшему
какой рост? я 182
168
норм
о чём поговорим?
давай о музыке
ок. кто любимый исполнитель
слушаю всё подряд
и я.так и живём
ладно, мне пора
пока, приятно было пообщаться
спокойной ночи
hallo, wie geht's?
gut, und dir?
ich bin 22 und komme aus Hamburg
was machst du gerade?
nichts, mir ist langweilig
ich arbeite von 9 bis 17 uhr
schön. was machst du in der freizeit?
ich spiele fußball und lese viel
gute nacht, schlaf gut
hola, ¿qué tal?
bien, ¿y tú?
soy de México, tengo 20 años
¿qué estudias?
derecho, tercer año
qué interesante
me gusta bailar y cocinar
bonjour, ça va ?
oui et toi ?
j'ai 19 ans, je viens de Lyon
tu fais quoi dans la vie ?
je suis étudiante en 2e année
ciao, come stai?
bene, grazie! di dove sei?
olá, tudo bem?
tudo, e você?
eu tenho 25 anos, moro no Rio
merhaba, nasılsın?
iyiyim, sen?
привіт, як справи?
добре, а в тебе?
cześć, co robisz?
nic ciekawego, a ty?
مرحبا كيف حالك
بخير الحمد لله
नमस्ते, आप कैसे हैं?
你好，你是哪里人？
こんにちは、元気ですか
""".strip().splitlines()


@pytest.mark.parametrize(("words", "trace"), FOUND.items())
def test_the_usual_traces_are_found_in_the_usual_disguises(words: str, trace: Trace) -> None:
    assert find(words) == trace


@pytest.mark.parametrize(("words", "trace"), FOUND.items())
def test_traces_are_found_in_the_middle_of_a_sentence(words: str, trace: Trace) -> None:
    for before, after in (("so ", ""), ("hi,\n", "\nok?"), ("", " :)")):
        assert find(before + words + after) == trace


@pytest.mark.parametrize("words", LOOKS_LIKE)
def test_text_that_only_looks_like_a_trace_passes(words: str) -> None:
    assert find(words) is None


def test_ordinary_talk_passes() -> None:
    assert [line for line in ORDINARY if find(line) is not None] == []
    assert find("\n".join(ORDINARY)) is None


PIECES = (
    *("www", "com", "net", "org", "ru", "gg", "рф", "me", "t", "telegram", "vk", "wa", "discord", "instagram", "dog"),
    *(
        "http",
        "tg",
        "insta",
        "ann",
        "ann_99",
        "annsmith",
        "12",
        "7",
        "555",
        "0",
        "at",
        "dot",
        "gmail",
        "my",
        "is",
        "one",
    ),
    *" \n.,:/?@+()-_",
)


@given(st.lists(st.sampled_from(PIECES), max_size=12).map("".join))
def test_text_that_is_rejected_by_the_quick_check_contains_no_trace(words: str) -> None:
    if find(words) is None:
        assert search._look_for_addresses(normal_form.plain(words), [b"insta", b"dot"], signs=True) is None


def test_every_word_in_the_lists_is_in_its_normalised_form() -> None:
    for table in (SIGNS, DIGITS, PLACES, ACCOUNTS, COMMON, COPULAS, OWN, CALLS):
        assert [word for word in table if normal_form.plain(word) != word] == []


def test_there_are_enough_phrases() -> None:
    assert len(FOUND) >= 120
    assert len(LOOKS_LIKE) >= 80
    assert len(ORDINARY) >= 150


ENTITIES = {
    "text_link": Trace.LINK,
    "url": Trace.LINK,
    "mention": Trace.NAME,
    "text_mention": Trace.NAME,
    "email": Trace.EMAIL,
    "phone_number": Trace.PHONE,
}


@pytest.mark.parametrize(("type_", "trace"), ENTITIES.items())
def test_a_trace_marked_by_telegram_counts_whatever_the_words(type_: str, trace: Trace) -> None:
    assert traces(Content(Kind.TEXT, "hello", (Entity(type_, 0, 5),))) == trace


@pytest.mark.parametrize("type_", ["bold", "hashtag", "cashtag", "bot_command", "custom_emoji", "spoiler", "code"])
def test_other_formatting_is_not_a_trace(type_: str) -> None:
    assert traces(Content(Kind.TEXT, "hello", (Entity(type_, 0, 5),))) is None


@pytest.mark.parametrize(
    "content",
    [
        Content(Kind.PHOTO, "@annsmith"),
        Content(Kind.CHECKLIST, "shopping\n☐ milk\n☐ @annsmith"),
        Content(Kind.POLL, detail={"question": "who is @annsmith?", "options": []}),
        Content(Kind.POLL, detail={"question": "who?", "options": [{"text": "me"}, {"text": "@annsmith"}]}),
        Content(Kind.POLL, detail={"question": "who?", "options": [], "explanation": "@annsmith"}),
        Content(Kind.RICH, "I am @annsmith", detail={"rebuilt": None, "copyable": True}),
        Content(Kind.RICH, "look", detail={"rebuilt": {"blocks": [{"type": "pre", "language": "@annsmith"}]}}),
        Content(Kind.RICH, "look", detail={"rebuilt": {"blocks": [{"cells": [[{"align": "@annsmith"}]]}]}}),
        Content(Kind.TEXT, "x = 1", (Entity("pre", 0, 5, language="@annsmith"),)),
        Content(Kind.TEXT, "x = 1", (Entity("bold", 0, 1), Entity("pre", 0, 5, language="insta: annsmith"))),
        Content(Kind.CONTACT, detail={"phone_number": "+491701234567", "first_name": "@annsmith"}),
        Content(Kind.CONTACT, detail={"phone_number": "@annsmith", "first_name": "Ann"}),
        Content(Kind.VENUE, detail={"title": "Café", "address": "@annsmith"}),
        Content(Kind.DICE, detail={"emoji": "@annsmith", "value": 1}),
        Content(Kind.POLL, detail={"question": "?", "question_entities": [{"custom_emoji_id": "@annsmith"}]}),
    ],
)
def test_every_visible_string_is_searched(content: Content) -> None:
    assert traces(content) is Trace.NAME


@pytest.mark.parametrize(
    "content",
    [
        Content(Kind.CONTACT, detail={"phone_number": "+491701234567", "first_name": "Ann", "last_name": "Smith"}),
        Content(Kind.VENUE, detail={"title": "Café Central", "address": "Main St. 12, Springfield"}),
        Content(Kind.STICKER, detail={"format": "static", "set_name": "ann_by_example.com", "emoji": "🙂"}),
        Content(Kind.LIVE_PHOTO, detail={"photo": {"file_id": "AgAC0123456789-_", "unique": "0123456789"}}),
        Content(Kind.TEXT, "x = 1", (Entity("pre", 0, 5, language="asp.net"),)),
        Content(Kind.POLL, detail={"question": "?", "question_entities": [{"custom_emoji_id": "5368324170671202286"}]}),
        Content(Kind.PHOTO),
        Content(Kind.POLL, detail={"question": "tea?", "options": [{"text": "yes"}], "allows_multiple_answers": True}),
        Content(Kind.RICH, "hello", detail={"rebuilt": None, "copyable": True}),
    ],
)
def test_contact_cards_and_harmless_values_are_not_searched(content: Content) -> None:
    assert traces(content) is None


@pytest.mark.parametrize(
    "detail",
    [
        {"question": "a b " * LOOKED_AT},
        {"options": ["a b " * 100] * (LOOKED_AT // 100)},
        {"options": [{"text": ""}] * 50_000},
    ],
)
def test_a_text_that_is_too_long_to_search_does_not_count_as_harmless(detail: dict[str, object]) -> None:
    assert traces(Content(Kind.POLL, detail=detail)) is Trace.UNREAD
    assert traces(Content(Kind.TEXT, "a " * LOOKED_AT)) is Trace.UNREAD


HANDLES = {
    "my insta is annsmith": True, "my insta is private": False, "my insta! annsmith": False, "insta is annsmith": False,
    "annsmith is my insta": True, "my annsmith insta": False, "what is my insta": False, "is my insta": False,
    "follow annsmith on insta": True, "follow people on insta": False, "ann_99 on insta": True, "i met annsmith on "
    "insta": False,
    "insta :)": False, "insta of a friend of mine is called annsmith_99": False, "my insta is telegram": False,
    "my insta is ann": False, "username annsmith": False, "my username is annsmith": True, "юз annsmith": True,
    "instam annsmith": True, "a insta": False, "insta": False, "hey annsmith insta": False, "tom: insta": False,
}  # fmt: skip


@pytest.mark.parametrize(("words", "named"), HANDLES.items())
def test_a_user_name_is_told_apart_from_talk_about_a_service(words: str, named: bool) -> None:
    assert (find(words) is Trace.NAME) is named


def test_a_million_characters_do_not_fill_the_memory() -> None:
    for begin in (*range(0x3400, 0x9000, 0x2000), *range(0x20000, 0x2A000, 0x2000)):
        find("".join(map(chr, range(begin, begin + 0x2000))))
    assert len(normal_form._READ) <= normal_form._REMEMBERED


def test_too_many_code_languages_count_as_unread() -> None:
    def listing(count: int) -> Content:
        blocks = tuple(Entity("pre", at, 1, language="a-dot b_at 1 " * 40) for at in range(count))
        return Content(Kind.TEXT, "a" * count, blocks)

    assert traces(listing(10)) is None
    assert traces(listing(100)) is Trace.UNREAD


@pytest.mark.parametrize(
    "words", ["іnsta: ann_99", "ιnsta: ann_99", "instɑgram ann_99", "my іnstаgrаm ann99", "snаpсhat: ann_99"]
)
def test_the_name_of_a_service_in_two_alphabets_is_found(words: str) -> None:
    assert find(words) is Trace.NAME


@pytest.mark.parametrize("words", ["люблю Cевер", "это просто ok'ейно", "купил iPhoneчик", "смотрю youtubeчик вечером"])
def test_two_alphabets_in_a_word_alone_are_not_a_trace(words: str) -> None:
    assert find(words) is None


SNIPPETS = [*"@/\\.,:=[({<])> \n\x7faz7_-éяйآनß١", "😀", "аb", "dot", "t.me", "точка", "insta"]
"""Everything that an outline tells apart, and more."""


@given(st.lists(st.one_of(st.sampled_from(SNIPPETS), st.characters()), max_size=12).map("".join))
def test_a_glance_at_the_outline_never_hides_a_clue(words: str) -> None:
    read = normal_form.plain(words)
    outline = read.encode().translate(search._OUTLINES).decode()
    assert search._has_signs(read, outline) == (search._SIGN.search(read) is not None)
    if search._MARKED.search(outline) is None:
        assert not search._has_signs(read, outline), "a text without a mark is not searched for signs"
        assert not any(digit in read for digit in "0123456789"), "nor for digits"
    assert search._has_two_scripts(read, outline) == (search._TWO_SCRIPTS.search(read) is not None)
    assert outline.count("0") == sum(map("0123456789".count, read))
