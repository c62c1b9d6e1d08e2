"""Objects without a codec, as pickles: only where the application allowed it for a port, and between equal versions of Python.

Invariant: nothing is unpickled that was not asked for. Large arrays within an object travel beside the pickle, by reference.
"""

from __future__ import annotations

import importlib
import pickle
import sys
from typing import Annotated, Any

import numpy
import numpy.typing as npt

from . import _podwire
from ._codecs import codec_of
from ._types import Bulk
from .errors import PickleRefused

NAME = f"Python pickle {sys.version_info.major}.{sys.version_info.minor}"
"""Part of what processes compare when they join, so that both have the same version of Python."""

Pickle = tuple[bytes, list[Bulk[npt.NDArray[numpy.uint8]]]]


def register() -> str:
    """Lets this process send and read pickles; the name of their codec."""
    _podwire.register(NAME, codec_of(Annotated[Pickle, None]).schema, True)
    return NAME


def dump(value: Any) -> tuple[bytes, list[Any]]:
    try:
        cloudpickle = importlib.import_module("cloudpickle")
    except ImportError:
        raise PickleRefused("objects travel by the package cloudpickle: pip install cloudpickle") from None
    buffers: list[pickle.PickleBuffer] = []
    data = cloudpickle.dumps(value, protocol=5, buffer_callback=buffers.append)
    return data, [numpy.frombuffer(buffer.raw(), "u1") for buffer in buffers]


def load(pickled: Any) -> Any:
    data, buffers = pickled
    return pickle.loads(memoryview(data), buffers=buffers)
