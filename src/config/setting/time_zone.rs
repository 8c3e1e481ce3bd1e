//! Time zones by their IANA names: `"America/Sao_Paulo"`.

use chrono_tz::{TZ_VARIANTS, Tz};
use serde_json::{Value, json};

use super::super::mistake::{Mistake, shorten};
use super::super::problem::Problems;
use super::super::reader::{Node, Setting};
use super::super::suggest::nearest;

impl Setting for Tz {
    const EXPECTED: &'static str = "a time zone such as \"America/Sao_Paulo\"";

    fn read(node: &Node<'_>, problems: &mut Problems<'_>) -> Option<Self> {
        let text = Self::text(node, problems)?;
        if let Ok(zone) = text.parse() {
            return Some(zone);
        }
        let help = match nearest(&text, TZ_VARIANTS.iter().map(|zone| zone.name())) {
            Some(near) => format!("did you mean \"{near}\"?"),
            None => "write a name as the IANA time zone database has it: \"America/Sao_Paulo\", \
                     \"Europe/Lisbon\", \"UTC\""
                .to_owned(),
        };
        let mistake = Mistake::UnknownWord { got: shorten(&text), what: "a time zone", help };
        problems.report(node.span(), mistake);
        None
    }

    fn schema() -> Value {
        json!({ "type": "string", "examples": ["America/Sao_Paulo", "Europe/Lisbon", "UTC"] })
    }
}

#[cfg(test)]
mod tests {
    use chrono_tz::Tz;

    use super::super::tests::read;

    #[test]
    fn knows_the_zones() {
        assert_eq!(read::<Tz>("'America/Sao_Paulo'"), Ok(Tz::America__Sao_Paulo));
        assert_eq!(read::<Tz>("'UTC'"), Ok(Tz::UTC));
        assert!(read::<Tz>("'America/São Paulo'").is_err());
        assert!(read::<Tz>("'-03:00'").is_err());
    }
}
