"""Checks of what joins several processes."""

import importlib.util

import pytest

from rtmp_channels import checks
from rtmp_channels.checks import check_channel_layer, check_sequencer

URL = "redis://127.0.0.1:6379/0"


def layer(path, **config):
    return {"default": {"BACKEND": path, "CONFIG": config}}


def test_the_redis_sequencer_needs_its_redis(settings):
    settings.RTMP_CHANNELS = {"SEQUENCER": "redis"}
    (error,) = check_sequencer(None)
    assert (error.id, error.hint) == (
        "rtmp_channels.E003",
        'Set REDIS_URL to "redis://host:6379/0".',
    )


def test_the_redis_sequencer_needs_its_packages(settings, monkeypatch):
    settings.RTMP_CHANNELS = {"SEQUENCER": "redis", "REDIS_URL": URL}
    assert check_sequencer(None) == []
    monkeypatch.setattr(checks, "find_spec", lambda name: None)
    (error,) = check_sequencer(None)
    assert error.hint == "pip install django-flash-remoting[redis]"
    assert importlib.util.find_spec("redis")


def test_the_memory_sequencer_needs_nothing(settings):
    settings.RTMP_CHANNELS = {}
    assert check_sequencer(None) == []


@pytest.mark.parametrize(
    ("sequencer", "layers", "message"),
    [
        ("memory", layer("channels.layers.InMemoryChannelLayer"), None),
        ("memory", {}, None),
        ("redis", layer("channels_redis.pubsub.RedisPubSubChannelLayer", hosts=[URL]), None),
        ("memory", layer("channels_redis.core.RedisChannelLayer", hosts=[URL]), "in silence"),
        ("redis", layer("channels.layers.InMemoryChannelLayer"), "no channel layer joins"),
        ("redis", {}, "no channel layer joins"),
    ],
)
def test_channel_layers(settings, sequencer, layers, message):
    settings.RTMP_CHANNELS = {"SEQUENCER": sequencer, "REDIS_URL": URL}
    settings.CHANNEL_LAYERS = layers
    found = check_channel_layer(None)
    assert [warning.id for warning in found] == ["rtmp_channels.W004"] * (message is not None)
    assert all(message in warning.msg for warning in found)


def test_an_unknown_sequencer_is_an_error(settings):
    settings.RTMP_CHANNELS = {"SEQUENCER": "redsi"}
    (error,) = checks.check_settings(None)
    assert error.msg == "RTMP_CHANNELS: SEQUENCER cannot be 'redsi'."
