//! The contract of the api as OpenAPI 3.1. It is committed as `api/openapi.json`.

use utoipa::openapi::schema::Schema;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{ContentBuilder, OpenApi as Document, Ref, RefOr, Response, ResponseBuilder};
use utoipa::{Modify, OpenApi};

use crate::problem::{PROBLEM_JSON, Problem};
use crate::routes::{budgets, carbon, ledger, live, meters, probes, readings, registry, reports};
use crate::views;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Carbon Steward 双碳管家",
        description = "Energy and carbon of public institutions. Times are RFC 3339 with the offset of the \
                       building's zone, amounts name their unit, budgets are decimal strings, and what is not \
                       known is null. Parameters that are not listed are refused.",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    paths(
        probes::healthz,
        probes::readyz,
        probes::metrics,
        probes::openapi,
        registry::institutions,
        registry::buildings,
        registry::points,
        meters::meters,
        readings::readings,
        ledger::ledger,
        carbon::carbon,
        budgets::budgets,
        live::live,
        reports::monthly,
    ),
    components(schemas(Problem, views::Power, views::Health)),
    modifiers(&Finish),
    security(("bearer" = [])),
)]
struct Contract;

/// What the derive cannot say.
struct Finish;

impl Modify for Finish {
    fn modify(&self, document: &mut Document) {
        let Some(components) = document.components.as_mut() else {
            return;
        };
        for (path, item) in &mut document.paths.paths {
            if let (true, Some(get)) = (path.starts_with("/api/v1/"), item.get.as_mut()) {
                for status in ["4XX", "5XX"] {
                    get.responses
                        .responses
                        .insert(status.to_owned(), problem().into());
                }
            }
        }
        let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
        components.add_security_scheme("bearer", SecurityScheme::Http(bearer));
        for (name, schema) in &mut components.schemas {
            // A problem leaves out what does not apply; everything else always writes every field.
            if let (RefOr::T(Schema::Object(object)), true) = (schema, name != "Problem") {
                object.required = object.properties.keys().cloned().collect();
            }
        }
    }
}

/// How every address under `/api/v1` refuses.
fn problem() -> Response {
    let content = ContentBuilder::new()
        .schema(Some(Ref::from_schema_name("Problem")))
        .build();
    ResponseBuilder::new()
        .description("What was wrong, and what is allowed")
        .content(PROBLEM_JSON, content)
        .build()
}

/// The document.
pub fn document() -> Document {
    Contract::openapi()
}

/// The document as the text of `api/openapi.json`.
pub fn openapi_json() -> Result<String, serde_json::Error> {
    document().to_pretty_json().map(|text| text + "\n")
}
