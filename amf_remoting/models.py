"""What the admin decides about services, a mark by which processes see that it changed, and what
was logged and recorded."""

import logging
from typing import Any
from uuid import uuid4

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from .rules import Rule
from .throttle import Throttle

logger = logging.getLogger(__name__)


def printable(text: str) -> str:
    """A caller's text as what it is: letters that would turn its surroundings around, say."""
    return "".join(one if one.isprintable() else f"\\u{ord(one):04x}" for one in text)


def validate_rate(value: str) -> None:
    """For forms: a rate such as 10/s."""
    try:
        Throttle.parse(value, scope="")
    except ValueError as error:
        raise ValidationError(str(error)) from error


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

    throttle = models.CharField(
        _("throttle"),
        max_length=30,
        blank=True,
        validators=[validate_rate],
        help_text=_("How often each caller may call: 10/s, 100/min, 5/10s, 1000/h."),
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
            throttles=self._throttles(),
        )

    def _throttles(self) -> tuple[Throttle, ...]:
        # A scope of its own: the admin's rate and the code's are counted apart.
        if not self.throttle:
            return ()
        try:
            return (Throttle.parse(self.throttle, scope=f"policy {self}"),)
        except ValueError as error:
            logger.error("the policy of %s: %s", self, error)
            return ()


class PolicyVersion(models.Model):
    """One row, whose token is another one after every change of the policy."""

    token = models.CharField(max_length=32)
    recording_until = models.DateTimeField(null=True)
    """Until when packets are recorded."""

    ROW = 1

    def __str__(self) -> str:
        return self.token

    @classmethod
    def renew(cls, *, using: str) -> None:
        """Random, not counted: a change that is rolled back cannot look like a later one."""
        cls.objects.using(using).update_or_create(pk=cls.ROW, defaults={"token": uuid4().hex})


class CallRecord(models.Model):
    """A call that was answered. The user is a name: the log outlives users."""

    service = models.CharField(_("service"), max_length=100)
    method = models.CharField(_("method"), max_length=100, blank=True)
    username = models.CharField(_("user"), max_length=150, blank=True)
    door = models.CharField(_("door"), max_length=20)
    called_at = models.DateTimeField(_("called at"), db_index=True)
    milliseconds = models.FloatField(_("milliseconds"))
    outcome = models.CharField(
        _("outcome"), max_length=100, blank=True, help_text=_("The fault's code; empty: a result.")
    )
    arguments = models.TextField(_("arguments"), blank=True)

    class Meta:
        verbose_name = _("call")
        verbose_name_plural = _("calls")
        ordering = ("-called_at", "-pk")
        indexes = (
            models.Index(fields=("service", "method", "called_at"), name="amf_remoting_calls_of"),
        )

    def __str__(self) -> str:
        return printable(f"{self.service}.{self.method}" if self.method else self.service)


class Recording(models.Model):
    """A request and its response, or the two sides of a conversation, as bytes."""

    recorded_at = models.DateTimeField(_("recorded at"), db_index=True)
    form = models.CharField(_("form"), max_length=20)
    """Which of the packet inspector's formats the bytes have."""
    title = models.CharField(_("title"), max_length=200, blank=True)
    username = models.CharField(_("user"), max_length=150, blank=True)
    outcome = models.CharField(_("outcome"), max_length=200, blank=True)
    """What went wrong; empty if nothing did."""
    request = models.BinaryField()
    """From the client; cut off at RECORDED_PACKET_SIZE."""
    response = models.BinaryField()
    request_size = models.PositiveBigIntegerField(_("bytes from the client"))
    response_size = models.PositiveBigIntegerField(_("bytes to the client"))

    class Meta:
        verbose_name = _("recorded packet")
        verbose_name_plural = _("recorded packets")
        ordering = ("-pk",)

    def __str__(self) -> str:
        return self.title or self.form
