//! What survives a restart.

pub mod page;
pub mod sqlite;

pub use sqlite::StoreError;
