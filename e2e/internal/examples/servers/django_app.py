import os

import django
from django.conf import settings
from django.core.management import execute_from_command_line
from django.http import HttpResponse
from django.urls import path

audience = os.environ["AUDIENCE"]
edge = {"api": os.environ["API"], "interval": 0.2}
if audience:
    edge.update(assertion=True, audience=audience)
settings.configure(
    ROOT_URLCONF=__name__, SECRET_KEY="only-for-tests", ALLOWED_HOSTS=["127.0.0.1"],
    MIDDLEWARE=["edgeauth_django.EdgeauthMiddleware"], EDGEAUTH=edge,
)
django.setup()

from edgeauth_django import signed_in  # noqa: E402, it reads the settings


@signed_in
def user(request):
    return HttpResponse(" ".join([request.edgeauth["sub"], *request.edgeauth.get("roles", [])]))


urlpatterns = [path("", user)]

if __name__ == "__main__":
    execute_from_command_line(["", "runserver", "--noreload", "127.0.0.1:" + os.environ["PORT"]])
