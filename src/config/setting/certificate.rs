//! How long certificates must still be valid: `{ degraded = "21d", failed = "3d" }`.

use toml::de::DeValue;

use super::super::mistake::Mistake;
use super::super::plan::CertificateLimits;
use super::super::problem::Problems;
use super::super::reader::{
    Field, Key, Node, Reader, Section, Setting, read_section, section_schema,
};
use super::duration::{DAY, Duration};

/// Zero is for "only when it has expired".
type Left = Duration<0, { 3650 * DAY }>;

const DEGRADED: Key<Left> = Key::new(
    "degraded",
    "With less time left the check is degraded; without it \"21d\", or a quarter of the life of a \
     certificate that lives less than 84 days.",
);
const FAILED: Key<Left> = Key::new(
    "failed",
    "With less time left the check fails; without it \"3d\", or a twelfth of the life of a \
     certificate that lives less than 36 days.",
);

impl Setting for CertificateLimits {
    const EXPECTED: &'static str = "{ degraded = \"21d\", failed = \"3d\" }";

    fn read(node: &Node<'_>, problems: &mut Problems<'_>) -> Option<Self> {
        let DeValue::Table(table) = node.get_ref() else {
            return Self::wrong_type(node, problems);
        };
        let Limits(limits) = read_section(node.span(), table, problems)?;
        if let (Some(degraded), Some(failed)) = (limits.degraded, limits.failed)
            && failed > degraded
        {
            let mistake = Mistake::Contradiction {
                small: "failed",
                small_value: failed.to_string(),
                relation: "at most",
                large: "degraded",
                large_value: degraded.to_string(),
                why: "a certificate has less and less time left: it is degraded before it fails",
            };
            problems.report(node.span(), mistake);
            return None;
        }
        Some(limits)
    }

    fn schema() -> serde_json::Value {
        section_schema::<Limits>()
    }
}

struct Limits(CertificateLimits);

impl Section for Limits {
    const NAME: &'static str = "what a certificate has left";

    fn read_keys(table: &mut Reader<'_, '_, '_>) -> Option<Self> {
        let span = |field: Field<Left>| Some(field.optional()?.map(|left| left.0));
        let (degraded, failed) = (table.take(&DEGRADED), table.take(&FAILED));
        Some(Self(CertificateLimits { degraded: span(degraded)?, failed: span(failed)? }))
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::read;
    use crate::config::CertificateLimits;
    use crate::model::Span;

    #[test]
    fn either_may_be_left_out_and_they_must_not_cross() {
        let days = |text| {
            let days = |span: Span| span.as_micros() / 86_400_000_000;
            read::<CertificateLimits>(text).map(|l| (l.degraded.map(days), l.failed.map(days)))
        };
        assert_eq!(days("{ degraded = '21d', failed = '3d' }"), Ok((Some(21), Some(3))));
        assert_eq!(days("{ failed = '0s' }"), Ok((None, Some(0))));
        assert_eq!(days("{}"), Ok((None, None)));
        assert_eq!(
            days("{ degraded = '3d', failed = '21d' }"),
            Err("contradiction: `failed` (21d) must be at most `degraded` (3d)".to_owned())
        );
        assert!(days("'21d'").unwrap_err().starts_with("wrong_type"));
        assert!(days("{ degraded = 21 }").unwrap_err().starts_with("no_unit"));
    }
}
