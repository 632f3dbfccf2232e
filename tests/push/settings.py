"""The demo site with a view and a command that push."""

from project.settings import *  # noqa: F403

INSTALLED_APPS = [*INSTALLED_APPS, "tests.push"]  # noqa: F405
ROOT_URLCONF = "tests.push.urls"
ASGI_APPLICATION = "tests.push.site.application"
