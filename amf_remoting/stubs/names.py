"""Names that are free, and allowed in the language."""

from collections.abc import Callable, Iterable


class Names:
    """Gives each name once; a taken or forbidden one gets an underscore or a number."""

    def __init__(self, *taken: str) -> None:
        """Words, or texts of several."""
        self._taken = {word for text in taken for word in text.split()}

    def free(self, wanted: str) -> str:
        """The name, or the first of its variants that nobody has."""
        name, number = wanted, 1
        while name in self._taken:
            number += 1
            name = f"{wanted}_" if number == 2 else f"{wanted}{number}"
        self._taken.add(name)
        return name

    def of_all(self, names: Iterable[str], written: Callable[[str], str] = str) -> dict[str, str]:
        """A free name for each; ``written`` is how the language has to write it.

        Who can be called as it is comes first: "new_" keeps its name beside "new".
        """
        ordered = sorted(names, key=lambda name: written(name) != name)
        return {name: self.free(written(name)) for name in ordered}


def class_name(name: str) -> str:
    """ "shop.orders" → "ShopOrders"."""
    parts = name.replace("_", ".").split(".")
    return "".join(part[:1].upper() + part[1:] for part in parts if part) or "Unnamed"


def comment(text: str, *, indent: str, extra: Iterable[str] = ()) -> list[str]:
    """A documentation comment; nothing where there is nothing to say."""
    lines = [line.rstrip().replace("*/", "* /") for line in (*text.splitlines(), *extra)]
    while lines and not lines[-1]:
        lines.pop()
    if not lines:
        return []
    if len(lines) == 1:
        return [f"{indent}/** {lines[0]} */"]
    return [f"{indent}/**", *(f"{indent} * {line}".rstrip() for line in lines), f"{indent} */"]
