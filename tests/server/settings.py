"""Settings of the servers that these tests start: the two apps and nothing of the demo site."""

import json
import os

SECRET_KEY = "tests-only"
DEBUG = False
ALLOWED_HOSTS = ["*"]
INSTALLED_APPS = [
    "rtmp_channels",
    "daphne",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "channels",
    "amf_remoting",
]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
ROOT_URLCONF = "tests.server.urls"
ASGI_APPLICATION = "tests.server.site.application"
USE_TZ = True
TIME_ZONE = "UTC"
CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}
AMF_REMOTING = {
    "SERVICES": {"echo": "tests.server.services.EchoService"},
    "POLICY_FROM_DATABASE": False,
}
RTMP_CHANNELS = {
    "ENDPOINTS": [os.environ.get("TEST_RTMP_ENDPOINT", "rtmp:port=0:interface=127.0.0.1")],
    "HANDSHAKE_TIMEOUT": 1.0,
    "CONNECT_TIMEOUT": 1.0,
    "ACCEPT_TIMEOUT": 1.0,
    "STALL_TIMEOUT": 60.0,
    "PING_INTERVAL": float(os.environ.get("TEST_PING_INTERVAL", "4")),
    "PING_TIMEOUT": float(os.environ.get("TEST_PING_TIMEOUT", "60")),
    "MAX_HELD_BYTES": int(os.environ.get("TEST_HELD_BYTES", "536870912")),
    "SHUTDOWN_TIMEOUT": 2.0,
    "DISCONNECT_TIMEOUT": 1.0,
    "PRESENCE_INTERVAL": 0,  # these servers have no tables
    "HTTP_BACKPRESSURE": "TEST_NO_BACKPRESSURE" not in os.environ,
    **json.loads(os.environ.get("TEST_RTMP_SETTINGS", "{}")),
}
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(levelname)s %(name)s: %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"level": "INFO", "handlers": ["stderr"]},
}
