"""The Django app of the gateway."""

from django.apps import AppConfig


class AmfRemotingConfig(AppConfig):
    name = "amf_remoting"
    verbose_name = "Flash remoting"
    default_auto_field = "django.db.models.BigAutoField"
