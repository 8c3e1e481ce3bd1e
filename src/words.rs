//! What the public reads: facts in, a title and a text out, in the language of the page. Pure.
//!
//! A language is a folder of templates, one for each step of an incident, and a [`Tongue`] with
//! what templates cannot do well: lists, numbers, dates and lengths of time. A new one needs both;
//! the tests say what it lacks.

mod facts;
mod languages;
mod own;
mod postmortem;
pub mod sample;
mod template;
#[cfg(test)]
mod tests;
mod tongue;

pub use facts::{Body, Dependents, Earlier, Line, Names, Outlasted, Step, Symptom, Title, Watch};
pub use own::{Flaw, template};
pub use postmortem::postmortem;
pub use template::{Text, Voice, tell, title, titled};
pub use tongue::{Tongue, name};
