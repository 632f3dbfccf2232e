"""The Django app of the gateway."""

from django.apps import AppConfig
from django.core.checks import register


class AmfRemotingConfig(AppConfig):
    name = "amf_remoting"
    verbose_name = "Flash remoting"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from . import checks, exposure, mapping, signals

        mapping.register()
        signals.connect()
        for check in checks.ALL:
            register(check)
        for check in checks.ON_DEPLOYMENT:
            register(check, deploy=True)
        exposure.start()
