"""The parameters that callers fill: a method's signature without ``self`` and ``call``."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from .call import Call
from .exceptions import ExposureError, Fault, FaultCode

_POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
_NAMED = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


@dataclass(frozen=True, slots=True)
class Signature:
    """Binds arguments; made once per method."""

    parameters: tuple[inspect.Parameter, ...]
    takes_call: bool
    """The first parameter is named ``call`` and receives the Call."""
    required: int
    """Arguments that must be given by position if nothing is given by name."""
    accepted: int | None
    """Arguments that may be given by position; None: any number."""
    plain: bool
    """No keyword-only parameter must be given: arguments by position can suffice."""

    @classmethod
    def of(cls, function: Callable[..., Any], *, bound: bool) -> Self:
        """``bound``: the first parameter is ``self`` or ``cls`` and not the caller's."""
        try:
            parameters = list(inspect.signature(function).parameters.values())
        except (TypeError, ValueError) as error:
            raise ExposureError(f"the signature of {function!r} is unknown: {error}") from error
        parameters = parameters[1:] if bound else parameters
        takes_call = bool(parameters) and _is_call(parameters[0])
        parameters = parameters[1:] if takes_call else parameters
        positional = [one for one in parameters if one.kind in _POSITIONAL]
        open_ended = any(one.kind is inspect.Parameter.VAR_POSITIONAL for one in parameters)
        keyword_only = [one for one in parameters if one.kind is inspect.Parameter.KEYWORD_ONLY]
        return cls(
            parameters=tuple(parameters),
            takes_call=takes_call,
            required=sum(one.default is one.empty for one in positional),
            accepted=None if open_ended else len(positional),
            plain=all(one.default is not one.empty for one in keyword_only),
        )

    def bind(
        self, arguments: Sequence[Any], keywords: Mapping[str, Any]
    ) -> tuple[list[Any], dict[str, Any]]:
        """The arguments to call with. Fault "Client.BadArguments" that names the one at fault."""
        given = len(arguments)
        if self.accepted is not None and given > self.accepted:
            raise _fault(f"{self.accepted} arguments expected at most, got {given}")
        if not keywords and self.plain and given >= self.required:
            return list(arguments), {}
        return self._bind_names(list(arguments), dict(keywords))

    def _bind_names(
        self, arguments: list[Any], keywords: dict[str, Any]
    ) -> tuple[list[Any], dict[str, Any]]:
        positional = [one for one in self.parameters if one.kind in _POSITIONAL]
        taken = {one.name for one in positional[: len(arguments)]}
        named = {one.name for one in self.parameters if one.kind in _NAMED}
        any_name = any(one.kind is inspect.Parameter.VAR_KEYWORD for one in self.parameters)
        for name in keywords:
            if name in taken:
                raise _fault(f"argument {name!r} is given twice", name)
            if name not in named and not any_name:
                raise _fault(f"there is no argument {name[:100]!r}", name[:100])
        for one in self.parameters:
            missing = one.default is one.empty and one.name not in taken | keywords.keys()
            if missing and one.kind in (*_POSITIONAL, inspect.Parameter.KEYWORD_ONLY):
                raise _fault(f"argument {one.name!r} is missing", one.name)
        return arguments, keywords


def _is_call(parameter: inspect.Parameter) -> bool:
    """Named ``call`` and annotated Call, as a class or as text, or not annotated at all."""
    if parameter.name != "call" or parameter.kind not in _POSITIONAL:
        return False
    annotation = parameter.annotation
    if isinstance(annotation, str):
        return annotation.rpartition(".")[2] == Call.__name__
    return annotation is Call or annotation is parameter.empty


def _fault(description: str, argument: str | None = None) -> Fault:
    details = {} if argument is None else {"argument": argument}
    return Fault(FaultCode.BAD_ARGUMENTS, description, details=details)
