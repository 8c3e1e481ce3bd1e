//! `farol schema`: the JSON Schema of probe files.

use clap::Args;

use super::{Ending, print};

/// Print the JSON Schema of probe files, for editors
///
/// Editors with a TOML language server (taplo, Even Better TOML) complete and check probe files
/// with it: save it, and put `#:schema ./farol.schema.json` on the file's first line.
#[derive(Debug, Args)]
pub(super) struct Schema {}

impl Schema {
    pub(super) fn run(self) -> Ending {
        let Self {} = self;
        match serde_json::to_string_pretty(&crate::config::schema()) {
            Ok(text) => {
                print::line(&text);
                Ending::Well
            }
            Err(error) => {
                print::error(&format!("the schema cannot be written: {error}"));
                Ending::Failed
            }
        }
    }
}
