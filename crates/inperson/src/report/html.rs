//! The report as a page.

use super::Report;
use crate::error::{Error, Result};

pub(super) fn page(report: &Report) -> Result<String> {
    let mut environment = minijinja::Environment::new();
    let broken = |e: minijinja::Error| Error::Config(format!("the report's template fails: {e}"));
    environment.add_template("report.html", include_str!("report.html")).map_err(broken)?;
    let template = environment.get_template("report.html").map_err(broken)?;
    template.render(minijinja::context! { report => report }).map_err(broken)
}
