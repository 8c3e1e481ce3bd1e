//! Loading probe files for a command, and saying what is wrong with them.

use std::path::PathBuf;

use clap::Args;

use crate::config::{self, Config, Contents, Overrides, SecretRef, Secrets};

use super::Ending;
use super::print::Complaints;

/// Other values for the variables of the probe files.
#[derive(Debug, Args)]
pub(super) struct Values {
    /// Give a variable of the probe files another value; FAROL_VAR_NAME does the same
    #[arg(long = "var", value_name = "NAME=VALUE", value_parser = pair)]
    values: Vec<(String, String)>,
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write a name, `=` and a value")?;
    Ok((name.to_owned(), value.to_owned()))
}

impl Values {
    /// What is named here holds against what the environment has.
    fn overrides(&self) -> Overrides {
        // What is not UTF-8 is none of farol's.
        let environment = std::env::vars_os().filter_map(|(name, value)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        });
        let mut overrides = Overrides::of_environment(environment);
        for (name, value) in &self.values {
            overrides.set(name, value);
        }
        overrides
    }
}

/// Loads and validates; all mistakes are told.
pub(super) fn load(
    paths: &[PathBuf],
    values: &Values,
    complaints: Complaints,
) -> Result<Config, Ending> {
    config::load(paths, &values.overrides()).map_err(|error| {
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
