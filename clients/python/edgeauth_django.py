"""Middleware for Django: request.edgeauth is the user of a token or assertion, or None.

    MIDDLEWARE = [..., "edgeauth_django.EdgeauthMiddleware"]
    EDGEAUTH = {"api": "https://api.example.com/v1/auth"}   # arguments of edgeauth.Verifier

    @signed_in
    def orders(request):
        return JsonResponse({"user": request.edgeauth["sub"]})
"""
import functools

from django.conf import settings
from django.http import JsonResponse

import edgeauth


class EdgeauthMiddleware:
    """Verifies the token or assertion of each request."""

    def __init__(self, get_response):
        self.get_response = get_response
        self.verifier = edgeauth.Verifier(**settings.EDGEAUTH)

    def __call__(self, request):
        try:
            request.edgeauth = self.verifier.user(request.headers.get("Authorization"), request.headers.get("X-Auth-Assertion"))
        except edgeauth.Refused as refused:
            return _refuse(refused)
        return self.get_response(request)


def signed_in(view):
    """Answers 401 to a request without a user."""

    @functools.wraps(view)
    def wrapped(request, *args, **kwargs):
        if not request.edgeauth:
            return _refuse(edgeauth.Refused(401, "Authentication credentials were not provided."))
        return view(request, *args, **kwargs)

    return wrapped


def _refuse(refused):
    answer = JsonResponse({"detail": refused.detail}, status=refused.status)
    if refused.status == 401:
        answer["WWW-Authenticate"] = "Token"
    return answer
