//! Prints the api's OpenAPI document, for `api/openapi.json`.

fn main() -> Result<(), serde_json::Error> {
    print!("{}", steward_api::openapi_json()?);
    Ok(())
}
