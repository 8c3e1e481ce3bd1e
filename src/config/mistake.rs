//! Every mistake that a configuration can hold: its words, its stable code and the way to mend it.
//!
//! The codes are a contract: people search for them.

use miette::Diagnostic;
use thiserror::Error;

mod variables;
mod wording;
mod words;

pub(super) use variables::VariableMistake;
pub(super) use wording::WordingMistake;
use words::{article, one_or_two, perhaps, with_units};
pub(super) use words::{list, shorten};

/// A mistake, without its place.
#[derive(Clone, Debug, PartialEq, Eq, Error, Diagnostic)]
pub(super) enum Mistake {
    /// Neither a file nor a directory was named.
    #[error("no probe file was named")]
    #[diagnostic(
        code(farol::config::no_files),
        help("name probe files, or a directory that holds some: `probes/`")
    )]
    NoFiles,
    /// There is nothing at the path.
    #[error("there is no such file or directory")]
    #[diagnostic(
        code(farol::config::not_found),
        help("check the path, or name another; in a container, check that it is mounted")
    )]
    NotFound,
    /// The directory has no probe file.
    #[error("the directory holds no probe file")]
    #[diagnostic(
        code(farol::config::empty_directory),
        help("put at least one file there whose name ends in `.toml`")
    )]
    EmptyDirectory,
    /// The operating system would not let it be read.
    #[error("cannot be read: {reason}")]
    #[diagnostic(
        code(farol::config::unreadable),
        help("make it readable for the user that farol runs as")
    )]
    Unreadable { reason: String },
    /// The file is larger than anything that a person writes.
    #[error("larger than {limit}, the most that a probe file may have")]
    #[diagnostic(code(farol::config::too_large), help("give each platform a file of its own"))]
    TooLarge { limit: String },
    /// The file is not text.
    #[error("not UTF-8 text: byte {at} is invalid")]
    #[diagnostic(code(farol::config::not_utf8), help("save the file as UTF-8"))]
    NotUtf8 { at: usize },
    /// The text is not TOML.
    #[error("not TOML: {message}")]
    #[diagnostic(code(farol::config::syntax), help("{help}"))]
    Syntax { message: String, help: &'static str },
    /// A key that nobody knows.
    #[error("unknown key `{key}` in {section}")]
    #[diagnostic(code(farol::config::unknown_key), help("{help}"))]
    UnknownKey { key: String, section: &'static str, help: String },
    /// A key that must be there is not.
    #[error("`{key}` is missing in {section}")]
    #[diagnostic(code(farol::config::missing_key), help("add `{key}`: {about}"))]
    MissingKey { key: &'static str, section: &'static str, about: &'static str },
    /// None of the keys of which one must be there.
    #[error("{section} needs one of {}", list(.keys))]
    #[diagnostic(code(farol::config::none_of), help("add exactly one of {}", list(.keys)))]
    NoneOf { section: &'static str, keys: &'static [&'static str] },
    /// More than one of them.
    #[error("{section} takes only one of {}", list(.keys))]
    #[diagnostic(
        code(farol::config::several_of),
        help("keep one, and move the other into a table of its own")
    )]
    SeveralOf { section: &'static str, keys: &'static [&'static str] },
    /// A value of another type.
    #[error("expected {expected}, found {}", article(.found))]
    #[diagnostic(code(farol::config::wrong_type), help("write {expected}"))]
    WrongType { expected: &'static str, found: &'static str },
    /// A number where a unit is needed.
    #[error("`{got}` has no unit")]
    #[diagnostic(
        code(farol::config::no_unit),
        help("say of what, in quotes: {}", with_units(.got, .units))
    )]
    NoUnit { got: String, units: &'static [&'static str] },
    /// Not a length of time.
    #[error("`{got}` is not a length of time: {reason}")]
    #[diagnostic(
        code(farol::config::invalid_duration),
        help("write a number and a unit (ms, s, m, h, d): \"800ms\", \"30s\", \"1h 30m\"")
    )]
    InvalidDuration { got: String, reason: String },
    /// Not a part of a whole.
    #[error("`{got}` is not a part of the addresses")]
    #[diagnostic(
        code(farol::config::invalid_share),
        help("write \"all\", a part of them (\"50%\" or 0.5), or a number of them (2)")
    )]
    InvalidShare { got: String },
    /// Not a part of the runs.
    #[error("`{got}` is not a part of the runs")]
    #[diagnostic(code(farol::config::invalid_part), help("write a part of them: \"50%\" or 0.5"))]
    InvalidPart { got: String },
    /// A setting that counts addresses, on a check that has none to count.
    #[error("`{key}` counts addresses, and this check {trouble}")]
    #[diagnostic(code(farol::config::counts_no_addresses), help("{help}"))]
    CountsNoAddresses { key: &'static str, trouble: &'static str, help: &'static str },
    /// Not a size.
    #[error("`{got}` is not a size")]
    #[diagnostic(
        code(farol::config::invalid_size),
        help(
            "write a whole number and a unit (B, kB, KiB, MB, MiB, GB, GiB): \"512KiB\", \"4MiB\""
        )
    )]
    InvalidSize { got: String },
    /// Too small or too large.
    #[error("`{got}` is out of range")]
    #[diagnostic(
        code(farol::config::out_of_range),
        help("the least is {least}, the most is {most}")
    )]
    OutOfRange { got: String, least: String, most: String },
    /// One setting is larger than another lets it be.
    #[error("`{small}` ({small_value}) must be {relation} `{large}` ({large_value})")]
    #[diagnostic(code(farol::config::contradiction), help("{why}"))]
    Contradiction {
        small: &'static str,
        small_value: String,
        relation: &'static str,
        large: &'static str,
        large_value: String,
        why: &'static str,
    },
    /// A setting that another one leaves nothing to decide.
    #[error("`{key}` {trouble}")]
    #[diagnostic(code(farol::config::without_effect), help("{help}"))]
    WithoutEffect { key: &'static str, trouble: &'static str, help: &'static str },
    /// An answer to HEAD has no body.
    #[error("the answer to a HEAD request has no body to look into")]
    #[diagnostic(
        code(farol::config::head_has_no_body),
        help("use `method = \"GET\"`, or leave out what is expected of the body")
    )]
    HeadHasNoBody,
    /// Not a path into JSON.
    #[error("`{got}` is not a JSON path: {reason}")]
    #[diagnostic(
        code(farol::config::invalid_json_path),
        help("write it as RFC 9535 does: \"$.status\", \"$.agents[*].updated_at\"")
    )]
    InvalidJsonPath { got: String, reason: String },
    /// Not a CSS selector.
    #[error("`{got}` is not a CSS selector that can be used here")]
    #[diagnostic(
        code(farol::config::invalid_selector),
        help("write it as in a style sheet: \"#login\", \"form button[type=submit]\"")
    )]
    InvalidSelector { got: String },
    /// What must not be there cannot be like anything.
    #[error("what must not be there cannot be expected to be like something")]
    #[diagnostic(
        code(farol::config::absent_and_more),
        help("keep `exists = false` alone, or leave it out")
    )]
    AbsentAndMore,
    /// Not an id.
    #[error("`{got}` is not an id")]
    #[diagnostic(
        code(farol::config::invalid_id),
        help("ids have 1 to 64 of a-z, 0-9 and `-`, and begin with a letter or a digit{}", perhaps(.suggestion))
    )]
    InvalidId { got: String, suggestion: Option<String> },
    /// No id is given and the name makes none.
    #[error("no id can be made from `{name}`")]
    #[diagnostic(code(farol::config::no_id), help("give one: `id = \"...\"`, of a-z, 0-9 and `-`"))]
    NoId { name: String },
    /// A platform with an id that farol has another use for.
    #[error("a platform cannot have the id `{id}`: farol {use_of_it}")]
    #[diagnostic(
        code(farol::config::reserved_id),
        help("give it another `id` in [platform]; without one it is made from the file's name")
    )]
    ReservedId { id: String, use_of_it: String },
    /// A file about a platform and about the prober.
    #[error("a file is about a platform or about the prober, and this one about both")]
    #[diagnostic(
        code(farol::config::two_subjects),
        help("move [prober] and its [[reference]]s into a file of their own: `prober.toml`")
    )]
    TwoSubjects,
    /// Two files about the prober.
    #[error("two files are about the prober, and there is only one")]
    #[diagnostic(
        code(farol::config::duplicate_prober),
        help("make them one: a single [prober], with the [[reference]]s of both below it")
    )]
    DuplicateProber,
    /// References that cannot outvote each other.
    #[error("{} cannot tell whose trouble it is", one_or_two(*.count))]
    #[diagnostic(
        code(farol::config::too_few_references),
        help(
            "one of them that fails would be a majority: name at least three, NTP servers \
             counted, or none at all, or leave `find_references` out"
        )
    )]
    TooFewReferences { count: usize },
    /// A reference that asks how we are ourselves.
    #[error("a reference must be somebody else, and `prober` is farol itself")]
    #[diagnostic(
        code(farol::config::reference_to_ourselves),
        help("ask something that only answers while this host's network is well")
    )]
    ReferenceToOurselves,
    /// Two of a kind have one id.
    #[error("two {what} have the id `{id}`")]
    #[diagnostic(
        code(farol::config::duplicate_id),
        help("give one of them another `id`; without one it is made from {source_of_id}")
    )]
    DuplicateId { what: &'static str, id: String, source_of_id: &'static str },
    /// Two components would write to one of the page's.
    #[error("two components have the `{key}` `{id}`")]
    #[diagnostic(
        code(farol::config::duplicate_page_id),
        help(
            "they would overwrite each other's status: give each its own, or make them one component"
        )
    )]
    DuplicatePageId { key: &'static str, id: String },
    /// A component that nobody knows.
    #[error("there is no component `{got}` in this file")]
    #[diagnostic(code(farol::config::unknown_component), help("{help}"))]
    UnknownComponent { got: String, help: String },
    /// Not a point in time.
    #[error("`{got}` is not a point in time")]
    #[diagnostic(
        code(farol::config::invalid_moment),
        help(
            "write a date and a time by the platform's clocks (\"2024-11-20 02:00\"), or with an \
             offset (\"2024-11-20T05:00:00Z\")"
        )
    )]
    InvalidMoment { got: String },
    /// Not a rule by which something recurs.
    #[error("`{got}` is no rule to recur by: {reason}")]
    #[diagnostic(code(farol::config::invalid_recurrence), help("{help}"))]
    InvalidRecurrence { got: String, reason: String, help: &'static str },
    /// Something that would be over before it begins.
    #[error("it would be over before it begins")]
    #[diagnostic(code(farol::config::ends_before_start), help("let `end` be later than `start`"))]
    EndsBeforeStart,
    /// Components that depend on each other.
    #[error("a component cannot depend on itself: {cycle}")]
    #[diagnostic(
        code(farol::config::dependency_cycle),
        help("leave out the one that can do without the other, at least for a while")
    )]
    DependencyCycle { cycle: String },
    /// A header stands there twice.
    #[error("the header `{name}` is given twice")]
    #[diagnostic(
        code(farol::config::duplicate_header),
        help("keep one; upper and lower case do not count in a header's name")
    )]
    DuplicateHeader { name: String },
    /// A platform without components.
    #[error("the platform has no component")]
    #[diagnostic(
        code(farol::config::empty_platform),
        help("add at least one `[[component]]` with a `name` and a `[[component.check]]`")
    )]
    EmptyPlatform,
    /// A component without checks.
    #[error("the component has no check, so it would always be called operational")]
    #[diagnostic(
        code(farol::config::no_checks),
        help("add a `[[component.check]]` below it, or remove the component")
    )]
    NoChecks,
    /// A component that the page cannot be told of.
    #[error("the component has no `{key}`, and its platform is published by [publish.{page}]")]
    #[diagnostic(
        code(farol::config::no_page_id),
        help("add `{key}`, the component's id on that page, or remove [publish.{page}]")
    )]
    NoPageId { key: &'static str, page: &'static str },
    /// A text that cannot be what it is for.
    #[error("this text is {trouble}")]
    #[diagnostic(
        code(farol::config::invalid_text),
        help("write 1 to {most} characters{}", if *.one_line { " on one line" } else { "" })
    )]
    InvalidText { trouble: &'static str, most: usize, one_line: bool },
    /// Not one of the words.
    #[error("`{got}` is not {what}")]
    #[diagnostic(code(farol::config::unknown_word), help("{help}"))]
    UnknownWord { got: String, what: &'static str, help: String },
    /// Not a set of status codes.
    #[error("`{got}` is not a status code or a range of them")]
    #[diagnostic(
        code(farol::config::invalid_status),
        help("write a code from 100 to 599 (`200`), a class (\"2xx\") or a range (\"301-303\")")
    )]
    InvalidStatus { got: String },
    /// A list that nothing can satisfy.
    #[error("no status would ever pass")]
    #[diagnostic(
        code(farol::config::no_status),
        help("name at least one status code, or leave `status` out for \"2xx\"")
    )]
    NoStatus,
    /// Not a regular expression.
    #[error("not a regular expression: {reason}")]
    #[diagnostic(
        code(farol::config::invalid_pattern),
        help(
            "the syntax is https://docs.rs/regex/#syntax; 'single quotes' need no doubled backslash"
        )
    )]
    InvalidPattern { reason: String },
    /// A template that makes no JSON.
    #[error("this template makes no JSON of a sample: {reason}")]
    #[diagnostic(
        code(farol::config::invalid_template),
        help(
            "what is filled in brings its own quotes: `{{ \"text\": {{{{ title }}}} }}`; \
             docs/status-apis.md has all that there is"
        )
    )]
    InvalidTemplate { reason: String },
    /// What is to be sent was never captured.
    #[error("nothing before this captures `{{{{{got}}}}}`")]
    #[diagnostic(code(farol::config::unknown_capture), help("{help}"))]
    UnknownCapture { got: String, help: String },
    /// Something about the variables of the file or of a matrix.
    #[error(transparent)]
    #[diagnostic(transparent)]
    OfVariables(VariableMistake),
    /// A value stands there twice.
    #[error("the value `{value}` is given twice")]
    #[diagnostic(code(farol::config::duplicate_value), help("keep one of them"))]
    DuplicateValue { value: String },
    /// Nothing gives this variable a value.
    #[error("nothing before this gives `{{{{{got}}}}}`")]
    #[diagnostic(code(farol::config::unset_variable), help("{help}"))]
    UnsetVariable { got: String, help: String },
    /// A variable whose braces are not closed.
    #[error("`{got}` begins a variable and does not end it")]
    #[diagnostic(
        code(farol::config::open_variable),
        help("close it with two braces, as in `{{{{user}}}}`")
    )]
    OpenVariable { got: String },
    /// Not the name of a variable.
    #[error("`{got}` cannot be the name of what is extracted")]
    #[diagnostic(
        code(farol::config::invalid_name),
        help("names begin with a letter and have letters, digits and `_`; taken are {taken}")
    )]
    InvalidName { got: String, taken: String },
    /// A step that needs an answer before there is one.
    #[error("no step before this has got an answer")]
    #[diagnostic(
        code(farol::config::no_answer_yet),
        help("let a step with `get` or `post` come first")
    )]
    NoAnswerYet,
    /// A secret in a URL.
    #[error("a {what} must not stand in a URL: logs on the way keep those")]
    #[diagnostic(
        code(farol::config::secret_in_url),
        help("send it in the body (`post` with a `form`) or in a header")
    )]
    SecretInUrl { what: &'static str },
    /// A step that does nothing.
    #[error("this step looks at the last answer, but for nothing")]
    #[diagnostic(
        code(farol::config::looks_for_nothing),
        help("add what it must be like (`contains`, `json`, `html`), or something to `extract`")
    )]
    LooksForNothing,
    /// Two of a kind have one name.
    #[error("two {what} are called `{name}`")]
    #[diagnostic(
        code(farol::config::duplicate_name),
        help("verdicts tell them apart by it: give one of them another `{key}`")
    )]
    DuplicateName { what: &'static str, name: String, key: &'static str },
    /// A login that does nothing.
    #[error("the login has no step")]
    #[diagnostic(
        code(farol::config::no_steps),
        help("add `steps`, or a short form such as `form_login = {{}}`")
    )]
    NoSteps,
    /// Not bytes in hexadecimal.
    #[error("not bytes in hexadecimal: {reason}")]
    #[diagnostic(
        code(farol::config::invalid_hex),
        help("write two digits of 0-9 and a-f for each byte: \"0a ff\"")
    )]
    InvalidHex { reason: &'static str },
    /// A script and its short form.
    #[error("`send` and `expect` are the short form of a `script`, and there is a script")]
    #[diagnostic(
        code(farol::config::script_twice),
        help("make them steps of it: script = [{{ send = \"...\" }}, {{ expect = \"...\" }}]")
    )]
    ScriptTwice,
    /// TLS is asked for where there is TLS.
    #[error("the connection is asked to change over to TLS twice")]
    #[diagnostic(
        code(farol::config::tls_twice),
        help("keep one of `tls = true`, `starttls` and a step with `starttls = true`")
    )]
    TlsTwice,
    /// An expectation of TLS where there is none.
    #[error("there is no certificate to look at without TLS")]
    #[diagnostic(code(farol::config::no_tls), help("{help}"))]
    NoTls { help: &'static str },
    /// Not a URL.
    #[error("not a URL: {reason}")]
    #[diagnostic(
        code(farol::config::invalid_url),
        help("write it whole: \"https://desk.example/health\"")
    )]
    InvalidUrl { reason: String },
    /// A URL of another scheme.
    #[error("the scheme `{scheme}` cannot be used here")]
    #[diagnostic(code(farol::config::url_scheme), help("begin with {known}"))]
    UrlScheme { scheme: String, known: &'static str },
    /// A URL with a path where there can be none.
    #[error("gRPC has paths of its own, and this URL has one too")]
    #[diagnostic(
        code(farol::config::url_path),
        help("end it after the host or the port: \"https://desk.example:443\"")
    )]
    UrlPath,
    /// A URL with a user or a password.
    #[error("a URL must not hold a user name or a password")]
    #[diagnostic(
        code(farol::config::url_credentials),
        help(
            "send a header from a secret: \
             headers = {{ Authorization = {{ env = \"NAME\", prefix = \"Basic \" }} }}"
        )
    )]
    UrlCredentials,
    /// Not `host:port`.
    #[error("`{got}` is not an address: {reason}")]
    #[diagnostic(
        code(farol::config::invalid_address),
        help(
            "write a host and a port: \"mail.example:25\", \"192.0.2.1:25\", \"[2001:db8::1]:25\""
        )
    )]
    InvalidAddress { got: String, reason: String },
    /// A name server that is neither an address nor a URL.
    #[error("`{got}` is not a name server")]
    #[diagnostic(
        code(farol::config::invalid_server),
        help(
            "write an IP address, with a port if it is not 53: \"192.0.2.53\", \
             \"[2001:db8::53]:5353\"; or a URL: \"tcp://192.0.2.53\", \
             \"tls://192.0.2.53#dns.example\", \"https://dns.example/dns-query\""
        )
    )]
    InvalidServer { got: String },
    /// Not an IP address.
    #[error("`{got}` is not an IP address")]
    #[diagnostic(
        code(farol::config::invalid_ip),
        help("write it as in \"192.0.2.7\" or \"2001:db8::7\", without a port")
    )]
    InvalidIp { got: String },
    /// A choice of addresses that are not known here.
    #[error("the proxy resolves the name, so its addresses cannot be chosen here")]
    #[diagnostic(
        code(farol::config::proxy_resolves),
        help("leave out `family` and `addresses = \"all\"`, or use a `socks5://` proxy")
    )]
    ProxyResolves,
    /// Not a domain name.
    #[error("`{got}` is not a domain name: {reason}")]
    #[diagnostic(code(farol::config::invalid_domain), help("write it as in \"desk.example\""))]
    InvalidDomain { got: String, reason: String },
    /// A record that the query cannot have for an answer.
    #[error("`{got}` is not what {article} record holds", article = article(.record_type))]
    #[diagnostic(
        code(farol::config::invalid_record),
        help("write an address as in {example}, or change `type`")
    )]
    InvalidRecord { got: String, record_type: &'static str, example: &'static str },
    /// Not a header.
    #[error("not a valid header {part}")]
    #[diagnostic(
        code(farol::config::invalid_header),
        help("names have letters, digits and `-`; values are one line of visible ASCII")
    )]
    InvalidHeader { part: &'static str },
    /// A header that the client sets by itself.
    #[error("the header `{name}` is set by farol itself")]
    #[diagnostic(
        code(farol::config::reserved_header),
        help("remove it: `Host` comes from the URL, the others from the protocol or the body")
    )]
    ReservedHeader { name: String },
    /// A secret in plain text.
    #[error("{what} must not stand in the file")]
    #[diagnostic(
        code(farol::config::plain_secret),
        help(
            "refer to it: {{ env = \"NAME\" }} or {{ file = \"/run/secrets/name\" }}; \
             this one has been in a file: change it"
        )
    )]
    PlainSecret { what: &'static str },
    /// Something about the platform's own words.
    #[error(transparent)]
    #[diagnostic(transparent)]
    OfWords(WordingMistake),
    /// A reference that cannot lead to a secret.
    #[error("{trouble}")]
    #[diagnostic(
        code(farol::config::invalid_secret),
        help("write {{ env = \"NAME\" }} or {{ file = \"/run/secrets/name\" }}")
    )]
    InvalidSecret { trouble: &'static str },
}
