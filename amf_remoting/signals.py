"""Receivers: a saved or deleted policy is announced to this and all other processes."""

from django.db.models.signals import post_delete, post_save

from .models import ServicePolicy
from .policy import policy_changed


def connect() -> None:
    """Called once, when apps are ready."""
    for signal in (post_save, post_delete):
        signal.connect(_on_change, sender=ServicePolicy, dispatch_uid="amf_remoting.policy")


def _on_change(*, using: str, **_: object) -> None:
    policy_changed(using=using)
