//! Prints the JSON Schema of the monthly report, for `schema/monthly-report.schema.json`.

fn main() -> Result<(), steward_report::ReportError> {
    print!("{}", steward_report::schema_json()?);
    Ok(())
}
