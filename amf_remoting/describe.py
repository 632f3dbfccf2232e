"""Services described: signatures and docstrings, for people and for tools."""

import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .remote import RemoteMethod, Service


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument that a caller gives."""

    name: str
    """With one or two leading asterisks where it takes any number."""
    type: str
    """The annotation without modules' names; empty if there is none."""
    required: bool
    default: str
    """The default as Python writes it; empty if there is none."""

    def __str__(self) -> str:
        text = f"{self.name}: {self.type}" if self.type else self.name
        return f"{text} = {self.default}" if self.default else text


@dataclass(frozen=True, slots=True)
class Description:
    """One method."""

    target: str
    name: str
    text: str
    """The docstring without its indentation."""
    arguments: tuple[Argument, ...]
    returns: str
    """The annotation of the result; empty if there is none."""

    @property
    def summary(self) -> str:
        """The docstring's first line."""
        return self.text.partition("\n")[0]

    @property
    def signature(self) -> str:
        """As Python writes it: ``math.add(a: float, b: float) -> float``."""
        arguments = ", ".join(map(str, self.arguments))
        result = f" -> {self.returns}" if self.returns else ""
        return f"{self.target}({arguments}){result}"


def describe_service(service: Service) -> list[Description]:
    """Its methods by name."""
    return [describe_method(service.methods[name]) for name in sorted(service.methods)]


def describe_method(method: RemoteMethod) -> Description:
    """What a caller needs to know of one method."""
    return Description(
        target=method.target,
        name=method.name,
        text=docstring(method.function),
        arguments=tuple(map(_argument, method.signature.parameters)),
        returns=_type(inspect.signature(method.function).return_annotation),
    )


def docstring(source: object) -> str:
    """The docstring of a class, module or function; that of an object is its class's."""
    named = source if hasattr(source, "__name__") else type(source)
    return inspect.cleandoc(named.__doc__ or "")


def remoting_description(service: Service) -> dict[str, Any]:
    """The object that Flash Remoting's DescribeService header asks for."""
    return {
        "version": "1.0",
        "address": service.name,
        "description": docstring(service.source),
        "functions": [_remoting_function(one) for one in describe_service(service)],
    }


def _remoting_function(description: Description) -> dict[str, Any]:
    return {
        "name": description.name or description.target,
        "version": "1.0",
        "description": description.text,
        "returns": description.returns,
        "arguments": [
            {"name": one.name, "type": one.type, "required": one.required, "description": ""}
            for one in description.arguments
        ],
    }


_MODULES = re.compile(r"""('[^']*'|"[^"]*")|\b(?:(?:\w+|<locals>)\.)+(?=\w)""")
"""Literals' texts, which stay, or what stands before the names of classes."""
_STARS: dict[Any, str] = {
    inspect.Parameter.VAR_POSITIONAL: "*",
    inspect.Parameter.VAR_KEYWORD: "**",
}


def _argument(parameter: inspect.Parameter) -> Argument:
    stars = _STARS.get(parameter.kind, "")
    has_default = parameter.default is not parameter.empty
    return Argument(
        name=f"{stars}{parameter.name}",
        type=_type(parameter.annotation),
        required=not has_default and not stars,
        default=repr(parameter.default) if has_default else "",
    )


def _type(annotation: Any) -> str:
    if annotation is inspect.Parameter.empty:
        return ""
    if isinstance(annotation, str):
        return annotation
    formatted: Callable[[Any], str] = inspect.formatannotation
    return _MODULES.sub(lambda found: found[1] or "", formatted(annotation))
