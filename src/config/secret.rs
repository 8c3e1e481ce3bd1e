//! Secrets: references in the configuration, values only where they are used, and never in
//! anything that is printed.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

/// Where a secret is kept.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SecretRef {
    /// In an environment variable: `{ env = "NAME" }`.
    Env(String),
    /// In a file, whose trailing line break does not count: `{ file = "/run/secrets/name" }`.
    File(PathBuf),
}

impl fmt::Display for SecretRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Env(name) => write!(f, "environment variable {name}"),
            Self::File(path) => write!(f, "file {}", path.display()),
        }
    }
}

/// A secret's value. It prints as `[redacted]`; [`Secret::reveal`] is easy to search for.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Takes a value into custody.
    pub fn new(value: impl Into<String>) -> Self {
        Self(value.into())
    }

    /// The value, for the one place that needs it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// Every secret that a configuration names, with its value.
#[derive(Clone, Debug, Default)]
pub struct Secrets(BTreeMap<SecretRef, Secret>);

impl Secrets {
    /// The secrets of these references.
    pub fn new(values: impl IntoIterator<Item = (SecretRef, Secret)>) -> Self {
        Self(values.into_iter().collect())
    }

    /// The value of `reference`, if it was loaded.
    pub fn get(&self, reference: &SecretRef) -> Option<&Secret> {
        self.0.get(reference)
    }
}
