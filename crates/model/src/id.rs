//! Names of things. One form serves files, URLs, topics, tags and metrics labels.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// The longest id in bytes: fits a tag, a topic level and a file name on every system.
const ID_BYTES_MAX: usize = 64;

/// Why a text is no id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no id: use 1 to 64 of a-z, 0-9, `-`, `_` and `.`, starting with a letter or digit"
)]
pub struct InvalidId(pub String);

fn is_valid(text: &str) -> bool {
    let first = text.bytes().next();
    text.len() <= ID_BYTES_MAX
        && first.is_some_and(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
        && text
            .bytes()
            .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.'))
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Arc<str>);

        impl $name {
            /// Checks the form: 1 to 64 of `a-z 0-9 - _ .`, starting with a letter or digit.
            pub fn new(text: impl AsRef<str>) -> Result<Self, InvalidId> {
                let text = text.as_ref();
                if is_valid(text) {
                    Ok(Self(Arc::from(text)))
                } else {
                    Err(InvalidId(text.chars().take(ID_BYTES_MAX + 8).collect()))
                }
            }

            /// The id as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidId;
            fn try_from(text: String) -> Result<Self, InvalidId> {
                Self::new(text)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0.as_ref().to_owned()
            }
        }

        impl std::str::FromStr for $name {
            type Err = InvalidId;
            fn from_str(text: &str) -> Result<Self, InvalidId> {
                Self::new(text)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }
    };
}

id! {
    /// An institution 公共机构: the legal body with a budget, head count and floor area.
    InstitutionId
}
id! {
    /// A building, where points are.
    BuildingId
}
id! {
    /// A point 计量点: a logical metering place. It lives for ever.
    PointId
}
id! {
    /// A meter 表计: the device that serves a point for a dated span.
    MeterId
}
id! {
    /// A gateway: how meters are reached.
    GatewayId
}
id! {
    /// A profile: a meter model as data.
    ProfileId
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_have_one_safe_form() {
        for good in ["a", "xzzx-1-main", "330100a001", "m_1.2"] {
            assert!(PointId::new(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "-a",
            "A",
            "a b",
            "a/b",
            "a,b",
            "a\"b",
            "a\n",
            "楼",
            &"a".repeat(65),
        ] {
            assert!(PointId::new(bad).is_err(), "{bad}");
        }
    }
}
