"""The store's scripts, each with a check that stops it if it touches a key that it was not given.

Redis allows other keys if they are on the same node. But while a slot moves, Redis checks only the given keys before it
runs a script.
"""

import hashlib

import pytest

from passerby.adapters.redis import handshake, scripts
from passerby.adapters.redis.scripts import Script

# Every command that we use takes at most one key, as its first argument.
_WATCH = """
local real, given = redis, {}
for _, key in ipairs(KEYS) do
  given[key] = true
end
local redis = {
  call = function(command, ...)
    local key, more = ...
    if command ~= 'TIME' and command ~= 'PUBLISH' and not given[key] then
      error('this script was not given ' .. tostring(key))
    end
    if more and (command == 'EXISTS' or command == 'UNLINK' or command == 'DEL') then
      error('one key at a time')
    end
    return real.call(command, ...)
  end,
  error_reply = real.error_reply,
}
"""


def watched(script: Script) -> Script:
    head, _, rest = script.source.partition("\n")
    source = head + _WATCH + rest
    sha = hashlib.sha1(source.encode(), usedforsecurity=False).hexdigest().encode()
    return script._replace(source=source, sha=sha)


def watch_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """For every store that is opened from now on."""
    for name, script in vars(scripts).items():
        if isinstance(script, Script):
            monkeypatch.setattr(scripts, name, watched(script))
    monkeypatch.setattr(handshake, "HANDSHAKE", watched(scripts.HANDSHAKE))
