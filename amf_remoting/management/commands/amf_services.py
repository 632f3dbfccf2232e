"""manage.py amf_services: what this site answers to."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import DatabaseError

from ...describe import describe_service, remoting_description
from ...exposure import exposure_failures
from ...overview import Row, rows
from ...registry import registry


class Command(BaseCommand):
    help = "Lists the exposed services with signatures, state and restrictions."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="Descriptions as JSON.")

    def handle(self, **options: Any) -> None:
        if options["json"]:
            descriptions = [remoting_description(service) for service in registry]
            self.stdout.write(json.dumps(descriptions, indent=2, ensure_ascii=False))
            return
        states = self._states()
        for service in registry:
            self.stdout.write(self.style.MIGRATE_HEADING(service.name))
            for description in describe_service(service):
                note = _note(states.get(description.target))
                self.stdout.write(f"  {description.signature}{note}")
                if description.summary:
                    self.stdout.write(f"      {description.summary}")
        for name in sorted(set(registry.declared) - {service.name for service in registry}):
            self.stdout.write(self.style.WARNING(f"{name}: declared, not exposed"))
        for name, reason in exposure_failures().items():
            self.stderr.write(self.style.ERROR(f"{name}: {reason}"))

    def _states(self) -> dict[str, Row]:
        """By target what the code and the admin say; nothing if the database cannot tell."""
        try:
            return {row.target: row for row in rows()}
        except DatabaseError as error:
            note = f"The state of services cannot be read (migrate?): {error}"
            self.stderr.write(self.style.WARNING(note))
            return {}


def _note(row: Row | None) -> str:
    if row is None:
        return ""
    notes = [] if row.rule.enabled else ["switched off"]
    if row.rule.permissions:
        notes.append(f"needs {', '.join(row.rule.permissions)}")
    elif row.rule.login_required:
        notes.append("needs a login")
    notes += [one.rate for one in row.rule.throttles]
    return f"  [{'; '.join(notes)}]" if notes else ""
