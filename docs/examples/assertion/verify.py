"""Verifies assertions with PyJWT and cryptography."""
import json
import sys
import urllib.request

import jwt


def verify_assertion(assertion, jwks, issuer, audience):
    """Returns the claims. Fetch the key set again as Cache-Control requires."""
    header = jwt.get_unverified_header(assertion)
    keys = [key for key in jwks["keys"] if key["kid"] == header.get("kid")]
    # PyJWT does not check typ, by which login tokens and assertions differ.
    if not keys or header.get("typ") != "assertion+jwt":
        raise jwt.InvalidTokenError("unknown key or purpose")
    key = jwt.PyJWK(keys[0], algorithm=keys[0]["alg"])
    return jwt.decode(
        assertion,
        key.key,
        algorithms=[keys[0]["alg"]],
        issuer=issuer,
        audience=audience,
        # The clock of the edge may be ahead of this one.
        options={"require": ["iss", "aud", "sub", "exp"], "verify_iat": False},
    )


if __name__ == "__main__":
    with urllib.request.urlopen(sys.argv[1], timeout=10) as answer:
        key_set = json.load(answer)
    print(verify_assertion(sys.stdin.read().strip(), key_set, sys.argv[2], sys.argv[3])["sub"])
