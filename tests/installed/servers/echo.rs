//! A WebSocket server in Python, with the library of that name.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use super::{Papers, Server, folder};

/// Sends every message back. It speaks `chat` with those who ask for that.
const SCRIPT: &str = "\
import asyncio, ssl, sys, websockets

async def echo(socket):
    async for message in socket:
        await socket.send(message)

async def main(host, port, *papers):
    secure = None
    if papers:
        secure = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        secure.load_cert_chain(*papers)
    async with websockets.serve(echo, host, int(port), ssl=secure, subprotocols=['chat']):
        await asyncio.Future()

asyncio.run(main(*sys.argv[1:]))
";

/// A server that sends every message back, over TLS if it has papers.
pub(crate) fn echo(dir: &Path, address: SocketAddr, papers: Option<&Papers>) -> Server {
    let dir = folder(dir, "echo");
    let script = dir.join("echo.py");
    fs::write(&script, SCRIPT).unwrap();
    // Debian's own: it has Debian's libraries.
    let mut command = Command::new("/usr/bin/python3");
    command.arg(script).arg(address.ip().to_string()).arg(address.port().to_string());
    if let Some(Papers { certificates, key }) = papers {
        command.arg(certificates).arg(key);
    }
    Server::start(&dir, command).until_listening(address)
}
