"""The project's channel layer, as far as it joins processes."""

from __future__ import annotations

from channels.layers import InMemoryChannelLayer, get_channel_layer

from rtmp_channels.relay import ChannelLayer


def joining_layer() -> ChannelLayer | None:
    """The default layer; None where there is none, or one that ends with this process."""
    layer: ChannelLayer | None = get_channel_layer()
    return None if isinstance(layer, InMemoryChannelLayer) else layer
