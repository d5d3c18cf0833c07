//! Pure maths on arrays: geometry, pictures taken from frames without converting them whole and laid over each other, spectra.

pub mod geometry;
pub mod histogram;
pub mod image;
pub mod register;
pub mod spectrum;
