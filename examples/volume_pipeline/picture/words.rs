//! Numbers as people write them.

/// About four digits: `0.00123`, `1.235`, `123.5`, `12,346`, `1.2e9`.
pub(crate) fn number(value: f64) -> String {
    let size = value.abs();
    if size == 0.0 {
        "0".to_owned()
    } else if !(1e-4..1e7).contains(&size) {
        format!("{value:.2e}")
    } else if size >= 1000.0 {
        let whole = grouped(size.round() as u64);
        if value < 0.0 { format!("−{whole}") } else { whole }
    } else {
        let digits = (3 - size.log10().floor() as i32).clamp(0, 7) as usize;
        let text = format!("{value:.digits$}");
        let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
        text.replace('-', "−")
    }
}

/// `1234567` as `1,234,567`.
pub(crate) fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A power of ten on an axis: `1`, `10`, `1k`, `100k`, `1M`.
pub(super) fn magnitude(power: u32) -> String {
    let unit = match power / 3 {
        0 => "",
        1 => "k",
        2 => "M",
        3 => "G",
        _ => return format!("1e{power}"),
    };
    format!("{}{unit}", 10_u32.pow(power % 3))
}

/// Round values between `from` and `to`, about `count` of them: steps of 1, 2 or 5 times a power of ten.
pub(super) fn ticks(from: f64, to: f64, count: usize) -> Vec<f64> {
    let rough = (to - from) / count.max(1) as f64;
    let power = 10_f64.powf(rough.log10().floor());
    let step =
        [1.0, 2.0, 5.0, 10.0].into_iter().map(|digit| digit * power).find(|&step| step >= rough * 0.999);
    let Some(step) = step.filter(|step| step.is_finite() && *step > 0.0) else { return Vec::new() };
    let first = (from / step).ceil();
    // A range of few steps at a great distance from 0 cannot be told apart: give up rather than go on for ever.
    (0..=2 * count).map(|i| (first + i as f64) * step).take_while(|&tick| tick <= to).collect()
}
