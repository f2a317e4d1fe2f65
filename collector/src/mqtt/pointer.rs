//! Takes the scalars at a set of JSON pointers out of a payload in one pass, without building a tree.
//!
//! Numbers stay text until they are needed: so `1e999` spoils one field and not the message, and a
//! decimal number is rounded once, correctly.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

/// What stands at a pointer.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Scalar<'a> {
    /// A number, as it was written.
    Number(&'a str),
    /// A text.
    Text(Cow<'a, str>),
    /// `null`.
    Null,
    /// A boolean, an object or an array.
    Other(&'a str),
}

/// A set of pointers, compiled. Each has the number of its slot.
#[derive(Debug, Default)]
pub(crate) struct Pointers {
    root: Node,
    slots: usize,
}

#[derive(Debug, Default)]
struct Node {
    slots: Vec<usize>,
    children: HashMap<Box<str>, Node>,
}

impl Pointers {
    /// Adds a pointer (RFC 6901) and answers its slot.
    pub(crate) fn add(&mut self, pointer: &str) -> usize {
        let mut node = &mut self.root;
        // The empty pointer is the whole payload.
        for part in pointer.split('/').skip(1) {
            let key = part.replace("~1", "/").replace("~0", "~");
            node = node.children.entry(key.into_boxed_str()).or_default();
        }
        node.slots.push(self.slots);
        self.slots += 1;
        self.slots - 1
    }

    /// What stands at every pointer, in the order in which they were added.
    pub(crate) fn extract<'a>(
        &self,
        payload: &'a [u8],
    ) -> Result<Vec<Option<Scalar<'a>>>, serde_json::Error> {
        let mut found = vec![None; self.slots];
        let mut json = serde_json::Deserializer::from_slice(payload);
        Walk {
            node: &self.root,
            found: &mut found,
        }
        .deserialize(&mut json)?;
        json.end()?;
        Ok(found)
    }
}

struct Walk<'n, 'f, 'a> {
    node: &'n Node,
    found: &'f mut Vec<Option<Scalar<'a>>>,
}

impl<'a> DeserializeSeed<'a> for Walk<'_, '_, 'a> {
    type Value = ();

    fn deserialize<D: Deserializer<'a>>(self, json: D) -> Result<(), D::Error> {
        if self.node.slots.is_empty() {
            return json.deserialize_any(self);
        }
        let raw: &'a RawValue = serde::Deserialize::deserialize(json)?;
        let scalar = scalar(raw.get()).map_err(serde::de::Error::custom)?;
        for slot in &self.node.slots {
            self.found[*slot] = Some(scalar.clone());
        }
        if !self.node.children.is_empty() {
            // A pointer goes on below another one; rare enough to read this part twice.
            let inner = Node::below(self.node);
            serde_json::Deserializer::from_str(raw.get())
                .deserialize_any(Walk {
                    node: &inner,
                    found: self.found,
                })
                .map_err(serde::de::Error::custom)?;
        }
        Ok(())
    }
}

impl Node {
    fn below(node: &Node) -> Node {
        Node {
            slots: Vec::new(),
            children: node
                .children
                .iter()
                .map(|(key, child)| (key.clone(), child.copy()))
                .collect(),
        }
    }

    fn copy(&self) -> Node {
        Node {
            slots: self.slots.clone(),
            ..Self::below(self)
        }
    }
}

impl<'a> Visitor<'a> for Walk<'_, '_, 'a> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_map<M: MapAccess<'a>>(self, mut map: M) -> Result<(), M::Error> {
        while let Some(child) = map.next_key_seed(Key(self.node))? {
            match child {
                Some(node) => map.next_value_seed(Walk {
                    node,
                    found: self.found,
                })?,
                None => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }

    fn visit_seq<S: SeqAccess<'a>>(self, mut seq: S) -> Result<(), S::Error> {
        let mut index = 0_usize;
        loop {
            let child = if self.node.children.is_empty() {
                None
            } else {
                self.node.children.get(index.to_string().as_str())
            };
            let more = match child {
                Some(node) => seq
                    .next_element_seed(Walk {
                        node,
                        found: self.found,
                    })?
                    .is_some(),
                None => seq.next_element::<IgnoredAny>()?.is_some(),
            };
            if !more {
                return Ok(());
            }
            index += 1;
        }
    }

    // A scalar where an object was expected: nothing to find below it.
    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }
    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }
    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }
    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }
    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }
    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
}

/// Finds the child of a key without keeping the key.
struct Key<'n>(&'n Node);

impl<'n, 'a> DeserializeSeed<'a> for Key<'n> {
    type Value = Option<&'n Node>;
    fn deserialize<D: Deserializer<'a>>(self, json: D) -> Result<Self::Value, D::Error> {
        json.deserialize_str(self)
    }
}

impl<'n> Visitor<'_> for Key<'n> {
    type Value = Option<&'n Node>;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }
    fn visit_str<E>(self, key: &str) -> Result<Self::Value, E> {
        Ok(self.0.children.get(key))
    }
}

fn scalar(raw: &str) -> Result<Scalar<'_>, serde_json::Error> {
    Ok(match raw.as_bytes().first() {
        Some(b'"') => Scalar::Text(match raw.get(1..raw.len() - 1) {
            Some(plain) if !plain.contains('\\') => Cow::Borrowed(plain),
            _ => Cow::Owned(serde_json::from_str(raw)?),
        }),
        Some(b'0'..=b'9' | b'-') => Scalar::Number(raw),
        Some(b'n') => Scalar::Null,
        _ => Scalar::Other(raw),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use proptest::prelude::*;

    use super::*;

    fn at<'a>(payload: &'a str, pointers: &[&str]) -> Vec<Option<Scalar<'a>>> {
        let mut compiled = Pointers::default();
        for pointer in pointers {
            compiled.add(pointer);
        }
        compiled.extract(payload.as_bytes()).unwrap()
    }

    #[test]
    fn scalars_are_found_wherever_they_stand() {
        let payload = r#" {"a":{"b":[1.50,{"c":"x\"y"}],"d":null}, "m/n":"7", "~":true, "z":{}} "#;
        let found = at(
            payload,
            &[
                "/a/b/0",
                "/a/b/1/c",
                "/a/d",
                "/m~1n",
                "/~0",
                "/z",
                "/none",
                "/a/b/0/deep",
            ],
        );
        assert_eq!(found[0], Some(Scalar::Number("1.50")));
        assert_eq!(found[1], Some(Scalar::Text("x\"y".into())));
        assert_eq!(found[2], Some(Scalar::Null));
        assert_eq!(found[3], Some(Scalar::Text("7".into())));
        assert_eq!(found[4], Some(Scalar::Other("true")));
        assert_eq!(found[5], Some(Scalar::Other("{}")));
        assert_eq!(found[6], None);
        assert_eq!(found[7], None);
        assert_eq!(at("12.5", &[""])[0], Some(Scalar::Number("12.5")));
        assert_eq!(
            at(r#"{"a":1,"a":2}"#, &["/a"])[0],
            Some(Scalar::Number("2"))
        );
        let both = at(r#"{"a":{"b":3}}"#, &["/a", "/a/b"]);
        assert_eq!(both[1], Some(Scalar::Number("3")));
    }

    #[test]
    fn what_is_no_json_is_an_error() {
        let mut pointers = Pointers::default();
        pointers.add("/a");
        for bad in [
            &b""[..],
            b"{",
            b"{\"a\":1} x",
            b"{\"a\":01}",
            b"nothing",
            b"{\"a\":\"\xff\"}",
            b"\xff\xfe",
        ] {
            assert!(pointers.extract(bad).is_err(), "{bad:?}");
        }
        let deep = "[".repeat(100_000);
        assert!(pointers.extract(deep.as_bytes()).is_err());
    }

    fn any_json() -> impl Strategy<Value = serde_json::Value> {
        let leaf = prop_oneof![
            Just(serde_json::Value::Null),
            any::<bool>().prop_map(Into::into),
            any::<i64>().prop_map(Into::into),
            "[a-c\"\\\\é]{0,3}".prop_map(Into::into),
        ];
        leaf.prop_recursive(4, 32, 4, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Into::into),
                proptest::collection::btree_map("[ab0/~]{1,2}", inner, 0..4)
                    .prop_map(|map| { serde_json::Value::Object(map.into_iter().collect()) }),
            ]
        })
    }

    proptest! {
        /// The tree of serde_json is the oracle.
        #[test]
        fn agrees_with_the_tree(
            json in any_json(),
            pointers in proptest::collection::vec("(/(a|b|0|1|~1|~0|ab)){0,3}", 1..5)
        ) {
            let text = json.to_string();
            let mut compiled = Pointers::default();
            for pointer in &pointers {
                compiled.add(pointer);
            }
            let found = compiled.extract(text.as_bytes()).unwrap();
            for (pointer, found) in pointers.iter().zip(found) {
                let expected = json.pointer(pointer).map(|value| match value {
                    serde_json::Value::Null => "null".to_owned(),
                    serde_json::Value::String(text) => format!("text {text}"),
                    serde_json::Value::Number(number) => format!("number {number}"),
                    other => format!("other {other}"),
                });
                let found = found.map(|scalar| match scalar {
                    Scalar::Null => "null".to_owned(),
                    Scalar::Text(text) => format!("text {text}"),
                    Scalar::Number(number) => format!("number {number}"),
                    Scalar::Other(other) => format!("other {other}"),
                });
                prop_assert_eq!(found, expected, "{}", pointer);
            }
        }

        #[test]
        fn any_bytes_are_found_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            let mut pointers = Pointers::default();
            pointers.add("/a/0");
            pointers.add("");
            let _ = pointers.extract(&bytes);
        }
    }
}
