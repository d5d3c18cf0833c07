//! Decoding and small pictures beside FFmpeg's own programs, on media made here.

#![allow(clippy::unwrap_used, clippy::panic, clippy::cast_possible_truncation, reason = "tests say why by failing")]

mod common;
mod decode;
mod image;
