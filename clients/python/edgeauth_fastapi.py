"""Dependency for FastAPI.

    signed_in = SignedIn(edgeauth.Verifier("https://api.example.com/v1/auth"))

    @app.get("/orders")
    def orders(user: dict = Depends(signed_in)):
        return {"user": user["sub"]}
"""
from typing import Optional

from fastapi import Header, HTTPException

import edgeauth


class SignedIn:
    """Returns the claims of the token or assertion of a request, or answers 401 or 503."""

    def __init__(self, verifier: edgeauth.Verifier):
        self.verifier = verifier

    def __call__(self, authorization: Optional[str] = Header(None), x_auth_assertion: Optional[str] = Header(None)) -> dict:
        try:
            user = self.verifier.user(authorization, x_auth_assertion)
            if not user:
                raise edgeauth.Refused(401, "Authentication credentials were not provided.")
        except edgeauth.Refused as refused:
            headers = {"WWW-Authenticate": "Token"} if refused.status == 401 else None
            raise HTTPException(refused.status, refused.detail, headers) from None
        return user
