"""What is remote, and what never is."""

import sys
from types import SimpleNamespace

import pytest

from amf_remoting.exceptions import ExposureError, Fault
from amf_remoting.registry import Registry, registry, remote_method, service

from . import services


@pytest.fixture
def exposed() -> Registry:
    mine = Registry()
    mine.expose("echo", services.EchoService)
    return mine


def test_a_class_answers_with_its_own_declared_methods_only(exposed: Registry) -> None:
    assert set(exposed["echo"].methods) == {
        "echo", "aecho", "args", "fail", "afail", "refuse", "caller", "acaller", "thread",
        "instant", "mistaken", "lasting", "new", "static", "of_class", "keyword", "greet", "spoil",
            "unspeakable_fault",
    }  # fmt: skip


@pytest.mark.parametrize(
    "target",
    [
        "echo.__class__", "echo.__init__", "echo._private", "echo.inherited", "echo.overridden",
        "echo.undeclared", "echo.renamed", "echo.made", "echo", "echo.", ".echo", "", "none.echo",
        "echo.echo.echo", "echo.echo.__call__", "services.EchoService.echo",
    ],
)  # fmt: skip
def test_unknown_methods_are_one_fault(exposed: Registry, target: str) -> None:
    with pytest.raises(Fault) as caught:
        exposed.find(target)
    assert caught.value.code == "Client.MethodNotFound"
    assert caught.value.description == f"unknown method {target!r}"


def test_a_service_object_is_made_per_call(exposed: Registry) -> None:
    method = exposed.find("echo.echo")
    before = services.EchoService.made
    assert [method.resolve()(1), method.resolve()(2)] == [1, 2]
    assert services.EchoService.made == before + 2


@pytest.mark.parametrize(
    ("target", "value"), [("echo.static", 5), ("echo.of_class", "EchoService4")]
)
def test_static_and_class_methods(exposed: Registry, target: str, value: object) -> None:
    method = exposed.find(target)
    assert method.signature.required == 1
    assert method.resolve()(4) == value


def test_a_module_answers_with_its_declared_functions() -> None:
    mine = Registry()
    mine.expose("math", sys.modules[services.__name__])
    assert set(mine["math"].methods) == {"add"}
    assert mine.find("math.add").resolve()(1, 2) == 3


def test_a_function_answers_by_the_name_it_is_exposed_as() -> None:
    mine = Registry()
    mine.expose("tools.hidden", services.hidden)
    assert mine.find("tools.hidden").resolve()() == "never"


def test_a_plain_object_is_one_for_all_calls() -> None:
    mine = Registry()
    mine.expose("counter", services.counter)
    step = mine.find("counter.step")
    assert [step.resolve()(), step.resolve()()] == [1, 2]


def test_an_object_with_functions_as_attributes() -> None:
    mine = Registry()
    mine.expose("box", SimpleNamespace(add=services.add, hidden=services.hidden))
    assert set(mine["box"].methods) == {"add"}
    assert mine.find("box.add").resolve()(2, 3) == 5


@pytest.mark.parametrize("name", ["", "a b", ".a", "a.", "1a", "a..b"])
def test_malformed_names_are_refused(name: str) -> None:
    with pytest.raises(ExposureError, match="no name for a service"):
        Registry().expose(name, services.EchoService)


def test_nothing_remote_is_refused() -> None:
    with pytest.raises(ExposureError, match="has no remote methods"):
        Registry().expose("base", services.Counter.__bases__[0])


def test_names_are_taken_once(exposed: Registry) -> None:
    with pytest.raises(ExposureError, match="already exposed"):
        exposed.expose("echo", services.StaffService)
    with pytest.raises(ExposureError, match=r"two services answer 'echo\.echo'"):
        exposed.expose("echo.echo", services.add)


def test_two_methods_of_one_wire_name_are_refused() -> None:
    class Twice:
        @remote_method(name="same")
        def one(self) -> None: ...

        @remote_method(name="same")
        def two(self) -> None: ...

    with pytest.raises(ExposureError, match=r"two methods answer 'twice\.same'"):
        Registry().expose("twice", Twice)


def test_underscored_names_are_refused() -> None:
    class Private:
        @remote_method
        def _hidden(self) -> None: ...

    with pytest.raises(ExposureError, match="underscore"):
        Registry().expose("private", Private)


def test_withdrawn_services_are_unknown(exposed: Registry) -> None:
    exposed.withdraw("echo")
    exposed.withdraw("echo")
    assert "echo" not in exposed
    assert len(exposed) == 0
    with pytest.raises(Fault, match="unknown method"):
        exposed.find("echo.echo")


def test_a_declaration_is_not_public_and_restricts_its_methods(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(registry, "declared", {})

    @service("vault", permission="auth.view_user", login_required=True)
    class Vault:
        @remote_method(permission="auth.add_user")
        def open(self) -> None: ...

    assert registry.declared == {"vault": Vault}
    assert "vault" not in registry
    mine = Registry()
    mine.expose("safe", Vault)
    method = mine.find("safe.open")
    assert method.rule.permissions == ("auth.view_user", "auth.add_user")
    assert method.rule.login_required


def test_one_name_is_declared_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "declared", {})
    service("twice")(services.Counter)
    service("twice")(services.Counter)
    with pytest.raises(ExposureError, match="two services are declared"):
        service("twice")(services.StaffService)
    del services.Counter._remote_service_options  # type: ignore[attr-defined]


def test_remote_method_goes_inside_of_staticmethod() -> None:
    with pytest.raises(ExposureError, match="directly on a function"):
        remote_method(staticmethod(services.hidden))
