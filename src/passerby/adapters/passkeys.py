"""Passkeys (WebAuthn level 3) with the library `webauthn`, which `pip install 'passerby[passkeys]'` brings.

Browsers bind a passkey to the name in the panel's address. It cannot be an IP address, so `http://localhost:8090` has
passkeys and `http://127.0.0.1:8090` has none. The library is loaded at the first use.
"""

from collections.abc import Sequence
from importlib.util import find_spec
from ipaddress import ip_address
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

from passerby.kernel.panel import Passkey

NOT_INSTALLED: Final = "The program has no library for passkeys: pip install 'passerby[passkeys]'."
NO_NAME: Final = "Passkeys need a name in PANEL_URL, such as https://panel.example.org or http://localhost:8090."


class PasskeyRefused(Exception):
    """The browser sent something other than it was asked for."""


class NewPasskey(NamedTuple):
    """`name` and `key` in base64url. `times`: how often it was used. See `kernel.panel.Passkey`."""

    name: str
    key: str
    times: int


class Passkeys:
    """`url`: where browsers reach the panel, without a path."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._origin, self._host = f"{parts.scheme}://{parts.netloc}", parts.hostname or ""

    @property
    def why_not(self) -> str:
        """Why nobody can use a passkey here. Empty: they can."""
        if find_spec("webauthn") is None:
            return NOT_INSTALLED
        try:
            ip_address(self._host)
        except ValueError:
            return ""
        return NO_NAME

    def to_make(self, challenge: bytes, member: int, known: Sequence[Passkey]) -> str:
        """Return the request to a browser to make a passkey, as JSON. `known`: those that the member has."""
        import webauthn
        from webauthn.helpers import structs

        options = webauthn.generate_registration_options(
            rp_id=self._host,
            rp_name="Passerby",
            user_id=f"passerby member {member}".encode(),
            user_name=f"#{member}",
            challenge=challenge,
            exclude_credentials=_described(known),
            authenticator_selection=structs.AuthenticatorSelectionCriteria(
                user_verification=structs.UserVerificationRequirement.REQUIRED
            ),
        )
        return webauthn.options_to_json(options)

    def to_show(self, challenge: bytes, known: Sequence[Passkey]) -> str:
        """Return the request to a browser to show one of these passkeys, as JSON."""
        import webauthn
        from webauthn.helpers import structs

        options = webauthn.generate_authentication_options(
            rp_id=self._host,
            challenge=challenge,
            allow_credentials=_described(known),
            user_verification=structs.UserVerificationRequirement.REQUIRED,
        )
        return webauthn.options_to_json(options)

    def made(self, sent: str, challenge: bytes) -> NewPasskey:
        """The passkey that a browser has made. Raises: PasskeyRefused."""
        import webauthn
        from webauthn.helpers import bytes_to_base64url
        from webauthn.helpers.exceptions import WebAuthnException

        try:
            found = webauthn.verify_registration_response(
                credential=sent,
                expected_challenge=challenge,
                expected_rp_id=self._host,
                expected_origin=self._origin,
                require_user_verification=True,
            )
        except (WebAuthnException, ValueError, KeyError, TypeError) as error:
            raise PasskeyRefused(type(error).__name__) from None
        return NewPasskey(
            bytes_to_base64url(found.credential_id), bytes_to_base64url(found.credential_public_key), found.sign_count
        )

    def shown(self, sent: str, challenge: bytes, known: Sequence[Passkey]) -> tuple[Passkey, int]:
        """Which of these passkeys a browser has shown, and how often it was used. Raises: PasskeyRefused."""
        import webauthn
        from webauthn.helpers import base64url_to_bytes, parse_authentication_credential_json
        from webauthn.helpers.exceptions import WebAuthnException

        try:
            credential = parse_authentication_credential_json(sent)
            passkey = next((each for each in known if each.name == credential.id), None)
            if passkey is None:
                raise PasskeyRefused("NotTheirs")
            found = webauthn.verify_authentication_response(
                credential=credential,
                expected_challenge=challenge,
                expected_rp_id=self._host,
                expected_origin=self._origin,
                credential_public_key=base64url_to_bytes(passkey.key),
                credential_current_sign_count=passkey.count,
                require_user_verification=True,
            )
        except (WebAuthnException, ValueError, KeyError, TypeError) as error:
            raise PasskeyRefused(type(error).__name__) from None
        return passkey, found.new_sign_count


def _described(known: Sequence[Passkey]) -> list[Any]:
    from webauthn.helpers import base64url_to_bytes
    from webauthn.helpers.structs import PublicKeyCredentialDescriptor

    return [PublicKeyCredentialDescriptor(id=base64url_to_bytes(each.name)) for each in known]
