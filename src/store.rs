//! What survives a restart.

pub mod sqlite;

pub use sqlite::StoreError;
