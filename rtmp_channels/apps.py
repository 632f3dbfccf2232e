"""The Django app of the RTMP server."""

from django.apps import AppConfig


class RtmpChannelsConfig(AppConfig):
    name = "rtmp_channels"
    verbose_name = "RTMP"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from rtmp_channels import checks  # noqa: F401
        from rtmp_channels.server.install import install

        install()
