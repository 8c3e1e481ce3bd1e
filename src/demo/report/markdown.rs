//! The scoreboard as Markdown, with its pictures in files beside it.

use std::fmt::Write;

use super::{Scoreboard, Story, TITLE, Told, bound, is_in_time, length, thousands, word};
use crate::demo::page::fold;

/// The report; `pictures` is the folder that the pictures are in, as links name it, and each is
/// called as its story's id, with `.svg`.
pub fn markdown(scoreboard: &Scoreboard, pictures: &str) -> String {
    let mut text = format!("# {TITLE}\n\n");
    let verdict = scoreboard.verdict();
    let verdict = if scoreboard.is_right() { verdict } else { format!("**{verdict}**") };
    let _ = writeln!(text, "{verdict}\n");
    incidents(&mut text, scoreboard);
    quiet(&mut text, scoreboard);
    for story in &scoreboard.stories {
        tell(&mut text, story, pictures);
    }
    text.push_str(
        "## How this was made\n\nBy one command; no figure in it was written by hand:\n\n",
    );
    let _ = writeln!(text, "```console\n{}\n```", scoreboard.command);
    for paragraph in scoreboard.making() {
        let _ = writeln!(text, "\n{paragraph}");
    }
    text
}

fn incidents(text: &mut String, scoreboard: &Scoreboard) {
    if scoreboard.incidents().next().is_none() {
        return;
    }
    let _ = writeln!(
        text,
        "## Incidents\n\nHow long after the trouble began the public was told, and what of the page was as it should be. \
         Every first symptom has {} to be on the page.\n\n\
         | incident | the real page | farol | farol's slowest word | components: right, missing, wrong | lifecycle | words | rounds |\n\
         |---|--:|--:|--:|---|---|---|--:|",
        bound()
    );
    for story in scoreboard.incidents() {
        let score = story.score();
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} (of {}) | {}, {}, {} | {} | {} | {} |",
            link(story),
            story.real_lag().map_or_else(|| "-".to_owned(), length),
            lag(story.first_word()),
            lag(story.slowest()),
            story.symptoms().len(),
            score.right.len(),
            strong(score.missing.len()),
            strong(score.wrong.len()),
            mark(story.lifecycle_is_right()),
            mark(story.words_are_right()),
            rounds(story),
        );
    }
    text.push('\n');
}

fn quiet(text: &mut String, scoreboard: &Scoreboard) {
    if scoreboard.quiet().next().is_none() {
        return;
    }
    text.push_str(
        "## Days on which nothing may be published\n\n| day | published | runs of checks | rounds |\n|---|---|--:|--:|\n",
    );
    for story in scoreboard.quiet() {
        let published = story.published();
        let published =
            if published == "nothing" { published } else { format!("**{}**", plain(&published)) };
        let (all, _) = story.runs();
        let (link, rounds) = (link(story), rounds(story));
        let _ = writeln!(text, "| {link} | {published} | {} | {rounds} |", thousands(all));
    }
    text.push('\n');
}

fn link(story: &Story) -> String {
    let (id, title) = (&story.scenario.id, plain(&story.scenario.title));
    format!("[{}](#{id}): {title}", plain(id))
}

fn lag(told: Option<Told>) -> String {
    match told {
        Some(told) if is_in_time(told) => told.to_string(),
        Some(told) => format!("**{told}**"),
        None => "-".to_owned(),
    }
}

fn mark(is_right: bool) -> String {
    if is_right { word(true).to_owned() } else { format!("**{}**", word(false)) }
}

/// A number of things that should not be.
fn strong(count: usize) -> String {
    if count == 0 { "0".to_owned() } else { format!("**{count}**") }
}

/// How many rounds came as they should.
fn rounds(story: &Story) -> String {
    let all = story.rounds.len();
    let right = story.rounds.iter().filter(|round| round.outcome.is_right()).count();
    if right == all { format!("{all}") } else { format!("**{right} of {all}**") }
}

/// The section of a story.
fn tell(text: &mut String, story: &Story, pictures: &str) {
    let scenario = &story.scenario;
    let (anchor, title) = (&scenario.id, plain(&scenario.title));
    let _ = writeln!(text, "## <a id=\"{anchor}\"></a>{}: {title}\n", plain(anchor));
    let _ = writeln!(text, "{}\n", plain(&fold(&scenario.about)));
    let _ = writeln!(text, "![{title}, as a timeline]({pictures}/{anchor}.svg)\n");
    wrongs(text, story);
    if let Some((incident, update)) = story.read_first() {
        let _ = writeln!(text, "What customers read first, at {}:\n", story.clock(update.at));
        let _ = writeln!(text, "> **{}**\n>", plain(&incident.title));
        for line in update.body.lines() {
            let _ = writeln!(text, "{}", format!("> {}", plain(line)).trim_end());
        }
        text.push('\n');
    } else if scenario.is_silent() {
        let (all, _) = story.runs();
        let published = plain(&story.published());
        let _ =
            writeln!(text, "Published: {published}, after {} runs of checks.\n", thousands(all));
    }
    let symptoms = story.symptoms();
    if !symptoms.is_empty() {
        text.push_str("| first symptom | from | on the page after |\n|---|---|--:|\n");
        for (symptom, told) in symptoms {
            let (says, from, told) =
                (plain(&symptom.says), story.clock(symptom.at), lag(Some(told)));
            let _ = writeln!(text, "| {says} | {from} | {told} |");
        }
        text.push('\n');
        let score = story.score();
        let _ =
            writeln!(text, "- Components rightly blamed: {}", plain(&story.names(&score.right)));
        let _ = writeln!(text, "- missing: {}", plain(&story.names(&score.missing)));
        let _ = writeln!(text, "- wrongly blamed: {}\n", plain(&story.names(&score.wrong)));
    }
    everything(text, story);
}

/// Whatever is wrong is told, and nothing before it.
fn wrongs(text: &mut String, story: &Story) {
    let wrongs = story.wrongs();
    if wrongs.is_empty() {
        return;
    }
    text.push_str("**Not everything came as it should:**\n\n");
    for wrong in wrongs {
        let _ = writeln!(text, "- {}", plain(&wrong));
    }
    text.push('\n');
}

/// All that was published.
fn everything(text: &mut String, story: &Story) {
    if story.told().next().is_none() {
        return;
    }
    let amount = story.amount();
    let _ = writeln!(text, "<details><summary>Everything that was published: {amount}</summary>\n");
    for incident in story.told() {
        let (title, impact) = (plain(&incident.title), incident.impact);
        let _ = writeln!(text, "**{title}** (its last title; impact: {impact})\n");
        for update in incident.updates.iter().rev() {
            let (at, body) = (story.clock(update.at), plain(&fold(&update.body)));
            let _ = writeln!(text, "- {at}, {}: {body}", update.status);
        }
        text.push('\n');
    }
    text.push_str("</details>\n\n");
}

/// A text in which nothing means anything to Markdown.
fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '<' => plain.push_str("&lt;"),
            '>' => plain.push_str("&gt;"),
            '&' => plain.push_str("&amp;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '#' => {
                plain.push('\\');
                plain.push(c);
            }
            c if c.is_control() => plain.push(' '),
            c => plain.push(c),
        }
    }
    plain
}
