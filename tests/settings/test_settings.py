"""Which settings are accepted, and the one line about each wrong one."""

import base64
import errno
import os
import stat
from pathlib import Path

import pytest

from passerby.kernel.rules import Rules
from passerby.settings import Settings, WrongSetting, doubts, former_keys, open_key, read

TOKEN = "123456789:" + "x" * 35
OTHER = "987654321:" + "y" * 35
KEY = base64.b64encode(b"another key".ljust(32)).decode()
PASSWORD = "correct-horse"  # no message may contain it


@pytest.fixture(autouse=True)
def _empty_surroundings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An empty working directory, and none of the settings of the person who runs the tests."""
    monkeypatch.chdir(tmp_path)
    for name in list(os.environ):
        if name.lower() in Settings.model_fields:
            monkeypatch.delenv(name)


def given(monkeypatch: pytest.MonkeyPatch, **environment: str) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)


def complaint() -> str:
    with pytest.raises(WrongSetting) as caught:
        read()
    line = str(caught.value)
    assert "\n" not in line
    assert TOKEN not in line
    assert OTHER not in line
    assert PASSWORD not in line
    return line


def test_nothing_needs_to_be_set() -> None:
    settings = read()
    assert settings == Settings()
    assert settings.sqlite_db_path == Path("passerby.db")
    assert settings.redis_url.get_secret_value() == "memory://"
    assert settings.minimum_age == 18


@pytest.mark.parametrize("separator", [",", " ", "\n", ", ", "\r\n"])
def test_tokens_keep_the_order_in_which_the_operator_wrote_them(
    monkeypatch: pytest.MonkeyPatch, separator: str
) -> None:
    given(monkeypatch, BOT_TOKENS=separator.join((OTHER, TOKEN)))
    assert [token.get_secret_value() for token in read().tokens.values()] == [OTHER, TOKEN]
    assert list(read().tokens) == [987654321, 123456789]


def test_tokens_may_come_from_a_file_with_comments(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("tokens").write_text(f"# ours\n{TOKEN}  # the first\n\n{OTHER}\n")
    given(monkeypatch, BOT_TOKENS_FILE="tokens")
    assert list(read().tokens) == [123456789, 987654321]


def test_the_environment_wins_over_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    Path(".env").write_text("CHAT_BURST=7\nMINIMUM_AGE=21\n")
    given(monkeypatch, MINIMUM_AGE="25")
    settings = read()
    assert (settings.chat_burst, settings.minimum_age) == (7, 25)


def test_empty_means_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    Path(".env").write_text("POSTGRES_URI=\nMINIMUM_AGE=\n")
    given(monkeypatch, SQLITE_DB_PATH="here.db", BOT_TOKENS="")
    assert read().sqlite_db_path == Path("here.db")


def test_settings_built_directly_ignore_the_environment_and_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    Path(".env").write_text("CHAT_BURST=7\n")
    given(monkeypatch, MINIMUM_AGE="25")
    assert Settings().chat_burst == 20
    assert Settings().minimum_age == 18


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"BOT_TOKENS": f"{TOKEN},nonsense"}, "BOT_TOKENS: token 2 of 2 is malformed; write it as @BotFather gave it"),
        ({"BOT_TOKENS": TOKEN[:20]}, "BOT_TOKENS: token 1 of 1 is malformed"),
        ({"SPONSOR_CHANNEL": "@harbour"}, "STAFF_BOT_TOKEN: is not set, and SPONSOR_CHANNEL is"),
        ({"SPONSOR_CHANNEL": "harbour"}, "SPONSOR_CHANNEL: is neither a @username nor the number of a channel"),
        (
            {"SPONSOR_CHANNEL": "-1001234567890", "STAFF_BOT_TOKEN": TOKEN},
            "SPONSOR_LINK: is not set, and SPONSOR_CHANNEL is a number",
        ),
        ({"BOT_TOKENS": f"{TOKEN} {OTHER} {TOKEN}"}, "BOT_TOKENS: token 3 of 3 is for the same bot as token 1"),
        ({"BOT_TOKENS": TOKEN, "BOT_TOKENS_FILE": "tokens"}, "BOT_TOKENS_FILE: BOT_TOKENS is set too"),
        ({"BOT_TOKENS_FILE": "nowhere"}, "BOT_TOKENS_FILE: cannot be read"),
        ({"BOT_TOKENS_FILE": os.devnull}, "BOT_TOKENS_FILE: has no token in it"),
        ({"BOT_TOKEN": TOKEN}, "BOT_TOKEN: is not a setting (environment); write BOT_TOKENS"),
        ({"BOTTOKENS": TOKEN}, "BOTTOKENS: is not a setting (environment); write BOT_TOKENS"),
        ({"SQLITE_PATH": "x"}, "SQLITE_PATH: is not a setting (environment); write SQLITE_DB_PATH"),
        (
            {"SQLITE_DB_PATH": "x.db", "POSTGRES_URI": f"postgresql://me:{PASSWORD}@host/db"},
            "POSTGRES_URI: SQLITE_DB_PATH is set too; keep one of them",
        ),
        (
            {"BACKUP_UPLOAD_COMMAND": "cp '{file} elsewhere"},
            "BACKUP_UPLOAD_COMMAND: has a quote that is not closed",
        ),
        (
            {"BACKUP_UPLOAD_COMMAND": "cp {file} elsewhere\\"},
            "BACKUP_UPLOAD_COMMAND: has a quote that is not closed, or a",
        ),
        ({"SQLITE_DB_PATH": "nowhere/x.db"}, "SQLITE_DB_PATH: its directory does not exist"),
        ({"SQLITE_DB_PATH": "."}, "SQLITE_DB_PATH: is a directory"),
        ({"SQLITE_DB_PATH": "x.key"}, "SQLITE_DB_PATH: ends in .key, which is taken"),
        (
            {"POSTGRES_URI": f"mysql://me:{PASSWORD}@host/db"},
            "POSTGRES_URI: is not the address of a PostgreSQL database",
        ),
        ({"POSTGRES_URI": f"postgres://me:{PASSWORD}@host:x/db"}, "POSTGRES_URI: is not the address of a PostgreSQL"),
        (
            {"POSTGRES_URI": f"postgres://me:{PASSWORD}@host"},
            "POSTGRES_URI: is not the address of a PostgreSQL database",
        ),
        (
            {"REDIS_URL": f"redis://:{PASSWORD}@host"},
            "REDIS_URL: is shared, but the records are in a file of one process; write POSTGRES_URI=",
        ),
        ({"REDIS_URL": f"http://{PASSWORD}"}, "REDIS_URL: is none of memory://, redis://"),
        ({"REDIS_URL": f"redis+ring://{PASSWORD}"}, "REDIS_URL: is none of memory://, redis://"),
        ({"REDIS_URL": f"redis://:{PASSWORD}@"}, "REDIS_URL: names no server"),
        ({"REDIS_URL": f"redis://:{PASSWORD}@host:port"}, "REDIS_URL: names no server"),
        ({"REDIS_URL": f"redis://:{PASSWORD}@one,two"}, "REDIS_URL: names no server"),
        ({"REDIS_URL": f"redis+cluster://:{PASSWORD}@one,"}, "REDIS_URL: names no server"),
        ({"REDIS_URL": f"redis://:{PASSWORD}/slash@host"}, "REDIS_URL: has a user or a password that must be percent-"),
        ({"REDIS_URL": f"redis://host/{PASSWORD}"}, "REDIS_URL: has something other than a database's number"),
        ({"REDIS_URL": "redis+sentinel://one,two"}, "REDIS_URL: does not name the master that the sentinels watch"),
        ({"REDIS_URL": "unix://"}, "REDIS_URL: names no socket"),
        ({"REDIS_NAME": "{ours}"}, "REDIS_NAME: is not 1 to 64 letters, digits"),
        ({"DB_POOL_MAX": "5"}, "DB_POOL_MIN: is more than DB_POOL_MAX; write 5 or less"),
        ({"IDLE_END_MIN": "10"}, "IDLE_END_MIN: is not more than IDLE_NUDGE_MIN; write more, or 0 for never"),
        ({"UPDATE_MODE": "webhook"}, "WEBHOOK_URL: is not set, and UPDATE_MODE is webhook; write WEBHOOK_URL=https://"),
        ({"UPDATE_MODE": "push"}, "UPDATE_MODE: is not polling or webhook"),
        ({"WEBHOOK_URL": "chat.example.org"}, "WEBHOOK_URL: is not the address of an https server"),
        ({"WEBHOOK_URL": "http://chat.example.org"}, "WEBHOOK_URL: is not https, which Telegram insists on"),
        ({"WEBHOOK_URL": "https://chat.example.org:8080"}, "WEBHOOK_URL: has a port other than 443, 80, 88 or 8443"),
        ({"WEBHOOK_URL": f"https://me:{PASSWORD}@example.org"}, "WEBHOOK_URL: has a user or a password in it"),
        (
            {"WEBHOOK_LISTEN": "8080"},
            "WEBHOOK_LISTEN: is not an address and a port; write WEBHOOK_LISTEN=127.0.0.1:8080",
        ),
        ({"METRICS_LISTEN": "localhost:0"}, "METRICS_LISTEN: is not an address and a port"),
        ({"METRICS_LISTEN": "localhost:65536"}, "METRICS_LISTEN: is not an address and a port"),
        ({"METRICS_LISTEN": "::1:9464"}, "METRICS_LISTEN: is not an address and a port"),
        ({"RUN_DIR": os.devnull}, "RUN_DIR: is not a directory"),
        ({"RUN_DIR": "nowhere/run"}, "RUN_DIR: its parent directory does not exist"),
        ({"MAX_MEMORY_MB": "100"}, "MAX_MEMORY_MB: is not a whole number from 128 to 1048576"),
        ({"REDIS_URL": "memory://elsewhere"}, "REDIS_URL: is none of memory://, redis://"),
        ({"BOT_API_URL": "localhost:8081"}, "BOT_API_URL: is not the address of an http(s) server"),
        ({"BOT_API_URL": f"https://api.telegram.org/bot{TOKEN}"}, "BOT_API_URL: contains the path of a bot"),
        ({"MINIMUM_AGE": "12"}, "MINIMUM_AGE: is not a whole number from 13 to 99; write MINIMUM_AGE=18"),
        ({"CONTACT": "ask us"}, "CONTACT: "),
        ({"MINIMUM_AGE": PASSWORD}, "MINIMUM_AGE: is not a whole number from 13 to 99"),
        ({"CHAT_BURST": "1.5"}, "CHAT_BURST: is not a whole number from 1 to 100"),
        ({"BOT_RATE_PER_S": "nan"}, "BOT_RATE_PER_S: is not a number from 1 to 1000"),
        ({"CHAT_RATE_PER_S": "0"}, "CHAT_RATE_PER_S: is not a number from 0.05 to 100000"),
        ({"SHUTDOWN_TIMEOUT_S": "-1"}, "SHUTDOWN_TIMEOUT_S: is not a number from 0 to 300"),
        ({"LOG_LEVEL": PASSWORD}, "LOG_LEVEL: is not debug or info or warning or error; write LOG_LEVEL=info"),
        ({"LOG_FORMAT": "xml"}, "LOG_FORMAT: is not console or json"),
        ({"SECRET_KEY": PASSWORD}, "SECRET_KEY: is not 32 bytes in base64"),
        ({"SECRET_KEY": f"{KEY[:9]}!{KEY[9:]}"}, "SECRET_KEY: is not 32 bytes in base64"),
        ({"POOLS": "one=en, two=de one=fr"}, "POOLS: pool 3 has the name of one before it; name each pool once"),
        ({"POOLS": "one=en+2"}, "POOLS: pool 1 is not name=language+language or name=bot+bot"),
        ({"SECRET_KEY_PREVIOUS": f"{KEY}, {PASSWORD}"}, "SECRET_KEY_PREVIOUS: has one that is not 32 bytes in base64"),
    ],
)
def test_a_wrong_setting_gives_one_line_that_does_not_show_its_value(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], expected: str
) -> None:
    given(monkeypatch, **environment)
    assert complaint().startswith(expected)


@pytest.mark.parametrize(
    "url",
    [
        "redis://host",
        f"rediss://me:{PASSWORD}@host:6380/2",
        "redis://[::1]:6379/0",
        "unix:///run/redis.sock?db=1",
        f"unix://me:{PASSWORD}@/run/redis.sock",
        f"redis+cluster://:{PASSWORD}@one:7000,two:7001",
        "rediss+sentinel://one:26379,two,three/ours/3",
    ],
)
def test_every_form_of_redis_address_is_accepted_with_a_shared_database(
    monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    given(monkeypatch, REDIS_URL=url, POSTGRES_URI="postgresql://host/db")
    settings = read()
    assert settings.redis_url.get_secret_value() == url
    assert settings.is_shared
    assert PASSWORD not in settings.shown()["REDIS_URL"]


def test_one_process_can_use_a_shared_database_without_redis(monkeypatch: pytest.MonkeyPatch) -> None:
    given(monkeypatch, POSTGRES_URI="postgresql://host/db")
    assert not read().is_shared


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("127.0.0.1:8080", ("127.0.0.1", 8080)),
        ("[::1]:9464", ("::1", 9464)),
        ("localhost:1", ("localhost", 1)),
        ("0.0.0.0:65535", ("0.0.0.0", 65535)),
    ],
)
def test_a_listening_address_has_a_host_and_a_port(
    monkeypatch: pytest.MonkeyPatch, text: str, place: tuple[str, int]
) -> None:
    given(monkeypatch, WEBHOOK_LISTEN=text, METRICS_LISTEN=text)
    assert (read().webhook_address, read().metrics_address) == (place, place)


def test_pages_for_operators_have_no_port_by_default() -> None:
    assert read().metrics_address is None


@pytest.mark.parametrize(
    ("given_url", "kept"),
    [
        ("https://chat.example.org:8443/telegram/", "https://chat.example.org:8443/telegram"),
        *((f"https://chat.example.org:{port}", f"https://chat.example.org:{port}") for port in (443, 80, 88, 8443)),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("http://localhost:8080/", "http://localhost:8080"),
    ],
)
def test_webhook_addresses_need_https_except_on_this_machine(
    monkeypatch: pytest.MonkeyPatch, given_url: str, kept: str
) -> None:
    given(monkeypatch, UPDATE_MODE="Webhook", WEBHOOK_URL=given_url)
    assert read().webhook_url == kept


def test_the_run_directory_is_next_to_the_database_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("data").mkdir()
    given(monkeypatch, SQLITE_DB_PATH="data/x.db")
    assert read().run_path == Path("data/run")
    given(monkeypatch, RUN_DIR="here")
    assert read().run_path == Path("here")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("SQLITE_DBPATH=x\n", "SQLITE_DBPATH: is not a setting (.env, line 1); write SQLITE_DB_PATH"),
        ("\n# ours\nCOLOUR=blue\n", "COLOUR: is not a setting (.env, line 3); write one of the names in .env.example"),
        (f"{TOKEN}\n", ".env: line 1 is not NAME=value"),
        (f"CHAT_BURST=3\n= {PASSWORD}\n", ".env: line 2 is not NAME=value"),
        (f"SECRET_KEY='{PASSWORD}\n", ".env: line 1 is not NAME=value"),
        (
            f"BOT_TOKENS={TOKEN}\n\nBOT_TOKENS={OTHER}\n",
            "BOT_TOKENS: has two values (.env, line 1 and line 3); keep one of these lines",
        ),
    ],
)
def test_a_line_of_the_env_file_that_is_not_a_setting_is_refused(text: str, expected: str) -> None:
    Path(".env").write_text(text)
    assert complaint().startswith(expected)


def test_an_env_file_that_is_not_text_is_refused() -> None:
    Path(".env").write_bytes(b"\xff\xfe\x00")
    assert complaint().startswith(".env: is not a text file")


def test_a_directory_instead_of_a_file_is_reported_as_a_directory(monkeypatch: pytest.MonkeyPatch) -> None:
    Path(".env").mkdir()
    assert complaint().startswith(".env: exists but cannot be read (Is a directory)")
    Path(".env").rmdir()
    Path("tokens").mkdir()
    given(monkeypatch, BOT_TOKENS_FILE="tokens")
    assert complaint().startswith("BOT_TOKENS_FILE: cannot be read (Is a directory)")


def test_a_line_of_the_env_file_may_be_there_twice() -> None:
    """The how-tos add lines, and somebody may follow them twice."""
    Path(".env").write_text(f"BOT_TOKENS={TOKEN}\nBOT_TOKENS={TOKEN}\n")
    assert len(read().tokens) == 1


@pytest.mark.parametrize("name", ["BOT_TOKENS_FILE", "VIP_PLANS_FILE"])
def test_a_file_without_an_end_is_not_read_to_its_end(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    given(monkeypatch, **{name: "/dev/zero"})
    assert complaint().startswith(f"{name}: cannot be read (it is larger than 1 MiB)")
    Path(".env").symlink_to("/dev/zero")
    assert complaint().startswith(".env: exists but cannot be read (it is larger than 1 MiB)")
    Path(".env").unlink()
    Path("deep").write_text("a = " + "[" * 100_000)
    given(monkeypatch, **{name: "deep"})
    assert complaint().startswith(f"{name}: ")


def test_a_pipe_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo(".env")
    assert complaint().startswith(".env: exists but cannot be read (it is a pipe)")
    Path(".env").unlink()
    os.mkfifo("pipe")
    monkeypatch.setenv("VIP_PLANS_FILE", "pipe")
    assert complaint().startswith("VIP_PLANS_FILE: cannot be read (it is a pipe)")
    monkeypatch.delenv("VIP_PLANS_FILE")
    given(monkeypatch, BOT_TOKENS_FILE="pipe")
    assert complaint().startswith("BOT_TOKENS_FILE: cannot be read (it is a pipe)")


def test_a_misspelling_is_ignored_if_the_right_name_is_set_too(monkeypatch: pytest.MonkeyPatch) -> None:
    given(monkeypatch, POSTGRES_URL="whatever", POSTGRES_URI="postgresql://host/db")
    assert read().postgres_uri is not None


def test_variables_of_other_programs_are_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    given(monkeypatch, SECRET_KEY_BASE="x", DATABASE_URL="y", PGPASSWORD="z", SQLITE_TMPDIR="w", RUNDIR="v")
    assert read() == Settings()


def test_no_form_of_the_settings_shows_a_secret() -> None:
    key = base64.b64encode(bytes(32)).decode()
    settings = Settings(
        bot_tokens=TOKEN,  # type: ignore[arg-type]  # as it comes from the environment
        postgres_uri=f"postgresql://me:{PASSWORD}@host/db",  # type: ignore[arg-type]
        secret_key=key,  # type: ignore[arg-type]
        secret_key_previous=KEY,  # type: ignore[arg-type]
    )
    for form in (
        repr(settings),
        str(settings),
        str(settings.model_dump()),
        str(settings.shown()),
        repr(settings.tokens),
    ):
        assert TOKEN.partition(":")[2] not in form
        assert PASSWORD not in form
        assert key not in form
        assert KEY not in form
    assert settings.shown()["POSTGRES_URI"] == "postgresql://host/db"
    assert settings.shown()["BOT_TOKENS"] == "1 hidden (bots 123456789)"


def test_settings_cannot_change() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Settings().minimum_age = 3


def test_settings_that_are_rules_have_the_defaults_of_the_rules() -> None:
    settings, rules = Settings(), Rules()
    assert settings.idle_nudge_min * 60 == rules.idle_nudge_s
    assert settings.idle_end_min * 60 == rules.idle_end_s
    assert settings.contact_policy_min * 60 == rules.just_met_s
    assert settings.contact_policy == rules.contact_policy
    assert settings.free_filters == rules.free_filters
    assert settings.minimum_age == rules.minimum_age
    assert settings.patience == rules.patience


def test_every_setting_is_described() -> None:
    for setting in Settings.describe():
        assert setting.description.endswith(".")
        assert setting.example


def test_a_given_key_is_used_and_no_file_is_made() -> None:
    key = bytes(range(32))
    assert open_key(Settings(secret_key=base64.b64encode(key).decode())) == key  # type: ignore[arg-type]
    assert list(Path().iterdir()) == []


@pytest.mark.parametrize("between", [",", " ", ", ", "\n"])
def test_old_keys_are_read_in_their_order(monkeypatch: pytest.MonkeyPatch, between: str) -> None:
    keys = [bytes([number] * 32) for number in range(3)]
    given(monkeypatch, SECRET_KEY_PREVIOUS=between.join(base64.b64encode(key).decode() for key in keys))
    assert former_keys(read()) == tuple(keys)
    assert former_keys(Settings()) == ()


def test_a_key_is_made_once_and_only_its_owner_can_read_it() -> None:
    key = open_key(Settings())
    assert len(key) == 32
    assert stat.S_IMODE(Path("passerby.key").stat().st_mode) == 0o600
    assert open_key(Settings()) == key


def test_a_key_that_others_may_read_is_refused() -> None:
    open_key(Settings())
    Path("passerby.key").chmod(0o644)
    with pytest.raises(WrongSetting, match=r"others may read passerby\.key; run chmod 600"):
        open_key(Settings())


def test_a_key_file_that_cannot_be_made_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> int:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(WrongSetting, match=r"is not set, and passerby\.key cannot be made in .* \(Permission denied\)"):
        open_key(Settings())


def test_a_key_that_could_not_be_written_whole_leaves_no_file(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file with half a key would end every later start."""

    def fail(_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as full:
        full.setattr(os, "fsync", fail)
        with pytest.raises(WrongSetting, match="No space left on device"):
            open_key(Settings())
    assert not Path("passerby.key").exists()
    assert open_key(Settings()) == open_key(Settings())


def test_a_directory_instead_of_the_key_file_is_reported_as_a_directory() -> None:
    Path("passerby.key").mkdir()
    with pytest.raises(WrongSetting, match=r"passerby\.key is a directory; remove it, or set SECRET_KEY"):
        open_key(Settings())


def test_a_pipe_instead_of_the_key_file_is_reported_and_not_waited_for() -> None:
    os.mkfifo("passerby.key", 0o600)
    with pytest.raises(WrongSetting, match=r"passerby\.key is not a regular file; remove it, or set SECRET_KEY"):
        open_key(Settings())


def test_no_new_key_is_made_if_the_key_file_is_a_broken_link() -> None:
    Path("passerby.key").symlink_to("elsewhere.key")
    with pytest.raises(WrongSetting, match=r"passerby\.key is a link that leads nowhere"):
        open_key(Settings())
    assert not Path("elsewhere.key").exists()


@pytest.mark.parametrize(
    ("variable", "meant"),
    [
        ("RUN_DRI", "RUN_DIR"),
        ("RUNDIR", "RUN_DIR"),
        ("METRIC_LISTENS", "METRICS_LISTEN"),
        ("CHAT_BRUST", "CHAT_BURST"),
        ("FREE_FILTRES", "FREE_FILTERS"),
        ("PATIENSE", "PATIENCE"),
    ],
)
def test_a_variable_with_a_typo_is_reported_with_the_setting_that_was_meant(
    monkeypatch: pytest.MonkeyPatch, variable: str, meant: str
) -> None:
    given(monkeypatch, **{variable: "1"})
    assert doubts() == [(variable, meant)]


def test_similar_variables_of_other_programs_are_not_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    theirs = "POSTGRES_USER POSTGRES_PASSWORD REDIS_HOST TOOLS LOG_FILE RUNNER PATH HOME DATABASE_URL SECRET_KEY_BASE"
    given(monkeypatch, **dict.fromkeys(theirs.split(), "x"))
    assert doubts() == []


def test_a_damaged_key_file_is_refused_and_not_changed() -> None:
    Path("passerby.key").write_text(PASSWORD)
    Path("passerby.key").chmod(0o600)
    with pytest.raises(WrongSetting, match=r"passerby\.key contains no key"):
        open_key(Settings())
    assert Path("passerby.key").read_text() == PASSWORD


@pytest.mark.parametrize(
    ("said", "free"), [(None, {"gender", "age"}), ("", {"gender", "age"}), ("none", set()), ("Age", {"age"})]
)
def test_the_operator_decides_which_filters_everybody_may_use(
    said: str | None, free: set[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BOT_TOKENS", TOKEN)
    if said is not None:
        monkeypatch.setenv("FREE_FILTERS", said)
    assert set(read().free_filters) == free


@pytest.mark.parametrize("host", ["chat..example.org", ".example.org", "x" * 64 + ".example.org"])
@pytest.mark.parametrize(
    "setting",
    ["WEBHOOK_URL", "BOT_API_URL", "ALERT_WEBHOOK_URL", "HEARTBEAT_URL", "PANEL_URL", "REDIS_URL", "POSTGRES_URI"],
)
def test_a_name_that_no_server_can_have_is_refused(monkeypatch: pytest.MonkeyPatch, setting: str, host: str) -> None:
    scheme = {"REDIS_URL": "redis", "POSTGRES_URI": "postgresql"}.get(setting, "https")
    given(monkeypatch, **{setting: f"{scheme}://{host}" + ("/passerby" if scheme == "postgresql" else "")})
    assert f"{setting}: " in complaint()


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({"ALERT_WEBHOOK_URL": "ftp://example.org"}, "ALERT_WEBHOOK_URL: is not the address of an https server"),
        ({"HEARTBEAT_URL": f"http://example.org/{PASSWORD}"}, "HEARTBEAT_URL: is not https"),
        ({"ALERT_WEBHOOK_URL": f"https://example.org/{PASSWORD}"}, "ALERT_WEBHOOK_SECRET: is not set"),
        ({"ALERT_DISK_FREE": "100"}, "ALERT_DISK_FREE"),
    ],
)
def test_alerts_go_only_where_nobody_can_read_or_forge_them(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], said: str
) -> None:
    given(monkeypatch, **environment)
    assert said in complaint()


def test_addresses_that_hold_a_secret_are_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    given(monkeypatch, HEARTBEAT_URL=f"https://example.org/{PASSWORD}")
    assert read().shown()["HEARTBEAT_URL"] == "hidden"
    assert set(read().thresholds.values()) >= {90.0, 80.0, 10.0, 2.0, 100.0}
