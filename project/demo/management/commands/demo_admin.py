"""`manage.py demo_admin`: the demo site's first administrator."""

import secrets
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand

USERNAME = "admin"


class Command(BaseCommand):
    help = "Creates the user 'admin' with a random password, shown once, if there is no superuser."

    def handle(self, *args: Any, **options: Any) -> None:
        users = get_user_model().objects
        if users.filter(is_superuser=True).exists():
            return
        password = secrets.token_urlsafe(12)
        users.create_superuser(username=USERNAME, password=password)
        self.stdout.write(f"Created the user {USERNAME!r} with the password {password!r}.")
        self.stdout.write("It is not shown again: manage.py changepassword admin sets a new one.")
