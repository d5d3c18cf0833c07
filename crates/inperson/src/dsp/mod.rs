//! Pure maths on arrays: geometry, and pictures taken from frames without converting them whole.

pub mod geometry;
pub mod image;
