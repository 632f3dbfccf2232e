"""AMF0's ECMA arrays: how their names make a list, or do not (AMF 0 §2.10)."""

from amf_remoting.amf.values import MixedArray


def array_of(array: MixedArray, *, keep: bool) -> object:
    """Split `named` into the dense part and the rest: a list if there is no rest.

    Ruffle sends every array of AVM2 so. A "length" that only repeats the number of dense items is
    dropped. `keep` it a MixedArray if something refers to it already.
    """
    named = array.named
    dense: list[object] = []
    for index in range(len(named)):
        name = str(index)
        if name not in named:
            break
        dense.append(named.pop(name))
    if named.get("length") == len(dense) and not isinstance(named["length"], bool):
        del named["length"]
    if not named and not keep:
        return dense
    array.dense = dense
    return array
