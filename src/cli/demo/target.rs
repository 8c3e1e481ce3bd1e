//! Where a report goes: one file, or one and a folder of pictures. What can be known of whether it
//! can be written is known before anything is played, since that takes minutes.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The form that a report is written in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// One file.
    Html,
    /// A file, and pictures in a folder beside it that is called like it.
    Markdown {
        /// The folder.
        pictures: PathBuf,
    },
}

/// Where a report goes.
#[derive(Debug)]
pub(super) struct Target {
    file: PathBuf,
    form: Form,
    /// What is written until it is whole; it is there from the beginning.
    draft: PathBuf,
}

/// Why a report cannot be written.
#[derive(Debug, thiserror::Error)]
pub(super) enum TargetError {
    /// Its form is not known.
    #[error(
        "cannot tell in which form to write {}: the file's name must end in .md or .html",
        .0.display()
    )]
    Form(PathBuf),
    /// Something else is there.
    #[error("cannot write {}: {what}", file.display())]
    Taken {
        /// What was to be written.
        file: PathBuf,
        /// What is in the way.
        what: &'static str,
    },
    /// The system says why.
    #[error("cannot write {}: {source}{}", file.display(), help(file, source))]
    Io {
        /// What was to be written.
        file: PathBuf,
        /// Why it is not.
        source: io::Error,
    },
}

/// What to do about it, where that is plain.
fn help(file: &Path, source: &io::Error) -> String {
    match (source.kind(), file.parent()) {
        (io::ErrorKind::NotFound, Some(folder)) => {
            format!("; make the folder {} first", folder.display())
        }
        _ => String::new(),
    }
}

impl TargetError {
    /// Whether it is the argument that is wrong, and not the world.
    pub(super) fn is_argument(&self) -> bool {
        matches!(self, Self::Form(_) | Self::Taken { .. })
    }
}

impl Target {
    /// Makes sure that `file` can be written, as far as that can be known.
    pub(super) fn new(file: &Path) -> Result<Self, TargetError> {
        let ending = file.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
        let form = match ending.to_ascii_lowercase().as_str() {
            "md" => Form::Markdown { pictures: file.with_extension("") },
            "html" => Form::Html,
            _ => return Err(TargetError::Form(file.to_owned())),
        };
        let taken = |file: &Path, what| TargetError::Taken { file: file.to_owned(), what };
        if file.is_dir() {
            return Err(taken(file, "it is a folder"));
        }
        if let Form::Markdown { pictures } = &form
            && pictures.exists()
        {
            if !pictures.is_dir() {
                return Err(taken(
                    pictures,
                    "the pictures need a folder of that name, and it is a file",
                ));
            }
            let trial = draft_of(&pictures.join("picture.svg"));
            fs::write(&trial, "").map_err(|error| failed(pictures, error))?;
            // It was empty, and of a name that nobody else has.
            let _ = fs::remove_file(trial);
        }
        let draft = draft_of(file);
        fs::write(&draft, "").map_err(|error| failed(file, error))?;
        Ok(Self { file: file.to_owned(), form, draft })
    }

    /// In which form it is to be.
    pub(super) fn form(&self) -> &Form {
        &self.form
    }

    /// The file.
    pub(super) fn file(&self) -> &Path {
        &self.file
    }

    /// What the folder of the pictures is called in links from the file.
    pub(super) fn folder_name(&self) -> String {
        let stem = self.file.file_stem().map(|stem| stem.to_string_lossy().into_owned());
        stem.unwrap_or_default().replace('%', "%25").replace(' ', "%20")
    }

    /// Writes the pictures, each by its name, and then the text: whoever finds a report finds it
    /// whole.
    pub(super) fn write(
        self,
        text: &str,
        drawings: &[(String, String)],
    ) -> Result<(), TargetError> {
        if let Form::Markdown { pictures } = &self.form {
            fs::create_dir_all(pictures).map_err(|error| failed(pictures, error))?;
            for (name, drawing) in drawings {
                let file = pictures.join(format!("{name}.svg"));
                let draft = draft_of(&file);
                fs::write(&draft, drawing)
                    .and_then(|()| fs::rename(&draft, &file))
                    .map_err(|error| failed(&file, error))?;
            }
        }
        let written = fs::write(&self.draft, text);
        let written = written.and_then(|()| fs::rename(&self.draft, &self.file));
        written.map_err(|error| failed(&self.file, error))
    }
}

impl Drop for Target {
    /// What was not finished is not left about.
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.draft);
    }
}

fn failed(file: &Path, source: io::Error) -> TargetError {
    TargetError::Io { file: file.to_owned(), source }
}

/// A name beside `file` that is nobody else's.
fn draft_of(file: &Path) -> PathBuf {
    let name = file.file_name().map(|name| name.to_string_lossy().into_owned());
    let process = std::process::id();
    file.with_file_name(format!(".{}.{process}.draft", name.unwrap_or_default()))
}
