"""Models by named fields, querysets without a query per row, translated text."""

from datetime import UTC, datetime

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import ImproperlyConfigured
from django.utils.safestring import mark_safe
from django.utils.translation import gettext_lazy, ngettext_lazy

from amf_remoting import amf
from amf_remoting.amf import EncodeError, TypedObject
from amf_remoting.mapping import map_model, unmap_model

VERSIONS = pytest.mark.parametrize("version", [0, 3])


@pytest.fixture(autouse=True)
def _unmap():
    yield
    for model in (User, Group, Permission, ContentType):
        unmap_model(model)


def sent(value: object, version: int = 3) -> object:
    return amf.loads(amf.dumps(value, version), version)


@VERSIONS
def test_lazy_and_safe_text_is_text(version: int) -> None:
    assert sent(gettext_lazy("Yes"), version) == "Yes"
    assert sent([mark_safe("<b>")], version) == ["<b>"]
    assert sent(ngettext_lazy("%d day", "%d days", 2) % 2, version) == "2 days"


def test_a_model_without_named_fields_is_refused() -> None:
    with pytest.raises(EncodeError, match="no field of User is named"):
        amf.dumps(User(username="zoë", password="secret"))


@VERSIONS
def test_an_instance_is_its_named_fields(version: int) -> None:
    map_model(User, ["username", "date_joined"], alias="demo.User")
    moment = datetime(2020, 1, 2, tzinfo=UTC)
    user = User(username="zoë", password="secret", date_joined=moment)
    expected = TypedObject("demo.User", {"username": "zoë", "date_joined": moment})
    assert sent(user, version) == expected
    assert b"secret" not in amf.dumps(user, version)
    first, second = sent([user, user], version)
    assert first is second


def test_without_an_alias_it_is_a_plain_object() -> None:
    map_model(Group, ["id", "name"])
    assert sent(Group(id=3, name="staff")) == {"id": 3, "name": "staff"}


def test_a_name_that_is_no_field_is_an_error_at_once() -> None:
    with pytest.raises(ImproperlyConfigured, match="Group has no field 'nam'"):
        map_model(Group, ["nam"])


def test_a_proxy_is_sent_like_its_model() -> None:
    class Member(User):
        class Meta:
            proxy = True
            app_label = "auth"

    map_model(User, ["username"])
    assert sent(Member(username="zoë")) == {"username": "zoë"}


def rows(count: int) -> None:
    for number in range(count):
        group = Group.objects.create(name=f"group {number}")
        group.permissions.set(Permission.objects.all()[: number % 3 + 1])


@pytest.mark.django_db
@pytest.mark.parametrize("count", [1, 20])
def test_a_queryset_takes_no_query_per_row(count: int, django_assert_num_queries) -> None:
    rows(count)
    map_model(Group, ["name", "permissions"])
    map_model(Permission, ["codename", "content_type"], alias="demo.Permission")
    with django_assert_num_queries(2):
        decoded = sent(Group.objects.order_by("id"))
    assert len(decoded) == count
    permission = decoded[0]["permissions"][0]
    assert permission.alias == "demo.Permission"
    assert permission.values["content_type"] == Permission.objects.first().content_type_id


@pytest.mark.django_db
@pytest.mark.parametrize("count", [1, 10])
def test_a_mapped_relation_is_joined(count: int, django_assert_num_queries) -> None:
    map_model(Permission, ["codename", "content_type"])
    map_model(ContentType, ["model"])
    with django_assert_num_queries(1):
        decoded = sent(Permission.objects.order_by("id")[:count])
    assert len(decoded) == count
    first = Permission.objects.order_by("id").first()
    assert decoded[0]["content_type"] == {"model": first.content_type.model}


@pytest.mark.django_db
def test_reverse_relations(django_assert_num_queries) -> None:
    map_model(ContentType, ["model", "permission"])
    with django_assert_num_queries(2):
        decoded = sent(ContentType.objects.order_by("id")[:3])
    first = ContentType.objects.order_by("id").first()
    expected = set(first.permission_set.values_list("pk", flat=True))
    assert set(decoded[0]["permission"]) == expected


@pytest.mark.django_db
def test_values_managers_and_rows_already_there() -> None:
    rows(2)
    map_model(Group, ["name"])
    expected = [{"name": "group 0"}, {"name": "group 1"}]
    assert sent(Group.objects) == expected
    assert sent(Group.objects.order_by("id").values("name")) == expected
    assert sent(Group.objects.order_by("id").values_list("name")) == [["group 0"], ["group 1"]]
    evaluated = Group.objects.order_by("id")
    assert len(evaluated) == 2
    assert sent(evaluated) == expected


@pytest.mark.django_db
def test_a_missing_relation_is_null() -> None:
    map_model(Permission, ["content_type"])
    map_model(ContentType, ["model"])
    assert sent(Permission(codename="x")) == {"content_type": None}
