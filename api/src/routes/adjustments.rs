//! What changed in closed months after their close.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::Uri;
use steward_report::adjustments as of_institution;

use crate::params::{Params, missing};
use crate::problem::Problem;
use crate::state::App;
use crate::views::Adjustments;

/// Prior-period adjustments 前期调整, frozen and live, each with its cause.
#[utoipa::path(get, path = "/api/v1/adjustments", tag = "books",
    params(("institution" = String, Query, pattern = "^[a-z0-9][a-z0-9._-]{0,63}$", description = "Whose")),
    responses((status = 200, body = Adjustments)))]
pub(crate) async fn adjustments(
    State(app): State<Arc<App>>,
    uri: Uri,
) -> Result<Json<Adjustments>, Problem> {
    let params = Params::of(&uri, &["institution"])?;
    let config = app.config();
    let institution = params.institution(config)?;
    let institution = institution.ok_or_else(|| missing("institution"))?;
    let books = app.books().await?;
    let adjustments = of_institution(config, &app.state.source, &books, &institution).await?;
    Ok(Json(Adjustments {
        institution: institution.to_string(),
        adjustments,
    }))
}
