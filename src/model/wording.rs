//! What a platform tells the public in its own words instead of farol's.

use std::fmt;
use std::sync::{Arc, OnceLock};

use minijinja::{Environment, Error};
use serde::{Deserialize, Serialize};

/// Templates, as they are written; where there is none, farol's own holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Wording {
    /// Of the title.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<TextTemplate>,
    /// Of a text while something is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub investigating: Option<TextTemplate>,
    /// Of a text while all is well again, and watched.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub monitoring: Option<TextTemplate>,
    /// Of the last text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resolved: Option<TextTemplate>,
    /// A line that every text ends with; no template.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ending: Option<String>,
}

impl Wording {
    /// Whether all is said in farol's words.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// The template of a text. It is its source, and is written and compared as that; what was parsed
/// of it is kept with it, once for all of its clones.
#[derive(Clone, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct TextTemplate {
    source: Arc<str>,
    parsed: Arc<OnceLock<Result<Environment<'static>, Error>>>,
}

impl TextTemplate {
    /// The template as it was written.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// What `parse` makes of the source; it is asked the first time, and then never again.
    pub fn parsed(
        &self,
        parse: impl FnOnce(&str) -> Result<Environment<'static>, Error>,
    ) -> &Result<Environment<'static>, Error> {
        self.parsed.get_or_init(|| parse(&self.source))
    }
}

impl From<String> for TextTemplate {
    fn from(source: String) -> Self {
        Self { source: source.into(), parsed: Arc::default() }
    }
}

impl From<&str> for TextTemplate {
    fn from(source: &str) -> Self {
        Self { source: source.into(), parsed: Arc::default() }
    }
}

impl From<TextTemplate> for String {
    fn from(template: TextTemplate) -> Self {
        template.source.as_ref().to_owned()
    }
}

impl PartialEq for TextTemplate {
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source
    }
}

impl Eq for TextTemplate {}

impl fmt::Debug for TextTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.source.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use minijinja::Environment;

    use super::{TextTemplate, Wording};

    #[test]
    fn a_template_is_parsed_once_for_all_of_its_clones() {
        let wording = Wording { title: Some("{{ text }}".into()), ..Wording::default() };
        let clone = wording.clone();
        let mut times = 0;
        for one in [&wording, &clone, &wording] {
            let parsed = one.title.as_ref().unwrap().parsed(|source| {
                times += 1;
                assert_eq!(source, "{{ text }}");
                Ok(Environment::empty())
            });
            assert!(parsed.is_ok());
        }
        assert_eq!(times, 1);
    }

    #[test]
    fn it_is_written_and_compared_as_its_source() {
        let wording = Wording { resolved: Some("Over.".into()), ..Wording::default() };
        let written = serde_json::to_string(&wording).unwrap();
        assert_eq!(written, r#"{"resolved":"Over."}"#);
        assert_eq!(serde_json::from_str::<Wording>(&written).unwrap(), wording);
        assert_ne!(TextTemplate::from("a"), TextTemplate::from("b"));
        assert_eq!(format!("{:?}", TextTemplate::from("a")), "\"a\"");
    }
}
