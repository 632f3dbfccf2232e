"""The Django app of the RTMP server."""

from typing import ClassVar

from django.apps import AppConfig


class RtmpChannelsConfig(AppConfig):
    name = "rtmp_channels"
    verbose_name = "RTMP"
    default_auto_field = "django.db.models.BigAutoField"
    packet_formats: ClassVar = {
        "rtmp": {
            "label": "one side of an RTMP conversation",
            "explain": "rtmp_channels.explanation.explain",
            "is_stream": True,
        }
    }
    """What the packet inspector of `amf_remoting.browser` finds here."""

    def ready(self) -> None:
        from rtmp_channels import checks  # noqa: F401
        from rtmp_channels.server.install import install

        install()
