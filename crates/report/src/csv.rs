//! The report as CSV for spreadsheets: UTF-8 with BOM, RFC 4180, one figure a row.
//!
//! A spreadsheet takes a cell that begins with `=`, `+`, `-` or `@` for a formula, so texts that
//! come from files of the site get an apostrophe before them. Numbers are our own and stay numbers.

use csv::{Terminator, WriterBuilder};

use crate::ReportError;
use crate::adjustments::AdjustmentEntry;
use crate::names;
use crate::report::{
    BudgetLine, CommodityReport, FactorEntry, Measure, MonthlyReport, Part, TariffEntry,
};

/// The columns in two languages. New ones are added at the end.
const COLUMNS: [&str; 29] = [
    "机构 institution",
    "月份 month",
    "部分 section",
    "品种 commodity",
    "对象 key",
    "名称 name_zh",
    "英文名称 name_en",
    "单位 unit",
    "数值 value",
    "占比 share",
    "每平方米 per_m2",
    "每人 per_person",
    "标准煤 kgce",
    "二氧化碳 co2_kg",
    "上月 last_month",
    "环比 change_on_last_month",
    "去年同月 last_year",
    "同比 change_on_last_year",
    "预算 budget",
    "年预算 budget_year",
    "本年已用 used_year",
    "本年剩余 left_year",
    "状态 state",
    "估算占比 estimated_share",
    "数据完整率 coverage",
    "因子与来源 factors_and_source",
    "备注 note",
    "费用 cost_cny",
    "人工抄表占比 manual_share",
];

type Row = [String; COLUMNS.len()];

/// The report as CSV text.
pub fn to_csv(report: &MonthlyReport) -> Result<String, ReportError> {
    let render = |error: csv::Error| ReportError::Render(error.into());
    let mut writer = WriterBuilder::new()
        .terminator(Terminator::CRLF)
        .from_writer(vec![0xef, 0xbb, 0xbf]);
    writer.write_record(COLUMNS).map_err(render)?;
    for row in rows(report) {
        writer.write_record(&row).map_err(render)?;
    }
    let bytes = writer
        .into_inner()
        .map_err(|error| ReportError::Render(error.to_string().into()))?;
    String::from_utf8(bytes).map_err(|error| ReportError::Render(error.into()))
}

fn rows(report: &MonthlyReport) -> Vec<Row> {
    let lines = Lines { report };
    let mut rows = vec![lines.measure(
        "total",
        "",
        "standard_coal",
        ["综合能耗", "Energy"],
        &report.totals.kgce,
    )];
    rows.push(lines.measure(
        "total",
        "",
        "carbon",
        ["碳排放", "Carbon"],
        &report.totals.co2_kg,
    ));
    rows.push(lines.measure(
        "total",
        "",
        "cost",
        ["能源费用", "Energy cost"],
        &report.totals.cost,
    ));
    for row in &mut rows {
        row[23] = number(report.totals.quality.map(|quality| quality.estimated));
        row[28] = number(report.totals.quality.map(|quality| quality.manual));
        row[24] = number(report.totals.coverage);
    }
    for commodity in &report.commodities {
        rows.push(lines.commodity(commodity));
        rows.extend(
            commodity
                .buildings
                .iter()
                .map(|part| lines.part("building", commodity, part)),
        );
        rows.extend(
            commodity
                .subitems
                .iter()
                .map(|part| lines.part("subitem", commodity, part)),
        );
        rows.extend(
            commodity
                .deducted
                .iter()
                .map(|part| lines.part("deducted", commodity, part)),
        );
    }
    rows.extend(report.budgets.iter().map(|line| lines.budget(line)));
    rows.extend(report.factors.iter().map(|factor| lines.factor(factor)));
    rows.extend(report.tariffs.iter().map(|tariff| lines.tariff(tariff)));
    rows.extend(report.adjustments.iter().map(|one| lines.adjustment(one)));
    rows.extend(lines.about());
    rows
}

struct Lines<'a> {
    report: &'a MonthlyReport,
}

impl Lines<'_> {
    fn line(&self, section: &str, key: &str, [name_zh, name_en]: [&str; 2]) -> Row {
        let mut row = Row::default();
        row[0] = text(&self.report.institution.id);
        row[1] = self.report.month.clone();
        row[2] = section.to_owned();
        row[4] = text(key);
        row[5] = text(name_zh);
        row[6] = text(name_en);
        row
    }

    fn measure(
        &self,
        section: &str,
        commodity: &str,
        key: &str,
        names: [&str; 2],
        measure: &Measure,
    ) -> Row {
        let mut row = self.line(section, key, names);
        row[3] = commodity.to_owned();
        row[7] = measure.unit.clone();
        row[8] = number(measure.value);
        row[10] = number(measure.per_m2);
        row[11] = number(measure.per_person);
        row[14] = number(measure.against_last_month.value);
        row[15] = number(measure.against_last_month.change_share);
        row[16] = number(measure.against_last_year.value);
        row[17] = number(measure.against_last_year.change_share);
        let reasons = [
            ("value", measure.missing),
            ("last_month", measure.against_last_month.missing),
            ("last_year", measure.against_last_year.missing),
        ];
        let notes: Vec<String> = reasons
            .into_iter()
            .filter_map(|(what, why)| why.map(|why| format!("{what}: {}", why.id())))
            .collect();
        row[26] = notes.join("; ");
        row
    }

    fn commodity(&self, commodity: &CommodityReport) -> Row {
        let names = [commodity.name_zh.as_str(), commodity.name_en.as_str()];
        let mut row = self.measure(
            "commodity",
            &commodity.commodity,
            "",
            names,
            &commodity.amount,
        );
        row[12] = number(commodity.kgce.value);
        row[13] = number(commodity.co2_kg.value);
        row[27] = number(commodity.cost.value);
        if let Some(why) = commodity.cost.missing.filter(|_| row[27].is_empty()) {
            let before = if row[26].is_empty() { "" } else { "; " };
            row[26] = format!("{}{before}cost: {}", row[26], why.id());
        }
        row[28] = number(commodity.quality.map(|quality| quality.manual));
        row[23] = number(commodity.quality.map(|quality| quality.estimated));
        row[24] = number(commodity.coverage);
        row[25] = text(&commodity.factor_ids.join("+"));
        row
    }

    fn part(&self, section: &str, commodity: &CommodityReport, part: &Part) -> Row {
        let mut row = self.line(section, &part.key, [&part.name_zh, &part.name_en]);
        row[3] = commodity.commodity.clone();
        row[7] = commodity.amount.unit.clone();
        row[8] = number(part.amount);
        row[9] = number(part.share);
        row[12] = number(part.kgce);
        row[13] = number(part.co2_kg);
        row[27] = number(part.cost_cny);
        row[28] = number(part.quality.map(|quality| quality.manual));
        row[23] = number(part.quality.map(|quality| quality.estimated));
        row[24] = number(part.coverage);
        row[26] = part
            .missing
            .map(|why| format!("value: {}", why.id()))
            .unwrap_or_default();
        row
    }

    fn budget(&self, line: &BudgetLine) -> Row {
        let (zh, en) = names::budget(&line.year.metric);
        let mut row = self.line("budget", &line.year.metric, [zh, en]);
        row[7] = line.year.unit.clone();
        let decimal = |value: Option<rust_decimal::Decimal>| {
            value.map(|value| value.to_string()).unwrap_or_default()
        };
        row[8] = decimal(line.month.used);
        row[9] = number(line.year.used_share);
        row[18] = line.month.budget.to_string();
        row[19] = line.year.annual.to_string();
        row[20] = decimal(line.year.used);
        row[21] = decimal(line.year.left);
        row[26] = line
            .missing
            .map(|why| format!("value: {}", why.id()))
            .unwrap_or_default();
        row[22] = line
            .year
            .colour
            .map(|colour| colour.id().to_owned())
            .unwrap_or_default();
        row
    }

    fn factor(&self, factor: &FactorEntry) -> Row {
        let mut row = self.line("factor", &factor.id, [&factor.region, &factor.kind]);
        row[3] = factor.commodity.clone();
        row[7] = text(&factor.unit);
        row[8] = factor.value.clone();
        let year = factor
            .data_year
            .map(|year| format!(" (data of {year})"))
            .unwrap_or_default();
        row[25] = text(&format!("{}{year}", factor.document));
        row[26] = format!(
            "valid from {}, confidence {}",
            factor.valid_from, factor.confidence
        );
        row
    }

    fn tariff(&self, tariff: &TariffEntry) -> Row {
        let mut row = self.line("tariff", &tariff.id, [&tariff.name_zh, &tariff.name_en]);
        row[3] = tariff.commodity.clone();
        row[25] = text(&tariff.source);
        row[26] = format!(
            "valid from {}, confidence {}",
            tariff.valid_from, tariff.confidence
        );
        row
    }

    /// A line of its own month: the note names the month that it corrects.
    fn adjustment(&self, entry: &AdjustmentEntry) -> Row {
        let names = [entry.name_zh.as_str(), entry.name_en.as_str()];
        let mut row = self.line("adjustment", &entry.point, names);
        row[3] = entry.commodity.clone();
        row[7] = entry.unit.clone();
        row[8] = number(Some(entry.amount));
        row[12] = number(entry.kgce);
        row[13] = number(entry.co2_kg);
        row[27] = number(entry.cost_cny);
        row[26] = text(&format!("{}: {}", entry.month, entry.cause.text_en));
        row
    }

    fn about(&self) -> Vec<Row> {
        let report = self.report;
        let extent = &report.extent;
        let mut area = self.line("about", "floor_area", ["建筑面积", "Floor area"]);
        area[7] = "m2".to_owned();
        area[8] = number(extent.floor_area_m2);
        let mut users = self.line("about", "energy_users", ["用能人数", "Energy users"]);
        users[8] = number(extent.energy_users);
        for row in [&mut area, &mut users] {
            row[26] = extent
                .missing
                .map(|why| format!("value: {}", why.id()))
                .unwrap_or_default();
        }
        let said = [
            (
                "institution",
                ["机构名称", "Institution"],
                format!(
                    "{} {}",
                    report.institution.name_zh, report.institution.name_en
                ),
            ),
            (
                "coal_basis",
                ["折标方法", "Basis of standard coal"],
                report.coal_basis.clone(),
            ),
            (
                "month_over",
                ["月份是否结束", "Month over"],
                report.month_over.to_string(),
            ),
            (
                "state",
                ["关账状态", "State"],
                match &report.close {
                    Some(close) => format!("{}, revision {}", report.state.id(), close.revision),
                    None => report.state.id().to_owned(),
                },
            ),
            ("schema", ["格式", "Form"], report.schema.clone()),
            (
                "generated_at",
                ["生成时间", "Generated at"],
                report.generated_at.clone(),
            ),
            (
                "content_sha256",
                ["内容摘要", "Content hash"],
                report.content_sha256.clone(),
            ),
        ];
        let said = said.into_iter().map(|(key, names, what)| {
            let mut row = self.line("about", key, names);
            row[26] = text(&what);
            row
        });
        [area, users].into_iter().chain(said).collect()
    }
}

fn number(value: Option<f64>) -> String {
    value
        .map(|value| (value + 0.0).to_string())
        .unwrap_or_default()
}

/// A text that no spreadsheet takes for a formula. Full-width signs count too: Chinese versions
/// fold them. So does white space before a sign.
fn text(text: &str) -> String {
    let first = text.trim_start().chars().next();
    let risky = matches!(
        first,
        Some('=' | '+' | '-' | '@' | '＝' | '＋' | '－' | '＠')
    );
    if risky || text.starts_with(['\t', '\r', '\n']) {
        format!("'{text}")
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_cannot_become_formulas() {
        for risky in [
            "=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "  =1", "＝1", "\r=1",
        ] {
            assert_eq!(text(risky), format!("'{risky}"));
        }
        assert_eq!(text("1号楼"), "1号楼");
        assert_eq!(text(""), "");
        assert_eq!(number(Some(-12.5)), "-12.5");
        assert_eq!(number(None), "");
    }
}
