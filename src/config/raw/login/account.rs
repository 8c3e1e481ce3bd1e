//! Whom a login logs in.

use std::num::NonZeroU8;
use std::ops::Range;
use std::sync::Arc;

use serde_json::{Value, json};
use toml::Spanned;
use toml::de::DeValue;

use super::super::super::mistake::Mistake;
use super::super::super::plan::login::{Account, Totp, TotpAlgorithm, UserName};
use super::super::super::problem::Problems;
use super::super::super::reader::{Field, Key, Node, Reader, Section, Setting};
use super::super::super::secret::SecretRef;
use super::super::super::setting::choice::{choose, word_schema};
use super::super::super::setting::count::Whole;
use super::super::super::setting::duration::{Duration, MINUTE};
use super::super::super::setting::secret;
use super::super::super::setting::text::Line;
use crate::model::Span;

/// More test accounts than anybody keeps.
const MOST: usize = 20;

const ACCOUNT: Key<RawAccount> = Key::new("account", "Whom it logs in.");
const ACCOUNTS: Key<Vec<Spanned<RawAccount>>> =
    Key::new("accounts", "Whom it logs in, one after the other from run to run.");
const LABEL: Key<Line<100>> = Key::new(
    "label",
    "What the account is called in verdicts; without it the user's name, or its number.",
);
const USER: Key<UserName> = Key::new("user", "The user's name.");
const PASSWORD: Key<SecretRef> = Key::new("password", "The user's password.");
const TOTP: Key<Totp> = Key::new("totp", "What one-time passwords are made from.");
const DIGITS: Key<Whole<6, 8>> = Key::new("digits", "How many digits one has.").or_number(6);
const PERIOD: Key<Duration<1_000, { 10 * MINUTE }>> =
    Key::new("period", "How long one is good.").or_text("30s");
const ALGORITHM: Key<TotpAlgorithm> =
    Key::new("algorithm", "The hash that they are made with.").or_text("sha1");

/// An account as it was written.
struct RawAccount {
    label: Field<Line<100>>,
    user: Option<Spanned<UserName>>,
    password: Option<Spanned<SecretRef>>,
    totp: Field<Totp>,
}

impl Section for RawAccount {
    const NAME: &'static str = "an account";

    fn read_keys(table: &mut Reader<'_, '_, '_>) -> Option<Self> {
        Some(Self {
            label: table.take(&LABEL),
            user: table.require(&USER),
            password: table.require(&PASSWORD),
            totp: table.take(&TOTP),
        })
    }
}

impl RawAccount {
    fn settle(self, number: usize) -> Option<Account> {
        let user = self.user?.into_inner();
        let label = match (self.label.optional()?, &user) {
            (Some(label), _) => label.0.into(),
            (None, UserName::Plain(name)) => name.clone(),
            (None, UserName::Secret(_)) => format!("account {number}").into(),
        };
        let password = self.password?.into_inner();
        Some(Account { label, user, password, totp: self.totp.optional()? })
    }
}

/// The accounts, as they were written.
pub(super) struct RawAccounts {
    one: Field<RawAccount>,
    many: Field<Vec<Spanned<RawAccount>>>,
}

impl RawAccounts {
    pub(super) fn ask(table: &mut Reader<'_, '_, '_>) -> Self {
        Self { one: table.take(&ACCOUNT), many: table.take(&ACCOUNTS) }
    }

    /// What they come to: nobody, if nobody is named.
    pub(super) fn settle(self, table: &mut Reader<'_, '_, '_>) -> Option<Vec<Account>> {
        let raw = match (self.one, self.many) {
            (Field::Absent, Field::Absent) => return Some(Vec::new()),
            (Field::Given(one), Field::Absent) => vec![one],
            (Field::Absent, Field::Given(many)) => {
                let (span, many) = (many.span(), many.into_inner());
                if !(1..=MOST).contains(&many.len()) {
                    let got = format!("{} accounts", many.len());
                    let (least, most) = ("1".to_owned(), MOST.to_string());
                    table.report(span, Mistake::OutOfRange { got, least, most });
                    return None;
                }
                many
            }
            (Field::Given(one), Field::Given(many)) => {
                let keys: &[&str] = &["account", "accounts"];
                let mistake = Mistake::SeveralOf { section: "`login`", keys };
                table.report_all(vec![one.span(), many.span()], mistake);
                return None;
            }
            (Field::Wrong, _) | (_, Field::Wrong) => return None,
        };
        let mut taken: Vec<(Arc<str>, Range<usize>)> = Vec::new();
        let mut accounts = Vec::with_capacity(raw.len());
        for (n, raw) in raw.into_iter().enumerate() {
            let span = raw.span();
            let account = raw.into_inner().settle(n + 1)?;
            if let Some((name, first)) = taken.iter().find(|(name, _)| *name == account.label) {
                let places = vec![first.clone(), span];
                let name = name.to_string();
                let mistake = Mistake::DuplicateName { what: "accounts", name, key: LABEL.name() };
                table.report_all(places, mistake);
                return None;
            }
            taken.push((account.label.clone(), span));
            accounts.push(account);
        }
        Some(accounts)
    }
}

impl Setting for UserName {
    const EXPECTED: &'static str = "a text in quotes, or { env = \"NAME\" }";

    fn read(node: &Node<'_>, problems: &mut Problems<'_>) -> Option<Self> {
        match node.get_ref() {
            DeValue::String(_) => {
                Line::<200>::read(node, problems).map(|line| Self::Plain(line.0.into()))
            }
            DeValue::Table(_) => SecretRef::read(node, problems).map(Self::Secret),
            DeValue::Integer(_)
            | DeValue::Float(_)
            | DeValue::Boolean(_)
            | DeValue::Datetime(_)
            | DeValue::Array(_) => Self::wrong_type(node, problems),
        }
    }

    fn schema() -> Value {
        json!({ "anyOf": [Line::<200>::schema(), SecretRef::schema()] })
    }
}

const ALGORITHMS: [(&str, TotpAlgorithm); 3] = [
    ("sha1", TotpAlgorithm::Sha1),
    ("sha256", TotpAlgorithm::Sha256),
    ("sha512", TotpAlgorithm::Sha512),
];

impl Setting for TotpAlgorithm {
    const EXPECTED: &'static str = "a hash such as \"sha1\"";

    fn read(node: &Node<'_>, problems: &mut Problems<'_>) -> Option<Self> {
        choose::<Self, _>(node, "a hash of one-time passwords", &ALGORITHMS, problems)
    }

    fn schema() -> Value {
        word_schema(&ALGORITHMS)
    }
}

impl Section for Totp {
    const NAME: &'static str = "`totp`";

    fn read_keys(table: &mut Reader<'_, '_, '_>) -> Option<Self> {
        let seed = secret::ask(table);
        let (digits, period) = (table.take(&DIGITS), table.take(&PERIOD));
        let algorithm = table.take(&ALGORITHM);
        let digits = u8::try_from(digits.or(Whole(6))?.0).ok().and_then(NonZeroU8::new)?;
        let period = period.or(Duration(Span::from_secs(30)))?.0;
        Some(Self { seed: seed?, digits, period, algorithm: algorithm.or(TotpAlgorithm::Sha1)? })
    }
}
