//! The ways in which URLs, forms, JSON, HTML and logs spell the letters of a word. Pure.

/// How often a URL is looked for within a URL within a URL.
const MOST_ENCODED: usize = 3;

/// The most backslashes that are looked for before one letter: JSON in JSON in JSON.
const MOST_ESCAPED: usize = 8;

/// Where `word` ends in `text`, if it stands at `at` in any spelling, each letter in its own. Where
/// the text was cut, `least` letters of it are enough.
pub(super) fn end(text: &[u8], at: usize, word: &[u8], least: usize) -> Option<usize> {
    let (first, more) = word.split_first()?;
    // A spelling may be the beginning of another: all are followed, which are never many.
    let mut ends: Vec<usize> = lengths(text.get(at..)?, *first).map(|length| at + length).collect();
    for (before, letter) in more.iter().enumerate() {
        if ends.is_empty() {
            return None;
        }
        if before + 1 >= least
            && let Some(cut) = ends.iter().find(|end| is_cut(text, **end))
        {
            return Some(*cut);
        }
        let mut next: Vec<usize> = Vec::new();
        for at in ends {
            for length in lengths(text.get(at..).unwrap_or_default(), *letter) {
                if !next.contains(&(at + length)) {
                    next.push(at + length);
                }
            }
        }
        ends = next;
    }
    ends.into_iter().max()
}

/// Whether `text` was cut at `at`.
pub(super) fn is_cut(text: &[u8], at: usize) -> bool {
    text.get(at..).is_some_and(|rest| rest.starts_with("…".as_bytes()))
}

/// Whether a text in Base64, of either alphabet, can have this letter.
pub(super) const fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_' | b'=')
}

/// How long `letter` is at the beginning of `text`, in every way in which it stands there. Hosts
/// are written in small letters, whatever they were: so case does not count.
fn lengths(text: &[u8], letter: u8) -> impl Iterator<Item = usize> {
    let same = |byte: &u8| byte.eq_ignore_ascii_case(&letter);
    let plain = text.first().filter(|byte| same(byte)).map(|_| 1);
    let other = match text.first() {
        Some(b'+') if letter == b' ' => Some(1),
        Some(b'&') => entity(text, letter),
        _ => None,
    };
    let escaped = (1..=MOST_ESCAPED).filter_map(move |times| backslash(text, letter, times));
    let encoded = (0..MOST_ENCODED).filter_map(move |times| percent(text, letter, times));
    plain.into_iter().chain(other).chain(escaped).chain(encoded)
}

/// `%41`, and what becomes of it when it is encoded again so many `times`: `%2541`.
fn percent(text: &[u8], letter: u8, times: usize) -> Option<usize> {
    let rest = text.strip_prefix(b"%")?;
    let again = rest.get(..2 * times)?.chunks(2).all(|code| code == b"25");
    let byte = hex(rest, 2 * times, 2).filter(|_| again)?;
    // A form has `+` for a space, which is encoded in its turn.
    let is_space = letter == b' ' && byte == u32::from(b'+');
    (byte == u32::from(letter) || is_space).then_some(3 + 2 * times)
}

/// `\"`, and `\u0041` as JSON has it, behind so many backslashes: each time that JSON is a text of
/// other JSON there are twice as many.
fn backslash(text: &[u8], letter: u8, times: usize) -> Option<usize> {
    let rest = text.get(times..)?;
    if !text.iter().take(times).all(|byte| *byte == b'\\') {
        return None;
    }
    if letter == b'\\' {
        return (times > 1 && times.is_power_of_two()).then_some(times);
    }
    match rest.first()? {
        b'u' => hex(rest, 1, 4)
            .filter(|code| *code == u32::from(letter) && *code < 128)
            .map(|_| times + 5),
        escaped if *escaped == letter && !letter.is_ascii_alphanumeric() => Some(times + 1),
        _ => None,
    }
}

/// `&amp;`, `&#65;` and `&#x41;`.
fn entity(text: &[u8], letter: u8) -> Option<usize> {
    const NAMED: [(&str, u8); 6] = [
        ("amp", b'&'),
        ("lt", b'<'),
        ("gt", b'>'),
        ("quot", b'"'),
        ("apos", b'\''),
        ("#39", b'\''),
    ];
    let length = text.iter().take(10).position(|byte| *byte == b';')?;
    let name = std::str::from_utf8(text.get(1..length)?).ok()?;
    let byte = match name.strip_prefix('#') {
        Some(number) => match number.strip_prefix(['x', 'X']) {
            Some(hex) => u8::from_str_radix(hex, 16).ok()?,
            None => number.parse().ok()?,
        },
        None => NAMED.iter().find(|(known, _)| *known == name)?.1,
    };
    (byte == letter).then_some(length + 1)
}

fn hex(text: &[u8], at: usize, digits: usize) -> Option<u32> {
    let digits = text.get(at..at + digits)?;
    let digits = digits.iter().map(|digit| char::from(*digit).to_digit(16));
    digits.collect::<Option<Vec<_>>>().map(|all| all.iter().fold(0, |sum, one| sum * 16 + one))
}
