//! Secrets: references in the configuration, values only where they are used, and never in
//! anything that is printed.

use std::collections::BTreeMap;
use std::env::VarError;
use std::fmt;
use std::io::Read;
use std::path::{Path, PathBuf};

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use thiserror::Error;

use super::plan::Contents;

/// The most that a secret may have: more than any API key, less than what a mistaken path leads to.
const LARGEST: u64 = 16 << 10;

/// The most that another file may have: a host's whole bundle of authorities has a quarter of it.
const LARGEST_FILE: u64 = 1 << 20;

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

    /// Fetches every one of `references`, from the environment and from files.
    ///
    /// # Errors
    ///
    /// Every secret that is not there or cannot be one, never with any of its text.
    pub fn load(references: impl IntoIterator<Item = SecretRef>) -> Result<Self, SecretsError> {
        #[expect(clippy::disallowed_methods, reason = "secrets are one of the environment's uses")]
        Self::load_with(references, |name| std::env::var(name))
    }

    /// Fetches `references` as [`Secrets::load`] does, and files.
    ///
    /// # Errors
    ///
    /// Every secret and file that is not there or cannot be one, never with any of its text.
    pub fn load_with_files(
        references: impl IntoIterator<Item = SecretRef>,
        files: impl IntoIterator<Item = (PathBuf, Contents)>,
    ) -> Result<Self, SecretsError> {
        let (mut secrets, mut problems) = match Self::load(references) {
            Ok(secrets) => (secrets, Vec::new()),
            Err(error) => (Self::default(), error.problems),
        };
        for (path, contents) in files {
            match file(&path, contents) {
                Ok(text) => drop(secrets.0.insert(SecretRef::File(path), text)),
                Err(problem) => problems.push(problem),
            }
        }
        if problems.is_empty() { Ok(secrets) } else { Err(SecretsError { problems }) }
    }

    fn load_with(
        references: impl IntoIterator<Item = SecretRef>,
        environment: impl Fn(&str) -> Result<String, VarError>,
    ) -> Result<Self, SecretsError> {
        let mut values = BTreeMap::new();
        let mut problems = Vec::new();
        for reference in references {
            let value = match &reference {
                SecretRef::Env(name) => from_variable(name, &environment),
                SecretRef::File(path) => from_file(path),
            };
            match value.and_then(|value| usable(value, &reference)) {
                Ok(secret) => {
                    values.insert(reference, secret);
                }
                Err(problem) => problems.push(problem),
            }
        }
        if problems.is_empty() { Ok(Self(values)) } else { Err(SecretsError { problems }) }
    }

    /// The value of `reference`, if it was loaded.
    pub fn get(&self, reference: &SecretRef) -> Option<&Secret> {
        self.0.get(reference)
    }

    /// All values.
    pub(crate) fn values(&self) -> impl Iterator<Item = &Secret> {
        self.0.values()
    }
}

fn from_variable(
    name: &str,
    environment: impl Fn(&str) -> Result<String, VarError>,
) -> Result<String, SecretProblem> {
    let reference = || SecretRef::Env(name.to_owned());
    environment(name).map_err(|error| match error {
        VarError::NotPresent => SecretProblem::NotSet { name: name.to_owned() },
        VarError::NotUnicode(_) => SecretProblem::NotText { reference: reference() },
    })
}

/// A file that holds what `contents` says; what TLS will read is read as it does.
fn file(path: &Path, contents: Contents) -> Result<Secret, SecretProblem> {
    let bytes = read_file(path, LARGEST_FILE)?;
    let (what, good) = match contents {
        Contents::Certificates => {
            let mut all = CertificateDer::pem_slice_iter(&bytes).peekable();
            ("certificate in PEM", all.peek().is_some() && all.all(|one| one.is_ok()))
        }
        Contents::Key => ("private key in PEM", PrivateKeyDer::from_pem_slice(&bytes).is_ok()),
        Contents::Body => ("text", true),
    };
    match String::from_utf8(bytes) {
        Ok(text) if good => Ok(Secret(text)),
        Ok(_) | Err(_) => Err(SecretProblem::NotContents { path: path.to_owned(), what }),
    }
}

fn read_file(path: &Path, most: u64) -> Result<Vec<u8>, SecretProblem> {
    let mut bytes = Vec::new();
    std::fs::File::open(path)
        .and_then(|file| file.take(most + 1).read_to_end(&mut bytes))
        .map_err(|source| SecretProblem::Unreadable { path: path.to_owned(), source })?;
    // Measured before it is read as text: what was cut off may end within a letter.
    if bytes.len() as u64 > most {
        let reference = SecretRef::File(path.to_owned());
        return Err(SecretProblem::TooLarge { reference, most: most >> 10 });
    }
    Ok(bytes)
}

fn from_file(path: &Path) -> Result<String, SecretProblem> {
    let reference = || SecretRef::File(path.to_owned());
    let bytes = read_file(path, LARGEST)?;
    let text =
        String::from_utf8(bytes).map_err(|_| SecretProblem::NotText { reference: reference() })?;
    // Editors and `echo` end a file with a line break that nobody means.
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}

/// Secrets travel in headers, which have no room for anything but one line of text.
fn usable(value: String, reference: &SecretRef) -> Result<Secret, SecretProblem> {
    let reference = || reference.clone();
    if value.is_empty() {
        Err(SecretProblem::Empty { reference: reference() })
    } else if value.len() as u64 > LARGEST {
        Err(SecretProblem::TooLarge { reference: reference(), most: LARGEST >> 10 })
    } else if value.chars().any(char::is_control) {
        Err(SecretProblem::NotText { reference: reference() })
    } else {
        Ok(Secret(value))
    }
}

/// Everything that is wrong with the secrets.
#[derive(Debug)]
pub struct SecretsError {
    problems: Vec<SecretProblem>,
}

impl SecretsError {
    /// The problems, in the order of the references.
    pub fn problems(&self) -> &[SecretProblem] {
        &self.problems
    }
}

/// One line for each problem.
impl fmt::Display for SecretsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<String> = self.problems.iter().map(ToString::to_string).collect();
        f.write_str(&lines.join("\n"))
    }
}

impl std::error::Error for SecretsError {}

/// Why a secret cannot be had.
#[derive(Debug, Error)]
pub enum SecretProblem {
    /// There is no such variable.
    #[error("the environment variable {name} is not set")]
    NotSet {
        /// The variable.
        name: String,
    },
    /// The file is not there, or not readable.
    #[error("the secret's file {} cannot be read: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// There is nothing in it.
    #[error("the secret in {reference} is empty")]
    Empty {
        /// Where it is kept.
        reference: SecretRef,
    },
    /// There is more in it than any secret has.
    #[error("the secret in {reference} is larger than {most}KiB")]
    TooLarge {
        /// Where it is kept.
        reference: SecretRef,
        /// How much it may have, in KiB.
        most: u64,
    },
    /// It is not what it is needed for.
    #[error("the file {} holds no {what}", path.display())]
    NotContents {
        /// The file.
        path: PathBuf,
        /// What should be in it.
        what: &'static str,
    },
    /// It is not UTF-8, has several lines or control characters.
    #[error("the secret in {reference} is not one line of text")]
    NotText {
        /// Where it is kept.
        reference: SecretRef,
    },
}

#[cfg(test)]
mod tests {
    use std::env::VarError;

    use super::{Contents, SecretRef, Secrets};

    fn environment(name: &str) -> Result<String, VarError> {
        match name {
            "TOKEN" => Ok("t0ken".to_owned()),
            "EMPTY" => Ok(String::new()),
            "LINES" => Ok("hush\nhush".to_owned()),
            _ => Err(VarError::NotPresent),
        }
    }

    #[test]
    fn takes_them_from_the_environment_and_from_files() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("secret");
        std::fs::write(&path, "hush\r\n").unwrap();
        let (env, file) = (SecretRef::Env("TOKEN".to_owned()), SecretRef::File(path));
        let secrets = Secrets::load_with([env.clone(), file.clone()], environment).unwrap();
        assert_eq!(secrets.get(&env).unwrap().reveal(), "t0ken");
        assert_eq!(secrets.get(&file).unwrap().reveal(), "hush");
        assert!(!format!("{secrets:?}").contains("hush"));
    }

    #[test]
    fn reads_the_real_environment() {
        let reference = SecretRef::Env("CARGO_MANIFEST_DIR".to_owned());
        let secrets = Secrets::load([reference.clone()]).unwrap();
        assert_eq!(secrets.get(&reference).unwrap().reveal(), env!("CARGO_MANIFEST_DIR"));
    }

    #[test]
    fn files_for_tls_hold_what_it_needs() {
        let dir = tempfile::tempdir().unwrap();
        let key = rcgen::KeyPair::generate().unwrap();
        let params = rcgen::CertificateParams::new(vec!["one.test".to_owned()]).unwrap();
        let certificate = params.self_signed(&key).unwrap();
        let write = |name: &str, text: &str| {
            let path = dir.path().join(name);
            std::fs::write(&path, text).unwrap();
            path
        };
        let (cert, key) = (write("cert", &certificate.pem()), write("key", &key.serialize_pem()));
        let good = [(cert.clone(), Contents::Certificates), (key.clone(), Contents::Key)];
        let secrets = Secrets::load_with_files([], good).unwrap();
        assert!(secrets.get(&SecretRef::File(key.clone())).is_some());

        let bad = [
            (cert, Contents::Key),
            (key, Contents::Certificates),
            (write("cut", "-----BEGIN CERTIFICATE-----\nhush"), Contents::Certificates),
            (write("large", &"#".repeat((1 << 20) + 1)), Contents::Certificates),
            (dir.path().join("nowhere"), Contents::Certificates),
        ];
        let missing = SecretRef::Env("FAROL_NO_SUCH_VARIABLE".to_owned());
        let words = Secrets::load_with_files([missing], bad).unwrap_err().to_string();
        assert_eq!(words.lines().count(), 6, "{words}");
        assert!(words.contains("key holds no certificate in PEM"), "{words}");
        assert!(words.contains("cert holds no private key in PEM"), "{words}");
        assert!(words.contains("larger than 1024KiB") && !words.contains("hush"), "{words}");
    }

    #[test]
    fn names_every_problem_at_once_and_no_value() {
        let dir = tempfile::tempdir().unwrap();
        let file = |name: &str, bytes: &[u8]| {
            let path = dir.path().join(name);
            std::fs::write(&path, bytes).unwrap();
            SecretRef::File(path)
        };
        let references = [
            SecretRef::Env("MISSING".to_owned()),
            SecretRef::Env("EMPTY".to_owned()),
            SecretRef::Env("LINES".to_owned()),
            SecretRef::File(dir.path().join("nowhere")),
            SecretRef::File(dir.path().to_owned()),
            file("large", &[b'h'; 16 * 1024 + 1]),
            file("binary", b"hush\xff"),
            file("blank", b"\n"),
        ];
        let error = Secrets::load_with(references, environment).unwrap_err();
        assert_eq!(error.problems().len(), 8);
        let words = error.to_string();
        assert_eq!(words.lines().count(), 8);
        assert!(words.starts_with("the environment variable MISSING is not set"), "{words}");
        assert!(words.contains("nowhere cannot be read"), "{words}");
        assert!(words.contains("larger than 16KiB"), "{words}");
        assert!(!words.contains("hush") && !format!("{error:?}").contains("hush"), "{words}");
    }
}
