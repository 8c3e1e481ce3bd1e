//! What a page needs in order to show itself, and whether it would show anything. Pure.
//!
//! A page whose scripts do not load answers 200 in good time and is a white screen.

use std::collections::BTreeSet;

use http::HeaderMap;
use http::header::{CONTENT_TYPE, HeaderValue, X_CONTENT_TYPE_OPTIONS};
use scraper::node::Element;
use scraper::{Html, Node};
use url::Url;

use super::html::UNSEEN;
use crate::model::Reason;

/// Most scripts and stylesheets of a page that are loaded; those that come first.
const MOST_PARTS: usize = 50;

/// What browsers take for a script.
const SCRIPTS: [&str; 16] = [
    "application/ecmascript",
    "application/javascript",
    "application/x-ecmascript",
    "application/x-javascript",
    "text/ecmascript",
    "text/javascript",
    "text/javascript1.0",
    "text/javascript1.1",
    "text/javascript1.2",
    "text/javascript1.3",
    "text/javascript1.4",
    "text/javascript1.5",
    "text/jscript",
    "text/livescript",
    "text/x-ecmascript",
    "text/x-javascript",
];

/// Elements that are something to see without any text.
const SEEN: [&str; 14] = [
    "audio", "button", "canvas", "embed", "frame", "hr", "iframe", "img", "input", "meter",
    "object", "progress", "svg", "video",
];

/// A script or stylesheet that a page needs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in super::super) struct Part {
    pub(in super::super) url: Url,
    pub(in super::super) kind: Kind,
}

/// What a part is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in super::super) enum Kind {
    /// `<script src>`.
    Script,
    /// `<script type="module" src>`.
    Module,
    /// `<link rel="stylesheet">`.
    Stylesheet,
}

impl Kind {
    /// Whether a browser would use what came with these headers as such; `Err` with the type that
    /// it has. Browsers refuse modules and stylesheets of another type. Scripts they try whatever
    /// they are, but what is served in the place of a missing script is none.
    pub(in super::super) fn suits(self, headers: &HeaderMap) -> Result<(), String> {
        let Some(value) = headers.get(CONTENT_TYPE) else {
            return if self == Self::Module { Err("none".to_owned()) } else { Ok(()) };
        };
        let essence = essence(value);
        let is_script = SCRIPTS.contains(&essence.as_str());
        let sniffed = headers
            .get(X_CONTENT_TYPE_OPTIONS)
            .is_none_or(|value| !value.as_bytes().eq_ignore_ascii_case(b"nosniff"));
        let unsaid = matches!(essence.as_str(), "" | "text/plain" | "application/octet-stream");
        let suits = match self {
            Self::Script => is_script || (sniffed && unsaid),
            Self::Module => is_script,
            Self::Stylesheet => essence == "text/css",
        };
        if suits { Ok(()) } else { Err(essence) }
    }
}

/// A media type without its parameters.
fn essence(value: &HeaderValue) -> String {
    let text = String::from_utf8_lossy(value.as_bytes());
    text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// Judges the page that came from `url`.
///
/// 1. It must be HTML.
/// 2. It has something to see: a text, a picture, a form's field.
/// 3. Or it has scripts, and something for them to fill: an element with an `id`, an element of
///    the page's own making (`<app-root>`), or what is hidden until they have run.
/// 4. Otherwise it is blank.
/// 5. What it names must load, but that is for others to find out.
pub(super) fn judge(document: &Html, headers: &HeaderMap, url: &Url) -> Result<Vec<Part>, Reason> {
    if let Some(value) = headers.get(CONTENT_TYPE) {
        let got = essence(value);
        if !matches!(got.as_str(), "text/html" | "application/xhtml+xml") {
            return Err(Reason::Header {
                expected: "header content-type of a page".to_owned(),
                got,
            });
        }
    }
    let looks = look(document);
    let fills = looks.scripts && (looks.root || looks.hidden);
    if !(looks.seen || fills) {
        return Err(Reason::PageBlank);
    }
    parts(document, url)
}

/// What there is in a page.
#[derive(Clone, Copy, Debug, Default)]
struct Looks {
    /// Something to see.
    seen: bool,
    /// Something to see once it is shown.
    hidden: bool,
    /// An element that a script would fill.
    root: bool,
    /// A script that runs.
    scripts: bool,
}

fn look(document: &Html) -> Looks {
    let mut looks = Looks::default();
    // Each node with whether it is inside of something unseen, and of something hidden.
    let mut waiting = vec![(document.tree.root(), false, false)];
    while let Some((node, mut unseen, mut hidden)) = waiting.pop() {
        match node.value() {
            Node::Element(element) => {
                hidden |= is_hidden(element);
                looks.note(element, hidden);
                unseen |= UNSEEN.contains(&element.name());
                // Nothing in these is an element, or ever will be without a script.
                if matches!(element.name(), "template" | "noscript") {
                    continue;
                }
            }
            Node::Text(text) if !unseen && !text.trim().is_empty() => looks.note_sight(hidden),
            Node::Text(_)
            | Node::Document
            | Node::Fragment
            | Node::Doctype(_)
            | Node::Comment(_)
            | Node::ProcessingInstruction(_) => {}
        }
        waiting.extend(node.children().map(|child| (child, unseen, hidden)));
    }
    looks
}

impl Looks {
    fn note(&mut self, element: &Element, hidden: bool) {
        let name = element.name();
        if name == "script" {
            self.scripts |= script_kind(element).is_some();
            return;
        }
        let refreshes = name == "meta"
            && element.attr("http-equiv").is_some_and(|it| it.eq_ignore_ascii_case("refresh"));
        if refreshes || SEEN.contains(&name) && element.attr("type") != Some("hidden") {
            self.note_sight(hidden);
        }
        let of_the_head =
            matches!(name, "html" | "head" | "title" | "meta" | "link" | "base" | "style");
        let own_making = name.contains('-');
        self.root |= !of_the_head && (own_making || element.attr("id").is_some());
    }

    fn note_sight(&mut self, hidden: bool) {
        if hidden {
            self.hidden = true;
        } else {
            self.seen = true;
        }
    }
}

/// Whether the page itself hides the element, as far as it can be told without its stylesheets.
fn is_hidden(element: &Element) -> bool {
    let style = element.attr("style").unwrap_or_default();
    let style: String =
        style.chars().filter(|c| !c.is_whitespace()).collect::<String>().to_ascii_lowercase();
    element.attr("hidden").is_some()
        || style.contains("display:none")
        || style.contains("visibility:hidden")
}

/// The kind of a `<script>`, if a browser of today runs it: others are data, or for browsers that
/// know no modules.
fn script_kind(element: &Element) -> Option<Kind> {
    let written = element.attr("type").unwrap_or_default().trim().to_ascii_lowercase();
    match written.as_str() {
        "module" => Some(Kind::Module),
        "" => Some(Kind::Script),
        other if SCRIPTS.contains(&other) => Some(Kind::Script),
        _ => None,
    }
    .filter(|kind| *kind == Kind::Module || element.attr("nomodule").is_none())
}

/// The scripts and stylesheets that `document` names, in its order, each once.
fn parts(document: &Html, url: &Url) -> Result<Vec<Part>, Reason> {
    let mut base: Option<Url> = None;
    let mut named: Vec<(&str, Kind)> = Vec::new();
    for node in document.tree.root().descendants() {
        let Some(element) = node.value().as_element() else { continue };
        if let ("base", Some(href), None) = (element.name(), element.attr("href"), &base) {
            base = url.join(href.trim()).ok();
        }
        let Some(part) = named_part(element) else { continue };
        let mut above = node.ancestors().filter_map(|above| above.value().as_element());
        if !above.any(|above| matches!(above.name(), "template" | "noscript")) {
            named.push(part);
        }
    }
    let base = base.as_ref().unwrap_or(url);
    let mut known = BTreeSet::new();
    let mut parts = Vec::new();
    for (href, kind) in named {
        let mut url = base.join(href).map_err(|error| Reason::PagePart {
            url: href.to_owned(),
            detail: format!("not a URL: {error}"),
        })?;
        // What stands in the page itself is loaded with it.
        if !matches!(url.scheme(), "http" | "https") {
            continue;
        }
        url.set_fragment(None);
        let part = Part { url, kind };
        if known.insert(part.clone()) {
            parts.push(part);
        }
        if parts.len() == MOST_PARTS {
            break;
        }
    }
    Ok(parts)
}

/// What an element names that must be loaded for the page to be seen on a screen.
fn named_part(element: &Element) -> Option<(&str, Kind)> {
    let (href, kind) = match element.name() {
        "script" => (element.attr("src")?, script_kind(element)?),
        "link" => {
            let rel = element.attr("rel")?.to_ascii_lowercase();
            let is = |word: &str| rel.split_ascii_whitespace().any(|other| other == word);
            let media = element.attr("media").unwrap_or_default().trim();
            let unused = element.attr("disabled").is_some() || media.eq_ignore_ascii_case("print");
            if !is("stylesheet") || is("alternate") || unused {
                return None;
            }
            (element.attr("href")?, Kind::Stylesheet)
        }
        _ => return None,
    };
    let href = href.trim();
    (!href.is_empty()).then_some((href, kind))
}
