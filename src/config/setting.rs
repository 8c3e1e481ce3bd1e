//! The types of settings, one file each: spellings, errors, schema and tests.

pub(super) mod address;
pub(super) mod body;
pub(super) mod cadence;
pub(super) mod certificate;
pub(super) mod choice;
pub(super) mod clock_url;
pub(super) mod count;
pub(super) mod dns_name;
pub(super) mod duration;
pub(super) mod flapping;
pub(super) mod header;
pub(super) mod hex;
pub(super) mod host;
pub(super) mod id;
pub(super) mod json_path;
pub(super) mod latency;
pub(super) mod list;
pub(super) mod literal;
pub(super) mod major_when;
pub(super) mod matrix;
pub(super) mod mode;
pub(super) mod moment;
pub(super) mod ntp;
pub(super) mod own_trouble;
pub(super) mod pattern;
pub(super) mod place;
pub(super) mod range;
pub(super) mod secret;
pub(super) mod selector;
pub(super) mod server;
pub(super) mod server_name;
pub(super) mod short;
pub(super) mod size;
pub(super) mod skew;
pub(super) mod source;
pub(super) mod status;
pub(super) mod template;
pub(super) mod text;
pub(super) mod threshold;
pub(super) mod time_zone;
pub(super) mod tls_choice;
mod unit;
pub(super) mod web_url;

/// What the tests of all settings need.
#[cfg(test)]
pub(super) mod tests {
    use toml::de::DeValue;

    use super::super::problem::{Problems, SourceFile, collect};
    use super::super::reader::Setting;

    /// Reads one value as it would stand to the right of `=`, or gives the codes and words of
    /// what is wrong with it.
    pub(in super::super) fn read<T: Setting>(text: &str) -> Result<T, String> {
        let file = SourceFile { name: "test".to_owned(), text: text.to_owned() };
        let mut problems = Problems::new(&file);
        let value = T::read(&DeValue::parse(text).unwrap(), &mut problems);
        let problems = collect(vec![problems]);
        let words: Vec<String> = problems
            .iter()
            .map(|p| format!("{}: {p}", p.code().replace("farol::config::", "")))
            .collect();
        assert!(value.is_some() || !words.is_empty(), "neither a value nor a problem: {text}");
        value.filter(|_| words.is_empty()).ok_or(words.join("; "))
    }
}
