//! Mistakes about the variables of a probe file and of a check's matrix.

use miette::Diagnostic;
use thiserror::Error;

/// A mistake about `[variables]`, a `matrix`, or what stands in a text as one of theirs.
#[derive(Clone, Debug, PartialEq, Eq, Error, Diagnostic)]
pub(in super::super) enum VariableMistake {
    /// A text names a variable that the check's matrix does not have.
    #[error("the check's `matrix` has no `{got}`")]
    #[diagnostic(code(farol::config::unknown_variable), help("{help}"))]
    UnknownInMatrix { got: String, help: String },
    /// No text names a variable of the matrix.
    #[error("`{{{{matrix.{name}}}}}` stands in no text of what this check asks")]
    #[diagnostic(
        code(farol::config::unused_variable),
        help("it would ask the same for each value: use the variable, or leave it out")
    )]
    UnusedInMatrix { name: String },
    /// A text names a variable that the file does not have.
    #[error("there is no variable `{got}` in this file")]
    #[diagnostic(code(farol::config::unknown_file_variable), help("{help}"))]
    Unknown { got: String, help: String },
    /// A value is given for a variable that no file has.
    #[error("a value is given for `{got}`, and no file has such a variable")]
    #[diagnostic(code(farol::config::unknown_override), help("{help}"))]
    NoFileHas { got: String, help: String },
    /// A variable of the file that no text uses.
    #[error("no text uses the variable `{name}`")]
    #[diagnostic(
        code(farol::config::variable_without_use),
        help("write `${{{name}}}` where it is meant to stand, or leave it out")
    )]
    WithoutUse { name: String },
    /// Not the name of a file's variable.
    #[error("`{got}` cannot be the name of a variable")]
    #[diagnostic(
        code(farol::config::invalid_variable),
        help(
            "names begin with a small letter and have small letters, digits and `_`; \
             what is no variable is written `$${{`"
        )
    )]
    InvalidName { got: String },
    /// A file's variable whose brace is not closed.
    #[error("`{got}` begins a variable and does not end it")]
    #[diagnostic(
        code(farol::config::open_file_variable),
        help("close it, as in `${{desk}}`; what is no variable is written `$${{`")
    )]
    Open { got: String },
}
