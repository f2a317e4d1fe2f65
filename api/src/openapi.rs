//! The contract of the api as OpenAPI 3.1. It is committed as `api/openapi.json`.

use steward_model::Quantity;
use utoipa::openapi::schema::{AdditionalProperties, Object, Schema};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{ContentBuilder, OpenApi as Document, Ref, RefOr, Response, ResponseBuilder};
use utoipa::{Modify, OpenApi};

use crate::problem::{PROBLEM_JSON, Problem};
use crate::routes::{
    adjustments, balance, bills, budgets, carbon, closes, events, explain, invoices, ledger, live,
    meters, probes, readings, registry, reports, reviews, tariffs,
};
use crate::views;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Carbon Steward 双碳管家",
        description = "Energy and carbon of public institutions. Times are RFC 3339 with the offset of the \
                       building's zone, amounts name their unit, money and budgets are decimal strings, and what \
                       is not known is null. Parameters and members that are not listed are refused; a refusal \
                       names every place, its value and what is expected. Tokens have no roles: every valid token \
                       reads and writes, and what it writes stands in the books under its name. Who proposed a \
                       close cannot approve it, so maker and checker need a token each. Where the api is open to \
                       its own machine without a token, the header `X-Steward-User` (1 to 40 letters, digits, \
                       spaces; UTF-8 or percent-encoded) gives the name, else it is `demo`.",
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
        events::events,
        events::post,
        events::undo,
        reviews::reviews,
        reviews::decide,
        closes::closes,
        closes::checklist,
        closes::one,
        closes::propose,
        closes::approve,
        closes::reject,
        adjustments::adjustments,
        explain::explain,
        balance::balance,
        tariffs::tariffs,
        bills::bill,
        invoices::invoices,
        invoices::post,
    ),
    components(schemas(Problem, views::Power, views::Health, views::BooksSeq)),
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
            if !path.starts_with("/api/v1/") {
                continue;
            }
            for operation in [item.get.as_mut(), item.post.as_mut()]
                .into_iter()
                .flatten()
            {
                for status in ["4XX", "5XX"] {
                    operation
                        .responses
                        .responses
                        .insert(status.to_owned(), problem().into());
                }
            }
        }
        let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
        components.add_security_scheme("bearer", SecurityScheme::Http(bearer));
        for (name, schema) in &mut components.schemas {
            match name.as_str() {
                // It leaves out what does not apply.
                "Problem" => {}
                "Quantity" => one_of_the_quantities(schema),
                // What is sent: members beside those named are refused.
                name if name.starts_with("New") => each_object(schema, &|object| {
                    object.additional_properties =
                        Some(Box::new(AdditionalProperties::FreeForm(false)));
                }),
                // What is answered always has every member.
                _ => each_object(schema, &|object| {
                    object.required = object.properties.keys().cloned().collect();
                }),
            }
        }
    }
}

/// Changes an object, or every object of a choice.
fn each_object(schema: &mut RefOr<Schema>, change: &impl Fn(&mut Object)) {
    match schema {
        RefOr::T(Schema::Object(object)) if !object.properties.is_empty() => change(object),
        RefOr::T(Schema::OneOf(choice)) => {
            for item in &mut choice.items {
                each_object(item, change);
            }
        }
        _ => {}
    }
}

/// The words of the model, so that no list of them stands twice.
fn one_of_the_quantities(schema: &mut RefOr<Schema>) {
    if let RefOr::T(Schema::Object(object)) = schema {
        let words = Quantity::ALL.iter().map(|quantity| quantity.id().into());
        object.enum_values = Some(words.collect());
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
