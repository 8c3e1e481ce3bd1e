//! Small platforms on loopback that fail the way real ones did, for a demonstration that needs no
//! configuration, no internet and no real customer in trouble; and the judge of what farol makes
//! of it.

mod chat;
mod dns;
pub mod fault;
mod identity;
pub mod judge;
mod listen;
pub mod page;
mod person;
pub mod play;
pub mod report;
pub mod scenario;
pub mod stepped;
mod telling;
pub mod timeline;
pub mod world;

pub use listen::StartError;
