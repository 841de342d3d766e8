"""Disguised ways to tell how to find somebody, and lines of talk that tell nothing.

The disguises were written before the rules that detect them. Half of them, by the first bit of their SHA-256, were not
looked at while the rules were made: `HELD_OUT`. `test_disguises` measures how many of each half are missed, and limits
it; `docs/explanation/privacy.md` has the figures.
"""

from hashlib import sha256

DISGUISES = {
    "spaced": [
        "t . m e / a n n s m i t h", "t. me /annsmith", "w w w . example . com", "@ a n n s m i t h",
        "a n n s m i t h @ g m a i l . c o m", "e x a m p l e . c o m", "t\n.\nm\ne\n/\nannsmith",
        "a.n.n.s.m.i.t.h@gmail.com", "i n s t a : a n n _ s m i t h", "h t t p s : / / example . com",
        "@_a_n_n_s_m_i_t_h", "t  .  m  e  /  ann", "@\u2003a\u2003n\u2003n\u2003s\u2003m\u2003i\u2003t\u2003h",
    ],
    "dots in brackets": [
        "example[.]com", "example(.)com", "t[.]me/annsmith", "example{.}com", "example<.>com", "example [ . ] com",
        "annsmith@gmail[.]com", "t(.)me(/)annsmith", "hxxps[:]//example[.]com", "annsmith[@]gmail.com",
        "annsmith{at}gmail{dot}com", "example『.』com", "annsmith(@)gmail(.)com",
    ],
    "other dots and slashes": [
        "example•com", "example·com", "example۔com", "t٫me/annsmith", "example⋅com", "example▪com", "t*me/annsmith",
        "t me⧸annsmith", "t.me╱annsmith", "t.me|annsmith", "example🔴com", "t⚫me/annsmith",
        "example。。com", "t,me\\annsmith", "t-me/annsmith", "t_me/annsmith", "example'com/ann",
    ],
    "look-alikes": [
        "ᴛ.ᴍᴇ/ᴀɴɴꜱᴍɪᴛʜ", "🅃.🄼🄴/annsmith", "🆃.🅼🅴/annsmith", "🅣.🅜🅔/annsmith", "🇹.🇲🇪/annsmith", "եxample.com",
        "@ɑnnsmith", "ŧ.mē/annsmith", "ínstagram: annsmith1", "t.m3/annsmith", "1nsta: annsmith", "exаmρle.cоm",
        "ꓔ.ꓟꓰ/annsmith", "ᏔᎳᎳ.example.com", "@аннсмит_9", "т.ме/annsmith", "ʇ.ɯǝ/annsmith", "🅰️nnsmith@gmail.com",
        "t.mе/аnnsmith", "ṫ.ṃẹ/annsmith", "g𝗆ail: annsmith",
    ],
    "invisible": [
        "t\u200b.\u200bm\u200be\u200b/annsmith", "@\u2062ann\u2062smith", "t.\u034fme/annsmith",
        "@a\ufe0fn\ufe0fnsmith",
        "ex\u00adample.c\u00adom", "t\u3164.me/annsmith", "@\u180eannsmith", "t\u2800.\u2800me/annsmith",
        "@a\u0336n\u0336n\u0336s\u0336m\u0336i\u0336t\u0336h\u0336", "\u202emoc.elpmaxe",
        "\u202ehtimsnna@", "t.\U000e0061me/annsmith", "i\u200dn\u200ds\u200dt\u200da: ann_smith",
    ],
    "spelt out": [
        "annsmith at gmail dot com", "t dot me slash annsmith", "t dot me / annsmith", "example dot c o m",
        "annsmith aet gmail punkt com", "annsmith klammeraffe web punkt de", "annsmith ät web punkt de",
        "annsmith arroba gmail punto com", "annsmith arroba gmail ponto com", "annsmith et gmail nokta com",
        "annsmith kuyruklu a gmail nokta com", "annsmith et gmail titik com", "annsmith at gmail titik kom",
        "annsmith एट जीमेल डॉट कॉम", "annsmith at gmail डॉट com", "annsmith ات جیمیل دات کام",
        "annsmith آت جيميل دوت كوم",
        "annsmith نقطه com", "annsmith نقطة com", "энсмит собака джимейл точка ком", "т точка ми слэш annsmith",
        "ann underscore smith at gmail dot com", "annsmith chez gmail point com", "annsmith chiocciola gmail punto it",
        "example d0t com", "example DOT org", "example period com", "annsmith at the gmail", "gmail is annsmith",
        "write to annsmith, the usual gmail", "my mail: annsmith, at google", "www dot example dot com",
        "te me barra annsmith", "t ponto me barra annsmith", "t nokta me taksim annsmith",
        "t titik me garis miring annsmith",
        "annsmith@gmail point com", "annsmith (arroba) gmail.com", "annsmith*at*gmail*dot*com",
        "annsmith-at-gmail-dot-com",
        "annsmith_at_gmail_com", "ann smith 77 gmail com", "telegram dot me slash annsmith", "at sign annsmith",
    ],
    "a place and a name": [
        "my insta is annsmith", "insta annsmith", "insta - annsmith", "insta = annsmith", "insta→annsmith",
        "📷 annsmith_",
        "add me on snap: annsmith", "add me on snap annsmith", "snap👻annsmith", "ig/annsmith",
        "my ig handle is annsmith",
        "find me on telegram as annsmith", "telegram username annsmith", "my username is annsmith",
        "username: annsmith",
        "mein insta: annsmith", "mein Insta heißt annsmith", "mi insta es annsmith", "meu insta é annsmith",
        "instagramım annsmith", "instam annsmith", "insta saya annsmith", "ig aku annsmith", "मेरा इंस्टा annsmith है",
        "इंस्टाग्राम annsmith", "اینستام annsmith", "ایدی تلگرامم annsmith", "انستا annsmith",
        "حسابي انستقرام annsmith",
        "мой инст annsmith", "тгшка annsmith", "ник в телеге annsmith", "юз annsmith", "инстик - annsmith",
        "1nst4 annsmith", "insta annsmith22", "i.n.s.t.a annsmith22", "my snap is ann.smith", "signal: annsmith.07",
        "threads annsmith", "bluesky annsmith.bsky.social", "line id annsmith", "wechat annsmith",
        "facebook: Ann Smith",
        "dm me at annsmith on insta", "annsmith on insta", "annsmith is my insta", "look for annsmith in telegram",
        "tiktok annsmith", "youtube.com/annsmith", "steam annsmith", "roblox: annsmith", "twitch tv annsmith",
    ],
    "numbers": [
        "0170*123*45*67", "0170~1234567", "0170|123|45|67", "0170 — 123 — 45 — 67", "0170,123,45,67", "0170=1234567",
        "0🙂1🙂7🙂0🙂1🙂2🙂3🙂4🙂5🙂6🙂7", "❶❼⓿❶❷❸❹❺❻❼", "①⑦⓪①②③④⑤⑥⑦", "၀၁၇၀၁၂၃၄၅၆၇", "०१७०१२३४५६७", "۰۱۷۰۱۲۳۴۵۶۷",
        "๐๑๗๐๑๒๓๔๕๖๗",
        "O17O 123 45 67", "o17o1234567", "0l70 l23 45 67", "zero one seven zero one two three four five six seven",
        "плюс семь девять один шесть один два три четыре пять шесть семь",
        "null eins sieben null eins zwei drei vier fünf",
        "cero uno siete cero uno dos tres cuatro cinco seis", "zero um sete zero um dois três quatro cinco seis",
        "sıfır bir yedi sıfır bir iki üç dört beş altı", "nol satu tujuh nol satu dua tiga empat lima enam",
        "शून्य एक सात शून्य एक दो तीन चार पांच छह", "صفر یک هفت صفر یک دو سه چهار پنج شش",
        "صفر واحد سبعة صفر واحد اثنان ثلاثة أربعة خمسة ستة",
        "0 1 7 0 1 2 3 4 5 6 7", "0-1-7-0-1-2-3-4-5-6-7", "0.1.7.0.1.2.3.4.5.6.7", "+4 9 1 7 0 1 2 3 4 5 6 7",
        "00491701234567", "0170 12345 and then 67", "017012 34567 it is", "one7zero 123 45 67 89",
        "(0)(1)(7)(0)(1)(2)(3)(4)(5)(6)(7)",
        "0170\n123\n45\n67", "〇一七〇一二三四五六七", "零一七零一二三四五六七", "0 170 - 123 - 45 - 67", "⁰¹⁷⁰¹²³⁴⁵⁶⁷",
        "0170 one two three 45 67", "+49 (0) 170 / 123 45 67", "tel:01701234567", "0;1;7;0;1;2;3;4;5;6;7",
        "0 170 1 23 45 67",
    ],
    "bare addresses": [
        "93.184.216.34", "go to 93.184.216.34:8080", "93.184.216.34/ann", "[2001:db8::1]",
        "2001:db8:85a3::8a2e:370:7334",
        "93 . 184 . 216 . 34", "93[.]184[.]216[.]34", "93,184,216,34", "example.dating", "annsmith.carrd.co",
        "linktr.ee/annsmith",
        "youtu.be/dQw4w9WgXcQ", "bit.ly/3abcdef", "annsmith.page", "example.онлайн", "пример.москва", "//example.com/x",
        "http:example.com", "https//example.com/ann", "tg://user?id=123456", "t.me+abcdef", "joinchat/AAAAAE",
        "example.com.",
        "EXAMPLE.COM", "domain example, ending com", "example com", "mailto:annsmith", "ann.smith.example.photography",
    ],
}  # fmt: skip


def _held_out(words: str) -> bool:
    return sha256(words.encode()).digest()[0] >= 128


EVERY = [words for kind in DISGUISES.values() for words in kind]
HELD_OUT = [words for words in EVERY if _held_out(words)]
DESIGNED_FOR = [words for words in EVERY if not _held_out(words)]

INNOCENT = {
    "en": """
see you at 8
it's 5:30 am here
I paid 1,299.99 for it
python 3.11.7 or 3.12?
we won 3-1, then 2:2
born on 12.05.1999
1.75 m and 68 kg
room 4.12 on floor 4
it was 30-40 degrees
I got 95/100 on the test
the dot on the i
at the com port of my pc
look at gmail, it is down again
my telegram is broken
my instagram is private, sorry
insta is boring these days
I deleted snapchat last year
do you use discord or telegram?
facebook is for old people
my mail is full of spam
I have two dogs, one cat and three fish
one two three four five, once I caught a fish alive
seven eight nine ten
two thirty in the afternoon
it costs $20, or $15.50 on sale
from 9 to 5, mon-fri
call me maybe :D
my phone died at 15%
i'm at home, at my desk
a b c d e f g
lol.ok.bye
x = 2 + 3 * (4 - 1)
roughly 10,000 steps a day
season 2 episode 14
version 1.2.3.4 is out
windows 10.0.19045 is what I have
1-0, 2-1, 3-3 and 0-0
chapter 12, verses 3-7
my name is Ann
my favourite username ever was funny
I live on tiktok honestly
signal is better than whatsapp they say
steam sale again
line by line
slash and burn
what is the point, come on
insta is where I met my ex
telegram, whatsapp, viber: all the same
""",
    "ru": """
увидимся в 8
сейчас 5:30 утра
заплатил 1 299,99 рублей
родился 12.05.1999
рост 175, вес 68
моя собака спит на диване
собака и кошка, точка
и точка. больше ни слова
выиграли 3:1, потом 2:2
сегодня от -5 до +3
версия 1.2.3.4 вышла
раз два три четыре пять, вышел зайчик погулять
у меня два кота, одна собака и три рыбки
телега опять лежит
инста у меня закрытая
мой тг сломался
удалил вк год назад
дискорд или телега?
почта завалена спамом
3 курс, 2 группа, 45 аудитория
квартира 15, этаж 4
с 9 до 18, пн-пт
стоит 20 тысяч
1000000 рублей это много
девять из десяти
ник у меня был смешной
""",
    "de": """
wir sehen uns um 8
es ist 5:30 uhr
das hat 1.299,99 € gekostet
geboren am 12.05.1999
ich bin 1,75 m gross und wiege 68 kg
das ist der punkt, komm
mein punkt ist ein anderer
wir haben 3:1 gewonnen
von 9 bis 17 uhr, mo-fr
version 1.2.3.4 ist da
eins zwei drei vier, wer steht vor der tür
zwei hunde, drei katzen, ein hamster
mein insta ist privat
telegram spinnt wieder
ich hab snapchat gelöscht
zimmer 4.12, etage 4
heute sind es 25-30 grad
8/10, gerne wieder
ich wohne web und film, komisch oder
das kostet 20 euro
""",
    "es": """
nos vemos a las 8
son las 5:30 de la mañana
me costó 1.299,99 euros
nací el 12.05.1999
mido 1,75 y peso 68 kg
ese es el punto, come algo
punto y aparte
ganamos 3-1 y luego 2-2
de 9 a 5, de lunes a viernes
la versión 1.2.3.4 salió
uno dos tres cuatro cinco
tengo dos perros, tres gatos y un pez
mi insta es privado
telegram no funciona
ya no uso facebook
hoy hace 25-30 grados
me diste un 8/10
la arroba de azúcar
dame cinco minutos
capítulo 12, página 45
""",
    "pt": """
até as 8
são 5:30 da manhã
custou R$ 1.299,99
nasci em 12.05.1999
tenho 1,75 m e 68 kg
ponto final
esse é o ponto, come on
ganhamos de 3 a 1
das 9 às 17, seg a sex
a versão 1.2.3.4 saiu
um dois três quatro cinco
tenho dois cachorros, três gatos e um peixe
meu insta é fechado
o telegram caiu
não uso mais facebook
hoje faz 25-30 graus
nota 8/10
uma arroba de boi
me dá cinco minutos
capítulo 12, página 45
""",
    "tr": """
saat 8 de görüşürüz
burada saat 5:30
1.299,99 lira verdim
12.05.1999 doğumluyum
boyum 1,75 kilom 68
nokta koyalım buna
et yedim bugün
3-1 kazandık, sonra 2-2
9 ile 17 arası, pzt-cuma
1.2.3.4 sürümü çıktı
bir iki üç dört beş
iki köpeğim, üç kedim ve bir balığım var
instam gizli
telegram çöktü yine
facebook kullanmıyorum
bugün 25-30 derece
10 üzerinden 8
yüz lira yeter
dört beş kişi geldi
oda 412 kat 4
""",
    "id": """
sampai jam 8
di sini jam 5:30 pagi
harganya Rp 1.299.000
lahir 12-05-1999
tinggi 175 berat 68
titik balik hidupku
kami menang 3-1 lalu 2-2
dari jam 9 sampai 17, senin-jumat
versi 1.2.3.4 sudah keluar
satu dua tiga empat lima
punya dua anjing, tiga kucing dan satu ikan
ig aku private
telegram lagi error
udah ga pake facebook
hari ini 25-30 derajat
nilai 8/10
lima ribu aja
kamar 412 lantai 4
di mana kamu di jkt
""",
    "hi": """
8 बजे मिलते हैं
यहाँ सुबह के 5:30 बजे हैं
₹1,29,999 में लिया
जन्म 12.05.1999 को
कद 5'9 और वजन 68
हम 3-1 से जीते
9 से 5, सोम-शुक्र
संस्करण 1.2.3.4 आ गया
एक दो तीन चार पांच
मेरे पास दो कुत्ते और तीन बिल्लियाँ हैं
मेरा इंस्टा प्राइवेट है
टेलीग्राम नहीं चल रहा
फेसबुक छोड़ दिया
आज २५-३० डिग्री है
१० में से ८
mera insta private hai
kya kar rahe ho aap
dilli se hu, tum?
""",
    "fa": """
ساعت ۸ می‌بینمت
الان ۵:۳۰ صبحه
قیمتش ۱٬۲۹۹٬۰۰۰ تومنه
متولد ۱۳۷۸/۰۲/۲۲
قدم ۱۷۵ وزنم ۶۸
نقطه سر خط
این نقطه ضعف منه
۳-۱ بردیم بعد ۲-۲
از ۹ تا ۵، شنبه تا چهارشنبه
نسخه ۱.۲.۳.۴ اومد
یک دو سه چهار پنج
دو تا سگ و سه تا گربه دارم
اینستام خصوصیه
تلگرام قطعه
فیسبوک ندارم
امروز ۲۵-۳۰ درجه‌ست
نمره ۸ از ۱۰
چطوری؟ کجایی؟
""",
    "ar": """
نلتقي الساعة ٨
الساعة ٥:٣٠ صباحا
دفعت ١٬٢٩٩ دولار
ولدت في ١٢/٠٥/١٩٩٩
طولي ١٧٥ ووزني ٦٨
نقطة انتهى
هذه نقطة مهمة
فزنا ٣-١ ثم ٢-٢
من ٩ إلى ٥
نسخة 1.2.3.4 صدرت
واحد اثنان ثلاثة أربعة خمسة
عندي كلبان وثلاث قطط
حسابي خاص في انستا
تيليجرام معطل اليوم
ما عندي فيسبوك
الحرارة ٢٥-٣٠ اليوم
علامة ٨/١٠
كيف حالك؟ من وين انت؟
""",
}
TALK = [line for lines in INNOCENT.values() for line in lines.strip().splitlines()]
