//! What the pictures (SVG) of different rooms have in common: the colours of the statuses, how far
//! apart times are written, and text that no markup can hide in.

use std::fmt::Write;

use crate::model::ComponentStatus;

/// Times along a picture are this far apart, in seconds: the first that leaves room for them.
const STEPS: [i64; 17] = [
    1, 5, 15, 60, 300, 900, 1_800, 3_600, 7_200, 14_400, 21_600, 43_200, 86_400, 172_800, 604_800,
    1_209_600, 2_592_000,
];

/// The colours of text and paper, for readers who like it light and those who like it dark. Every
/// picture has paper of its own, so it is legible on any page. They hold for what is within an
/// `svg.picture`, so a page may have several of them.
pub const STYLE: &str = "\
.picture text { fill: #24292f } .picture .quiet { fill: #57606a } .picture .grid { stroke: #d0d7de } .picture .paper { fill: #ffffff } .picture .ink { stroke: #24292f }
@media (prefers-color-scheme: dark) { .picture text { fill: #e6edf3 } .picture .quiet { fill: #9198a1 } .picture .grid { stroke: #3d444d } .picture .paper { fill: #0d1117 } .picture .ink { stroke: #e6edf3 } }
";

/// The beginning of a picture: the sizes, the style and the paper.
pub fn begin(width: i64, height: i64) -> String {
    format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" class="picture" viewBox="0 0 {width} {height}" width="{width}" height="{height}" font-family="system-ui, sans-serif" font-size="12">
<style>
{STYLE}</style>
<rect class="paper" width="{width}" height="{height}"/>
"#
    )
}

/// How far apart times are written, in seconds, where about `wanted` of them are over `seconds`.
pub fn step(seconds: i64, wanted: i64) -> i64 {
    let least = seconds / wanted.max(1);
    STEPS.into_iter().find(|step| *step >= least).unwrap_or(least.max(1))
}

/// The colour of a status.
pub const fn colour(status: ComponentStatus) -> &'static str {
    match status {
        ComponentStatus::Operational => "#2da44e",
        ComponentStatus::UnderMaintenance => "#218bff",
        ComponentStatus::DegradedPerformance => "#d4a72c",
        ComponentStatus::PartialOutage => "#e16f24",
        ComponentStatus::MajorOutage => "#cf222e",
    }
}

/// Which colour is which status, in a row.
pub fn legend(svg: &mut String, mut x: i64, y: i64) {
    for status in ComponentStatus::ALL {
        let text = status.as_str().replace('_', " ");
        let _ = writeln!(
            svg,
            r#"<rect x="{x}" y="{}" width="12" height="12" fill="{}"/><text class="quiet" x="{}" y="{y}">{text}</text>"#,
            y - 10,
            colour(status),
            x + 17,
        );
        x += 165;
    }
}

/// `text` as XML and HTML have it, with all of its lines.
pub fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\n' | '\t' => escaped.push(c),
            c if c.is_control() => escaped.push(' '),
            c => escaped.push(c),
        }
    }
    escaped
}

/// `text` as XML has it, on one line and in at most `most` characters.
pub fn label(text: &str, most: usize) -> String {
    let mut short: String =
        text.chars().take(most).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.chars().nth(most).is_some() {
        short.push('…');
    }
    escaped(&short)
}

#[cfg(test)]
mod tests {
    use super::{escaped, label, step};

    #[test]
    fn no_markup_hides_in_a_text() {
        assert_eq!(escaped("<a href=\"x\">&\u{7}\n"), "&lt;a href=&quot;x&quot;&gt;&amp; \n");
        assert_eq!(label("a<b\nc", 3), "a&lt;b…", "what is cut is cut before it is written");
        assert_eq!(label("a\nb", 3), "a b");
    }

    #[test]
    fn times_have_room() {
        assert_eq!(step(3_600, 6), 900);
        assert_eq!(step(0, 6), 1);
        assert_eq!(step(40_000_000, 6), 6_666_666, "longer than any step that was thought of");
    }
}
