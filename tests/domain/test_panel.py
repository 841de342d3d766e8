"""When logins and sessions of the panel work."""

from random import Random

from passerby.domain import support
from passerby.domain.panel import FRESH_S, IDLE_S, LOGIN_S, SESSION_S, is_fresh, is_open, is_valid, new_code
from passerby.kernel.panel import PanelLogin, PanelSession
from passerby.kernel.staff import StaffId

NOW = 1_800_000_000.0


def session(*, seen: float = 0.0, made: float = 0.0, ended: float | None = None) -> PanelSession:
    at = NOW + made
    return PanelSession(1, "digest", StaffId(1), at, at, NOW + seen, at + SESSION_S, ended_at=ended)


def test_a_code_can_be_typed_and_is_another_one_each_time() -> None:
    rng = Random(1)
    codes = {new_code(rng) for _ in range(20)}
    assert len(codes) == 20
    assert all(support.read(support.shown(code).lower()) == code for code in codes)


def test_a_login_works_once_and_for_five_minutes() -> None:
    login = PanelLogin("CODE", "browser", NOW, NOW + LOGIN_S)
    assert is_open(login, NOW + LOGIN_S - 1)
    assert not is_open(login, NOW + LOGIN_S)
    assert not is_open(PanelLogin("CODE", "browser", NOW, NOW + LOGIN_S, used_at=NOW), NOW + 1)


def test_a_session_ends_when_it_is_idle_old_or_ended() -> None:
    assert is_valid(session(), NOW + IDLE_S - 1)
    assert not is_valid(session(), NOW + IDLE_S)
    assert is_valid(session(seen=SESSION_S - 2), NOW + SESSION_S - 1)
    assert not is_valid(session(seen=SESSION_S - 2), NOW + SESSION_S)
    assert not is_valid(session(ended=NOW), NOW)


def test_a_proof_is_fresh_for_five_minutes() -> None:
    assert is_fresh(session(), NOW + FRESH_S - 1)
    assert not is_fresh(session(), NOW + FRESH_S)
