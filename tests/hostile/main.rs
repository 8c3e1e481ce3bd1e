//! Every kind of check against targets that do everything wrong. Each line of the table that this
//! prints is one target and one run: the run has ended by its timeout, for the right reason, and in
//! bounded memory.
//!
//! The targets live in another process, which is this program started again: so what is counted
//! here is farol's own. C code (zstd) is not counted with the rest; what the whole process took at
//! most is the last line.
//!
//! There is no line for `icmp`: on the loopback the kernel itself answers every echo, as it should
//! be, and nobody else can without its leave. Wrong answers are put to the reader of them, in
//! `src/net/icmp.rs`.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a panic is how a test fails, and a table is what it prints"
)]

mod dns;
mod dns_secure;
mod frames;
mod grpc;
mod http;
mod http_body;
mod http_encoding;
mod http_page;
mod http_two;
mod line;
#[path = "../../benches/other/process.rs"]
mod process;
mod proxy;
mod run;
mod serve;
mod starttls;
mod tcp;
mod tls;
mod token;
mod websocket;
mod words;

use std::process::ExitCode;

use peak_alloc::PeakAlloc;

use line::Line;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// The whole table. Both processes make it, so that they mean the same by a line's number.
fn table() -> Vec<Line> {
    [
        http::lines(),
        http_body::lines(),
        http_encoding::lines(),
        http_page::lines(),
        http_two::lines(),
        grpc::lines(),
        websocket::lines(),
        token::lines(),
        proxy::lines(),
        tls::lines(),
        tcp::lines(),
        starttls::lines(),
        dns::lines(),
        dns_secure::lines(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn main() -> ExitCode {
    if process::role().is_some() {
        serve::serve(table());
        return ExitCode::SUCCESS;
    }
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.iter().any(|argument| argument == "--ignored" || argument == "--list") {
        return ExitCode::SUCCESS;
    }
    // As every test program has it: only what is named, if anything is.
    let named: Vec<String> =
        arguments.into_iter().filter(|argument| !argument.starts_with('-')).collect();
    run::run(&table(), &named)
}
