//! Which models there are: those built in, and those of a folder that the user names.
//!
//! A folder's model replaces the built-in one of the same id. Its checksum is checked, and somebody must have
//! accepted its licence, which `inperson models add` records beside it.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::card::ModelCard;
use crate::error::{Error, Result};

/// File beside a model of the user's that holds the licence that was accepted for these very weights.
pub const ACCEPTANCE_FILE: &str = "accepted.toml";

/// One model that can be loaded.
#[derive(Debug, Clone)]
pub struct ModelEntry {
    /// Its contract.
    pub card: ModelCard,
    /// Text of `CARD.md`, empty where there is none.
    pub text: Cow<'static, str>,
    /// Folder it was read from; `None` for a model that is built in.
    pub folder: Option<PathBuf>,
    onnx: Cow<'static, [u8]>,
}

impl ModelEntry {
    /// Reads the model in `folder` without asking whether its licence was accepted.
    ///
    /// # Errors
    /// [`Error::Model`] where a file cannot be read or the card is wrong.
    pub fn read(folder: &Path) -> Result<Self> {
        let id = folder.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        let bytes = |name: &str| {
            let path = folder.join(name);
            std::fs::read(&path).map_err(|e| Error::model(&id, format!("{}: {e}", path.display())))
        };
        let card = ModelCard::parse(&id, &String::from_utf8_lossy(&bytes("model.toml")?))?;
        let onnx = bytes("model.onnx")?;
        let text = bytes("CARD.md").map(|text| String::from_utf8_lossy(&text).into_owned()).unwrap_or_default().into();
        Ok(Self { card, text, folder: Some(folder.to_owned()), onnx: Cow::Owned(onnx) })
    }

    /// Bytes of `model.onnx`, after comparing their checksum with the card's; those built in are not copied.
    ///
    /// # Errors
    /// [`Error::Model`] when they are not the bytes the card is about.
    pub fn verified(&self) -> Result<Cow<'static, [u8]>> {
        let found = format!("{:x}", Sha256::digest(&self.onnx));
        if found != self.card.sha256 {
            let want = &self.card.sha256;
            return Err(Error::model(&self.card.id, format!("checksum is {found}, model.toml says {want}")));
        }
        Ok(self.onnx.clone())
    }

    /// Size of `model.onnx` in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.onnx.len()
    }

    fn check_acceptance(&self) -> Result<()> {
        let Some(folder) = &self.folder else { return Ok(()) };
        #[derive(serde::Deserialize)]
        struct Acceptance {
            licence: String,
            sha256: String,
        }
        let id = &self.card.id;
        let accepted = std::fs::read_to_string(folder.join(ACCEPTANCE_FILE))
            .ok()
            .and_then(|text| toml::from_str::<Acceptance>(&text).ok())
            .is_some_and(|a| a.licence == self.card.licence && a.sha256 == self.card.sha256);
        if accepted {
            return Ok(());
        }
        let licence = &self.card.licence;
        Err(Error::model(
            id,
            format!(
                "nobody accepted its licence ({licence}): `inperson models add {} --accept-licence`",
                folder.display()
            ),
        ))
    }
}

/// All models by id.
#[derive(Debug, Clone, Default)]
pub struct Registry(BTreeMap<String, ModelEntry>);

impl Registry {
    /// The models that are built in.
    ///
    /// # Errors
    /// [`Error::Model`] when a card that was built in is wrong.
    pub fn built_in() -> Result<Self> {
        let mut models = BTreeMap::new();
        for m in inperson_models::BUILT_IN {
            let card = ModelCard::parse(m.id, m.toml)?;
            let entry = ModelEntry { card, text: m.card.into(), folder: None, onnx: m.onnx.into() };
            models.insert(m.id.to_owned(), entry);
        }
        Ok(Self(models))
    }

    /// The models that are built in, those in the sub-folders of `folder` before them.
    ///
    /// # Errors
    /// [`Error::Model`] when the folder cannot be read or holds no model, a model in it is broken, its licence was not accepted, or
    /// no check could use it: there is none of its id built in, or the one that is has other tensors or calibrations.
    pub fn with_folder(folder: &Path) -> Result<Self> {
        let (mut registry, mut found) = (Self::built_in()?, false);
        let unreadable = |reason: String| Error::model(folder.display().to_string(), reason);
        for entry in std::fs::read_dir(folder).map_err(|e| unreadable(e.to_string()))? {
            let path = entry.map_err(|e| unreadable(e.to_string()))?.path();
            if path.join("model.toml").is_file() {
                let model = ModelEntry::read(&path)?;
                model.check_acceptance()?;
                model.card.check_place(&registry.find(&model.card.id)?.card)?;
                registry.0.insert(model.card.id.clone(), model);
                found = true;
            }
        }
        if !found {
            return Err(unreadable("no model lies in its sub-folders (model.onnx, model.toml)".to_owned()));
        }
        Ok(registry)
    }

    /// The model of this id.
    ///
    /// # Errors
    /// [`Error::Model`] when there is none, with the ids there are.
    pub fn find(&self, id: &str) -> Result<&ModelEntry> {
        self.0.get(id).ok_or_else(|| {
            let known: Vec<&str> = self.0.keys().map(String::as_str).collect();
            Error::model(id, format!("there is no such model; there are: {}", known.join(", ")))
        })
    }

    /// All models, by id.
    pub fn iter(&self) -> impl Iterator<Item = &ModelEntry> {
        self.0.values()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn built_in_models_are_verified_and_not_copied() {
        let registry = Registry::built_in().unwrap();
        assert!(registry.iter().count() > 0);
        for model in registry.iter() {
            assert!(matches!(model.verified().unwrap(), Cow::Borrowed(_)), "{}", model.card.id);
        }
    }

    #[test]
    fn a_folders_model_takes_the_place_of_one_that_is_called_alike() {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/voice");
        let folder = tempfile::tempdir().unwrap();
        let card = std::fs::read_to_string(source.join("model.toml")).unwrap();
        let with = |id: &str, card: String| {
            let place = folder.path().join(id);
            std::fs::create_dir_all(&place).unwrap();
            std::fs::copy(source.join("model.onnx"), place.join("model.onnx")).unwrap();
            std::fs::write(place.join("model.toml"), &card).unwrap();
            let card = ModelEntry::read(&place).unwrap().card;
            let accepted = format!("licence = {:?}\nsha256 = {:?}\n", card.licence, card.sha256);
            std::fs::write(place.join(ACCEPTANCE_FILE), accepted).unwrap();
            let found = Registry::with_folder(folder.path()).map(|r| r.find(id).unwrap().folder.is_some());
            std::fs::remove_dir_all(place).unwrap();
            found.map_err(|e| e.to_string())
        };
        assert_eq!(with("voice", card.clone()), Ok(true));
        let why = with("voices", card.replacen("id = \"voice\"", "id = \"voices\"", 1)).unwrap_err();
        assert!(why.contains("no such model") && why.contains("face-detector"), "{why}");
        let cut = card.find("[[outputs]]\nname = \"silent\"").unwrap();
        let rest = cut + card[cut..].find("[calibration]").unwrap();
        let why = with("voice", format!("{}{}", &card[..cut], &card[rest..])).unwrap_err();
        assert!(why.contains("score, several, silent"), "{why}");
        let why = with("voice", card.replacen("shape = [-1, -1]", "shape = [1, -1]", 1)).unwrap_err();
        assert!(why.contains("[1, -1]"), "{why}");
        let why = with("voice", card[..card.find("[calibration]").unwrap()].to_owned()).unwrap_err();
        assert!(why.contains("[calibration]"), "{why}");
    }

    #[test]
    fn other_bytes_than_the_cards_are_an_error() {
        let mut model = Registry::built_in().unwrap().find("voice").unwrap().clone();
        model.onnx.to_mut()[100] ^= 1;
        assert!(model.verified().unwrap_err().to_string().contains("checksum"));
    }
}
