//! What is known of clocks, and whom to believe: every clock is an interval, narrowed by each
//! sample and widened by time. Pure.

mod agreement;
mod book;
mod edge;
mod interval;
mod own;
mod sight;

pub use agreement::{agreement, agreement_of, strayed};
pub use book::{Book, Known, MOST, Rules, Who};
pub use edge::{before_the_edge, until_the_edge};
pub use interval::SLEW;
pub use own::{Named, Own, Reference, Voice};
pub use sight::{JUMP_TOLD, Sample, Sight};
