"""Settings of the demo site.

Environment: CALL_LOG, DATABASE, DEBUG, PING_TIMEOUT, REDIS_URL, RTMP_PORT, RTMP_TICK_MS,
SECRET_KEY.
"""

import os
from pathlib import Path

BASE_DIR = Path(__file__).resolve().parent.parent
SECRET_KEY = os.environ.get("SECRET_KEY", "demo-only-not-a-secret")
DEBUG = os.environ.get("DEBUG", "") == "1"
ALLOWED_HOSTS = ["127.0.0.1", "localhost", "[::1]"]

INSTALLED_APPS = [
    "rtmp_channels",  # before daphne: its runserver serves RTMP too
    "daphne",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "channels",
    "amf_remoting",
    "project.demo",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "project.urls"
ASGI_APPLICATION = "project.asgi.application"
WSGI_APPLICATION = "project.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": os.environ.get("DATABASE", str(BASE_DIR / "db.sqlite3")),
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
TIME_ZONE = "UTC"
STATIC_URL = "/static/"

REDIS_URL = os.environ.get("REDIS_URL", "")
if REDIS_URL:
    CHANNEL_LAYERS = {
        "default": {
            "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
            "CONFIG": {"hosts": [REDIS_URL]},
        }
    }
else:
    CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}

AMF_REMOTING = {
    # make run has it on: the admin then counts calls and errors.
    "CALL_LOG": os.environ.get("CALL_LOG", "") == "1",
    "SERVICES": {
        "echo": "project.demo.services.EchoService",
        "math": "project.demo.services.math",
        "clock": "project.demo.services.clock",
        "people": "project.demo.services.PeopleService",
        "staff": "project.demo.services.StaffService",
        "lobby": "project.demo.services.LobbyService",
    },
}

RTMP_PORT = int(os.environ.get("RTMP_PORT", "1935"))
RTMP_TICK_MS = int(os.environ.get("RTMP_TICK_MS", "0"))
RTMP_CHANNELS = {
    # For runserver; daphne takes the same strings by -e.
    "ENDPOINTS": [f"rtmp:port={RTMP_PORT}:interface=127.0.0.1"],
    "PING_TIMEOUT": float(os.environ.get("PING_TIMEOUT", "9")),
    # Shared objects of one process, or of all that use the same Redis.
    "SEQUENCER": "redis" if REDIS_URL else "memory",
    "REDIS_URL": REDIS_URL,
    "SHARED_OBJECTS": {"TICK_MS": RTMP_TICK_MS},
    "STREAMS": {"TICK_MS": RTMP_TICK_MS},
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)-7s %(name)s: %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "loggers": {"django": {"handlers": []}},  # Django's own would print twice
    "root": {"handlers": ["console"], "level": "INFO"},
}
