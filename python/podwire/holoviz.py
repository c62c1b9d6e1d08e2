"""What a renderer is told about its inputs: Rust's ``podwire::holoviz``. A list of ``InputSpec`` travels by its own codec.

>>> from podwire.holoviz import InputSpec, InputType
>>> specs = [InputSpec("tool tips", InputType.Crosses, color=[0.0, 1.0, 0.0, 0.5])]
>>> podwire.decode(podwire.encode(specs, list[InputSpec]), list[InputSpec]) == specs
True
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import Annotated

from ._codecs import bound, codec
from ._types import Length, f32, i32


@codec
class InputType(enum.Enum):
    """What the data of an input is."""

    Unknown = enum.auto()
    Color = enum.auto()
    ColorLut = enum.auto()
    Points = enum.auto()
    Lines = enum.auto()
    LineStrip = enum.auto()
    Triangles = enum.auto()
    Crosses = enum.auto()
    Rectangles = enum.auto()
    Ovals = enum.auto()
    Text = enum.auto()
    DepthMap = enum.auto()
    DepthMapColor = enum.auto()
    Points3d = enum.auto()
    Lines3d = enum.auto()
    LineStrip3d = enum.auto()
    Triangles3d = enum.auto()


@codec
class DepthMapRenderMode(enum.Enum):
    """How a depth map is drawn."""

    Points = enum.auto()
    Lines = enum.auto()
    Triangles = enum.auto()


Row = Annotated[list[f32], Length(4)]


@codec
@dataclass
class InputView:
    """A part of the window in which a layer is drawn, in widths and heights of the window; the whole window by default."""

    offset_x: f32 = 0.0
    offset_y: f32 = 0.0
    width: f32 = 1.0
    height: f32 = 1.0
    matrix: Annotated[list[Row], Length(4)] | None = None
    """How the layer is transformed before: a 4x4 matrix, row by row."""


@codec
@dataclass
class InputSpec:
    """How one tensor, or one list of texts, is to be drawn: one layer of the picture."""

    name: str = ""
    kind: InputType = InputType.Unknown
    opacity: f32 = 1.0
    priority: i32 = 0
    color: list[f32] = field(default_factory=lambda: [1.0] * 4)
    line_width: f32 = 1.0
    point_size: f32 = 1.0
    text: list[str] = field(default_factory=list)
    depth_map_render_mode: DepthMapRenderMode = DepthMapRenderMode.Points
    views: list[InputView] = field(default_factory=list)


bound["Vec<InputSpec>"] = list[InputSpec]
