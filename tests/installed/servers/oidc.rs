//! An OpenID provider: npm's `oidc-provider`, in Node.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use super::time::faked;
use super::{Server, folder};

/// The library's own pages let everybody in, under any name, and ask for consent.
const PROVIDER: &str = "\
import { pathToFileURL } from 'node:url';

const [library, host, port, redirect, secret] = process.argv.slice(2);
const { Provider } = await import(pathToFileURL(library).href);
const provider = new Provider(`http://${host}:${port}`, {
  clients: [
    { client_id: 'public', token_endpoint_auth_method: 'none', redirect_uris: [redirect] },
    { client_id: 'desk', client_secret: secret, redirect_uris: [redirect] },
  ],
  cookies: { keys: ['for cookies'] },
});
provider.listen(Number(port), host);
";

/// Where `.ci/run` has npm put the library.
const LIBRARY: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/target/oidc/node_modules/oidc-provider/lib/index.js");

/// An OpenID provider whose clients, `public` and `desk`, are called back at `redirect`; the second
/// has this secret. Its clock is ahead by as much as faketime is told, such as `+365d`.
pub(crate) fn oidc_provider(
    dir: &Path,
    address: SocketAddr,
    redirect: &str,
    secret: &str,
    ahead: Option<&str>,
) -> Server {
    assert!(
        Path::new(LIBRARY).exists(),
        "oidc-provider is not installed: `npm install --prefix target/oidc oidc-provider@9.13.3`"
    );
    let dir = folder(dir, "provider");
    let script = dir.join("provider.mjs");
    fs::write(&script, PROVIDER).unwrap();
    let mut command = ahead.map_or_else(|| Command::new("node"), |ahead| faked(ahead, "node"));
    command.arg(script).arg(LIBRARY);
    command.arg(address.ip().to_string()).arg(address.port().to_string()).args([redirect, secret]);
    Server::start(&dir, command).until_listening(address)
}
