"""What outlives the server's processes."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models.functions import Now


class SharedObjectRecord(models.Model):
    """A persistent shared object, as of the last time it was written down."""

    digest = models.CharField(max_length=64, unique=True, editable=False)
    """The object's name in a channel layer: names themselves may be too long for an index."""

    instance = models.TextField(help_text="The application instance, as lobby/room1.")
    name = models.TextField(help_text="The object's name in its instance.")
    version = models.PositiveBigIntegerField(help_text="Rises with every change.")
    data = models.BinaryField(help_text="All slots, as a shared-object message (type 19).")
    updated = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = "shared object"

    def __str__(self) -> str:
        return f"{self.name} in {self.instance}"


class ServerProcess(models.Model):
    """A process that serves RTMP, or one that has died a moment ago."""

    key = models.CharField(max_length=32, unique=True, editable=False)
    host = models.CharField(max_length=255)
    pid = models.PositiveIntegerField("process")
    started = models.DateTimeField()
    expires = models.DateTimeField(
        db_index=True, help_text="When it counts as dead, unless it is heard of again."
    )
    connections = models.PositiveIntegerField(default=0)
    counters = models.JSONField(
        default=dict, help_text="How often each limit was met since the process started."
    )

    class Meta:
        verbose_name = "server process"
        verbose_name_plural = "server processes"
        default_permissions = ("view",)

    def __str__(self) -> str:
        return f"{self.host}:{self.pid}"


class LiveConnectionManager(models.Manager["LiveConnection"]):
    """Rows as they are in the database; `alive` leaves out those of dead processes."""

    def alive(self) -> models.QuerySet[LiveConnection]:
        """Connections of processes that live, by the database's clock."""
        return self.filter(process__expires__gt=Now())


class LiveConnection(models.Model):
    """A client that is connected, as of its process's last heartbeat."""

    process = models.ForeignKey(ServerProcess, on_delete=models.CASCADE)
    connection_id = models.CharField(max_length=32, unique=True, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.CASCADE,
        related_name="+",
        db_constraint=False,  # a user may be deleted between two heartbeats
    )
    address = models.CharField(max_length=64)
    transport = models.CharField(max_length=8)
    application = models.CharField(max_length=255)
    instance = models.CharField(max_length=255)
    program = models.CharField(max_length=255, help_text="What the client says it is.")
    opened = models.DateTimeField("connected")
    round_trip = models.PositiveIntegerField(null=True, help_text="Milliseconds.")
    received = models.PositiveBigIntegerField(help_text="Bytes.")
    sent = models.PositiveBigIntegerField(help_text="Bytes.")

    objects = LiveConnectionManager()

    class Meta:
        verbose_name = "live connection"
        default_permissions = ("view",)
        permissions = (
            ("kick_connection", "Can end live connections"),
            ("publish_stream", "Can publish live streams"),
            ("play_stream", "Can play live streams"),
        )

    def __str__(self) -> str:
        return f"{self.transport}://{self.address} {self.application}/{self.instance}"
