//! A checker of the part of JSON Schema that our documents use: `$ref`, `type`, `properties`,
//! `required`, `additionalProperties: false`, `items`, `enum`, `oneOf`. An unknown word is ignored.

#![allow(dead_code, reason = "the tests of two crates share this file")]

use serde_json::Value;

/// Every way in which `value` differs from `schema`; references are resolved in `root`.
pub(crate) fn differences(root: &Value, schema: &Value, value: &Value) -> Vec<String> {
    let mut found = Vec::new();
    check(root, schema, value, "$", &mut found);
    found
}

fn check(root: &Value, schema: &Value, value: &Value, at: &str, found: &mut Vec<String>) {
    if let Some(reference) = schema["$ref"].as_str() {
        let target = root.pointer(reference.trim_start_matches('#'));
        return match target {
            Some(target) => check(root, target, value, at, found),
            None => found.push(format!("{at}: nothing at {reference}")),
        };
    }
    if let Some(choices) = schema["oneOf"].as_array() {
        let fits = |choice: &&Value| differences(root, choice, value).is_empty();
        if choices.iter().filter(fits).count() != 1 {
            found.push(format!("{at}: {value} fits not exactly one choice"));
        }
        return;
    }
    if !has_type(&schema["type"], value) {
        found.push(format!("{at}: {value} is no {}", schema["type"]));
        return;
    }
    if let Some(allowed) = schema["enum"].as_array()
        && !allowed.contains(value)
    {
        found.push(format!("{at}: {value} is none of {}", schema["enum"]));
    }
    if let Some(items) = value.as_array() {
        for (index, item) in items.iter().enumerate() {
            check(
                root,
                &schema["items"],
                item,
                &format!("{at}[{index}]"),
                found,
            );
        }
    }
    let Some(members) = value.as_object() else {
        return;
    };
    for name in schema["required"].as_array().into_iter().flatten() {
        if !members.contains_key(name.as_str().unwrap_or_default()) {
            found.push(format!("{at}: {name} is missing"));
        }
    }
    for (name, member) in members {
        match schema["properties"].get(name) {
            Some(schema) => check(root, schema, member, &format!("{at}.{name}"), found),
            None if schema.get("properties").is_some() => {
                found.push(format!("{at}: {name} is not in the schema"))
            }
            None => {}
        }
    }
}

fn has_type(kind: &Value, value: &Value) -> bool {
    match kind {
        Value::String(kind) => match kind.as_str() {
            "object" => value.is_object(),
            "array" => value.is_array(),
            "string" => value.is_string(),
            "boolean" => value.is_boolean(),
            "null" => value.is_null(),
            "integer" => value.is_i64() || value.is_u64(),
            "number" => value.is_number(),
            _ => false,
        },
        Value::Array(kinds) => kinds.iter().any(|kind| has_type(kind, value)),
        _ => true,
    }
}
