"""Tests of the helper without a server: /usr/bin/python3 -m unittest."""
import base64
import json
import os
import time
import unittest

try:
    import jwt
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
except ImportError as missing:
    raise unittest.SkipTest(f"{missing}: install python3-jwt and python3-cryptography") from None

import edgeauth

KEY = Ed25519PrivateKey.generate()


class Edge(edgeauth.Verifier):
    """Has the answers of a server that signs with KEY, and counts what is read."""

    read = 0

    def _get(self, path):
        self.read += 1
        if "jwks" not in path:
            now = int(time.time())
            empty = {"users": "", "sessions": "", "roles": ""}
            return sign("revocations+jwt", iat=now, exp=now + 3600, cursor=str(self.read), part=1, parts=1, **empty)
        x = base64.urlsafe_b64encode(KEY.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)).rstrip(b"=").decode()
        return json.dumps({"keys": [{"kty": "OKP", "crv": "Ed25519", "kid": "k", "alg": "EdDSA", "x": x}]})


def sign(typ, **claims):
    return jwt.encode({"iss": "edgeauth", **claims}, KEY, algorithm="EdDSA", headers={"kid": "k", "typ": typ})


def assertion(**claims):
    now = int(time.time())
    return sign("assertion+jwt", **{"aud": "orders", "sub": "u1", "iat": now, "exp": now + 60, **claims})


def encoded(text):
    return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()


class TestVerifier(unittest.TestCase):
    def setUp(self):
        self.edge = Edge("https://api.example.com/v1/auth", audience="orders", assertion=True)
        self.addCleanup(self.edge.close)

    def test_a_clock_that_is_behind_accepts_fresh_assertions(self):
        self.assertEqual(self.edge.verify(assertion(iat=int(time.time()) + 30))["sub"], "u1")

    def test_expiry_is_exact(self):
        with self.assertRaises(edgeauth.Refused):
            self.edge.verify(assertion(exp=int(time.time()) - 1))

    def test_malformed_headers_are_refused(self):
        good = assertion()
        for name, token in {
            "nested arrays": encoded("[" * 100_000) + ".e30.AAAA",
            "a list as key": encoded('{"alg":"EdDSA","kid":["k"]}') + ".e30.AAAA",
            "a list as purpose": encoded('{"alg":"EdDSA","kid":"k","typ":["assertion+jwt"]}') + ".e30.AAAA",
            "half a character": "\ud800.a.b",
            "two assertions": good + ", " + good,
            "another audience": assertion(aud="billing"),
            "no audience": sign("assertion+jwt", sub="u1", exp=int(time.time()) + 60),
            "a login": sign("login+jwt", aud="orders", sub="u1", exp=int(time.time()) + 60),
            "no algorithm": encoded('{"alg":"none","kid":"k","typ":"assertion+jwt"}') + "." + good.split(".")[1] + ".",
            "nothing": None,
        }.items():
            with self.subTest(name), self.assertRaises(edgeauth.Refused) as refused:
                self.edge.verify(token)
            self.assertEqual(refused.exception.status, 401, name)

    def test_only_the_configured_header_counts(self):
        self.assertIsNone(self.edge.user("Token " + assertion(), None))
        tokens = Edge("https://api.example.com/v1/auth")
        self.addCleanup(tokens.close)
        self.assertIsNone(tokens.user(None, assertion()))
        with self.assertRaises(edgeauth.Refused):
            tokens.user("Token " + assertion(), None)


class TestFork(unittest.TestCase):
    @unittest.skipUnless(hasattr(os, "fork"), "this system does not fork")
    def test_workers_of_a_server_that_forks_follow_the_revocations(self):
        edge = Edge("https://api.example.com/v1/auth", interval=0.01)
        self.addCleanup(edge.close)
        child = os.fork()
        if not child:
            before, deadline = edge.read, time.monotonic() + 20
            while edge.read == before and time.monotonic() < deadline:
                time.sleep(0.01)
            os._exit(0 if edge.read > before else 1)
        self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), 0, "the worker reads nothing")


if __name__ == "__main__":
    unittest.main()
