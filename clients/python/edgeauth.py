"""Verifies login tokens and assertions of edgeauth without a request for each.

    edge = Verifier("https://api.example.com/v1/auth")
    claims = edge.verify(token)

It needs PyJWT and cryptography. edgeauth_django.py and edgeauth_fastapi.py use it.
"""
import base64
import hashlib
import json
import logging
import os
import re
import struct
import threading
import time
import urllib.parse
import urllib.request

import jwt


class Refused(Exception):
    """A request that may not proceed: 401, or 503 while the edge cannot be reached."""

    def __init__(self, status, detail):
        super().__init__(detail)
        self.status, self.detail = status, detail


class Verifier:
    """Reads the keys and, for login tokens, the revocations, and keeps them up to date.

    With assertion=True it verifies the header X-Auth-Assertion: the edge has checked the
    session then, and there are no revocations to read. The audience is by default the
    issuer; of an assertion it is the name in the Caddyfile. max_age is the age of the
    revocations in seconds from which on all requests are refused.
    """

    def __init__(self, api, issuer="edgeauth", audience=None, assertion=False, interval=5, max_age=300):
        self._api, self._issuer, self._audience = api.rstrip("/"), issuer, audience or issuer
        self._assertion, self._interval, self._max_age = assertion, interval, max_age
        self._cursor, self._issued, self._lists = "", 0, {"users": {}, "sessions": {}, "roles": {}}
        self._closed = threading.Event()
        self._load_keys()
        if not assertion:
            self._load_revocations()
        self._start()
        if hasattr(os, "register_at_fork"):  # servers fork after they have loaded the application
            os.register_at_fork(after_in_child=self._start)

    def verify(self, token):
        """Returns the claims of a login token or assertion."""
        if not self._assertion and time.time() - self._issued > self._max_age:
            raise Refused(503, "The revocations are too old.")
        try:
            # Without typ, another kind of token would pass as a login.
            claims = self._decode(token, "assertion+jwt" if self._assertion else "login+jwt", self._audience)
        except (jwt.PyJWTError, ValueError, RecursionError):
            raise Refused(401, "Invalid token.") from None
        if self._find("users", claims["sub"]) or self._find("sessions", claims.get("sid")):
            raise Refused(401, "Invalid token.")
        change = self._find("roles", claims["sub"])
        if change and claims.get("iat", 0) <= change[1] + 60:  # the clocks may differ by a minute
            claims["roles"] = change[2]
        return claims

    def user(self, authorization, assertion):
        """Returns the claims for the values of two headers, or None without a token."""
        if self._assertion:
            return self.verify(assertion) if assertion else None
        token = re.fullmatch(r"(?i:token) +(\S+)", authorization or "")
        return self.verify(token[1]) if token else None

    def close(self):
        """Ends the thread that reads keys and revocations."""
        self._closed.set()

    def _start(self):
        if not self._closed.is_set():
            self._closed = threading.Event()  # a fork may have copied a held lock
            threading.Thread(target=self._follow, name="edgeauth", daemon=True).start()

    def _follow(self):
        keys_read = time.monotonic()
        while not self._closed.wait(self._interval):
            try:
                if time.monotonic() - keys_read > 600:
                    keys_read = self._load_keys() or time.monotonic()
                if not self._assertion:
                    self._load_revocations()
            except Exception as error:  # what is in use stays in use, and grows old
                logging.getLogger("edgeauth").warning("reading keys or revocations failed: %s", error)

    def _get(self, path):
        with urllib.request.urlopen(self._api + path, timeout=10) as answer:
            return answer.read().decode()

    def _load_keys(self):
        listed = json.loads(self._get("/.well-known/jwks.json"))["keys"]
        usable = [key for key in listed if key["alg"] in ("EdDSA", "ES256", "RS256")]
        self._keys = {key["kid"]: (key["alg"], jwt.PyJWK(key, algorithm=key["alg"]).key) for key in usable}

    def _decode(self, token, purpose, audience=None):
        header = jwt.get_unverified_header(token)
        algorithm, key = self._keys.get(header.get("kid"), (None, None))
        if not key or header.get("typ") != purpose:
            raise jwt.InvalidTokenError("unknown key or purpose")
        options = {"require": ["iss", "exp"] + (["sub", "aud"] if audience else []), "verify_iat": False}  # clocks differ
        return jwt.decode(token, key, algorithms=[algorithm], issuer=self._issuer, audience=audience, options=options)

    def _load_revocations(self):
        """Reads what changed, or everything. A document is one or more signed parts, a line each."""
        text = self._get("/revocations/" + (self._cursor and "?since=" + urllib.parse.quote(self._cursor)))
        parts = [self._decode(line, "revocations+jwt") for line in text.split()]
        first = parts[0]
        if len(parts) != first["parts"] or any(p["part"] != i + 1 or p["cursor"] != first["cursor"] for i, p in enumerate(parts)):
            raise ValueError("the revocations are incomplete")
        if first["iat"] <= self._issued:
            return  # from a node that is a second behind
        if first.get("delta") and first["since"] != self._cursor:
            self._cursor = ""  # everything, next time
            return
        lists = {}
        for name in self._lists:
            entries = dict(self._lists[name]) if first.get("delta") else {}
            for part in parts:
                entries.update(_entries(part[name], name == "roles"))
            lists[name] = {key: entry for key, entry in entries.items() if entry[0] >= first["iat"] - 60}
        self._lists, self._cursor, self._issued = lists, first["cursor"], first["iat"]

    def _find(self, name, id):
        return self._lists[name].get(hashlib.sha256(id.encode()).digest()[:8]) if id else None


def _entries(text, with_roles):
    """Yields a list: 8 bytes of the hash of an ID, and the end of the entry. An end of 0 lifts an entry.

    Entries of roles have in addition the time of the change, the length of the names in 2
    bytes, and the names.
    """
    raw, at = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)), 0
    while at < len(raw):
        (key, end), at = struct.unpack_from(">8sI", raw, at), at + 12
        if not with_roles:
            yield key, (end,)
            continue
        changed, length = struct.unpack_from(">IH", raw, at)
        names, at = raw[at + 6:at + 6 + length].decode(), at + 6 + length
        yield key, (end, changed, names.split(",") if names else [])
