//! A whole run: exit code, table, statistics, picture, and nothing left.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use ndarray::Array3;

use crate::nifti::NiftiReader;
use crate::picture::words::{grouped, number};
use crate::picture::{Picture, Rect};
use crate::run::{Home, Outcome, run, series};
use crate::scan::{self, ScanInfo, Voxel, with_voxel_type};
use crate::segment::{Segmentation, segment};

#[test]
fn three_processes_make_the_picture_and_copy_no_array() {
    let home = Home::new();
    let picture = home.path("picture.png");
    let outcome = run(&home, &[&series(), Path::new("--out"), &picture]);
    assert_eq!(outcome.error, "");
    assert!(outcome.status.success(), "{}", outcome.out);
    assert_eq!(home.contents(), [picture.as_path()], "only the picture stays");

    let rows = table(&outcome);
    let names: Vec<&str> = rows.iter().map(|row| row[0]).collect();
    assert_eq!(names, ["scan", "volume-0", "volume-1", "mask", "segmentation"]);
    assert_eq!(rows[0][1], "ScanInfo");
    assert_eq!(rows[1][1..4], ["i16 [24, 96, 128]", "589,824", "0"]);
    assert_eq!(rows[2][1..], ["i16 [24, 96, 128]", "589,824", "0", "–", "–"]);
    assert_eq!(rows[3][1..5], ["u8 [24, 96, 128]", "294,912", "0", "–"]);
    assert_eq!(rows[4][1], "Segmentation");
    for value in [&rows[0], &rows[4]] {
        assert_eq!(value[2], value[3], "a value's packed bytes are copied, and said to be");
        assert_ne!(value[2], "0");
    }
    for waited in [&rows[0][4..], &rows[1][4..], &rows[3][5..], &rows[4][5..]].concat() {
        let microseconds = waited.trim_end_matches('*').strip_suffix(" µs").unwrap().replace(',', "");
        assert!(microseconds.parse::<u64>().unwrap() > 0, "{waited}");
    }
    assert!(outcome.out.contains("Arrays: 1,474,560 bytes shared, 0 copied."));
    assert!(outcome.out.ends_with(&format!("picture: {}\n", picture.display())));

    check_picture(&series(), &picture, &outcome);
}

#[test]
fn a_large_volume_is_shared_as_well() {
    let Some(data) = std::env::var_os("PODWIRE_DATA") else {
        println!("skipped: PODWIRE_DATA");
        return;
    };
    let volume = Path::new(&data).join("mni152_t1.nii.gz");
    let home = Home::new();
    let picture = home.path("picture.png");
    let outcome = run(&home, &[&volume, Path::new("--out"), &picture]);
    assert!(outcome.status.success(), "{}{}", outcome.out, outcome.error);
    assert!(outcome.out.contains("Arrays: 17,350,578 bytes shared, 0 copied."));
    assert_eq!(home.contents(), [picture.as_path()]);
    check_picture(&volume, &picture, &outcome);
}

/// The table's rows in cells, without its heads.
fn table(outcome: &Outcome) -> Vec<Vec<&str>> {
    outcome
        .out
        .lines()
        .skip_while(|line| !line.trim_start().starts_with("object"))
        .skip(1)
        .take_while(|line| !line.is_empty())
        .map(|line| line.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).collect())
        .collect()
}

/// Does in this process, with memory of its own, what the three did, and compares.
fn check_picture(volume: &Path, picture: &Path, outcome: &Outcome) {
    let mut reader = NiftiReader::open(volume).unwrap();
    let info = reader.info().clone();
    let mut words = vec![0_u64; info.volume_bytes().div_ceil(8)];
    let bytes = &mut bytemuck::cast_slice_mut(&mut words)[..info.volume_bytes()];
    reader.read_volume(bytes).unwrap();
    let (found, expected) = with_voxel_type!(info.dtype, T => alone::<T>(&info, bytes));

    let said =
        format!("found the head: {} voxels at or above {}", grouped(found.voxels), number(found.threshold));
    assert!(outcome.out.contains(&said), "{said} is missing in:\n{}", outcome.out);

    let (width, height, pixels) = decode(picture);
    assert_eq!((width, height), (expected.canvas.width(), expected.canvas.height()));
    assert!(pixels == expected.canvas.bytes(), "the picture is not the one that one process draws");

    let at = |x: usize, y: usize| &pixels[3 * (y * width + x)..][..3];
    let is_outline = |x, y| matches!(at(x, y), [220..=255, 120..=190, 0..=90]);
    for (number, tile) in expected.tiles.iter().enumerate() {
        let outline = inside(tile).filter(|&(x, y)| is_outline(x, y)).count();
        assert!(outline > 40, "slice {number} has {outline} pixels of an outline");
    }
    // In the middle of the head the outline goes around most of the slice.
    let tile = &expected.tiles[expected.tiles.len() / 2];
    let (columns, rows): (Vec<_>, Vec<_>) = inside(tile).filter(|&(x, y)| is_outline(x, y)).unzip();
    let span =
        |places: &[usize]| places.iter().max().zip(places.iter().min()).map(|(most, least)| most - least);
    assert!(span(&columns) > Some(tile.width as usize / 2) && span(&rows) > Some(tile.height as usize / 2));
    let (start, end) = (found.histogram.start, found.histogram.end());
    let share = ((found.threshold - start) / (end - start)) as f32;
    let line = (expected.plot.x + share * expected.plot.width).round() as usize;
    let top = expected.plot.y as usize + 4;
    assert!(
        (line - 2..=line + 2).any(|x| (top..top + 20).all(|y| at(x, y).iter().all(|part| *part > 200))),
        "no line stands at the threshold"
    );
}

fn alone<T: Voxel>(info: &ScanInfo, bytes: &[u8]) -> (Segmentation, Picture) {
    let voxels = scan::view::<T>(info, bytes).unwrap();
    let mut mask = Array3::zeros(info.dimensions());
    let found = segment(info, voxels, mask.view_mut()).unwrap();
    let picture = Picture::draw(info, voxels, mask.view(), &found).unwrap();
    (found, picture)
}

fn inside(rect: &Rect) -> impl Iterator<Item = (usize, usize)> + use<> {
    let (columns, rows) = (rect.x as usize..rect.right() as usize, rect.y as usize..rect.bottom() as usize);
    rows.flat_map(move |y| columns.clone().map(move |x| (x, y)))
}

fn decode(path: &Path) -> (usize, usize, Vec<u8>) {
    let mut reader = png::Decoder::new(BufReader::new(File::open(path).unwrap())).read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    let frame = reader.next_frame(&mut pixels).unwrap();
    assert_eq!((frame.color_type, frame.bit_depth), (png::ColorType::Rgb, png::BitDepth::Eight));
    (frame.width as usize, frame.height as usize, pixels)
}
