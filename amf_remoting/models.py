"""What the admin decides about services, and a mark by which processes see that it changed."""

from typing import Any
from uuid import uuid4

from django.db import models
from django.utils.translation import gettext_lazy as _

from .rules import Rule


class ServicePolicyQuerySet(models.QuerySet["ServicePolicy"]):
    """Bulk operations send no signals, so they announce the change themselves."""

    def update(self, **kwargs: Any) -> int:
        """As ever; every process obeys within a second."""
        from .policy import policy_changed

        count = super().update(**kwargs)
        policy_changed(using=self.db)
        return count

    def bulk_create(self, *args: Any, **kwargs: Any) -> list["ServicePolicy"]:
        """As ever; every process obeys within a second."""
        from .policy import policy_changed

        created = super().bulk_create(*args, **kwargs)
        policy_changed(using=self.db)
        return created


class ServicePolicy(models.Model):
    """Switches off or restricts a service or one of its methods.

    It adds to what the code demands and never loosens it.
    """

    service = models.CharField(_("service"), max_length=100)
    method = models.CharField(
        _("method"), max_length=100, blank=True, help_text=_("Empty: the whole service.")
    )
    enabled = models.BooleanField(
        _("enabled"), default=True, help_text=_("Off: every call is answered with a fault.")
    )
    login_required = models.BooleanField(_("login required"), default=False)
    permission = models.CharField(
        _("permission"),
        max_length=200,
        blank=True,
        help_text=_("The permission that callers need, as app_label.codename."),
    )

    objects = ServicePolicyQuerySet.as_manager()

    class Meta:
        verbose_name = _("service")
        verbose_name_plural = _("services")
        ordering = ("service", "method")
        constraints = (
            models.UniqueConstraint(
                fields=("service", "method"), name="amf_remoting_one_policy_per_target"
            ),
        )

    def __str__(self) -> str:
        return f"{self.service}.{self.method}" if self.method else self.service

    @property
    def rule(self) -> Rule:
        """What this row demands of callers."""
        return Rule(
            enabled=self.enabled,
            login_required=self.login_required,
            permissions=(self.permission,) if self.permission else (),
        )


class PolicyVersion(models.Model):
    """One row, whose token is another one after every change of the policy."""

    token = models.CharField(max_length=32)

    ROW = 1

    def __str__(self) -> str:
        return self.token

    @classmethod
    def renew(cls, *, using: str) -> None:
        """Random, not counted: a change that is rolled back cannot look like a later one."""
        cls.objects.using(using).update_or_create(pk=cls.ROW, defaults={"token": uuid4().hex})
