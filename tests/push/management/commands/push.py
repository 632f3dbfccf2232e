"""Pushes: `manage.py push call_room lobby/a onNotice text`."""

from typing import Any

from django.core.management.base import BaseCommand

from rtmp_channels import push


class Command(BaseCommand):
    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("function")
        parser.add_argument("arguments", nargs="+")

    def handle(self, *args: Any, function: str, arguments: list[str], **options: Any) -> None:
        getattr(push, function)(*arguments)
