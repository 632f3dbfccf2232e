"""The demo site with views that push."""

from project.settings import *  # noqa: F403

ROOT_URLCONF = "tests.push.urls"
ASGI_APPLICATION = "tests.push.site.application"
