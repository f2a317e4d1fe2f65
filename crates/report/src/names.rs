//! Names of sub-items 分项 in two languages.

use crate::scope::REST;

/// First three characters of a sub-item code of the national building-energy monitoring scheme,
/// and its names.
const SUBITEMS: &[(&str, &str, &str)] = &[
    ("01A", "照明插座用电", "Lighting and sockets"),
    ("01B", "空调用电", "Air conditioning"),
    ("01C", "动力用电", "Power"),
    ("01D", "特殊用电", "Special"),
];

/// The Chinese and English name of a sub-item code or of the rest; an unknown code is its own name.
pub fn subitem(code: &str) -> (String, String) {
    if code == REST {
        return (
            "其他（未分项）".to_owned(),
            "Rest (not sub-metered)".to_owned(),
        );
    }
    if code == "01000" {
        return ("电（总）".to_owned(), "Electricity, total".to_owned());
    }
    let Some((_, zh, en)) = SUBITEMS
        .iter()
        .find(|(start, _, _)| code.get(..3) == Some(*start))
    else {
        return (code.to_owned(), code.to_owned());
    };
    // A code below the first level keeps its digits, so that two of them are told apart.
    if code.chars().skip(3).all(|digit| digit == '0') {
        ((*zh).to_owned(), (*en).to_owned())
    } else {
        (format!("{zh} {code}"), format!("{en} {code}"))
    }
}

/// The Chinese and English name of what is budgeted.
pub fn budget(metric: &str) -> (&'static str, &'static str) {
    match metric {
        "electricity_kwh" => ("用电预算", "Electricity budget"),
        "carbon_tco2" => ("碳预算", "Carbon budget"),
        _ => ("费用预算", "Cost budget"),
    }
}
