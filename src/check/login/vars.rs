//! What stands for the variables of a flow, and texts with them filled in.

use std::collections::BTreeMap;
use std::sync::Arc;

use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use sha2::{Digest, Sha256};

use super::totp;
use crate::clock::Clock;
use crate::config::{
    Account, JsonTemplate, SecretRef, Secrets, Template, TemplatePart, Totp, UserName, Variable,
};
use crate::model::Reason;
use crate::veil::Veil;

/// The variables of one flow of one account.
pub(super) struct Vars<'a> {
    secrets: &'a Secrets,
    account: Option<&'a Account>,
    clock: Clock,
    /// What is made here is hidden wherever it comes back.
    veil: &'a Veil,
    /// What all random texts come from: the same name stands for the same text all through.
    seed: [u8; 32],
    one_time: Option<String>,
    extracted: BTreeMap<Arc<str>, String>,
}

impl<'a> Vars<'a> {
    pub(super) fn new(
        secrets: &'a Secrets,
        account: Option<&'a Account>,
        clock: Clock,
        veil: &'a Veil,
    ) -> Result<Self, Reason> {
        let mut seed = [0; 32];
        getrandom::fill(&mut seed)
            .map_err(|error| Reason::ProberExhausted { detail: error.to_string() })?;
        let (one_time, extracted) = (None, BTreeMap::new());
        Ok(Self { secrets, account, clock, veil, seed, one_time, extracted })
    }

    /// Notes what a step has extracted.
    pub(super) fn set(&mut self, name: Arc<str>, value: String) {
        self.extracted.insert(name, value);
    }

    /// What a step has extracted.
    pub(super) fn extracted(&self, name: &str) -> Option<&str> {
        self.extracted.get(name).map(String::as_str)
    }

    /// The first variable in the path of a URL that no step has given. Only parameters may be empty.
    pub(super) fn lacks<'t>(&self, url: &'t Template) -> Option<&'t str> {
        let in_path = |part: &&TemplatePart| match part {
            TemplatePart::Text(text) => !text.contains(['?', '#']),
            TemplatePart::Variable(_) => true,
        };
        url.0.iter().take_while(in_path).find_map(|part| match part {
            TemplatePart::Variable(Variable::Extracted(name)) => {
                self.extracted(name).is_none().then_some(&**name)
            }
            TemplatePart::Variable(_) | TemplatePart::Text(_) => None,
        })
    }

    /// Makes the one-time password that counts from now on.
    pub(super) fn make_one_time(&mut self, totp: &Totp) -> Result<(), Reason> {
        self.one_time = Some(self.one_time(totp)?);
        Ok(())
    }

    fn one_time(&self, totp: &Totp) -> Result<String, Reason> {
        let password = totp::password(totp, self.secret(&totp.seed)?, self.clock.now())?;
        self.veil.add(&password);
        Ok(password)
    }

    /// `template` with what its variables stand for.
    pub(super) fn fill(&self, template: &Template) -> Result<String, Reason> {
        let mut text = String::new();
        for part in &template.0 {
            match part {
                TemplatePart::Text(own) => text.push_str(own),
                TemplatePart::Variable(variable) => text.push_str(&self.value(variable)?),
            }
        }
        Ok(text)
    }

    /// JSON with what the variables in its texts stand for.
    pub(super) fn fill_json(&self, template: &JsonTemplate) -> Result<String, Reason> {
        let all = |items: &[JsonTemplate]| -> Result<Vec<String>, Reason> {
            items.iter().map(|item| self.fill_json(item)).collect()
        };
        Ok(match template {
            JsonTemplate::Plain(value) => value.to_string(),
            JsonTemplate::Text(text) => quoted(self.fill(text)?),
            JsonTemplate::List(items) => format!("[{}]", all(items)?.join(",")),
            JsonTemplate::Object(entries) => {
                let entries = entries.iter().map(|(key, value)| {
                    Ok(format!("{}:{}", quoted(key.clone()), self.fill_json(value)?))
                });
                format!("{{{}}}", entries.collect::<Result<Vec<_>, Reason>>()?.join(","))
            }
        })
    }

    fn value(&self, variable: &Variable) -> Result<String, Reason> {
        Ok(match variable {
            Variable::User => match self.account.map(|account| &account.user) {
                Some(UserName::Plain(name)) => name.to_string(),
                Some(UserName::Secret(reference)) => self.secret(reference)?.to_owned(),
                None => return Err(lacks("an account, for its user")),
            },
            Variable::Password => match self.account {
                Some(account) => self.secret(&account.password)?.to_owned(),
                None => return Err(lacks("an account, for its password")),
            },
            Variable::Totp => {
                match (&self.one_time, self.account.and_then(|it| it.totp.as_ref())) {
                    (Some(made), _) => made.clone(),
                    (None, Some(totp)) => self.one_time(totp)?,
                    (None, None) => return Err(lacks("a seed, for one-time passwords")),
                }
            }
            Variable::Secret(reference) => self.secret(reference)?.to_owned(),
            Variable::Run => HEXLOWER.encode(self.derived("run ", "").get(..8).unwrap_or_default()),
            Variable::Random(name) => self.random(name),
            Variable::Challenge(name) => {
                BASE64URL_NOPAD.encode(&Sha256::digest(self.random(name).as_bytes()))
            }
            Variable::Extracted(name) => self.extracted(name).unwrap_or_default().to_owned(),
        })
    }

    fn random(&self, name: &str) -> String {
        let text = BASE64URL_NOPAD.encode(&self.derived("random ", name));
        self.veil.add(&text);
        text
    }

    fn derived(&self, purpose: &str, name: &str) -> [u8; 32] {
        let hash = Sha256::new().chain_update(self.seed).chain_update(purpose);
        hash.chain_update(name).finalize().into()
    }

    fn secret(&self, reference: &SecretRef) -> Result<&'a str, Reason> {
        let found = self.secrets.get(reference).map(|secret| secret.reveal());
        found.ok_or_else(|| lacks(&format!("the {reference}")))
    }
}

fn lacks(what: &str) -> Reason {
    Reason::ProberMisconfigured { detail: what.to_owned() }
}

/// A text as JSON has it.
fn quoted(text: String) -> String {
    serde_json::Value::String(text).to_string()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{prop_assert_eq, proptest};

    use super::*;
    use crate::config::Secret;

    fn account(secrets: &mut Vec<(SecretRef, Secret)>) -> Account {
        let password = SecretRef::Env("PASSWORD".to_owned());
        secrets.push((password.clone(), Secret::new("h\"us\nh")));
        Account { label: "first".into(), user: UserName::Plain("ana".into()), password, totp: None }
    }

    fn text(parts: &[&str]) -> Template {
        let part = |text: &&str| match text.strip_prefix('$') {
            None => TemplatePart::Text((*text).into()),
            Some("user") => TemplatePart::Variable(Variable::User),
            Some("password") => TemplatePart::Variable(Variable::Password),
            Some("run") => TemplatePart::Variable(Variable::Run),
            Some("state") => TemplatePart::Variable(Variable::Random("state".into())),
            Some("nonce") => TemplatePart::Variable(Variable::Random("nonce".into())),
            Some("challenge") => TemplatePart::Variable(Variable::Challenge("state".into())),
            Some(name) => TemplatePart::Variable(Variable::Extracted(name.into())),
        };
        Template(parts.iter().map(part).collect())
    }

    #[test]
    fn what_variables_stand_for() {
        let mut secrets = Vec::new();
        let account = account(&mut secrets);
        let secrets = Secrets::new(secrets);
        let veil = Veil::default();
        let mut vars = Vars::new(&secrets, Some(&account), Clock::start(), &veil).unwrap();
        let of = |vars: &Vars<'_>, parts: &[&str]| vars.fill(&text(parts)).unwrap();
        assert_eq!(of(&vars, &["/as/", "$user", "?t=", "$token"]), "/as/ana?t=");
        vars.set("token".into(), "{{user}}".to_owned());
        // What a target has given is no template.
        assert_eq!(of(&vars, &["$token"]), "{{user}}");
        assert_eq!(of(&vars, &["$state"]), of(&vars, &["$state"]));
        assert_ne!(of(&vars, &["$state"]), of(&vars, &["$nonce"]));
        // RFC 7636 asks for 43 characters at least.
        assert_eq!((of(&vars, &["$state"]).len(), of(&vars, &["$challenge"]).len()), (43, 43));
        assert_eq!(of(&vars, &["$run"]).len(), 16);
        let other = Vars::new(&secrets, Some(&account), Clock::start(), &veil).unwrap();
        assert_ne!(of(&vars, &["$run"]), of(&other, &["$run"]));
        let json = JsonTemplate::Object(vec![
            ("z".to_owned(), JsonTemplate::Text(text(&["$password"]))),
            ("a".to_owned(), JsonTemplate::List(vec![JsonTemplate::Plain(1.into())])),
        ]);
        assert_eq!(vars.fill_json(&json).unwrap(), r#"{"z":"h\"us\nh","a":[1]}"#);
    }

    #[test]
    fn what_is_not_there_is_our_own_trouble() {
        let secrets = Secrets::default();
        let veil = Veil::default();
        let vars = Vars::new(&secrets, None, Clock::start(), &veil).unwrap();
        for parts in [["$user"], ["$password"]] {
            assert_eq!(vars.fill(&text(&parts)).unwrap_err().name(), "prober_misconfigured");
        }
    }

    proptest! {
        #[test]
        fn nothing_but_the_variables_is_filled_in(before in ".*", value in ".*", after in ".*") {
            let secrets = Secrets::default();
            let veil = Veil::default();
            let mut vars = Vars::new(&secrets, None, Clock::start(), &veil).unwrap();
            vars.set("x".into(), value.clone());
            let template = Template(vec![
                TemplatePart::Text(before.as_str().into()),
                TemplatePart::Variable(Variable::Extracted("x".into())),
                TemplatePart::Text(after.as_str().into()),
            ]);
            prop_assert_eq!(vars.fill(&template).unwrap(), format!("{before}{value}{after}"));
            let json = vars.fill_json(&JsonTemplate::Text(template)).unwrap();
            let read: String = serde_json::from_str(&json).unwrap();
            prop_assert_eq!(read, format!("{before}{value}{after}"));
        }
    }
}
