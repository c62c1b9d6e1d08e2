"""What a variant of an enum is read as where no class is bound to it."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Variant:
    """A variant of a Rust enum: its name, and its fields as a ``dict``, or as a ``tuple`` where they have no names.

    >>> podwire.Variant("Circle", {"radius": 2.0}).value["radius"]
    2.0
    """

    name: str
    value: Any = None
