//! Collects every folder that holds a `model.onnx` into one table, so that adding a model is adding a folder.

use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs, io};

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=.");
    let root = env::var("CARGO_MANIFEST_DIR").map_err(io::Error::other)?;
    let mut ids: Vec<String> = fs::read_dir(&root)?
        .filter_map(|entry| entry.ok().and_then(|e| e.file_name().into_string().ok()))
        .filter(|name| {
            ["model.onnx", "model.toml", "CARD.md"].iter().all(|f| Path::new(&root).join(name).join(f).is_file())
        })
        .collect();
    ids.sort();
    let mut table = String::from("/// All models that are built in, by id.\npub const BUILT_IN: &[BuiltIn] = &[\n");
    for id in ids {
        let file = |name: &str| format!("{:?}", Path::new(&root).join(&id).join(name));
        let (onnx, toml, card) = (file("model.onnx"), file("model.toml"), file("CARD.md"));
        writeln!(
            table,
            "    BuiltIn {{ id: {id:?}, toml: include_str!({toml}), card: include_str!({card}), onnx: include_bytes!({onnx}) }},"
        )
        .map_err(io::Error::other)?;
    }
    table.push_str("];\n");
    let out = env::var("OUT_DIR").map_err(io::Error::other)?;
    fs::write(Path::new(&out).join("built_in.rs"), table)
}
