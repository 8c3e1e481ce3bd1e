//! Loading probe files for a command, and saying what is wrong with them.

use std::path::PathBuf;

use crate::config::{self, Config, Secrets};

use super::{Ending, print};

/// Loads and validates; mistakes are printed, all of them.
pub(super) fn load(paths: &[PathBuf]) -> Result<Config, Ending> {
    config::load(paths).map_err(|error| {
        print::report(&error.render(print::error_colours(), print::WIDTH));
        Ending::BadConfiguration
    })
}

/// Loads the secrets that the configuration names; the missing ones are printed, all of them.
pub(super) fn secrets(config: &Config) -> Result<Secrets, Ending> {
    Secrets::load(config.secret_refs()).map_err(|error| {
        print::error(&error.to_string());
        Ending::BadConfiguration
    })
}
