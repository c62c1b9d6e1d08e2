//! The command line of every application, argument by argument.

mod test_addresses;
mod test_application;
mod test_configuration;
mod test_monitor;
mod test_own_options;
mod test_picture;
mod test_random_arguments;
mod test_settings;
mod test_split;
