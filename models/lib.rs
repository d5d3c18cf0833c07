//! The models of `inperson`, carried as bytes so that a binary needs no file beside it.
//!
//! Each model is a folder with `model.onnx`, `model.toml` (its contract, which names the checksum) and `CARD.md`.
//! This crate only carries them; reading, checking and running them is `inperson`'s business.

#![forbid(unsafe_code)]

/// One model as it is carried: nothing is parsed or checked here.
#[derive(Debug, Clone, Copy)]
pub struct BuiltIn {
    /// Folder name, which is the model's id.
    pub id: &'static str,
    /// Text of `model.toml`.
    pub toml: &'static str,
    /// Text of `CARD.md`.
    pub card: &'static str,
    /// Bytes of `model.onnx`.
    pub onnx: &'static [u8],
}

include!(concat!(env!("OUT_DIR"), "/built_in.rs"));
