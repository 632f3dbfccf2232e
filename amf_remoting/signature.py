"""The parameters that callers fill: a method's signature without ``self`` and ``call``."""

import dataclasses
import inspect
import typing
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from .call import Call
from .coerce import Convert, converter_of, hints_of
from .exceptions import ExposureError, Fault, FaultCode
from .unfolded import unfolded_size

_POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
_NAMED = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


@dataclass(frozen=True, slots=True)
class Signature:
    """Binds arguments; made once per method."""

    parameters: tuple[inspect.Parameter, ...]
    takes_call: bool
    """The first parameter is named ``call`` and receives the Call."""
    filled: frozenset[str]
    """Parameters that no caller fills, not even where a method takes any name: self, call."""
    required: int
    """Arguments that must be given by position if nothing is given by name."""
    accepted: int | None
    """Arguments that may be given by position; None: any number."""
    plain: bool
    """No keyword-only parameter must be given: arguments by position can suffice."""
    converters: Mapping[str, Convert]
    """By parameter; those whose annotations fit everything have none."""
    deep: frozenset[str]
    """The parameters whose annotations look inside of a value, so that its size counts."""
    positions: tuple[tuple[str, Convert | None], ...]
    """Name and converter of each parameter that is filled by position."""
    rest: tuple[str, Convert | None]
    """The same for ``*args``."""

    @classmethod
    def of(cls, function: Callable[..., Any], *, bound: bool) -> Self:
        """``bound``: the first parameter is ``self`` or ``cls`` and not the caller's."""
        try:
            parameters = list(inspect.signature(function).parameters.values())
        except (TypeError, ValueError) as error:
            raise ExposureError(f"the signature of {function!r} is unknown: {error}") from error
        skipped = 1 if bound else 0
        takes_call = len(parameters) > skipped and _is_call(parameters[skipped])
        skipped += takes_call
        filled = frozenset(one.name for one in parameters[:skipped])
        parameters = parameters[skipped:]
        positional = [one for one in parameters if one.kind in _POSITIONAL]
        open_ended = any(one.kind is inspect.Parameter.VAR_POSITIONAL for one in parameters)
        keyword_only = [one for one in parameters if one.kind is inspect.Parameter.KEYWORD_ONLY]
        hints = hints_of(function)
        converters = _converters(hints, parameters)
        rest = [one.name for one in parameters if one.kind is inspect.Parameter.VAR_POSITIONAL]
        return cls(
            parameters=tuple(parameters),
            takes_call=takes_call,
            filled=filled,
            required=sum(one.default is one.empty for one in positional),
            accepted=None if open_ended else len(positional),
            plain=all(one.default is not one.empty for one in keyword_only),
            converters=converters,
            deep=frozenset(name for name in converters if _looks_inside(hints[name])),
            positions=tuple((one.name, converters.get(one.name)) for one in positional),
            rest=(rest[0], converters.get(rest[0])) if rest else ("", None),
        )

    def bind(
        self, arguments: Sequence[Any], keywords: Mapping[str, Any], *, max_values: int
    ) -> tuple[list[Any], dict[str, Any]]:
        """The arguments to call with, made what their annotations say.

        An argument whose members are fitted, too, may have ``max_values`` values, references
        written out: each is converted again. Raises the fault "Client.BadArguments" that names the
        argument.
        """
        given = len(arguments)
        if self.accepted is not None and given > self.accepted:
            raise _fault(f"{self.accepted} arguments expected at most, got {given}")
        if keywords or not self.plain or given < self.required:
            self._check_names(arguments, keywords)
        if not self.converters:
            return list(arguments), dict(keywords)
        if self.deep:
            self._check_sizes(arguments, keywords, max_values)
        return self._convert_positions(arguments), {
            name: _convert(name, self.converters.get(name), value)
            for name, value in keywords.items()
        }

    def _convert_positions(self, arguments: Sequence[Any]) -> list[Any]:
        converted = [
            value if convert is None else _convert(name, convert, value)
            for (name, convert), value in zip(self.positions, arguments, strict=False)
        ]
        name, convert = self.rest
        beyond = arguments[len(self.positions) :]
        return converted + [_convert(name, convert, value) for value in beyond]

    def _check_sizes(
        self, arguments: Sequence[Any], keywords: Mapping[str, Any], max_values: int
    ) -> None:
        names = [name for name, _ in self.positions] + [self.rest[0]] * len(arguments)
        for name, value in (*zip(names, arguments, strict=False), *keywords.items()):
            if name in self.deep and _size(name, value) > max_values:
                raise _fault(
                    f"argument {name!r}: more than {max_values} values, references written out",
                    name,
                )

    def _check_names(self, arguments: Sequence[Any], keywords: Mapping[str, Any]) -> None:
        positional = [one for one in self.parameters if one.kind in _POSITIONAL]
        taken = {one.name for one in positional[: len(arguments)]}
        named = {one.name for one in self.parameters if one.kind in _NAMED}
        any_name = any(one.kind is inspect.Parameter.VAR_KEYWORD for one in self.parameters)
        for name in keywords:
            if name in taken:
                raise _fault(f"argument {name!r} is given twice", name)
            if name in self.filled or (name not in named and not any_name):
                raise _fault(f"there is no argument {name[:100]!r}", name[:100])
        for one in self.parameters:
            missing = one.default is one.empty and one.name not in taken | keywords.keys()
            if missing and one.kind in (*_POSITIONAL, inspect.Parameter.KEYWORD_ONLY):
                raise _fault(f"argument {one.name!r} is missing", one.name)


def _is_call(parameter: inspect.Parameter) -> bool:
    """Named ``call`` and annotated Call, as a class or as text, or not annotated at all."""
    if parameter.name != "call" or parameter.kind not in _POSITIONAL:
        return False
    annotation = parameter.annotation
    if isinstance(annotation, str):
        return annotation.rpartition(".")[2] == Call.__name__
    return annotation is Call or annotation is parameter.empty


def _converters(
    hints: Mapping[str, Any], parameters: Sequence[inspect.Parameter]
) -> dict[str, Convert]:
    found = {
        one.name: converter_of(hints[one.name], optional=one.default is None)
        for one in parameters
        if one.name in hints
    }
    return {name: convert for name, convert in found.items() if convert is not None}


def _looks_inside(hint: Any) -> bool:
    """Whether the members of a value are fitted, too."""
    return bool(typing.get_args(hint)) or dataclasses.is_dataclass(hint)


def _size(name: str, value: Any) -> int:
    try:
        return unfolded_size(value)
    except RecursionError:
        raise _too_deep(name) from None


def _too_deep(name: str) -> Fault:
    return _fault(f"argument {name!r}: nested too deeply, or inside of itself", name)


def _convert(name: str, convert: Convert | None, value: Any) -> Any:
    if convert is None:
        return value
    try:
        return convert(value)
    except (TypeError, ValueError) as error:
        raise _fault(f"argument {name!r}: {error}", name) from None
    except RecursionError:
        raise _too_deep(name) from None


def _fault(description: str, argument: str | None = None) -> Fault:
    details = {} if argument is None else {"argument": argument}
    return Fault(FaultCode.BAD_ARGUMENTS, description, details=details)
