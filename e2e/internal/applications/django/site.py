"""A site of Django in one file: administration, a guest book, and uploads."""

import os
import sys

import django
from django.conf import settings

directory = os.environ["DJANGO_DIR"]

settings.configure(
    SECRET_KEY="of a test",
    DEBUG=True,
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF="__main__",
    CSRF_TRUSTED_ORIGINS=[os.environ["DJANGO_ORIGIN"].split("://", 1)[1]],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": os.path.join(directory, "db.sqlite3")}},
    INSTALLED_APPS=[
        "django.contrib.admin",
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "django.contrib.messages",
        "django.contrib.sessions",
        "django.contrib.staticfiles",
    ],
    MIDDLEWARE=[
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "__main__.HeaderUser",
        "django.contrib.messages.middleware.MessageMiddleware",
    ],
    AUTHENTICATION_BACKENDS=["__main__.Staff"],
    TEMPLATES=[{
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {"context_processors": [
            "django.template.context_processors.request",
            "django.contrib.auth.context_processors.auth",
            "django.contrib.messages.context_processors.messages",
        ]},
    }],
    STATIC_URL="/static/",
    DEFAULT_AUTO_FIELD="django.db.models.AutoField",
)

sys.modules.setdefault("__main__", sys.modules[__name__])
django.setup()

from django.contrib import admin  # noqa: E402
from django.contrib.auth.backends import RemoteUserBackend  # noqa: E402
from django.contrib.auth.middleware import RemoteUserMiddleware  # noqa: E402
from django.http import HttpResponse  # noqa: E402
from django.template import engines  # noqa: E402
from django.urls import path  # noqa: E402


class HeaderUser(RemoteUserMiddleware):
    """Reads the user from the header Remote-User."""

    header = "HTTP_REMOTE_USER"


class Staff(RemoteUserBackend):
    """Creates users that may use the administration."""

    def configure_user(self, request, user):
        user.is_staff = user.is_superuser = True
        user.save()
        return user


PAGE = """<!doctype html><title>Django</title>
<h1>Hello {{ request.user.username }}</h1>
<form method="post" enctype="multipart/form-data">{% csrf_token %}
<label>Note <input name="note"></label> <label>File <input type="file" name="file"></label>
<button>Save</button></form>
{% if note %}<p id="note">{{ note }}</p>{% endif %}{% if size %}<p id="size">{{ size }}</p>{% endif %}"""


def home(request):
    """Shows the form and what it sent."""
    upload = request.FILES.get("file")
    context = {"note": request.POST.get("note", ""), "size": upload.size if upload else ""}
    return HttpResponse(engines["django"].from_string(PAGE).render(context, request))


urlpatterns = [path("admin/", admin.site.urls), path("", home)]

if __name__ == "__main__":
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)
