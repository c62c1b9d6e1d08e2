"""How does the main job look with Python at both ends: load with nibabel, segment in Rust, report with matplotlib?

The fragments are those of Rust's example of this name; here `segment` is only declared, by its ports and schemas:

    cargo run --release --features distributed --example volume_fragments -- --driver --worker --fragments segment &
    python python/examples/volume_fragments.py --worker examples/data/example4d.nii.gz --out head.png

Voxels and masks lie in shared memory: nibabel's array is copied into it once, and from there on nothing is. Each of the three
can be a process of its own (`--fragments load`), in Python or, as the program in Rust has all of them, in Rust.
"""

import enum
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Optional

import matplotlib
import nibabel
import numpy
import numpy.typing as npt
import podwire
from podwire import f64, u64

matplotlib.use("Agg")
from matplotlib import pyplot  # noqa: E402

Row = Annotated[list[f64], podwire.Length(4)]
Three = Annotated[list[u64], podwire.Length(3)]
Lengths = Annotated[list[f64], podwire.Length(3)]


@podwire.codec
class Dtype(enum.Enum):
    U8, I8, U16, I16, U32, I32, U64, I64, F32, F64 = range(10)


@podwire.codec
@dataclass
class Scale:
    slope: f64
    intercept: f64


@podwire.codec
@dataclass
class Placement:
    rows: Annotated[list[Row], podwire.Length(3)]


@podwire.codec
@dataclass
class ScanInfo:
    file: str
    format: str
    dtype: Dtype
    shape: Three
    volumes: u64
    spacing_mm: Lengths
    scale: Scale
    placement: Optional[Placement]


@podwire.codec
@dataclass
class Volume:
    """One volume of the series; voxels by `(z, y, x)`, as the file stores them."""

    number: u64
    info: ScanInfo
    voxels: podwire.Tensor


@podwire.codec
@dataclass
class Histogram:
    start: f64
    width: f64
    counts: npt.NDArray[numpy.uint64]
    below: u64
    above: u64


@podwire.codec
@dataclass
class Segmentation:
    threshold: f64
    pieces: u64
    voxels: u64
    volume_ml: f64
    first: Three
    last: Three
    centroid: Lengths
    mean_inside: f64
    mean_outside: f64
    histogram: Histogram


@podwire.codec
@dataclass
class Head:
    """What was found in one volume: 1 in the mask where the head is."""

    found: Segmentation
    mask: podwire.Tensor


class Load(podwire.Operator):
    """From the file into shared memory, volume by volume."""

    def __init__(self, path):
        self.path = path

    def setup(self, spec):
        spec.output("volume", Volume)

    def start(self, context):
        self.image = nibabel.load(self.path)
        self.memory = context.fast_io()

    def compute(self, input, output, context):
        image, header = self.image, self.image.header
        x, y, z, *rest = image.shape
        volumes = rest[0] if rest else 1
        stored = image.dataobj.get_unscaled().reshape(x, y, z, volumes)[..., context.tick]
        voxels = self.memory.empty_array((z, y, x), stored.dtype.newbyteorder("="))
        voxels[:] = stored.T
        kind = voxels.dtype
        has_place = header["sform_code"] > 0 or header["qform_code"] > 0
        info = ScanInfo(
            file=Path(self.path).name,
            format="NIfTI-1" if header.sizeof_hdr == 348 else "NIfTI-2",
            dtype=Dtype[f"{kind.kind.upper()}{8 * kind.itemsize}"],
            shape=[z, y, x],
            volumes=volumes,
            spacing_mm=[float(length) for length in header.get_zooms()[2::-1]],
            scale=Scale(float(image.dataobj.slope), float(image.dataobj.inter)),
            placement=Placement(image.affine[:3].tolist()) if has_place else None,
        )
        if context.tick + 1 == volumes:
            context.finish()
        output.emit("volume", Volume(context.tick, info, podwire.seal(voxels)))


class Report(podwire.Operator):
    """Says what was found in each volume, and draws the first."""

    def __init__(self, picture):
        self.picture = picture

    def setup(self, spec):
        spec.input("volume", Volume)
        spec.input("head", Head)

    def compute(self, input, output, context):
        volume, head = input.receive("volume"), input.receive("head")
        found = head.found
        print(
            f"volume {volume.number}: the head has {found.voxels:,} voxels at or above {found.threshold:g}, "
            f"{found.volume_ml:.0f} ml",
            flush=True,
        )
        if volume.number == 0:
            self.draw(volume, head)

    def draw(self, volume, head):
        figure, axes = pyplot.subplots(1, 4, figsize=(14, 4))
        across = volume.info.spacing_mm
        views = [("axial", 0, across[1] / across[2]), ("coronal", 1, across[0] / across[2]), ("sagittal", 2, across[0] / across[1])]
        for (name, axis, aspect), plot in zip(views, axes):
            middle = int(round(head.found.centroid[axis]))
            plot.imshow(volume.voxels.take(middle, axis), cmap="gray", origin="lower", aspect=aspect)
            plot.contour(head.mask.take(middle, axis), levels=[0.5], colors="orange", linewidths=1)
            plot.set(title=f"{name}, {middle}", xticks=[], yticks=[])
        histogram = head.found.histogram
        edges = histogram.start + histogram.width * numpy.arange(len(histogram.counts))
        axes[3].fill_between(edges, histogram.counts, step="post")
        axes[3].axvline(head.found.threshold, color="orange")
        axes[3].set(title="voxels by value", yscale="log")
        figure.suptitle(f"{volume.info.file}: {head.found.volume_ml:.0f} ml of head")
        figure.savefig(self.picture, dpi=100)
        pyplot.close(figure)
        print(f"drew {self.picture}", flush=True)


def main():
    app = podwire.Application()
    app.about("Loads a scan with nibabel, has Rust find the head in it, and draws a picture with matplotlib.")
    picture = app.option("--out", "PICTURE", "where the picture goes", "head.png")
    default = Path(__file__).parents[2] / "examples/data/example4d.nii.gz"
    scans = app.arguments("VOLUME", "a NIfTI file; without it, the series in examples/data/")

    load = podwire.Fragment("load")
    load.add_operator("load", Load(scans[0] if scans else default))
    segment = podwire.Fragment("segment", elsewhere=True)
    segment.declare("segment", {"volume": Volume}, {"head": Head})
    report = podwire.Fragment("report")
    report.add_operator("report", Report(picture))
    for fragment in (load, segment, report):
        app.add_fragment(fragment)
    app.add_flow(load, segment, [("load.volume", "segment.volume")])
    app.add_flow(load, report, [("load.volume", "report.volume")])
    app.add_flow(segment, report, [("segment.head", "report.head")])
    return app.main()


if __name__ == "__main__":
    sys.exit(main())
