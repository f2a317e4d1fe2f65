//! Metrics: names in one place, and the text that Prometheus reads.

/// Whether a metric only rises.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Only rises while the process lives.
    Counter,
    /// Goes up and down.
    Gauge,
}

/// One metric: `steward_<subsystem>_<thing>_<unit>[_total]`, base units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Metric {
    /// The full name.
    pub name: &'static str,
    /// One sentence.
    pub help: &'static str,
    /// Counter or gauge.
    pub kind: Kind,
}

/// A measured value of a metric.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// Which metric.
    pub metric: Metric,
    /// Label names and values. Only bounded sets: gateways, reasons, roles; never readings.
    pub labels: Vec<(&'static str, String)>,
    /// The value.
    pub value: f64,
}

impl Metric {
    /// A counter.
    pub const fn counter(name: &'static str, help: &'static str) -> Self {
        Self {
            name,
            help,
            kind: Kind::Counter,
        }
    }

    /// A gauge.
    pub const fn gauge(name: &'static str, help: &'static str) -> Self {
        Self {
            name,
            help,
            kind: Kind::Gauge,
        }
    }

    /// A sample without labels.
    pub const fn sample(self, value: f64) -> Sample {
        Sample {
            metric: self,
            labels: Vec::new(),
            value,
        }
    }

    /// A sample with one label.
    pub fn labelled(self, label: &'static str, text: impl Into<String>, value: f64) -> Sample {
        Sample {
            metric: self,
            labels: vec![(label, text.into())],
            value,
        }
    }
}

/// The text exposition format 0.0.4. Samples of one metric are put together.
pub fn render(samples: &[Sample]) -> String {
    use std::fmt::Write as _;
    let mut sorted: Vec<&Sample> = samples.iter().collect();
    sorted.sort_by(|a, b| {
        a.metric
            .name
            .cmp(b.metric.name)
            .then_with(|| a.labels.cmp(&b.labels))
    });
    let mut text = String::new();
    let mut last = "";
    for sample in sorted {
        let Metric { name, help, kind } = sample.metric;
        if name != last {
            let kind = if kind == Kind::Counter {
                "counter"
            } else {
                "gauge"
            };
            // Writing to a String cannot fail.
            let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}");
            last = name;
        }
        text.push_str(name);
        if !sample.labels.is_empty() {
            let pairs: Vec<String> = sample
                .labels
                .iter()
                .map(|(label, value)| {
                    let value = value
                        .replace('\\', "\\\\")
                        .replace('"', "\\\"")
                        .replace('\n', "\\n");
                    format!("{label}=\"{value}\"")
                })
                .collect();
            let _ = write!(text, "{{{}}}", pairs.join(","));
        }
        let _ = writeln!(text, " {}", sample.value);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_of_one_metric_stand_together() {
        let polls = Metric::counter("steward_collector_polls_total", "Polls made.");
        let lag = Metric::gauge(
            "steward_store_publish_lag_seconds",
            "Age of the oldest row.",
        );
        let text = render(&[
            polls.labelled("gateway", "b", 2.0),
            lag.sample(0.5),
            polls.labelled("gateway", "a\"", 1.0),
        ]);
        let expected = "# HELP steward_collector_polls_total Polls made.\n\
             # TYPE steward_collector_polls_total counter\n\
             steward_collector_polls_total{gateway=\"a\\\"\"} 1\n\
             steward_collector_polls_total{gateway=\"b\"} 2\n\
             # HELP steward_store_publish_lag_seconds Age of the oldest row.\n\
             # TYPE steward_store_publish_lag_seconds gauge\n\
             steward_store_publish_lag_seconds 0.5\n";
        assert_eq!(text, expected);
    }
}
