//! `sensor_fusion`: three sensors, one estimate, one slow display.

use crate::out;

/// What the display showed: the estimate, and what it should be.
fn estimates(out: &str) -> Vec<[f64; 2]> {
    let shown = out.lines().filter(|line| line.contains(" m ± "));
    shown
        .map(|line| {
            let really = line.split("(really ").nth(1).and_then(|text| text.strip_suffix(')')).unwrap();
            [line.split_whitespace().nth(2).unwrap(), really].map(|number| number.parse().unwrap())
        })
        .collect()
}

#[test]
fn the_estimate_follows_what_is_measured() {
    let out = out("sensor_fusion", "--seconds 0.5");
    let estimates = estimates(&out);
    // It is slow on purpose: it shows few of the many estimates, which are the newest of their time.
    assert!((1..=12).contains(&estimates.len()), "{out}");
    assert!(estimates.iter().all(|[estimate, really]| (estimate - really).abs() < 10.0), "{out}");
}

#[test]
fn its_parameters_can_be_read_from_a_file() {
    let help = out("sensor_fusion", "--help --config examples/data/sensor_fusion.toml");
    assert!(help.contains("satellite.rate        measurements in a second [2.0]\n"), "{help}");
    assert!(help.contains("laser.rate            measurements in a second [50.0]\n"), "{help}");
    let out = out("sensor_fusion", "--seconds=0.3 --config=examples/data/sensor_fusion.toml");
    assert!((1..=3).contains(&estimates(&out).len()), "{out}");
}
