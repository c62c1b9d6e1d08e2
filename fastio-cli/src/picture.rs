//! `show`: a slice of an array as a grey picture, from its darkest to its brightest element.
//!
//! Not here: reading files. Invariant: only elements inside the allocation are read, whatever shape and strides say.

use std::{fs::File, io, path::Path};

use podwire_codec_core::tensor::Tensor;
use podwire_fastio::{ContentKind, Error, FastIoContext, Metadata};

use crate::{
    list,
    problem::{Problem, Result},
};

/// A picture, one grey value a point.
struct Grey {
    width: usize,
    height: usize,
    points: Vec<u8>,
}

pub(crate) fn show(
    context: &FastIoContext,
    name: &str,
    slice: Option<usize>,
    axis: usize,
    png: Option<&Path>,
    columns: usize,
) -> Result<()> {
    let found = context.get(name)?;
    let metadata = found.metadata()?;
    let grey = if metadata.kind == ContentKind::Value {
        let (metadata, first, tensor) = tensor(context, name, metadata)?;
        let bytes = tensor.segment().bytes().map_err(Error::from)?;
        cut(bytes, &metadata, first, slice, axis)?
    } else if metadata.dtype.is_some() {
        cut(&found.map()?, metadata, 0, slice, axis)?
    } else {
        return Err(Problem::Unfit(format!(
            "what is published as {name:?} is no array; `ls` says what it is"
        )));
    };
    match png {
        Some(path) if path.as_os_str() == "-" => {
            write_png(&grey, io::stdout().lock()).map_err(Problem::Output)
        }
        Some(path) => {
            let failed = |error| Problem::File(path.to_owned(), error);
            write_png(&grey, File::create(path).map_err(failed)?).map_err(failed)
        }
        None => list::write(terminal(&grey, columns.clamp(2, 1000)).as_bytes()),
    }
}

/// A published tensor, what it is, and where in its memory the first element lies.
fn tensor(context: &FastIoContext, name: &str, found: &Metadata) -> Result<(Metadata, i64, Tensor)> {
    let tensor: Tensor = context.get_value(name).map_err(|error| match error {
        Error::Codec(_) if found.codec.as_deref() != Some("Tensor") => Problem::Unfit(format!(
            "what is published as {name:?} is a value of type {} and no tensor; `values` prints it",
            found.codec.as_deref().unwrap_or("unknown").escape_debug()
        )),
        other => other.into(),
    })?;
    let steps = || tensor.shape().iter().zip(tensor.strides());
    // The memory begins with the lowest element, which is not the first one where a dimension goes backwards.
    let first = steps().map(|(extent, step)| extent.saturating_sub(1) as i64 * -(*step as i64).min(0)).sum();
    let mut metadata = Metadata::array(tensor.dtype(), tensor.shape().iter().map(|extent| *extent as u64));
    metadata.strides = Some(tensor.strides().iter().map(|step| *step as i64).collect());
    Ok((metadata, first, tensor))
}

/// One element as a number.
fn number(dtype: &str, bytes: &[u8]) -> Option<f64> {
    macro_rules! little {
        ($type:ty) => {
            <$type>::from_le_bytes(*bytes.first_chunk()?) as f64
        };
    }
    Some(match dtype {
        "u8" | "bool" => f64::from(*bytes.first()?),
        "u16" => little!(u16),
        "u32" => little!(u32),
        "u64" => little!(u64),
        "i8" => little!(i8),
        "i16" => little!(i16),
        "i32" => little!(i32),
        "i64" => little!(i64),
        "f32" => little!(f32),
        "f64" => little!(f64),
        "bf16" => f64::from(f32::from_bits(u32::from(u16::from_le_bytes(*bytes.first_chunk()?)) << 16)),
        "f16" => half(u16::from_le_bytes(*bytes.first_chunk()?)),
        // How large a complex number is.
        "c64" => little!(f32).hypot(f64::from(f32::from_le_bytes(*bytes.get(4..)?.first_chunk()?))),
        "c128" => little!(f64).hypot(f64::from_le_bytes(*bytes.get(8..)?.first_chunk()?)),
        _ => return None,
    })
}

fn half(bits: u16) -> f64 {
    let sign = if bits >> 15 == 0 { 1.0 } else { -1.0 };
    let (exponent, fraction) = (i32::from(bits >> 10 & 31), f64::from(bits & 1023) / 1024.0);
    sign * match exponent {
        0 => fraction * 2f64.powi(-14),
        31 if fraction == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        _ => (1.0 + fraction) * 2f64.powi(exponent - 15),
    }
}

fn cut(bytes: &[u8], metadata: &Metadata, first: i64, slice: Option<usize>, axis: usize) -> Result<Grey> {
    let unfit = |text: String| Problem::Unfit(text);
    let dtype = metadata.dtype.ok_or_else(|| unfit("it is no array".into()))?;
    let shape: Vec<usize> =
        metadata.shape.iter().map(|extent| usize::try_from(*extent).unwrap_or(usize::MAX)).collect();
    let strides: Vec<i64> = metadata.strides.clone().unwrap_or_else(|| {
        let mut step = 1i64;
        let mut strides: Vec<_> = shape
            .iter()
            .rev()
            .map(|extent| {
                let stride = step;
                step = step.saturating_mul(i64::try_from(*extent).unwrap_or(i64::MAX));
                stride
            })
            .collect();
        strides.reverse();
        strides
    });
    let mut axes: Vec<(usize, i64)> = shape.iter().copied().zip(strides).collect();
    let mut offset = first;
    if [2, 3].contains(&axes.len()) && axis >= axes.len() {
        return Err(unfit(format!("there is no dimension {axis} of {}", axes.len())));
    }
    if let (2, Some(slice @ 1..)) = (axes.len(), slice) {
        return Err(unfit(format!("there is no slice {slice}: an array of two dimensions is one slice")));
    }
    if axes.len() == 3 {
        let (extent, stride) = axes.remove(axis);
        let slice = slice.unwrap_or(extent / 2);
        if slice >= extent {
            return Err(unfit(format!("there is no slice {slice} of {extent}")));
        }
        offset = offset.saturating_add(stride.saturating_mul(slice as i64));
    }
    let &[(height, down), (width, right)] = &axes[..] else {
        return Err(unfit(format!("an array of {} dimensions cannot be shown", shape.len())));
    };
    let count = width.checked_mul(height).filter(|count| *count <= bytes.len());
    if count.is_none_or(|count| count == 0) {
        return Err(unfit("there is nothing in it that could be shown".into()));
    }
    let at = |row: usize, column: usize| {
        let element = down
            .checked_mul(row as i64)?
            .checked_add(right.checked_mul(column as i64)?)?
            .checked_add(offset)?;
        let start = usize::try_from(element).ok()?.checked_mul(dtype.size())?;
        number(dtype.name(), bytes.get(start..start.checked_add(dtype.size())?)?)
    };
    let mut values = Vec::with_capacity(width * height);
    for row in 0..height {
        for column in 0..width {
            let value = at(row, column);
            values.push(value.ok_or_else(|| unfit("shape and strides leave the allocation".into()))?);
        }
    }
    let finite = || values.iter().copied().filter(|value| value.is_finite());
    let (low, high) = (finite().fold(f64::MAX, f64::min), finite().fold(f64::MIN, f64::max));
    let grey =
        |value: &f64| if high > low { ((value - low) / (high - low) * 255.0).round() as u8 } else { 128 };
    Ok(Grey { width, height, points: values.iter().map(grey).collect() })
}

fn write_png(grey: &Grey, output: impl io::Write) -> io::Result<()> {
    let too_large = |_| io::Error::other("the picture is too large");
    let width = u32::try_from(grey.width).map_err(too_large)?;
    let mut encoder = png::Encoder::new(output, width, u32::try_from(grey.height).map_err(too_large)?);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_depth(png::BitDepth::Eight);
    let mut writer = encoder.write_header().map_err(io::Error::other)?;
    writer.write_image_data(&grey.points).map_err(io::Error::other)?;
    writer.finish().map_err(io::Error::other)
}

/// Two points a character: the upper half in the colour of the letter, the lower one in that of its ground.
fn terminal(grey: &Grey, columns: usize) -> String {
    let width = columns.min(grey.width);
    let height = (grey.height * width).div_ceil(grey.width).max(1);
    let point = |row: usize, column: usize| {
        let row = (row * grey.height / height).min(grey.height - 1);
        grey.points[row * grey.width + column * grey.width / width]
    };
    let mut text = String::new();
    for row in (0..height).step_by(2) {
        for column in 0..width {
            let upper = point(row, column);
            text.push_str(&format!("\x1b[38;2;{upper};{upper};{upper}m"));
            if row + 1 < height {
                let lower = point(row + 1, column);
                text.push_str(&format!("\x1b[48;2;{lower};{lower};{lower}m"));
            }
            text.push('▀');
        }
        text.push_str("\x1b[0m\n");
    }
    text
}
