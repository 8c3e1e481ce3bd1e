//! A body's HTML as a browser reads it, bounded, and what the elements must be that selectors
//! select. Pure.

use html5ever::driver::{ParseOpts, parse_document};
use html5ever::tendril::{StrTendril, TendrilSink};
use scraper::{ElementRef, Html, HtmlTreeSink, Node};

use super::{GoOn, out_of_time};
use crate::config::HtmlExpect;
use crate::model::Reason;

/// Most nodes of a document: about 64 MiB of memory.
const MOST_NODES: usize = 200_000;

/// Deeper than this no browser nests elements.
const DEEPEST: usize = 512;

/// So many bytes are parsed between two looks at what came of them.
const PIECE: usize = 4096;

/// Elements whose texts nobody sees.
pub(super) const UNSEEN: [&str; 6] = ["head", "noscript", "script", "style", "template", "title"];

/// The document that `body` is; every text is one.
pub(in crate::check) fn read(body: &[u8], go_on: GoOn<'_>) -> Result<Html, Reason> {
    let text = String::from_utf8_lossy(body);
    let sink = HtmlTreeSink::new(Html::new_document());
    let mut parser = parse_document(sink, ParseOpts::default());
    let mut rest = text.as_ref();
    let mut nodes = 0;
    while !rest.is_empty() {
        let end = (0..4).map(|more| PIECE + more).find(|end| rest.is_char_boundary(*end));
        let (piece, after) = rest.split_at(end.unwrap_or(rest.len()));
        rest = after;
        parser.process(StrTendril::from_slice(piece));
        if !go_on() {
            return Err(out_of_time());
        }
        let document = parser.tokenizer.sink.sink.0.borrow();
        nodes = look_at_new(&document, nodes)?;
    }
    Ok(parser.finish())
}

/// Looks at what was added since there were `before` nodes; gives how many there are now.
fn look_at_new(document: &Html, before: usize) -> Result<usize, Reason> {
    let nodes = document.tree.nodes();
    let count = nodes.len();
    if count > MOST_NODES {
        let detail = format!("HTML of more than {MOST_NODES} elements and texts");
        return Err(Reason::MalformedAnswer { detail });
    }
    let mut new = nodes.rev().take(count.saturating_sub(before));
    if new.any(|node| node.ancestors().nth(DEEPEST).is_some()) {
        let detail = format!("HTML that nests deeper than {DEEPEST} elements");
        return Err(Reason::MalformedAnswer { detail });
    }
    Ok(count)
}

/// Judges the document.
///
/// 1. There must be as many selected elements as expected, without another word at least one.
/// 2. Each expected text stands in one of them, and each pattern matches the text of one.
pub(super) fn judge(
    expectations: &[HtmlExpect],
    document: &Html,
    go_on: GoOn<'_>,
) -> Result<(), Reason> {
    for expect in expectations {
        let selected: Vec<ElementRef<'_>> = document.select(&expect.select).collect();
        if !go_on() {
            return Err(out_of_time());
        }
        if !expect.count.contains(selected.len()) {
            let expected = format!("{} {}", expect.written, how_many(expect, selected.len()));
            return Err(Reason::Html { expected });
        }
        judge_texts(expect, &selected, go_on)?;
    }
    Ok(())
}

fn judge_texts(
    expect: &HtmlExpect,
    selected: &[ElementRef<'_>],
    go_on: GoOn<'_>,
) -> Result<(), Reason> {
    let mut contains: Vec<&String> = expect.contains.iter().collect();
    let mut matches: Vec<_> = expect.matches.iter().collect();
    for element in selected {
        if contains.is_empty() && matches.is_empty() {
            return Ok(());
        }
        if !go_on() {
            return Err(out_of_time());
        }
        let text = text_of(*element);
        contains.retain(|part| !text.contains(part.as_str()));
        matches.retain(|pattern| !pattern.is_match(text.as_bytes()));
    }
    let unmet =
        |words: String| Err(Reason::Html { expected: format!("{} {words}", expect.written) });
    match (contains.first(), matches.first()) {
        (Some(part), _) => unmet(format!("contains {part:?}")),
        (None, Some(pattern)) => unmet(format!("matches {pattern}")),
        (None, None) => Ok(()),
    }
}

fn how_many(expect: &HtmlExpect, got: usize) -> String {
    match (expect.count.least, expect.count.most) {
        (0, 0) => format!("does not exist, got {got}"),
        (1, u64::MAX) => "exists".to_owned(),
        (least, u64::MAX) => format!("exists at least {least} times, got {got}"),
        (least, most) => format!("exists {least} to {most} times, got {got}"),
    }
}

/// The text that a reader sees of an element, with a single space wherever there is any.
pub(in crate::check) fn text_of(element: ElementRef<'_>) -> String {
    let seen = element.descendants().filter_map(|node| match node.value() {
        Node::Text(text) => {
            let unseen = node
                .ancestors()
                .take_while(|above| above.id() != element.id())
                .filter_map(|above| above.value().as_element())
                .any(|above| UNSEEN.contains(&above.name()));
            (!unseen).then_some(&**text)
        }
        Node::Document
        | Node::Fragment
        | Node::Doctype(_)
        | Node::Comment(_)
        | Node::Element(_)
        | Node::ProcessingInstruction(_) => None,
    });
    let all: String = seen.collect();
    all.split_whitespace().collect::<Vec<_>>().join(" ")
}
