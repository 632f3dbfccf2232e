"""Settings of the test suite: the demo site's, with what tests need fixed."""

import os
from urllib.parse import urlsplit

from project.settings import *  # noqa: F403

SECRET_KEY = "tests-only"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
# caplog needs propagation, and loggers that a second django.setup() leaves alone.
LOGGING: dict[str, object] = {"version": 1, "disable_existing_loggers": False}
# Tests without a database call services too; those of the policy turn it on.
AMF_REMOTING = {**AMF_REMOTING, "POLICY_FROM_DATABASE": False}  # noqa: F405
# Sessions of tests without a database are not listed in one; those of the list turn it on.
RTMP_CHANNELS = {**RTMP_CHANNELS, "PRESENCE_INTERVAL": 0}  # noqa: F405

# Another database than SQLite: postgresql://user:password@127.0.0.1:5432/name, or mysql:…
if TEST_DATABASE := os.environ.get("TEST_DATABASE"):
    _url = urlsplit(TEST_DATABASE)
    DATABASES = {
        "default": {
            "ENGINE": f"django.db.backends.{_url.scheme}",
            "NAME": _url.path.removeprefix("/"),
            "USER": _url.username or "",
            "PASSWORD": _url.password or "",
            "HOST": _url.hostname or "",
            "PORT": _url.port or "",
        }
    }
