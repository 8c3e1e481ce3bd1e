//! Where in a flow somebody is logged in: what comes after that is use, and no login.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{Action, LoginCheck, LoginStep, PostBody, Template, TemplateHeader, Variable};

impl LoginCheck {
    /// The steps in which somebody is logged in already: when one of these fails, customers can
    /// log in, and do not get what they came for.
    ///
    /// 1. The last step that sends a password or a one-time password logs in. Without any it is
    ///    the last that sends another secret, as a client does that logs in by itself.
    /// 2. What stands in a header goes with every request. Where it is in headers alone, the first
    ///    of them logs in.
    /// 3. What finishes the login at once is part of it: a look at the answer, a form that is sent
    ///    on as it came (a consent, an assertion), a way through named hosts, a token that is judged.
    /// 4. All after it is use. Where nobody shows anything there is no telling, and all is login.
    pub(in super::super) fn steps_of_use(&self) -> BTreeSet<Arc<str>> {
        let logs_in = logs_in(&self.steps, &|variable| {
            matches!(variable, Variable::Password | Variable::Totp)
        });
        let logs_in =
            logs_in.or_else(|| self::logs_in(&self.steps, &|it| matches!(it, Variable::Secret(_))));
        let Some(logs_in) = logs_in else { return BTreeSet::new() };
        let after = self.steps.iter().skip(logs_in + 1).skip_while(|step| finishes(step));
        after.map(|step| step.name.clone()).collect()
    }
}

/// The step that logs in by what `shows` is true for.
fn logs_in(steps: &[LoginStep], shows: &dyn Fn(&Variable) -> bool) -> Option<usize> {
    let any = |texts: Vec<&Template>| texts.into_iter().any(|it| it.variables().any(shows));
    let in_body = steps.iter().rposition(|step| any(body(step)));
    in_body.or_else(|| steps.iter().position(|step| any(step.sends()) || sends_header(step, shows)))
}

/// What a step sends that is no header and no part of a URL.
fn body(step: &LoginStep) -> Vec<&Template> {
    match &step.action {
        Action::Submit { fields, .. } | Action::Post { body: PostBody::Form(fields), .. } => {
            super::of(fields).collect()
        }
        Action::Post { body: PostBody::Json(json), .. } => {
            let mut texts = Vec::new();
            json.collect(&mut texts);
            texts
        }
        Action::Post { body: PostBody::Raw(text, _), .. } => vec![text],
        Action::Get { .. } | Action::Look | Action::Sleep(_) | Action::Totp(_) => Vec::new(),
    }
}

/// Whether a header that is a secret as a whole is one that `shows` is true for.
fn sends_header(step: &LoginStep, shows: &dyn Fn(&Variable) -> bool) -> bool {
    let (Action::Get { headers, .. } | Action::Post { headers, .. }) = &step.action else {
        return false;
    };
    let secrets = headers.iter().filter_map(|(_, header)| TemplateHeader::secret(header));
    secrets.cloned().any(|secret| shows(&Variable::Secret(secret)))
}

/// Whether a step right after one that logs in is still part of the login.
fn finishes(step: &LoginStep) -> bool {
    let passes_on = match &step.action {
        Action::Look | Action::Sleep(_) | Action::Totp(_) => true,
        Action::Submit { fields, .. } => fields.is_empty(),
        Action::Get { .. } | Action::Post { .. } => false,
    };
    // What is done in any case comes when all is over.
    !step.always && (passes_on || !step.via.is_empty() || !step.tokens.is_empty())
}
