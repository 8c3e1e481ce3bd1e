//! The scoreboard as a page of HTML that needs nothing beside it: the pictures are in it, and so are
//! the status pages as customers saw them.

use std::fmt::Write;

use super::{Scoreboard, Story, TITLE, Told, bound, is_in_time, length, picture, thousands, word};
use crate::demo::page::fold;
use crate::drawing::escaped;

const STYLE: &str = include_str!("report.css");

/// The report.
pub fn html(scoreboard: &Scoreboard) -> String {
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{TITLE}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n\
         <h1>{TITLE}</h1>\n<p class=\"verdict{}\">{}</p>\n",
        if scoreboard.is_right() { "" } else { " bad" },
        escaped(&scoreboard.verdict()),
    );
    incidents(&mut page, scoreboard);
    quiet(&mut page, scoreboard);
    for story in &scoreboard.stories {
        tell(&mut page, story);
    }
    let _ = writeln!(
        page,
        "<h2>How this was made</h2>\n<p>By one command; no figure in it was written by hand:</p>\n<pre><code>{}</code></pre>",
        escaped(&scoreboard.command)
    );
    for paragraph in scoreboard.making() {
        let _ = writeln!(page, "<p>{}</p>", escaped(&paragraph));
    }
    page.push_str("</body>\n</html>\n");
    page
}

/// A cell: its class, the name of its column, and what is in it.
struct Cell(&'static str, &'static str, String);

impl Cell {
    fn number(column: &'static str, text: impl Into<String>) -> Self {
        Self("number", column, text.into())
    }

    fn text(column: &'static str, text: impl Into<String>) -> Self {
        Self("", column, text.into())
    }

    fn bad_unless(mut self, is_right: bool) -> Self {
        self.0 = match (is_right, self.0) {
            (true, class) => class,
            (false, "number") => "number bad",
            (false, _) => "bad",
        };
        self
    }
}

/// A table: what stands in front of each row is HTML, what is in a cell is text.
fn table(page: &mut String, first: &str, rows: &[(String, Vec<Cell>)]) {
    let _ = write!(page, "<table>\n<thead><tr><th scope=\"col\">{first}</th>");
    for Cell(class, column, _) in rows.first().map(|(_, cells)| cells).into_iter().flatten() {
        let class = if class.starts_with("number") { "number" } else { "" };
        let _ = write!(page, "<th scope=\"col\" class=\"{class}\">{column}</th>");
    }
    page.push_str("</tr></thead>\n<tbody>\n");
    for (head, cells) in rows {
        let _ = write!(page, "<tr><th scope=\"row\">{head}</th>");
        for Cell(class, column, text) in cells {
            let text = escaped(text);
            let _ = write!(page, "<td class=\"{class}\" data-column=\"{column}\">{text}</td>");
        }
        page.push_str("</tr>\n");
    }
    page.push_str("</tbody>\n</table>\n");
}

fn incidents(page: &mut String, scoreboard: &Scoreboard) {
    let row = |story: &Story| {
        let score = story.score();
        let slowest = lag("farol\u{2019}s slowest word", story.slowest());
        let count = story.symptoms().len();
        let Cell(class, column, text) = slowest;
        let cells = vec![
            Cell::number("the real page", story.real_lag().map_or_else(|| "-".to_owned(), length)),
            lag("farol", story.first_word()),
            Cell(class, column, format!("{text} (of {count})")),
            Cell::number("components right", score.right.len().to_string()),
            Cell::number("missing", score.missing.len().to_string())
                .bad_unless(score.missing.is_empty()),
            Cell::number("wrong", score.wrong.len().to_string()).bad_unless(score.wrong.is_empty()),
            judged("lifecycle", story.lifecycle_is_right()),
            judged("words", story.words_are_right()),
            rounds(story),
        ];
        (link(story), cells)
    };
    let rows: Vec<_> = scoreboard.incidents().map(row).collect();
    if rows.is_empty() {
        return;
    }
    let _ = writeln!(
        page,
        "<h2>Incidents</h2>\n<p>How long after the trouble began the public was told, and what of the page was as it \
         should be. Every first symptom has {} to be on the page.</p>",
        bound()
    );
    table(page, "incident", &rows);
}

fn quiet(page: &mut String, scoreboard: &Scoreboard) {
    let row = |story: &Story| {
        let published = story.published();
        let is_quiet = published == "nothing";
        let cells = vec![
            Cell::text("published", published).bad_unless(is_quiet),
            Cell::number("runs of checks", thousands(story.runs().0)),
            rounds(story),
        ];
        (link(story), cells)
    };
    let rows: Vec<_> = scoreboard.quiet().map(row).collect();
    if !rows.is_empty() {
        page.push_str("<h2>Days on which nothing may be published</h2>\n");
        table(page, "day", &rows);
    }
}

fn link(story: &Story) -> String {
    let (id, title) = (&story.scenario.id, escaped(&story.scenario.title));
    format!("<a href=\"#{id}\">{id}</a>: {title}")
}

fn lag(column: &'static str, told: Option<Told>) -> Cell {
    let words = told.map_or_else(|| "-".to_owned(), |told| told.to_string());
    Cell::number(column, words).bad_unless(told.is_none_or(is_in_time))
}

fn judged(column: &'static str, is_right: bool) -> Cell {
    Cell::text(column, word(is_right)).bad_unless(is_right)
}

/// How many rounds came as they should.
fn rounds(story: &Story) -> Cell {
    let all = story.rounds.len();
    let right = story.rounds.iter().filter(|round| round.outcome.is_right()).count();
    let text = if right == all { all.to_string() } else { format!("{right} of {all}") };
    Cell::number("rounds", text).bad_unless(right == all)
}

/// The section of a story.
fn tell(page: &mut String, story: &Story) {
    let (scenario, id) = (&story.scenario, &story.scenario.id);
    let _ = writeln!(
        page,
        "<h2 id=\"{id}\">{id}: {}</h2>\n<p>{}</p>\n<div class=\"scroll\" tabindex=\"0\" role=\"img\" aria-label=\"{}, as a timeline\">\n{}</div>",
        escaped(&scenario.title),
        escaped(&fold(&scenario.about)),
        escaped(&scenario.title),
        picture(story),
    );
    let wrongs = story.wrongs();
    if !wrongs.is_empty() {
        page.push_str("<p class=\"bad\">Not everything came as it should:</p>\n<ul>\n");
        for wrong in wrongs {
            let _ = writeln!(page, "<li>{}</li>", escaped(&wrong));
        }
        page.push_str("</ul>\n");
    }
    if let Some((incident, update)) = story.read_first() {
        let _ = writeln!(
            page,
            "<p>What customers read first, at {}:</p>\n<blockquote><p><strong>{}</strong></p><p>{}</p></blockquote>",
            story.clock(update.at),
            escaped(&incident.title),
            escaped(&update.body)
        );
    } else if scenario.is_silent() {
        let (all, _) = story.runs();
        let published = escaped(&story.published());
        let all = thousands(all);
        let _ = writeln!(page, "<p>Published: {published}, after {all} runs of checks.</p>");
    }
    symptoms(page, story);
    everything(page, story);
    if let Some(round) = story.shown() {
        frame(page, "The status page when most was wrong", &round.pages.worst);
        frame(page, "The status page at the end", &round.pages.end);
    }
}

fn symptoms(page: &mut String, story: &Story) {
    let row = |(symptom, told): (&super::Symptom, Told)| {
        let from = Cell::number("from", story.clock(symptom.at));
        (escaped(&symptom.says), vec![from, lag("on the page after", Some(told))])
    };
    let rows: Vec<_> = story.symptoms().into_iter().map(row).collect();
    if rows.is_empty() {
        return;
    }
    table(page, "first symptom", &rows);
    let score = story.score();
    let _ = writeln!(
        page,
        "<dl><dt>Components rightly blamed</dt><dd>{}</dd><dt>missing</dt><dd>{}</dd><dt>wrongly blamed</dt><dd>{}</dd></dl>",
        escaped(&story.names(&score.right)),
        escaped(&story.names(&score.missing)),
        escaped(&story.names(&score.wrong)),
    );
}

/// All that was published.
fn everything(page: &mut String, story: &Story) {
    if story.told().next().is_none() {
        return;
    }
    let amount = story.amount();
    let _ = writeln!(page, "<details><summary>Everything that was published: {amount}</summary>");
    for incident in story.told() {
        let (title, impact) = (escaped(&incident.title), incident.impact);
        let _ = writeln!(
            page,
            "<p><strong>{title}</strong> (its last title; impact: {impact})</p>\n<ul>"
        );
        for update in incident.updates.iter().rev() {
            let (at, body) = (story.clock(update.at), escaped(&fold(&update.body)));
            let status = update.status;
            let _ = writeln!(page, "<li><span class=\"time\">{at}, {status}:</span> {body}</li>");
        }
        page.push_str("</ul>\n");
    }
    page.push_str("</details>\n");
}

/// A status page within the page: it may do nothing there but be looked at.
fn frame(page: &mut String, title: &str, inner: &str) {
    if inner.is_empty() {
        return;
    }
    let inner = escaped(inner);
    let _ = writeln!(
        page,
        "<details><summary>{title}</summary>\n<iframe sandbox loading=\"lazy\" title=\"{title}\" srcdoc=\"{inner}\"></iframe></details>"
    );
}
