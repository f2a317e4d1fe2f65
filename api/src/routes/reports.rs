//! The monthly report, as JSON or CSV.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{Uri, header};
use axum::response::{IntoResponse, Response};
use steward_model::InstitutionId;
use steward_report::{Month, MonthlyReport, compose, gather, to_csv, to_json};

use crate::params::Params;
use crate::problem::Problem;
use crate::state::App;

const FORMATS: [&str; 2] = ["json", "csv"];

/// The monthly report of an institution 公共机构月度碳报告.
#[utoipa::path(get, path = "/api/v1/reports/monthly/{institution}/{month}", tag = "report",
    params(
        ("institution" = String, Path, description = "Whose"),
        ("month" = String, Path, description = "`yyyy-mm` in local time"),
        ("format" = Option<String>, Query, description = "`json` (unless told) or `csv`: UTF-8 with BOM, for spreadsheets"),
    ),
    responses(
        (status = 200, content((MonthlyReport = "application/json"), (String = "text/csv"))),
    ))]
pub(crate) async fn monthly(
    State(app): State<Arc<App>>,
    Path((institution, month)): Path<(String, String)>,
    uri: Uri,
) -> Result<Response, Problem> {
    let params = Params::of(&uri, &["format"])?;
    let format = params.get("format").unwrap_or("json");
    if !FORMATS.contains(&format) {
        let detail = format!("`{format}` is no format of a report");
        return Err(Problem::parameter("format", detail).allow(FORMATS));
    }
    let institution = InstitutionId::new(&institution)
        .map_err(|error| Problem::parameter("institution", error.to_string()))?;
    let month: Month = month.parse()?;
    let config = app.config();
    let books = app.books().await?;
    let facts = gather(&app.state.source, config, &books, &institution, month).await?;
    let report = compose(config, &institution, month, &facts, app.now())?;
    let (kind, body) = match format {
        "csv" => ("text/csv; charset=utf-8", to_csv(&report)?),
        _ => ("application/json", to_json(&report)?),
    };
    // Ids and months are safe in a header: neither can hold a quote or a line end.
    let name = format!("inline; filename=\"{institution}-{month}.{format}\"");
    Ok((
        [
            (header::CONTENT_TYPE, kind.to_owned()),
            (header::CONTENT_DISPOSITION, name),
        ],
        body,
    )
        .into_response())
}
