//! `inperson models`: what models there are, and the licence gate for others.

use std::path::{Path, PathBuf};

use inperson::model::{ACCEPTANCE_FILE, ModelEntry, Registry, Runtime, RuntimeConfig};

use crate::failure::{Failure, Whole, say};

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Verb {
    /// All models, one a line
    List(From),
    /// The card of a model
    Show {
        /// The model's id
        id: String,
        #[command(flatten)]
        from: From,
    },
    /// Check checksum and tensors of every model
    Verify(From),
    /// Copy a model of your own beside the others, once its licence is accepted
    Add {
        /// Folder with model.onnx, model.toml and, better, CARD.md; its name is the model's id
        folder: PathBuf,
        /// Folder to copy to; name it with --models when analysing
        #[arg(long, env = "INPERSON_MODELS", value_name = "DIR")]
        to: PathBuf,
        /// You have read the licence and keep it
        #[arg(long)]
        accept_licence: bool,
    },
}

#[derive(Debug, clap::Args)]
pub(crate) struct From {
    /// Folder of models that replace the built-in ones of the same id
    #[arg(long, env = "INPERSON_MODELS", value_name = "DIR")]
    models: Option<PathBuf>,
}

impl From {
    fn registry(&self) -> Result<Registry, Failure> {
        Ok(self.models.as_deref().map_or_else(Registry::built_in, Registry::with_folder)?)
    }
}

pub(crate) fn run(verb: Verb) -> Result<(), Failure> {
    match verb {
        Verb::List(from) => {
            let registry = from.registry()?;
            let lines = registry.iter().map(|m| {
                let place = m.folder.as_deref().map_or("built in".to_owned(), |f| f.display().to_string());
                let card = &m.card;
                format!("{:<16} {:<8} {:>8} bytes  {:<18} {place}", card.id, card.version, m.bytes(), card.task)
            });
            say(&lines.collect::<Vec<_>>().join("\n"))
        }
        Verb::Show { id, from } => {
            let registry = from.registry()?;
            let model = registry.find(&id)?;
            let card = &model.card;
            say(&format!("licence: {}\nsha256:  {}\n\n{}", card.licence, card.sha256, model.text))
        }
        Verb::Verify(from) => {
            let (registry, runtime) = (from.registry()?, Runtime::load(&RuntimeConfig::default())?);
            for model in registry.iter() {
                runtime.model(model)?;
                say(&format!("{}: checksum and tensors as model.toml says", model.card.id))?;
            }
            Ok(())
        }
        Verb::Add { folder, to, accept_licence } => add(&folder, &to, accept_licence),
    }
}

fn add(folder: &Path, to: &Path, accepted: bool) -> Result<(), Failure> {
    let model = ModelEntry::read(folder)?;
    model.verified()?;
    let card = &model.card;
    if !accepted {
        return Err(Failure::other(format!(
            "model `{}` has the licence {}; read it in {}, then add --accept-licence",
            card.id,
            card.licence,
            folder.join("CARD.md").display()
        )));
    }
    let target = to.join(&card.id);
    std::fs::create_dir_all(&target).map_err(|e| Failure::file(&target, e))?;
    let whole = |path: &Path| path.canonicalize().map_err(|e| Failure::file(path, e));
    // a model that lies there already is accepted where it is: a file copied onto itself would be emptied
    let elsewhere = whole(folder)? != whole(&target)?;
    for name in ["model.onnx", "model.toml", "CARD.md"] {
        let from = folder.join(name);
        if elsewhere && from.is_file() {
            std::fs::copy(&from, target.join(name)).map_err(|e| Failure::file(&target.join(name), e))?;
        }
    }
    let acceptance: toml::Table = [("licence", &card.licence), ("sha256", &card.sha256)]
        .map(|(k, v)| (k.to_owned(), v.clone().into()))
        .into_iter()
        .collect();
    Whole::begin(&target.join(ACCEPTANCE_FILE))?.write(&acceptance.to_string())?;
    say(&format!("{} {} is in {}; its licence: {}", card.id, card.version, target.display(), card.licence))
}
