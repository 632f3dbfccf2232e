"""The administrator that make run creates."""

import re
from io import StringIO

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import User
from django.core.management import call_command


def run_command() -> str:
    output = StringIO()
    call_command("demo_admin", stdout=output)
    return output.getvalue()


@pytest.mark.django_db
def test_the_password_is_random_works_and_is_shown_once() -> None:
    shown = re.search(r"the user 'admin' with the password '([^']{16,})'", run_command())
    assert shown is not None
    user = User.objects.get(username="admin")
    assert (user.is_superuser, user.check_password(shown[1])) == (True, True)
    assert run_command() == ""


@pytest.mark.django_db
def test_a_site_that_has_a_superuser_gets_no_other() -> None:
    get_user_model().objects.create_superuser("root", password="x")
    assert run_command() == ""
    assert not User.objects.filter(username="admin").exists()
