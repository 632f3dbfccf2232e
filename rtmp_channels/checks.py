"""System checks: `rtmp_channels.E001` and on."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

from channels.layers import get_channel_layer
from django.apps import apps
from django.core import checks

from rtmp_channels.conf import rtmp_settings


@checks.register("rtmp_channels")
def check_settings(app_configs: Any, **kwargs: Any) -> list[checks.CheckMessage]:
    """E001: a key of RTMP_CHANNELS that is unknown, or has a value of the wrong type."""
    return rtmp_settings.check("rtmp_channels.E001")


@checks.register("rtmp_channels")
def check_order_of_apps(app_configs: Any, **kwargs: Any) -> list[checks.CheckMessage]:
    """W002: daphne's own runserver hides the one that serves RTMP."""
    names = [config.name for config in apps.get_app_configs()]
    if "daphne" in names and names.index("daphne") < names.index("rtmp_channels"):
        return [
            checks.Warning(
                "manage.py runserver serves no RTMP: daphne's own command is found first.",
                hint='List "rtmp_channels" before "daphne" in INSTALLED_APPS.',
                id="rtmp_channels.W002",
            )
        ]
    return []


@checks.register("rtmp_channels")
def check_sequencer(app_configs: Any, **kwargs: Any) -> list[checks.CheckMessage]:
    """E003: the redis sequencer without its Redis, or without the package."""
    settings = rtmp_settings()
    if settings.sequencer != "redis":
        return []
    if not settings.redis_url:
        message = 'RTMP_CHANNELS: SEQUENCER is "redis", but REDIS_URL is empty.'
        hint = 'Set REDIS_URL to "redis://host:6379/0".'
    elif find_spec("redis") is None or find_spec("msgpack") is None:
        message = 'RTMP_CHANNELS: SEQUENCER is "redis", but its packages are not installed.'
        hint = "pip install django-flash-remoting[redis]"
    else:
        return []
    return [checks.Error(message, hint=hint, id="rtmp_channels.E003")]


@checks.register("rtmp_channels")
def check_channel_layer(app_configs: Any, **kwargs: Any) -> list[checks.CheckMessage]:
    """W004: a channel layer that loses messages in silence, or that no other process hears."""
    layer = get_channel_layer()
    kind = f"{type(layer).__module__}.{type(layer).__name__}"
    if kind == "channels_redis.core.RedisChannelLayer":
        message = "RedisChannelLayer drops a room's broadcasts in silence when a queue is full."
    elif rtmp_settings().sequencer == "redis" and (
        layer is None or kind == "channels.layers.InMemoryChannelLayer"
    ):
        message = "Shared objects are in Redis, but no channel layer joins the processes."
    else:
        return []
    hint = 'Use "channels_redis.pubsub.RedisPubSubChannelLayer" in CHANNEL_LAYERS.'
    return [checks.Warning(message, hint=hint, id="rtmp_channels.W004")]
