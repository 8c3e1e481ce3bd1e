//! The served APIs and page, over real HTTP.

#[path = "serve/site.rs"]
mod site;

#[path = "serve/page.rs"]
mod page;
#[path = "serve/process.rs"]
mod process;
#[path = "serve/v1.rs"]
mod v1;
#[path = "serve/v2.rs"]
mod v2;
