//! Pure maths on arrays: geometry, pictures taken from frames without converting them whole, spectra.

pub mod geometry;
pub mod image;
pub mod spectrum;
