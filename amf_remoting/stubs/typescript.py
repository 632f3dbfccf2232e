"""TypeScript: classes with a method for each remote one, through the JSON door by fetch."""

import inspect
import json
import typing
from collections.abc import Iterable, Iterator
from pathlib import Path

from ..remote import Service
from .contract import Argument, Contract, Method, ValueClass, contract_of, has_members
from .names import Names, class_name, comment
from .types import ClassOf, Constants, ListOf, MapOf, OneOf, Plain, Type

RUNTIME = Path(__file__).parents[1] / "templates/amf_remoting/stubs/runtime.ts"
_BASIC = {
    "any": "unknown",
    "null": "null",
    "boolean": "boolean",
    "number": "number",
    "text": "string",
    "date": "Timestamp",
    "bytes": "string",
    "xml": "string",
    "vector": "number[]",
    "collection": "unknown[]",
}
_TAKEN = (
    "Arguments Array Boolean Date Door Error Fault Function Map Number Object Options Promise"
    " Readonly Record RequestCredentials Set String Symbol Timestamp parsed fetch JSON"
    " AbortSignal Information"
)
"""Types that the module has already."""
_RESERVED = (
    "arguments await break case catch class const continue debugger default delete do else enum"
    " eval export extends false finally for function if implements import in instanceof interface"
    " let new null package private protected public return static super switch this throw true try"
    " typeof undefined var void while with yield Door"
)
"""Words that are no name for an argument."""


def typescript(services: Iterable[Service], *, name: str) -> str:
    """A module that exports the class ``name`` and the types of its methods."""
    return "\n".join(_Writer(contract_of(services, is_class=has_members), name).lines()) + "\n"


class _Writer:
    def __init__(self, contract: Contract, name: str) -> None:
        self._contract = contract
        self._name = name
        names = Names(_TAKEN, name)
        self._services = {
            service: names.free(f"{class_name(service)}Service")
            for service, _, _ in contract.services
        }
        self._fields = Names().of_all(self._services, _field)
        self._classes = {cls: names.free(cls.__name__) for cls in contract.classes}
        self._arguments = {cls: self._classes[cls] for cls in contract.arguments}
        while found := [cls for cls in self._arguments if self._needs_another(cls)]:
            for cls in found:
                self._arguments[cls] = names.free(f"{self._classes[cls]}Argument")

    def lines(self) -> Iterator[str]:
        yield "// Written by manage.py amf_client --language typescript: do not edit."
        yield ""
        yield RUNTIME.read_text().rstrip()
        for value_class in self._contract.classes.values():
            yield ""
            yield from self._interface(value_class)
        for name, text, methods in self._contract.services:
            if methods[0].name:
                yield ""
                yield from self._service(name, text, methods)
        yield ""
        yield from self._client()

    def _interface(self, value_class: ValueClass) -> Iterator[str]:
        cls = value_class.source
        name, given = self._classes[cls], self._arguments.get(cls)
        alias = [f'The class "{value_class.alias}" of ActionScript.'] if value_class.alias else []
        yield from comment(value_class.text, indent="", extra=alias)
        yield f"export interface {name} {{"
        yield from self._members(value_class, given=False)
        yield "}"
        if given not in (name, None):
            yield ""
            yield f"/** {name} as an argument. */"
            yield f"export interface {given} {{"
            yield from self._members(value_class, given=True)
            yield "}"

    def _members(self, value_class: ValueClass, *, given: bool) -> Iterator[str]:
        # Results lack only what a TypedDict says; arguments also what has a default.
        may_lack = given or typing.is_typeddict(value_class.source)
        for member in value_class.members:
            mark = "?" if may_lack and not member.required else ""
            yield f"\t{_key(member.name)}{mark}: {self._type(member.type, given=given)};"

    def _needs_another(self, cls: type) -> bool:
        """Whether it is something else as an argument, and has no name for that yet."""
        value_class = self._contract.classes[cls]
        differs = list(self._members(value_class, given=True)) != list(
            self._members(value_class, given=False)
        )
        return differs and self._arguments[cls] == self._classes[cls]

    def _service(self, name: str, text: str, methods: list[Method]) -> Iterator[str]:
        yield from comment(text, indent="")
        yield f"export class {self._services[name]} {{"
        yield "\treadonly #door: Door;"
        yield ""
        yield "\tconstructor(door: Door) {"
        yield "\t\tthis.#door = door;"
        yield "\t}"
        for method in methods:
            yield ""
            yield from self._method(method, "this.#door")
        yield "}"

    def _method(self, method: Method, door: str) -> Iterator[str]:
        names = _local_names(method)
        path = "/".join(filter(None, (method.service, method.name)))
        name = method.name or method.service
        result = self._type(method.returns)
        yield from comment(method.text, indent="\t")
        key = _key(name) if name != "constructor" else '["constructor"]'
        yield f"\t{key}({', '.join(self._parameters(method, names))}): Promise<{result}> {{"
        yield f"\t\treturn {door}.call({json.dumps(path)}, {_arguments(method, names)});"
        yield "\t}"

    def _parameters(self, method: Method, names: dict[str, str]) -> Iterator[str]:
        for one in method.positional:
            yield f"{names[one.name]}{'' if one.required else '?'}: {self._given(one)}"
        by_name = method.of_kind(inspect.Parameter.KEYWORD_ONLY)
        any_name = method.of_kind(inspect.Parameter.VAR_KEYWORD)
        if by_name or any_name:
            members = [
                f"{_key(one.name)}{'' if one.required else '?'}: {self._given(one)}"
                for one in by_name
            ]
            members += [f"[name: string]: {_open(self._given(one), by_name)}" for one in any_name]
            mark = "" if any(one.required for one in by_name) else "?"
            yield f"options{mark}: {{ {'; '.join(members)} }}"
        for one in method.of_kind(inspect.Parameter.VAR_POSITIONAL):
            yield f"...{names[one.name]}: {_bracketed(self._given(one))}[]"

    def _given(self, argument: Argument) -> str:
        text = self._type(argument.type, given=True)
        is_said = {"null", "unknown"} & set(text.split(" | "))
        return f"{text} | null" if argument.takes_null and not is_said else text

    def _client(self) -> Iterator[str]:
        left_out = [
            f"{target} answers over RTMP and WebSocket only." for target in self._contract.left_out
        ]
        yield from comment("The services of a gateway.", indent="", extra=left_out)
        yield f"export class {self._name} {{"
        yield "\treadonly #door: Door;"
        services = [name for name, _, methods in self._contract.services if methods[0].name]
        for name in services:
            yield f"\treadonly {_key(self._fields[name])}: {self._services[name]};"
        yield ""
        yield '\t/** The gateway\'s address, as "https://example.com/gateway/". */'
        yield "\tconstructor(url: string, options: Options = {}) {"
        yield "\t\tthis.#door = new Door(url, options);"
        for name in services:
            field = _access(self._fields[name])
            yield f"\t\tthis{field} = new {self._services[name]}(this.#door);"
        yield "\t}"
        for _, _, methods in self._contract.services:
            if not methods[0].name:
                yield ""
                yield from self._method(methods[0], "this.#door")
        yield "}"

    def _type(self, type_: Type, *, given: bool = False) -> str:
        match type_:
            case Plain("date") if given:
                return "Timestamp | Date"
            case Plain(name):
                return _BASIC[name]
            case ListOf(item):
                return f"{_bracketed(self._type(item, given=given))}[]"
            case MapOf(value):
                return f"Record<string, {self._type(value, given=given)}>"
            case OneOf(options):
                return " | ".join(
                    dict.fromkeys(self._type(option, given=given) for option in options)
                )
            case Constants(values):
                return " | ".join(map(json.dumps, values))
            case ClassOf(source):
                return self._arguments[source] if given else self._classes[source]


def _arguments(method: Method, names: dict[str, str]) -> str:
    """By name, where all can be given so: what is undefined is then left out by JSON."""
    rest = method.of_kind(inspect.Parameter.VAR_POSITIONAL)
    if rest or method.of_kind(inspect.Parameter.POSITIONAL_ONLY):
        values = [names[one.name] for one in method.positional]
        values += [f"...{names[one.name]}" for one in rest]
        return f"Door.given({', '.join(values)})"
    pairs = [
        names[one.name] if names[one.name] == one.name else f"{_key(one.name)}: {names[one.name]}"
        for one in method.positional
    ]
    by_name = (inspect.Parameter.KEYWORD_ONLY, inspect.Parameter.VAR_KEYWORD)
    pairs += ["...options"] if method.of_kind(*by_name) else []
    return f"{{ {', '.join(pairs)} }}" if pairs else "[]"


def _local_names(method: Method) -> dict[str, str]:
    names = Names(_RESERVED, "options")
    return {one.name: names.free(one.name) for one in method.arguments}


def _open(text: str, by_name: list[Argument]) -> str:
    # An index signature must admit the named members beside it.
    return "unknown" if by_name else text


def _bracketed(text: str) -> str:
    return f"({text})" if " | " in text else text


def _key(name: str) -> str:
    return name if name.isidentifier() and name != "constructor" else json.dumps(name)


def _field(name: str) -> str:
    # No class may have a field of that name.
    return f"{name}_" if name == "constructor" else name


def _access(name: str) -> str:
    return f".{name}" if name.isidentifier() else f"[{json.dumps(name)}]"
