//! What `model.toml` says of a model: the contract that is checked when it is loaded.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::calibrate::Calibration;
use crate::error::{Error, Result};

/// One named tensor of a model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TensorSpec {
    /// Name in the graph.
    pub name: String,
    /// Element type; `float32` for all models so far.
    pub dtype: String,
    /// Sizes; -1 where any size is taken.
    pub shape: Vec<i64>,
    /// What it holds, with units and range.
    #[serde(default)]
    pub meaning: String,
}

/// What a model is, where it comes from and how it is called.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ModelCard {
    /// Id, which is the name of its folder.
    pub id: String,
    /// Version of these weights.
    pub version: String,
    /// What it does, one word: `face-detection`.
    pub task: String,
    /// One sentence.
    #[serde(default)]
    pub summary: String,
    /// Licence of the weights, an SPDX expression or the name of a text.
    pub licence: String,
    /// SHA-256 of `model.onnx`, lower-case hex.
    pub sha256: String,
    /// Tensors that go in.
    #[serde(default)]
    pub inputs: Vec<TensorSpec>,
    /// Tensors that come out.
    #[serde(default)]
    pub outputs: Vec<TensorSpec>,
    /// From the raw score to a log-likelihood ratio, for models that judge.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calibration: Option<Calibration>,
    /// The same by name, for models with more than one raw score.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub calibrations: BTreeMap<String, Calibration>,
}

impl ModelCard {
    /// Reads the text of a `model.toml`; tables this library does not know are the card's own business.
    ///
    /// # Errors
    /// [`Error::Model`] when the text is not such a card or belongs to another folder than `id`.
    pub fn parse(id: &str, text: &str) -> Result<Self> {
        let card: Self = toml::from_str(text)
            .map_err(|e| Error::model(id, format!("model.toml cannot be read: {}", e.message())))?;
        if card.id != id {
            return Err(Error::model(id, format!("model.toml is for `{}`", card.id)));
        }
        let hex = card.sha256.len() == 64 && card.sha256.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        if !hex {
            return Err(Error::model(id, "sha256 in model.toml is not 64 lower-case hex digits"));
        }
        if card.licence.trim().is_empty() {
            return Err(Error::model(id, "model.toml names no licence"));
        }
        if !card.calibration.iter().chain(card.calibrations.values()).all(Calibration::is_valid) {
            let reason = "a calibration in model.toml has a number that is not finite, a range out of order, or bounds on one side of 0";
            return Err(Error::model(id, reason));
        }
        Ok(card)
    }

    /// Whether what calls `of`, which is built in, can call this one: tensors of the same names, types and sizes in the same
    /// order, and calibrations of the same names.
    pub(super) fn check_place(&self, of: &Self) -> Result<()> {
        let lists = |side: &[TensorSpec]| side.iter().map(|t| t.name.as_str()).collect::<Vec<_>>().join(", ");
        for (what, mine, theirs) in [("inputs", &self.inputs, &of.inputs), ("outputs", &self.outputs, &of.outputs)] {
            let (has, wants) = (lists(mine), lists(theirs));
            if has != wants {
                return Err(Error::model(&self.id, format!("{what} must be {wants}; model.toml names {has}")));
            }
            if let Some((t, want)) =
                mine.iter().zip(theirs).find(|(t, want)| t.shape != want.shape || t.dtype != want.dtype)
            {
                let reason = format!(
                    "tensor `{}` must be {} {:?}; model.toml says {} {:?}",
                    t.name, want.dtype, want.shape, t.dtype, t.shape
                );
                return Err(Error::model(&self.id, reason));
            }
        }
        if of.calibration.is_some() && self.calibration.is_none() {
            return Err(Error::model(&self.id, "model.toml has no [calibration]: scores cannot become evidence"));
        }
        match of.calibrations.keys().find(|name| !self.calibrations.contains_key(*name)) {
            Some(name) => Err(Error::model(&self.id, format!("model.toml has no [calibrations.{name}]"))),
            None => Ok(()),
        }
    }
}
