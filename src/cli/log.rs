//! Structured logs on standard error.

use clap::{Args, ValueEnum};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;

use super::print::{self, Complaints};

/// How logs are written.
#[derive(Debug, Args)]
pub(super) struct LogOptions {
    /// The form of the log on standard error
    #[arg(long, value_enum, default_value_t, env = "FAROL_LOG_FORMAT", value_name = "FORMAT")]
    log_format: LogFormat,

    /// What is logged: error, warn, info, debug, trace, or by module as in "info,farol::net=debug".
    /// The log of a library, as in "hyper=trace", may tell secrets
    #[arg(long, default_value = "info", env = "FAROL_LOG", value_name = "FILTER",
          value_parser = filter)]
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
    /// Sends logs to standard error from here on, and tells where complaints belong.
    pub(super) fn start(&self) -> Complaints {
        let logs = tracing_subscriber::fmt()
            .with_env_filter(EnvFilter::new(of_our_own(&self.log)))
            .with_writer(std::io::stderr)
            // It would tell of a log that nobody reads any more by a panic.
            .log_internal_errors(false);
        match self.log_format {
            LogFormat::Text => {
                logs.with_ansi(print::error_colours()).init();
                Complaints::Terminal
            }
            LogFormat::Json => {
                logs.json().flatten_event(true).init();
                Complaints::Log
            }
        }
    }
}

/// A filter, as an argument. The library takes a misspelt level for the name of a module, and
/// would log nothing at all.
fn filter(text: &str) -> Result<String, String> {
    let words = text.split(',').map(str::trim).filter(|word| !word.contains(['=', '[']));
    for word in words {
        if word.parse::<LevelFilter>().is_err() {
            let levels = "error, warn, info, debug, trace";
            return Err(format!("{word:?} is neither one of {levels} nor module=level"));
        }
    }
    EnvFilter::try_new(text).map(|_| text.to_owned()).map_err(|error| error.to_string())
}

/// `filter` with what is said to nobody in particular beyond "info" said to farol alone. What it is
/// made of tells every word of a target as it came, and that may be secret.
fn of_our_own(filter: &str) -> String {
    let words = filter.split(',').map(|word| match word.trim().parse::<LevelFilter>() {
        Ok(level) if level > LevelFilter::INFO => format!("info,farol={level}"),
        Ok(_) | Err(_) => word.to_owned(),
    });
    words.collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::{filter, of_our_own};

    #[test]
    fn only_farol_is_told_to_tell_all() {
        assert_eq!(of_our_own("debug"), "info,farol=debug");
        assert_eq!(of_our_own("warn, trace"), "warn,info,farol=trace");
        assert_eq!(of_our_own("off"), "off");
        assert_eq!(of_our_own("info,hyper=debug"), "info,hyper=debug");
    }

    #[test]
    fn a_misspelt_level_is_no_module() {
        for good in ["info", "WARN", "info,farol::net=debug", "off"] {
            assert_eq!(filter(good).as_deref(), Ok(good));
        }
        for bad in ["loud", "inof,farol::net=debug", "farol::net=loud", "a=b=c"] {
            assert!(filter(bad).is_err(), "{bad}");
        }
    }
}
