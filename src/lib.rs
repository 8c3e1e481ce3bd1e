//! Farol watches a platform from the outside and tells its status page the truth.

pub mod app;
pub mod check;
pub mod cli;
pub mod clock;
pub mod config;
pub mod demo;
pub mod drawing;
pub mod engine;
pub mod metrics;
pub mod model;
pub mod net;
pub mod offset;
pub mod outbox;
pub mod publish;
pub mod replay;
pub mod runtime;
pub mod schedule;
pub mod serve;
pub mod store;
mod veil;
pub mod words;
