//! Logins against the target that sends everything back: what an account is, what a flow makes and
//! what it takes out of an answer must not be told either.

/// The seed of one-time passwords, which are written in letters of their own.
pub(crate) const SEED: &str = "ZQ7HX2PLWVK3TAILJBSWY3DPEHPK3PXP";

/// The flow of each check: what it is called, its steps, and which reason it has.
pub(crate) const LOGINS: [(&str, &str, &str); 24] = [
    ("user", "{ post = '/json', json_body = { x = '{{user}}' }, BODY }", "json"),
    ("password", "{ post = '/json', json_body = { x = '{{password}}' }, BODY }", "json"),
    ("password-form", "{ post = '/json', form = { x = '{{password}}' }, BODY }", "json"),
    ("one-time", "{ post = '/json', json_body = { otp = '{{totp}}' }, BODY }", "json"),
    (
        "one-time-seed",
        "{ totp = { env = 'SEED', digits = 8 } }, { post = '/json', json_body = { otp = '{{totp}}' }, BODY }",
        "json",
    ),
    ("seed", "{ post = '/json', form = { x = { env = 'SEED' } }, BODY }", "json"),
    ("state", "{ get = '/json', query = { q = '{{random.state}}' }, HEAD }", "json"),
    (
        "challenge",
        "{ post = '/json', json_body = { made = '{{random.v}}' }, BODY }, { post = '/json', json_body = { x = '{{challenge.v}}' } }",
        "json",
    ),
    (
        "secret-header",
        "{ get = '/json', headers = { X-Api-Key = { env = 'API_KEY' } }, KEY }",
        "json",
    ),
    ("secret-body", "{ post = '/json', form = { x = { env = 'CLIENT_SECRET' } }, BODY }", "json"),
    ("session", "{ get = '/page' }, { get = '/json', HEAD }", "json"),
    (
        "session-taken",
        "{ get = '/page', extract = { s = { cookie = 'sid' } } }, { get = '/json', headers = { X-Api-Key = '{{s}}' }, KEY }",
        "json",
    ),
    ("csrf", "LOGIN_PAGE, { post = '/json', json_body = { x = '{{csrf}}' }, BODY }", "json"),
    (
        "hidden-field",
        "LOGIN_PAGE, { submit = 'form', fields = { user = '{{user}}', otp = '{{totp}}' }, BODY }",
        "json",
    ),
    (
        "token-taken",
        "TOKEN, { get = '/json', headers = { Authorization = 'Bearer {{token}}' }, HEAD }",
        "json",
    ),
    // What is to be taken out is as secret if the step fails before that.
    (
        "token-not-taken",
        "{ get = '/jwt', json = { path = '$.id', equals = '1' }, extract = { token = { json = '$.id' } } }",
        "json",
    ),
    (
        "token-claims",
        "TOKEN, { look = true, tokens = { token = '{{token}}', nonce = '{{random.nonce}}' } }",
        "token_claim",
    ),
    (
        "back",
        "TOKEN, { get = '/path', headers = { X-Api-Key = '{{token}}' }, final_url = 'http://x.example/' }",
        "final_url",
    ),
    (
        "strays",
        "{ get = '/away', headers = { X-Api-Key = { env = 'API_KEY' } }, stay_on = 'x.example' }",
        "redirect_host",
    ),
    (
        "echo",
        "{ get = '/head', headers = { X-Api-Key = { env = 'API_KEY' } }, expect_headers = { X-Echo = '1' } }",
        "header",
    ),
    (
        "no-form",
        "LOGIN_PAGE, { submit = 'form', fields = { none = '{{password}}' } }",
        "form_not_found",
    ),
    ("no-cookie", "{ get = '/page', cookies = { sid = { secure = true } } }", "cookie"),
    ("differs", "TOKEN, { look = true, same = { token = '{{random.state}}' } }", "extract_differs"),
    (
        "rejected",
        "{ post = '/not-us/', form = { x = '{{password}}' }, rejected = { status = 401 } }",
        "credentials_rejected",
    ),
];

/// The check of these `steps`, as a probe file has it.
pub(crate) fn check(steps: &str) -> String {
    let steps = steps
        .replace("BODY", "json = { path = '$.body', equals = '1' }")
        .replace("HEAD", "json = { path = '$.head', equals = '1' }")
        .replace("KEY }", "json = { path = '$.key', equals = '1' } }")
        .replace(
            "LOGIN_PAGE",
            "{ get = '/login', extract = { csrf = { css = '[name=x]', attribute = 'value' } } }",
        )
        .replace("TOKEN", "{ get = '/jwt', extract = { token = { json = '$.id' } } }");
    format!(
        "login = {{ url = 'http://ADDRESS/', account = {{ user = {{ env = 'USER_NAME' }}, password = \
         {{ env = 'PASSWORD' }}, totp = {{ env = 'SEED', digits = 8 }} }}, steps = [{steps}] }}"
    )
}

/// Whether what the target says has no place in this reason.
pub(crate) fn tells_nothing(reason: &str) -> bool {
    let of_ours =
        ["token_claim", "form_not_found", "cookie", "extract_differs", "credentials_rejected"];
    of_ours.contains(&reason)
}
