//! Structured logs on standard error.

use clap::{Args, ValueEnum};
use tracing_subscriber::EnvFilter;

use super::print;

/// How logs are written.
#[derive(Debug, Args)]
pub(super) struct LogOptions {
    /// The form of the log on standard error
    #[arg(long, value_enum, default_value_t, env = "FAROL_LOG_FORMAT", value_name = "FORMAT")]
    log_format: LogFormat,

    /// What is logged: error, warn, info, debug, trace, or by module as in "info,farol::net=debug"
    #[arg(long, default_value = "info", env = "FAROL_LOG", value_name = "FILTER")]
    log: String,
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum LogFormat {
    /// For people
    #[default]
    Text,
    /// For machines, one object a line
    Json,
}

impl LogOptions {
    /// Sends logs to standard error from here on.
    pub(super) fn start(&self) {
        let filter = EnvFilter::try_new(&self.log).unwrap_or_else(|error| {
            print::error(&format!("--log {:?} is not understood ({error}); using info", self.log));
            EnvFilter::new("info")
        });
        let logs = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
        match self.log_format {
            LogFormat::Text => logs.with_ansi(print::error_colours()).init(),
            LogFormat::Json => logs.json().flatten_event(true).init(),
        }
    }
}
