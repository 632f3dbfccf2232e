"""What outlives the server's processes."""

from __future__ import annotations

from django.db import models


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
