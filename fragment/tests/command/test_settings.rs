//! What the environment says.

use std::{ffi::OsString, time::Duration};

use podwire_fragment::{command::CommandLine, config::Settings};

fn read(variables: &[(&str, &str)]) -> Result<Settings, Vec<String>> {
    let find = |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.into());
    Settings::read(find).map_err(|errors| errors.iter().map(ToString::to_string).collect())
}

#[test]
fn without_variables_the_defaults_hold() {
    assert_eq!(read(&[]), Ok(Settings::default()));
}

#[test]
fn variables_are_read_with_their_units() {
    let settings = read(&[
        ("PODWIRE_STOP_TIMEOUT", "0.25"),
        ("PODWIRE_LEASE", " 300 "),
        ("PODWIRE_JOIN_TIMEOUT", "60"),
        ("PODWIRE_WORKERS", "3"),
        ("PODWIRE_TRANSPORT", "zenoh"),
        ("PODWIRE_MONITOR_PERIOD", "50"),
        ("PODWIRE_ZENOH_CONFIG", "/etc/zenoh.json5"),
    ])
    .unwrap();
    assert_eq!(settings.stop_timeout, Duration::from_millis(250));
    assert_eq!(settings.lease, Duration::from_millis(300));
    assert_eq!(settings.join_timeout, Some(Duration::from_secs(60)));
    assert_eq!(settings.workers, 3);
    assert_eq!(settings.transport.as_deref(), Some("zenoh"));
    assert_eq!(settings.monitor_period, Duration::from_millis(50));
    assert_eq!(settings.zenoh_config.unwrap().to_str(), Some("/etc/zenoh.json5"));
}

#[test]
fn what_is_not_understood_is_told_all_at_once_with_the_unit_and_the_default() {
    let told = read(&[("PODWIRE_STOP_TIMEOUT", "soon"), ("PODWIRE_LEASE", "5"), ("PODWIRE_TRANSPORT", "")])
        .unwrap_err();
    assert_eq!(told.len(), 3);
    assert_eq!(
        told[0],
        "PODWIRE_STOP_TIMEOUT=\"soon\" is not understood: seconds that messages may still flow after a request to \
         stop; without it: 5"
    );
    for value in ["-1", "NaN", "inf", "1e300", ""] {
        assert!(read(&[("PODWIRE_STOP_TIMEOUT", value)]).is_err(), "{value}");
    }
}

#[test]
fn a_variable_that_is_nearly_ours_is_warned_of() {
    let names = ["PODWIRE_LAESE", "PODWIRE_LEASE", "PODWIRE_SHM_DIR", "PODWIRE_COLOUR_OF_THE_SKY", "HOME"];
    assert_eq!(
        Settings::warnings(names.map(OsString::from)),
        ["the variable PODWIRE_LAESE means nothing: did you mean PODWIRE_LEASE?"]
    );
}

#[test]
fn the_table_documents_every_variable_once() {
    for (at, setting) in Settings::TABLE.iter().enumerate() {
        assert!(
            setting.name.starts_with("PODWIRE_") && !setting.help.is_empty() && !setting.default.is_empty()
        );
        assert!(Settings::TABLE[..at].iter().all(|other| other.name != setting.name), "{}", setting.name);
    }
}

#[test]
fn the_page_about_fragments_has_every_option_and_every_variable() {
    let page = include_str!("../../../docs/fragment.md").replace('`', "");
    for setting in Settings::TABLE {
        let row = format!("| {} | {} | {} |\n", setting.name, setting.help, setting.default);
        assert!(page.contains(&row), "there is no row {row}");
    }
    let help = CommandLine::split(["app"]).help(&[]);
    let options = help.lines().filter_map(|line| line.trim_start().strip_prefix("--"));
    let names = options.map(|line| line.split([' ', '[']).next().unwrap());
    for name in names {
        assert!(page.contains(&format!("--{name}")), "--{name} is missing");
    }
}
