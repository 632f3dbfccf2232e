"""Haxe for Flash: classes with a method for each remote one, through NetConnection."""

import inspect
import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from ..amf import registry as aliases
from ..remote import Service
from .contract import Argument, Contract, Method, ValueClass, contract_of, has_members
from .names import Names, class_name, comment
from .types import NULL, ClassOf, Constants, ListOf, MapOf, OneOf, Plain, Type

RUNTIME = Path(__file__).parents[1] / "templates/amf_remoting/stubs/runtime.hx"
_BASIC = {
    "any": "Dynamic",
    "null": "Dynamic",
    "boolean": "Bool",
    "number": "Float",
    "text": "String",
    "date": "Date",
    "bytes": "flash.utils.ByteArray",
    "xml": "Dynamic",
    "vector": "Dynamic",
    "collection": "Dynamic",
}
_CONSTANTS = {str: "String", bool: "Bool", int: "Float"}
_TAKEN = (
    "Any Array Bool Class Date Door Dynamic EReg Enum Fault Float Int IntIterator Iterable Iterator"
    " Lambda List Map Math NetConnection NetStatusEvent Null ObjectEncoding Reflect Reply Responder"
    " Single Std String StringBuf StringTools Sys Type UInt UnicodeString ValueType Void Xml"
    " XmlType"
)
"""Types that the module has already."""
_RESERVED = (
    "abstract break case cast catch class continue default do door dynamic else enum extends extern"
    " false final for function given if implements import in inline interface is macro new null"
    " operator overload override package private public return static super switch this throw trace"
    " true try typedef untyped using var while"
)
"""Words that are no name for an argument."""


def haxe(services: Iterable[Service], *, name: str) -> str:
    """A module with the class ``name``, which its file must be called after, and its types."""
    return "\n".join(_Writer(contract_of(services, is_class=_is_class), name).lines()) + "\n"


def _is_class(cls: type) -> bool:
    alias = aliases.by_class.get(cls)
    return has_members(cls) if alias is None else not alias.externalizable


class _Writer:
    def __init__(self, contract: Contract, name: str) -> None:
        self._contract = contract
        self._name = name
        names = Names(_TAKEN, name)
        self._services = {
            service: names.free(_type_name(f"{class_name(service)}Service"))
            for service, _, _ in contract.services
        }
        self._classes = {cls: names.free(_type_name(cls.__name__)) for cls in contract.classes}
        own = Names("connection door setCredentials")
        self._fields = own.of_all((name for name, _, _ in contract.services), _local)
        """Names of services in the client, whose own members are in their way."""

    def lines(self) -> Iterator[str]:
        yield "// Written by manage.py amf_client --language haxe: do not edit."
        yield "import flash.events.NetStatusEvent;"
        yield "import flash.net.NetConnection;"
        yield "import flash.net.ObjectEncoding;"
        yield "import flash.net.Responder;"
        yield ""
        yield from self._client()
        for name, text, methods in self._contract.services:
            if methods[0].name:
                yield ""
                yield from self._service(name, text, methods)
        for value_class in self._contract.classes.values():
            yield ""
            yield from self._value_class(value_class)
        yield ""
        yield RUNTIME.read_text().rstrip()

    def _client(self) -> Iterator[str]:
        left_out = [
            f"{target} answers over RTMP and WebSocket only." for target in self._contract.left_out
        ]
        yield from _comment("The services of a gateway.", "", left_out)
        yield f"class {self._name} {{"
        services = [name for name, _, methods in self._contract.services if methods[0].name]
        yield "\tpublic final connection:NetConnection;"
        for name in services:
            yield f"\tpublic final {self._fields[name]}:{self._services[name]};"
        yield "\tfinal door:Door;"
        yield ""
        yield '\t/** The gateway\'s address, as "https://example.com/gateway/"; AMF0 or AMF3. **/'
        yield "\tpublic function new(url:String, ?encoding:UInt) {"
        for value_class in self._contract.classes.values():
            if value_class.alias:
                alias, cls = json.dumps(value_class.alias), self._classes[value_class.source]
                yield f'\t\tuntyped __global__["flash.net.registerClassAlias"]({alias}, {cls});'
        yield "\t\tdoor = new Door(url, encoding == null ? ObjectEncoding.AMF0 : encoding);"
        yield "\t\tconnection = door.connection;"
        for name in services:
            yield f"\t\t{self._fields[name]} = new {self._services[name]}(door);"
        yield "\t}"
        yield ""
        yield "\t/** From now on calls are made as this user. **/"
        yield "\tpublic function setCredentials(userid:String, password:String) {"
        yield "\t\tvar user = {userid: userid, password: password};"
        yield '\t\tconnection.addHeader("Credentials", false, user);'
        yield "\t}"
        for _, _, methods in self._contract.services:
            if not methods[0].name:
                yield ""
                yield from self._method(methods[0], self._fields[methods[0].service])
        yield "}"

    def _service(self, name: str, text: str, methods: list[Method]) -> Iterator[str]:
        yield from _comment(text, "")
        yield f"class {self._services[name]} {{"
        yield "\tfinal door:Door;"
        yield ""
        yield "\tpublic function new(door:Door) {"
        yield "\t\tthis.door = door;"
        yield "\t}"
        names = Names("door").of_all((method.name for method in methods), _local)
        for method in methods:
            yield ""
            yield from self._method(method, names[method.name])
        yield "}"

    def _method(self, method: Method, name: str) -> Iterator[str]:
        if any(one.required for one in method.of_kind(inspect.Parameter.KEYWORD_ONLY)):
            yield f"\t// {method.target} has arguments by name only, which AMF does not have."
            return
        names = _local_names(method)
        rest = method.of_kind(inspect.Parameter.VAR_POSITIONAL)
        parameters = [
            f"{'' if one.required else '?'}{names[one.name]}:{self._given(one)}"
            for one in method.positional
        ]
        parameters += [f"?{names[one.name]}:Array<{self._type(one.type)}>" for one in rest]
        result = "Dynamic" if method.returns == NULL else self._type(method.returns)
        yield from _comment(method.text, "\t")
        yield f"\tpublic function {name}({', '.join(parameters)}):Reply<{result}> {{"
        yield f"\t\treturn door.call({json.dumps(method.target)}, {_arguments(method, names)});"
        yield "\t}"

    def _given(self, argument: Argument) -> str:
        text = self._type(argument.type)
        return f"Null<{text}>" if argument.takes_null and not text.startswith("Null<") else text

    def _value_class(self, value_class: ValueClass) -> Iterator[str]:
        name = self._classes[value_class.source]
        if not value_class.alias:
            yield from _comment(value_class.text, "")
            yield f"typedef {name} = {{"
            for member in value_class.members:
                mark = "" if member.required else "@:optional "
                yield _member(member.wire_name, f"{mark}var", self._type(member.type))
            yield "}"
            return
        yield from _comment(value_class.text, "", [f'The class behind "{value_class.alias}".'])
        yield "@:keep"
        yield f"class {name} {{"
        for member in value_class.members:
            yield _member(member.wire_name, "public var", self._type(member.type))
        yield ""
        yield "\tpublic function new() {}"
        yield "}"

    def _type(self, type_: Type) -> str:
        match type_:
            case Plain(name):
                return _BASIC[name]
            case ListOf(item):
                return f"Array<{self._type(item)}>"
            case MapOf(value):
                return f"haxe.DynamicAccess<{self._type(value)}>"
            case OneOf(options):
                return self._one_of([option for option in options if option != NULL])
            case Constants(values):
                kinds = {type(value) for value in values}
                return _CONSTANTS.get(kinds.pop(), "Dynamic") if len(kinds) == 1 else "Dynamic"
            case ClassOf(source):
                return self._classes[source]

    def _one_of(self, options: list[Type]) -> str:
        texts = {self._type(option) for option in options}
        return f"Null<{texts.pop()}>" if len(texts) == 1 else "Dynamic"


def _comment(text: str, indent: str, extra: Iterable[str] = ()) -> list[str]:
    """Haxe's own style ends a comment with two asterisks."""
    lines = comment(text, indent=indent, extra=extra)
    return [*lines[:-1], f"{lines[-1].removesuffix('*/')}**/"] if lines else []


def _member(name: str, keyword: str, type_: str) -> str:
    if _local(name) != name:
        return f"\t// {name}:{type_} has no name in Haxe: Reflect.field reads it."
    return f"\t{keyword} {name}:{type_};"


def _arguments(method: Method, names: dict[str, str]) -> str:
    values = f"[{', '.join(names[one.name] for one in method.positional)}]"
    required = sum(one.required for one in method.positional)
    given = f"Door.given({values}, {required})" if method.positional else values
    for one in method.of_kind(inspect.Parameter.VAR_POSITIONAL):
        rest = names[one.name]
        all_of_them = f"({values} : Array<Dynamic>).concat({rest})" if method.positional else rest
        given = f"{rest} == null ? {given} : {all_of_them}"
    return given


def _local_names(method: Method) -> dict[str, str]:
    names = Names(_RESERVED)
    return {one.name: names.free(_ascii(one.name)) for one in method.arguments}


def _local(name: str) -> str:
    text = _ascii(name)
    return f"{text}_" if text in _RESERVED.split() else text


def _type_name(name: str) -> str:
    text = _ascii(name).lstrip("_")
    return text[:1].upper() + text[1:] or "Unnamed"


def _ascii(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9_]", "_", name)
