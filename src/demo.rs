//! A small platform on loopback that fails the way a real one did, for a demonstration that needs
//! no configuration, no internet and no real customer in trouble.

mod chat;
mod dns;
pub mod fault;
mod identity;
mod listen;
pub mod page;
pub mod platform;
pub mod story;
pub mod timeline;
mod web;
pub mod world;

pub use platform::{Platform, StartError};
