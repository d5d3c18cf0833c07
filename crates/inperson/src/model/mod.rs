//! Neural models: their cards, where they come from, and running them.
//!
//! A [`Model`] is one loaded graph, shared and immutable; whoever needs state between calls keeps it himself.

mod card;
mod registry;
mod runtime;

pub use card::{ModelCard, TensorSpec};
pub use registry::{ACCEPTANCE_FILE, ModelEntry, Registry};
pub use runtime::{Device, Model, Runtime, RuntimeConfig};
