//! What an account has to pay by the ledger and its tariffs.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::Uri;
use steward_report::bill::{AccountBill, month_bill};

use crate::params::{Params, missing};
use crate::problem::Problem;
use crate::state::App;

/// The bill of an account for a month 电费账单, line by line, as the ledger and the tariffs have it.
#[utoipa::path(get, path = "/api/v1/tariffs/bill", tag = "money",
    params(
        ("account" = String, Query, max_length = 128, description = "Whose: an account of `GET /api/v1/tariffs`"),
        ("month" = String, Query, pattern = "^[0-9]{4}-(0[1-9]|1[0-2])$", description = "`yyyy-mm` in local time"),
    ),
    responses((status = 200, body = AccountBill)))]
pub(crate) async fn bill(
    State(app): State<Arc<App>>,
    uri: Uri,
) -> Result<Json<AccountBill>, Problem> {
    let params = Params::of(&uri, &["account", "month"])?;
    let config = app.config();
    let account = params.account(config)?.ok_or_else(|| missing("account"))?;
    let month = params.month()?.ok_or_else(|| missing("month"))?;
    let books = app.books().await?;
    let bill = month_bill(config, &app.state.source, &books.state, account, month).await?;
    Ok(Json(bill))
}
