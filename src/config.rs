//! From text to a validated [`Config`], in two steps.
//!
//! `raw` reads a TOML document into typed settings that still know where they stand; each type
//! of setting has one file under `setting` with its spellings, its errors and its schema.
//! `validate` then weighs the settings against each other and makes the [`plan`]. Neither step
//! stops at a mistake: all mistakes of all files are gathered and reported at once.

pub mod plan;
pub mod secret;

mod load;
mod mistake;
mod problem;
mod raw;
mod reader;
mod schema;
mod setting;
mod suggest;
mod validate;
mod variables;

pub use load::{load, parse, parse_with};
pub use plan::expect::{
    Comparison, CountRange, HeaderExpect, HtmlExpect, HttpExpect, JsonExpect, JsonTest,
    RecordLimits, SizeRange, TimeFormat, UrlExpect,
};
pub use plan::login::{
    Account, Action, Chosen, CookieExpect, Extract, ExtractFrom, JsonTemplate, LoginStep, PostBody,
    Rejection, SameSite, Template, TemplateHeader, TemplatePart, TokenExpect, Totp, TotpAlgorithm,
    UserName, Variable,
};
pub use plan::tcp::{
    CertificateLimits, Piece, Security, StapleWanted, Starttls, Step, TcpCheck, TlsCheck,
};
pub use plan::{
    Addresses, Alertmanager, Auth, BodyTemplate, BodyTemplateError, Check, CheckKind, ClockCheck,
    ClockLimits, ClockTarget, Component, Config, Contents, DnsCheck, DnsExpect, DnsMatches,
    DnsServers, DnsTransport, Dnssec, Family, GrpcCheck, HeaderText, Heartbeat, HeartbeatUrl,
    HttpCheck, HttpClient, HttpVersion, IcmpCheck, Identity, LoginCheck, LossLimits, Maintenance,
    NameServer, OAuth2, PagerDuty, Platform, ProberCheck, ProberPlan, Proxy, ProxyKind, Publish,
    Reference, RequestBody, StatusSet, Statuspage, TimePlace, TlsSettings, TtlLimits, VendorPage,
    Webhook, WebsocketCheck,
};
pub use problem::{ConfigError, Problem, SourceFile};
pub use schema::schema;
pub use secret::{Secret, SecretProblem, SecretRef, Secrets, SecretsError};
pub(crate) use setting::secret::looks_secret;
pub(crate) use suggest::nearest;
pub use variables::Overrides;
