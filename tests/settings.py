"""Settings of the test suite: the demo site's, with what tests need fixed."""

from project.settings import *  # noqa: F403

SECRET_KEY = "tests-only"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
# caplog needs propagation, and loggers that a second django.setup() leaves alone.
LOGGING: dict[str, object] = {"version": 1, "disable_existing_loggers": False}
# Tests without a database call services too; those of the policy turn it on.
AMF_REMOTING = {**AMF_REMOTING, "POLICY_FROM_DATABASE": False}  # noqa: F405
# Sessions of tests without a database are not listed in one; those of the list turn it on.
RTMP_CHANNELS = {**RTMP_CHANNELS, "PRESENCE_INTERVAL": 0}  # noqa: F405
