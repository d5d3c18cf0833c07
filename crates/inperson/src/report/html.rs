//! The report as a page.

use minijinja::value::Value;

use super::Report;
use crate::error::{Error, Result};
use crate::time::Timestamp;

pub(super) fn page(report: &Report) -> Result<String> {
    let mut environment = minijinja::Environment::new();
    environment.set_auto_escape_callback(|_| minijinja::AutoEscape::Html);
    environment.add_filter("clock", |micros: i64| Timestamp(micros).to_string());
    environment.add_filter("percent", |share: f64| format!("{:.1} %", 100.0 * share));
    environment.add_filter("signed", |value: f64| format!("{value:+.2}"));
    environment.add_filter("words", |code: String| code.replace('_', " "));
    // place and width of a span on a timeline of a thousand units
    let total = report.span.micros().max(1) as f64;
    environment.add_filter("left", move |micros: i64| 1000.0 * micros as f64 / total);
    environment.add_filter("wide", move |span: Value| {
        let end = |name: &str| span.get_attr(name).ok().and_then(|v| i64::try_from(v).ok()).unwrap_or_default();
        (1000.0 * (end("end") - end("start")) as f64 / total).max(2.0)
    });
    let broken = |e: minijinja::Error| Error::Config(format!("the report's template fails: {e}"));
    environment.add_template("report.html", include_str!("report.html")).map_err(broken)?;
    let template = environment.get_template("report.html").map_err(broken)?;
    template.render(minijinja::context! { report => report, headline => report.assessment.headline() }).map_err(broken)
}
