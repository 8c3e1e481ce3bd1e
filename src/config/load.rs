//! From paths to texts, and from texts to the configuration.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{ErrorKind, Read};
use std::ops::Range;
use std::path::{Path, PathBuf};

use toml::de::DeTable;

use super::mistake::Mistake;
use super::plan::{Config, Platform, ProberPlan};
use super::problem::{ConfigError, Problem, Problems, SourceFile, collect};
use super::raw::RawFile;
use super::raw::prober::RawProberFile;
use super::reader::read_section;
use super::setting::secret::looks_secret;
use super::setting::size;
use super::validate::prober::prober as validate_prober;
use super::validate::{Claim, validate};
use super::variables::{self, Overrides};

/// The most that a probe file may have; people write a hundredth of it.
const LARGEST_FILE: u64 = 1 << 20;

/// So many breaks of the syntax are told of one file; most of them follow from the first.
const SYNTAX_ERRORS_SHOWN: usize = 20;

/// Reads the probe files at `paths`; of a directory, every `*.toml` in it, in the order of their
/// names. Their variables have the values that `overrides` has for them. Needs no network and no
/// secrets.
///
/// # Errors
///
/// Every mistake in every file, and every path that cannot be read.
pub fn load(paths: &[PathBuf], overrides: &Overrides) -> Result<Config, ConfigError> {
    let mut problems = Vec::new();
    let mut files = Vec::new();
    let mut seen = BTreeSet::new();
    for path in find(paths, &mut problems) {
        // A directory and a file of it may both be named; the file is one file all the same.
        let real = path.canonicalize().unwrap_or_else(|_| path.clone());
        if !seen.insert(real) {
            continue;
        }
        match read(&path) {
            Ok(text) => files.push(SourceFile { name: path.display().to_string(), text }),
            Err(mistake) => problems.push(Problem::of_path(&path, mistake)),
        }
    }
    let (config, found) = parse_all(&files, overrides);
    problems.extend(found);
    if problems.is_empty() { Ok(config) } else { Err(ConfigError::new(problems)) }
}

/// Reads probe files that are texts already.
///
/// # Errors
///
/// Every mistake in every file.
pub fn parse(files: &[SourceFile]) -> Result<Config, ConfigError> {
    parse_with(files, &Overrides::default())
}

/// As [`parse`], with the values of `overrides` for their variables.
///
/// # Errors
///
/// Every mistake in every file, and every value for a variable that no file has.
pub fn parse_with(files: &[SourceFile], overrides: &Overrides) -> Result<Config, ConfigError> {
    let (config, problems) = parse_all(files, overrides);
    if problems.is_empty() { Ok(config) } else { Err(ConfigError::new(problems)) }
}

/// The files that the paths lead to.
fn find(paths: &[PathBuf], problems: &mut Vec<Problem>) -> Vec<PathBuf> {
    if paths.is_empty() {
        problems.push(Problem::of_path(Path::new(""), Mistake::NoFiles));
    }
    let mut files = Vec::new();
    for path in paths {
        let found = std::fs::metadata(path)
            .and_then(|meta| if meta.is_dir() { list(path) } else { Ok(vec![path.clone()]) });
        match found {
            Ok(found) if found.is_empty() => {
                problems.push(Problem::of_path(path, Mistake::EmptyDirectory));
            }
            Ok(found) => files.extend(found),
            Err(error) => problems.push(Problem::of_path(path, unreadable(&error))),
        }
    }
    files
}

/// The probe files of a directory. Those whose names begin with a dot are editors' and mounts'.
fn list(directory: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(directory)? {
        let path = entry?.path();
        let hidden = path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        let toml = path.extension().is_some_and(|extension| extension == "toml");
        if toml && !hidden && !path.is_dir() {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

fn read(path: &Path) -> Result<String, Mistake> {
    let mut bytes = Vec::new();
    std::fs::File::open(path)
        .and_then(|file| file.take(LARGEST_FILE + 1).read_to_end(&mut bytes))
        .map_err(|error| unreadable(&error))?;
    // Measured before it is read as text: what was cut off may end within a letter.
    if bytes.len() as u64 > LARGEST_FILE {
        return Err(too_large());
    }
    String::from_utf8(bytes)
        .map_err(|error| Mistake::NotUtf8 { at: error.utf8_error().valid_up_to() })
}

fn unreadable(error: &std::io::Error) -> Mistake {
    if error.kind() == ErrorKind::NotFound {
        Mistake::NotFound
    } else {
        Mistake::Unreadable { reason: error.to_string() }
    }
}

fn too_large() -> Mistake {
    Mistake::TooLarge { limit: size::show(LARGEST_FILE) }
}

/// What one file comes to.
#[derive(Default)]
struct Parsed {
    variables: BTreeSet<String>,
    claim: Option<Claim>,
    platform: Option<Platform>,
    /// Where the file says that it is about the prober, and what it says.
    prober: Option<(Range<usize>, Option<ProberPlan>)>,
}

/// Both steps for every file, and then what only all of them together show.
fn parse_all(files: &[SourceFile], overrides: &Overrides) -> (Config, Vec<Problem>) {
    let mut known = BTreeSet::new();
    let mut gathered = Vec::new();
    let mut claims = Vec::new();
    let mut platforms = Vec::new();
    let mut probers = Vec::new();
    for (index, file) in files.iter().enumerate() {
        let mut problems = Problems::new(file);
        let parsed = parse_one(file, overrides, &mut problems);
        let Parsed { variables, claim, platform, prober } = parsed;
        known.extend(variables);
        gathered.push(problems);
        claims.push(claim);
        platforms.extend(platform);
        probers.extend(prober.map(|(place, plan)| (index, place, plan)));
    }
    refuse_duplicates(&claims, &mut gathered);
    refuse_second_prober(&probers, &mut gathered);
    platforms.sort_by(|a: &Platform, b| a.id.cmp(&b.id));
    let prober = probers.into_iter().find_map(|(_, _, plan)| plan).unwrap_or_default();
    let nowhere = Path::new("");
    let unknown = overrides.unknown(&known).into_iter();
    let mut problems: Vec<Problem> =
        unknown.map(|mistake| Problem::of_path(nowhere, mistake)).collect();
    problems.extend(collect(gathered));
    (Config { platforms, prober }, problems)
}

fn parse_one(file: &SourceFile, overrides: &Overrides, problems: &mut Problems<'_>) -> Parsed {
    if file.text.len() as u64 > LARGEST_FILE {
        problems.report(0..0, too_large());
        return Parsed::default();
    }
    let (mut document, errors) = DeTable::parse_recoverable(&file.text);
    let variables = variables::fill_in(document.get_mut(), overrides, problems);
    let parsed = read_either(document.get_mut(), file, problems);
    if errors.is_empty() {
        return Parsed { variables, ..parsed };
    }
    let places: Vec<Range<usize>> = errors.iter().filter_map(toml::de::Error::span).collect();
    problems.forget_echoes_of(&places);
    for error in errors.iter().take(SYNTAX_ERRORS_SHOWN) {
        let span = error.span().unwrap_or_default();
        hide_secret_line(file, span.start, problems);
        problems.report(span, Mistake::syntax(error.message()));
    }
    // An id that was read from a broken file may not be the one that its author wrote.
    Parsed { variables, ..Parsed::default() }
}

/// A file is about the prober if it has one of the tables that only such a file has. What has
/// `[platform]` as well is read as a platform's, as if nothing else stood there.
fn read_either(
    document: &mut DeTable<'_>,
    file: &SourceFile,
    problems: &mut Problems<'_>,
) -> Parsed {
    let place = |key: &str| Some(document.get_key_value(key)?.0.span());
    let platform = place("platform");
    match (RawProberFile::KEYS.into_iter().find_map(place), platform) {
        (Some(_), None) => {
            let raw = read_section::<RawProberFile>(0..0, document, problems);
            let prober = raw.and_then(|raw| validate_prober(raw, problems));
            return Parsed { prober, ..Parsed::default() };
        }
        (Some(prober), Some(platform)) => {
            let places = [(prober, Some("about the prober")), (platform, Some("about a platform"))];
            problems.report_all(places, Mistake::TwoSubjects);
            RawProberFile::KEYS.into_iter().for_each(|key| drop(document.remove(key)));
        }
        (None, _) => {}
    }
    let raw = read_section::<RawFile>(0..0, document, problems);
    let (claim, platform) = raw.map_or((None, None), |raw| validate(raw, &file.name, problems));
    Parsed { claim, platform, ..Parsed::default() }
}

/// A line whose syntax is broken is shown, but not if its key says that a secret stands there.
fn hide_secret_line(file: &SourceFile, at: usize, problems: &mut Problems<'_>) {
    let text = file.text.as_str();
    let start = text.get(..at).and_then(|before| before.rfind('\n')).map_or(0, |at| at + 1);
    let line = text.get(start..).and_then(|rest| rest.lines().next()).unwrap_or_default();
    // With a colon too: people who think of YAML write that.
    if let Some((key, value)) = line.split_once(['=', ':'])
        && (looks_secret(key) || looks_secret(value))
    {
        problems.hide(start + key.len() + 1..start + line.len());
    }
}

/// Platforms' ids are unique over all files.
fn refuse_duplicates(claims: &[Option<Claim>], files: &mut [Problems<'_>]) {
    let mut taken: BTreeMap<&str, (usize, &Claim)> = BTreeMap::new();
    for (index, claim) in claims.iter().enumerate() {
        let Some(claim) = claim else { continue };
        let Some((first, other)) = taken.get(claim.id.as_str()) else {
            taken.insert(claim.id.as_str(), (index, claim));
            continue;
        };
        let other = files.get(*first).map(|file| file.label(other.span.clone(), None));
        if let (Some(other), Some(file)) = (other, files.get_mut(index)) {
            let id = claim.id.to_string();
            let mistake =
                Mistake::DuplicateId { what: "platforms", id, source_of_id: "the file's name" };
            file.report_with_file(claim.span.clone(), (*first, other), mistake);
        }
    }
}

/// There is one prober.
fn refuse_second_prober(
    probers: &[(usize, Range<usize>, Option<ProberPlan>)],
    files: &mut [Problems<'_>],
) {
    let Some(((first, place, _), others)) = probers.split_first() else { return };
    for (index, span, _) in others {
        let one = files.get(*first).map(|file| file.label(place.clone(), None));
        if let (Some(one), Some(file)) = (one, files.get_mut(*index)) {
            file.report_with_file(span.clone(), (*first, one), Mistake::DuplicateProber);
        }
    }
}
