"""manage.py amf_call: one call, in this process or to any gateway."""

import json
import os
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from ...auth import anonymous_user
from ...client import RemotingClient
from ...dispatch import Call, dispatch
from ...dump import value_lines
from ...exceptions import Fault, TransportError

PASSWORD = "AMF_PASSWORD"  # noqa: S105 - the name of the variable


class Command(BaseCommand):
    help = "Calls a method and shows its result as a tree. Exit status 1: it answered a fault."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("target", help="service.method")
        parser.add_argument("arguments", nargs="*", help="JSON each; what is no JSON is text")
        parser.add_argument("--url", help="A gateway's address; without it, here in this process.")
        parser.add_argument("--amf3", action="store_true", help="Sends AMF3 instead of AMF0.")
        parser.add_argument(
            "--user",
            help="Calls as this user; to a gateway with the password that the environment "
            f"variable {PASSWORD} holds.",
        )

    def handle(self, *, target: str, arguments: list[str], **options: Any) -> None:
        values = [_value(text) for text in arguments]
        try:
            if options["url"]:
                result = _call_gateway(target, values, options)
            else:
                result = dispatch(Call(target, values, user=_user(options["user"])))
        except Fault as fault:
            lines = "\n".join(value_lines(fault.information))
            raise CommandError(f"{target} answered a fault\n{lines}") from fault
        except TransportError as error:
            raise CommandError(str(error)) from error
        for line in value_lines(result):
            self.stdout.write(line)


def _call_gateway(target: str, values: list[Any], options: dict[str, Any]) -> Any:
    client = RemotingClient(options["url"], version=3 if options["amf3"] else 0)
    if options["user"]:
        client.set_credentials(options["user"], os.environ.get(PASSWORD, ""))
    return client.call(target, *values)


def _user(username: str | None) -> Any:
    if not username:
        return anonymous_user()
    from django.contrib.auth import get_user_model

    model = get_user_model()
    try:
        return model.objects.get(**{model.USERNAME_FIELD: username})
    except model.DoesNotExist:
        raise CommandError(f"no user is named {username!r}") from None


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text
