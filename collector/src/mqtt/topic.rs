//! Topic patterns with named parts.

use steward_config::Subscription;

/// A compiled pattern.
#[derive(Debug)]
pub(crate) struct Pattern {
    levels: Vec<Level>,
}

#[derive(Debug, PartialEq)]
enum Level {
    Literal(Box<str>),
    Named(Box<str>),
    One,
    Rest,
}

/// The named parts of a topic that fits.
#[derive(Debug, PartialEq)]
pub(crate) struct Parts<'a> {
    /// `{meter}`
    pub(crate) meter: Option<&'a str>,
    /// `{gateway}`
    pub(crate) gateway: Option<&'a str>,
}

impl Pattern {
    pub(crate) fn new(subscription: &Subscription) -> Self {
        let levels = subscription.pattern.split('/').map(|level| {
            let name = level.strip_prefix('{').and_then(|l| l.strip_suffix('}'));
            match (name, level) {
                (Some(name), _) => Level::Named(name.into()),
                (None, "+") => Level::One,
                (None, "#") => Level::Rest,
                (None, literal) => Level::Literal(literal.into()),
            }
        });
        Self {
            levels: levels.collect(),
        }
    }

    /// The parts of `topic`, where it fits.
    pub(crate) fn fit<'a>(&self, topic: &'a str) -> Option<Parts<'a>> {
        let mut parts = Parts {
            meter: None,
            gateway: None,
        };
        let mut own = self.levels.iter();
        let mut given = topic.split('/');
        loop {
            match (own.next(), given.next()) {
                (None, None) | (Some(Level::Rest), _) => return Some(parts),
                (Some(Level::Literal(literal)), Some(level)) if **literal == *level => {}
                (Some(Level::One), Some(_)) => {}
                (Some(Level::Named(name)), Some(level)) => match &**name {
                    "meter" => parts.meter = Some(level),
                    "gateway" => parts.gateway = Some(level),
                    _ => {}
                },
                _ => return None,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fit(pattern: &str, topic: &str) -> Option<(Option<String>, Option<String>)> {
        let pattern = Pattern::new(&Subscription {
            pattern: pattern.to_owned(),
            device_pointer: None,
        });
        let parts = pattern.fit(topic)?;
        Some((parts.meter.map(Into::into), parts.gateway.map(Into::into)))
    }

    #[test]
    fn named_parts_are_found() {
        let own = "steward/v1/{site}/{gateway}/{meter}/telemetry";
        assert_eq!(
            fit(own, "steward/v1/s/g-1/m-1/telemetry"),
            Some((Some("m-1".into()), Some("g-1".into())))
        );
        assert_eq!(fit(own, "steward/v1/s/g-1/m-1/status"), None);
        assert_eq!(fit(own, "steward/v1/s/g-1/m-1"), None);
        assert_eq!(fit(own, "steward/v1/s/g-1/m-1/telemetry/more"), None);
        assert_eq!(
            fit("tele/{meter}/SENSOR", "tele/plug/SENSOR"),
            Some((Some("plug".into()), None))
        );
        assert_eq!(
            fit("a/+/{meter}/#", "a/b/c/d/e"),
            Some((Some("c".into()), None))
        );
        assert_eq!(fit("a/#", "a"), Some((None, None)));
        assert_eq!(fit("a/b", "a"), None);
    }
}
