//! The picture: what stands where, in which colour, for every shape of a scan.

use std::sync::LazyLock;

use ndarray::{Array3, Axis};

use crate::picture::pose::Pose;
use crate::picture::{Picture, PictureError, Rect, palette};
use crate::scan::{Dtype, ScanInfo};
use crate::segment::{Histogram, Segmentation, segment};
use crate::support::{TempFile, info, placement};

type Pixel = [u8; 3];

/// What a viewer sees: the PNG, decoded.
struct Seen {
    width: usize,
    height: usize,
    pixels: Vec<Pixel>,
}

impl Seen {
    fn of(picture: &Picture) -> Seen {
        let png = picture.to_png().unwrap();
        let mut reader = png::Decoder::new(std::io::Cursor::new(png)).read_info().unwrap();
        let mut bytes = vec![0; reader.output_buffer_size().unwrap()];
        let frame = reader.next_frame(&mut bytes).unwrap();
        assert_eq!((frame.color_type, frame.bit_depth), (png::ColorType::Rgb, png::BitDepth::Eight));
        let pixels = bytes.as_chunks::<3>().0.to_vec();
        assert_eq!(pixels.len(), frame.width as usize * frame.height as usize);
        Seen { width: frame.width as usize, height: frame.height as usize, pixels }
    }

    fn at(&self, x: f32, y: f32) -> Pixel {
        assert!(x >= 0.0 && y >= 0.0 && (x as usize) < self.width && (y as usize) < self.height);
        self.pixels[y as usize * self.width + x as usize]
    }
}

/// Amber, also where it is blended with grey.
fn is_outline([red, _, blue]: Pixel) -> bool {
    i32::from(red) - i32::from(blue) > 60
}

fn draw<T: crate::scan::Voxel>(info: &ScanInfo, voxels: &Array3<T>) -> (Picture, Segmentation, Array3<u8>) {
    let mut mask = Array3::zeros(voxels.dim());
    let found = segment(info, voxels.view(), mask.view_mut()).unwrap();
    (Picture::draw(info, voxels.view(), mask.view(), &found).unwrap(), found, mask)
}

/// The picture that most tests look at.
static BALL: LazyLock<(Picture, Segmentation, Seen)> = LazyLock::new(|| {
    let (picture, found, _) = draw(&info(Dtype::I16, [30, 30, 30]), &ball(30));
    let seen = Seen::of(&picture);
    (picture, found, seen)
});

/// A ball of 100 in air of 0 to 4; every slice shows the same air.
fn ball(size: usize) -> Array3<i16> {
    let middle = (size as f64 - 1.0) / 2.0;
    Array3::from_shape_fn((size, size, size), |(z, y, x)| {
        let distance = [z, y, x].map(|i| (i as f64 - middle).powi(2)).iter().sum::<f64>().sqrt();
        if distance < size as f64 * 0.4 { 100 } else { ((x + 2 * y) % 5) as i16 }
    })
}

fn inside(outer: Rect, inner: Rect) -> bool {
    inner.x >= outer.x
        && inner.y >= outer.y
        && inner.right() <= outer.right()
        && inner.bottom() <= outer.bottom()
}

fn check_layout(picture: &Picture) {
    let canvas = &picture.canvas;
    let page = Rect { x: 0.0, y: 0.0, width: canvas.width() as f32, height: canvas.height() as f32 };
    assert!(!picture.tiles.is_empty());
    assert!(inside(page, picture.plot));
    for (i, &tile) in picture.tiles.iter().enumerate() {
        assert!(inside(page, tile) && tile.width >= 1.0 && tile.height >= 1.0, "{tile:?}");
        for &other in picture.tiles[..i].iter().chain([&picture.plot]) {
            let apart = tile.right() <= other.x
                || other.right() <= tile.x
                || tile.bottom() <= other.y
                || other.bottom() <= tile.y;
            assert!(apart, "{tile:?} {other:?}");
        }
    }
}

#[test]
fn the_png_is_as_large_as_the_canvas_and_its_file_is_written_with_its_folder() {
    let (picture, _, seen) = &*BALL;
    assert_eq!((seen.width, seen.height), (picture.canvas.width(), picture.canvas.height()));
    assert_eq!(seen.pixels.as_flattened(), picture.canvas.bytes());
    let file = TempFile::of("x", b"");
    let path = file.0.with_file_name("new").join("picture.png");
    picture.write(&path).unwrap();
    assert_eq!(std::fs::read(path).unwrap(), picture.to_png().unwrap());
}

#[test]
fn the_outline_follows_the_masks_edge() {
    let (picture, _, seen) = &*BALL;
    assert_eq!(picture.tiles.len(), 24);
    let tile = picture.tiles[12];
    let (center_x, center_y) = (tile.x + tile.width / 2.0, tile.y + tile.height / 2.0);
    // The middle slices cut the ball at a radius of 12 voxels, and the crop shows 24 + 2 * 3 of them.
    let radius = tile.width * 12.0 / 30.0;
    for step in 0..72 {
        let (sin, cos) = (step as f32 * 5.0).to_radians().sin_cos();
        let on_line = |radius: f32| is_outline(seen.at(center_x + radius * cos, center_y + radius * sin));
        let crossings: Vec<f32> =
            (0..tile.width as usize / 2).map(|r| r as f32).filter(|&r| on_line(r)).collect();
        assert!(!crossings.is_empty(), "no outline at {} degrees", step * 5);
        for crossing in crossings {
            assert!(
                (crossing - radius).abs() < tile.width / 30.0,
                "{crossing} for {radius} at {} degrees",
                step * 5
            );
        }
    }
    assert!(seen.at(center_x, center_y)[0] > 200, "the head is bright");
    assert!(seen.at(tile.x + 4.0, center_y)[0] < 30, "the air is dark");
}

#[test]
fn the_threshold_stands_where_its_value_is() {
    let (picture, found, seen) = &*BALL;
    let start = found.histogram.start;
    let share = (found.threshold - start) / (found.histogram.end() - start);
    let column = picture.plot.x + picture.plot.width * share as f32;
    let is_line = |x: f32| (1..20).all(|i| seen.at(x, picture.plot.y + i as f32)[2] > 120);
    let lines: Vec<f32> = (picture.plot.x as usize..picture.plot.right() as usize)
        .map(|x| x as f32)
        .filter(|&x| is_line(x))
        .collect();
    assert!(!lines.is_empty() && lines.len() <= 3, "{lines:?}");
    assert!(lines.iter().all(|line| (line + 0.5 - column).abs() <= 1.5), "{lines:?} for {column}");
}

#[test]
fn bars_are_coloured_by_the_side_of_the_threshold() {
    let (picture, found, seen) = &*BALL;
    let bar = |value: f64| {
        let share = (value - found.histogram.start) / (found.histogram.end() - found.histogram.start);
        seen.at(picture.plot.x + picture.plot.width * share as f32, picture.plot.bottom() - 6.0)
    };
    assert_eq!(bar(2.0), palette::AIR);
    assert_eq!(bar(100.0), palette::HEAD);
    assert_eq!(bar(70.0), palette::PANEL);
}

/// A scan whose voxel axes grow towards the given world axes (0 right, 1 anterior, 2 superior), by the given signs, and a
/// patient, an array along `(superior, anterior, right)`, as it stores it.
fn stored(patient: &Array3<i16>, axes: [usize; 3], signs: [f64; 3]) -> (ScanInfo, Array3<i16>) {
    let world = |array_axis: usize| 2 - axes[2 - array_axis];
    let mut array = patient.view().permuted_axes([world(0), world(1), world(2)]);
    for (axis, sign) in signs.into_iter().enumerate() {
        if sign < 0.0 {
            array.invert_axis(Axis(2 - axis));
        }
    }
    let (z, y, x) = array.dim();
    let towards = std::array::from_fn(|axis| (axes[axis], signs[axis]));
    let scan = info(Dtype::I16, [z as u64, y as u64, x as u64]);
    (ScanInfo { placement: Some(placement(towards)), ..scan }, array.to_owned())
}

#[test]
fn every_way_of_storing_a_patient_is_turned_to_the_same_view() {
    let patient = Array3::from_shape_fn((2, 3, 4), |(z, y, x)| (100 * z + 10 * y + x) as i16);
    for axes in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        for signs in 0..8 {
            let signs = [0, 1, 2].map(|bit| if signs >> bit & 1 == 0 { 1.0 } else { -1.0 });
            let (scan, array) = stored(&patient, axes, signs);
            let pose = Pose::of(&scan);
            // From below: the lowest slice first, the face up, the right on the left.
            let seen = pose.turn(array.view());
            assert_eq!(seen.dim(), (2, 3, 4), "{axes:?} {signs:?}");
            assert!(
                seen.indexed_iter().all(|((z, y, x), &voxel)| voxel == patient[(z, 2 - y, 3 - x)]),
                "{axes:?} {signs:?}"
            );

            // Where something is in the array, it is in the view.
            let ((z, y, x), _) = array.indexed_iter().find(|(_, voxel)| **voxel == 123).unwrap();
            let at = [z, y, x].map(|index| index as u64);
            assert_eq!(pose.bounds(at, at), [(1, 1), (0, 0), (0, 0)]);
            assert_eq!(pose.slice_index(1) as u64, at[2 - axes.iter().position(|&axis| axis == 2).unwrap()]);
            assert_eq!(pose.order(at), at_axes(at, axes));
            assert!(pose.knows_sides());
        }
    }
}

/// The entries along superior, anterior, right.
fn at_axes(at: [u64; 3], axes: [usize; 3]) -> [u64; 3] {
    [2, 1, 0].map(|world| at[2 - axes.iter().position(|&axis| axis == world).unwrap()])
}

#[test]
fn a_scan_of_unknown_placement_is_shown_as_stored_with_y_upwards() {
    let array = Array3::from_shape_fn((2, 3, 4), |(z, y, x)| (100 * z + 10 * y + x) as i16);
    let pose = Pose::of(&info(Dtype::I16, [2, 3, 4]));
    assert!(!pose.knows_sides() && pose.height_mm(1).is_none());
    assert!(pose.turn(array.view()).indexed_iter().all(|((z, y, x), &voxel)| voxel == array[(z, 2 - y, x)]));
}

#[test]
fn the_patients_right_is_on_the_left_and_the_face_is_up() {
    // A ball with a nose in front, and a bright ear on the right.
    let mut patient = ball(12);
    patient.slice_mut(ndarray::s![5..7, 10..12, 5..7]).fill(100);
    patient.slice_mut(ndarray::s![4..8, 5..7, 10..12]).fill(300);
    let (scan, array) = stored(&patient, [1, 2, 0], [-1.0, 1.0, -1.0]);
    let (picture, ..) = draw(&scan, &array);
    let seen = Seen::of(&picture);
    let tile = picture.tiles[picture.tiles.len() / 2];
    let light = |x: f32, y: f32| seen.at(tile.x + tile.width * x, tile.y + tile.height * y)[0];
    assert!(light(0.06, 0.5) > light(0.5, 0.5), "the ear is the brightest");
    assert!(light(0.985, 0.5) < 60, "there is one ear");
    assert!(light(0.5, 0.09) > 60, "the nose is above");
    assert!(light(0.5, 0.985) < 60, "nothing is below");
}

#[test]
fn voxels_keep_their_proportions() {
    let scan = ScanInfo { spacing_mm: [1.0, 2.0, 1.0], ..info(Dtype::I16, [30, 30, 30]) };
    let (picture, ..) = draw(&scan, &ball(30));
    check_layout(&picture);
    let tile = picture.tiles[0];
    assert!((tile.height / tile.width - 2.0).abs() < 0.02, "{tile:?}");
}

#[test]
fn tiny_and_thin_volumes_have_a_picture_too() {
    for shape in [
        (3, 8, 8),
        (1, 8, 8),
        (1, 64, 48),
        (1, 1, 2),
        (1, 2, 1),
        (2, 1, 1),
        (5, 1, 400),
        (400, 1, 5),
        (40, 200, 2),
    ] {
        let voxels = Array3::from_shape_fn(shape, |(z, y, x)| {
            let bright = z >= shape.0 / 2 && y >= shape.1 / 2 && x >= shape.2 / 2;
            if bright { 9.5_f32 } else { (x % 2) as f32 * 0.25 }
        });
        let scan = info(Dtype::F32, [shape.0 as u64, shape.1 as u64, shape.2 as u64]);
        let (picture, ..) = draw(&scan, &voxels);
        check_layout(&picture);
        assert!(picture.canvas.height() < 4000, "{shape:?}: {}", picture.canvas.height());
        assert!(picture.tiles.len() <= 24);
    }
}

#[test]
fn odd_voxels_names_and_numbers_do_no_harm() {
    let mut voxels = ball(12).mapv(|voxel| f64::from(voxel) * 1e-9);
    voxels[(6, 6, 6)] = f64::NAN;
    voxels[(6, 6, 7)] = f64::INFINITY;
    let scan = ScanInfo {
        file: "ein-sehr-langer-Name-😀-".repeat(40),
        spacing_mm: [1e-7, 1e-7, 1e-7],
        volumes: 123_456,
        ..info(Dtype::F64, [12, 12, 12])
    };
    let (picture, ..) = draw(&scan, &voxels);
    check_layout(&picture);
    // The title stops before the legend, and the legend before the margin.
    let canvas = Seen::of(&picture);
    for y in 40..100 {
        assert!((1552..1600).all(|x| canvas.at(x as f32, y as f32) == palette::BACKGROUND));
    }
}

#[test]
fn a_segmentation_that_does_not_fit_the_scan_does_not_panic() {
    let voxels = ball(26);
    // Flat tiles are drawn faster.
    let scan = ScanInfo { spacing_mm: [1.0, 0.25, 1.0], ..info(Dtype::I16, [26, 26, 26]) };
    let (_, found, mask) = draw(&scan, &voxels);
    let empty = Histogram { start: f64::NAN, width: 0.0, counts: Vec::new(), below: 0, above: 0 };
    for odd in [
        Segmentation { first: [u64::MAX; 3], last: [0; 3], ..found.clone() },
        Segmentation { first: [0; 3], last: [u64::MAX; 3], voxels: u64::MAX, ..found.clone() },
        Segmentation { threshold: f64::NAN, centroid: [f64::INFINITY; 3], ..found.clone() },
        Segmentation { histogram: empty, ..found.clone() },
        Segmentation {
            histogram: Histogram { width: f64::INFINITY, ..found.histogram.clone() },
            ..found.clone()
        },
        Segmentation {
            histogram: Histogram { counts: vec![u64::MAX / 2; 9], ..found.histogram.clone() },
            ..found.clone()
        },
    ] {
        let picture = Picture::draw(&scan, voxels.view(), mask.view(), &odd).unwrap();
        check_layout(&picture);
    }
    let error = Picture::draw(&scan, voxels.view(), Array3::zeros((1, 2, 3)).view(), &found).unwrap_err();
    assert!(matches!(error, PictureError::Shape { .. }));
    let none = info(Dtype::I16, [0, 2, 3]);
    let error =
        Picture::draw(&none, Array3::<i16>::zeros((0, 2, 3)).view(), Array3::zeros((0, 2, 3)).view(), &found);
    assert!(matches!(error, Err(PictureError::Shape { .. })));
}
