"""Typed clients written from services: what `amf_client` prints.

That it compiles and calls is tested in tests/interop/test_written_clients.py.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, Permission
from django.core.management import CommandError, call_command

from amf_remoting.mapping import map_model, unmap_model
from amf_remoting.registry import remote_method
from amf_remoting.remote import describe_source
from amf_remoting.stubs.haxe import haxe
from amf_remoting.stubs.names import Names, class_name, comment
from amf_remoting.stubs.typescript import typescript
from tests.gateway import written_services


def written(write: Callable[..., str], *names: str) -> list[str]:
    sources = written_services.SOURCES
    services = [describe_source(name, sources[name]) for name in names or sources]
    return write(services, name="Remoting").splitlines()


def block(lines: list[str], first: str) -> list[str]:
    """From that line to the bracket that closes it."""
    start = lines.index(first)
    return lines[start + 1 : start + lines[start:].index("}")]


@pytest.mark.parametrize(
    "line",
    [
        "ids(user: number, key: string | null, day?: Timestamp | Date | null): Promise<number[]> {",
        'kinds(kind: "a" | "b" | 3, mixed: unknown): Promise<Record<string, Line[]>> {',
        "new(function_: string, default_?: number, ...options_: number[]): Promise<boolean> {",
        'return this.#door.call("shop/new", Door.given(function_, default_, ...options_));',
        "picked(options: { size: number; [name: string]: unknown }): Promise<null> {",
        "place(order: OrderArgument, options?: { note?: string; urgent?: boolean }): "
        "Promise<Order> {",
        'return this.#door.call("shop/place", { order, ...options });',
        "prices(first: string, ...rest: string[]): Promise<number[]> {",
        "raw(data: string, tree: string, vector: number[]): Promise<unknown[]> {",
        'search(wanted: Filter, color?: "red" | "blue"): Promise<Order[]> {',
        "tagged(options?: { [name: string]: string }): Promise<string[]> {",
        "unknown(untyped: unknown, default_?: unknown): Promise<unknown> {",
        'return this.#door.call("shop/unknown", { untyped, default: default_ });',
        "odd(anything: unknown, own: OwnArgument, plain: unknown, either: number | string): "
        "Promise<unknown> {",
        "promised(fault: unknown): Promise<Promise_> {",
        '["constructor"](): Promise<null> {',
        'return this.#door.call("shop.admin/version", { short });',
        'readonly "shop.admin": ShopAdminService;',
        'return this.#door.call("version", { short });',
        "* In two paragraphs, and /* an odd * / one.",
        "* shop.lasting answers over RTMP and WebSocket only.",
    ],
)
def test_typescript(line: str) -> None:
    assert line in [one.strip() for one in written(typescript)]


def test_typescript_interfaces() -> None:
    lines = written(typescript)
    assert block(lines, "export interface Order {") == [
        "\torder_id: number;",
        "\tplaced_at: Timestamp | null;",
        "\tlines: Line[];",
        "\tparent: Order | null;",
        "\tfunction: string;",
    ]
    assert block(lines, "export interface OrderArgument {") == [
        "\torder_id: number;",
        "\tplaced_at?: Timestamp | Date | null;",
        "\tlines?: LineArgument[];",
        "\tparent?: OrderArgument | null;",
        "\tfunction?: string;",
    ]
    assert block(lines, "export interface Filter {") == ["\ttext: string;", "\tlimit?: number;"]
    assert "export interface FilterArgument {" not in lines
    assert not any("lasting(" in line for line in lines)


@pytest.mark.parametrize(
    "line",
    [
        "public function ids(user:Float, key:Null<String>, ?day:Null<Date>):Reply<Array<Float>> {",
        'return door.call("shop.ids", Door.given([user, key, day], 2));',
        "public function kinds(kind:Dynamic, mixed:Dynamic)"
        ":Reply<haxe.DynamicAccess<Array<Line>>> {",
        "public function new_(function_:String, ?default_:Float, ?options:Array<Float>)"
        ":Reply<Bool> {",
        "public function odd(anything:Dynamic, own:Dynamic, plain:Plain, either:Dynamic)"
        ":Reply<Plain> {",
        "// shop.picked has arguments by name only, which AMF does not have.",
        "public function place(order:Order):Reply<Order> {",
        "public function raw(data:flash.utils.ByteArray, tree:Dynamic, vector:Dynamic)"
        ":Reply<Dynamic> {",
        "public function search(wanted:Filter, ?color:String):Reply<Array<Order>> {",
        "public function unknown(untyped_:Dynamic, ?default_:Null<Dynamic>):Reply<Dynamic> {",
        'untyped __global__["flash.net.registerClassAlias"]("tests.written.Order", Order);',
        "public final shop_admin:ShopAdminService;",
    ],
)
def test_haxe(line: str) -> None:
    assert line in [one.strip() for one in written(haxe)]


def test_haxe_classes() -> None:
    lines = written(haxe)
    assert block(lines, "class Order {") == [
        "\tpublic var orderId:Float;",
        "\tpublic var placedAt:Null<Date>;",
        "\tpublic var lines:Array<Line>;",
        "\tpublic var parent:Null<Order>;",
        "\t// function:String has no name in Haxe: Reflect.field reads it.",
        "",
        "\tpublic function new() {}",
    ]
    assert block(lines, "typedef Line = {") == [
        "\tvar price:String;",
        "\t@:optional var count:Float;",
    ]
    assert not any('"tests.written.Own"' in line for line in lines), "only itself knows its body"


def test_services_are_called_like_members_of_the_client_in_haxe() -> None:
    @remote_method
    def setCredentials() -> int:
        return 1

    class Connection:
        @remote_method
        def door(self) -> int:
            return 2

    services = [
        describe_source("connection", Connection()),
        describe_source("setCredentials", setCredentials),
        describe_source("shop.orders", Connection()),
        describe_source("shop_orders", Connection()),
    ]
    lines = [line.strip() for line in haxe(services, name="Remoting").splitlines()]
    assert "public final connection:NetConnection;" in lines
    assert "public final connection_:ConnectionService;" in lines
    assert "connection_ = new ConnectionService(door);" in lines
    assert "public function setCredentials_():Reply<Float> {" in lines
    assert "public final shop_orders_:ShopOrdersService;" in lines
    assert "public final shop_orders:ShopOrdersService_;" in lines


def test_methods_whose_names_are_words_of_haxe() -> None:
    class Words:
        @remote_method
        def new(self) -> int:
            return 1

        @remote_method
        def new_(self) -> int:
            return 2

        @remote_method
        def door(self) -> int:
            return 3

    lines = [line.strip() for line in haxe([describe_source("a", Words)], name="R").splitlines()]
    for name, target in {"new__": "new", "new_": "new_", "door_": "door"}.items():
        start = lines.index(f"public function {name}():Reply<Float> {{")
        assert lines[start + 1] == f'return door.call("a.{target}", []);'


def test_a_service_called_constructor_in_typescript() -> None:
    class Service:
        @remote_method
        def a(self) -> int:
            return 1

    services = [describe_source(name, Service) for name in ("constructor", "constructor_")]
    lines = [line.strip() for line in typescript(services, name="Remoting").splitlines()]
    assert "readonly constructor_: ConstructorService_;" in lines
    assert "readonly constructor__: ConstructorService;" in lines


def test_mapped_models(mapped: None) -> None:
    """A relation is an object where its model is mapped, too, else a key."""

    @remote_method
    def groups() -> list[Group]:
        return []

    @remote_method
    def entries() -> LogEntry:
        return LogEntry()

    services = [describe_source(one.__name__, one) for one in (groups, entries)]
    lines = typescript(services, name="Remoting").splitlines()
    assert block(lines, "export interface Group {") == [
        "\tid: number;",
        "\tname: string;",
        "\tpermissions: Permission[];",
    ]
    assert block(lines, "export interface Permission {") == [
        "\tname: string;",
        "\tcontent_type: number;",
    ]
    assert block(lines, "export interface LogEntry {") == [
        "\taction_time: Timestamp;",
        "\tcontent_type: number | null;",
        "\tobject_id: string | null;",
    ]
    assert "\tgroups(): Promise<Group[]> {" in lines
    lines = haxe(services, name="Remoting").splitlines()
    assert '\t\tuntyped __global__["flash.net.registerClassAlias"]("tests.Group", Group);' in lines
    assert "\tpublic var permissions:Array<Permission>;" in block(lines, "class Group {")
    assert "\tvar content_type:Null<Float>;" in block(lines, "typedef LogEntry = {")


@pytest.fixture
def mapped() -> Iterator[None]:
    map_model(Group, ["id", "name", "permissions"], alias="tests.Group")
    map_model(Permission, ["name", "content_type"])
    map_model(LogEntry, ["action_time", "content_type", "object_id"])
    yield
    for model in (Group, Permission, LogEntry):
        unmap_model(model)


def test_names() -> None:
    names = Names("if else", "Remoting")
    assert [names.free(name) for name in ("if", "a", "a", "a", "Remoting")] == [
        *("if_", "a", "a_", "a3", "Remoting_"),
    ]
    assert [class_name(name) for name in ("shop", "shop.order_lines", "_")] == [
        *("Shop", "ShopOrderLines", "Unnamed"),
    ]
    assert comment("", indent="\t") == []
    assert comment("One.\n\n", indent="\t") == ["\t/** One. */"]


def test_the_command_writes_all_or_some(
    exposed: Any, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    call_command("amf_client", language="typescript")
    text = capsys.readouterr().out
    assert "export class Remoting {" in text
    assert "readonly echo: EchoService;" in text
    assert text.endswith("}\n")
    file = tmp_path / "Shop.hx"
    call_command("amf_client", language="haxe", service=["math"], name="Shop", output=str(file))
    assert capsys.readouterr().out == ""
    text = file.read_text()
    assert "class Shop {" in text
    assert "add(a:Float, b:Float):Reply<Float>" in text
    assert "EchoService" not in text


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"service": ["nobody"]}, "'nobody'; there are echo, math, staff"),
        ({"name": "no name"}, "'no name' is no name for a class"),
        ({"name": "lower"}, "'lower' is no name for a class"),
        ({"output": "/nowhere/client.ts"}, "/nowhere/client.ts: No such file or directory"),
    ],
    ids=["service", "name", "lower case", "output"],
)
def test_what_the_command_refuses(exposed: Any, options: dict[str, Any], message: str) -> None:
    with pytest.raises(CommandError, match=message):
        call_command("amf_client", language="typescript", **options)
