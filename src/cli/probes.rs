//! Loading probe files for a command, and saying what is wrong with them.

use std::path::PathBuf;

use crate::config::{self, Config, Contents, SecretRef, Secrets};

use super::Ending;
use super::print::Complaints;

/// Loads and validates; all mistakes are told.
pub(super) fn load(paths: &[PathBuf], complaints: Complaints) -> Result<Config, Ending> {
    config::load(paths).map_err(|error| {
        complaints.mistakes(&error);
        Ending::BadConfiguration
    })
}

/// Loads these secrets and files in PEM; all that are missing are told.
pub(super) fn secrets(
    references: impl IntoIterator<Item = SecretRef>,
    files: impl IntoIterator<Item = (PathBuf, Contents)>,
    complaints: Complaints,
) -> Result<Secrets, Ending> {
    Secrets::load_with_files(references, files).map_err(|error| {
        error.problems().iter().for_each(|problem| complaints.error(&problem.to_string()));
        Ending::BadConfiguration
    })
}
