//! InfluxDB's annotated CSV, read piece by piece as it arrives.
//!
//! Tables follow each other; each begins with rows of annotations (`#datatype,…`) and a row of
//! column names. A table with a column `error` tells that the query failed half-way.

use super::InfluxError;

/// A row of a table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Record<'a> {
    columns: &'a [String],
    fields: &'a [String],
}

impl<'a> Record<'a> {
    /// The field under a column name.
    pub(crate) fn get(&self, name: &str) -> Result<&'a str, InfluxError> {
        self.columns
            .iter()
            .position(|column| column == name)
            .and_then(|index| self.fields.get(index))
            .map(String::as_str)
            .ok_or_else(|| InfluxError::Answer(format!("a row has no column `{name}`")))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    FieldStart,
    Plain,
    Quoted,
    /// Behind a quote within a quoted field: the end, or the first of two.
    QuoteInQuoted,
}

/// The state between two pieces.
#[derive(Debug)]
pub(crate) struct Parser {
    place: Place,
    /// Fields are gathered as bytes: a piece may end within a character.
    field: Vec<u8>,
    fields: Vec<String>,
    columns: Vec<String>,
    expects_header: bool,
}

impl Parser {
    pub(crate) fn new() -> Self {
        Self {
            place: Place::FieldStart,
            field: Vec::new(),
            fields: Vec::new(),
            columns: Vec::new(),
            expects_header: true,
        }
    }

    /// Takes a piece and hands out the rows that it completes.
    pub(crate) fn feed(
        &mut self,
        bytes: &[u8],
        each: &mut impl FnMut(Record<'_>) -> Result<(), InfluxError>,
    ) -> Result<(), InfluxError> {
        for byte in bytes {
            match (self.place, *byte) {
                (Place::FieldStart, b'"') => self.place = Place::Quoted,
                (Place::Quoted, b'"') => self.place = Place::QuoteInQuoted,
                (Place::QuoteInQuoted, b'"') => {
                    self.field.push(b'"');
                    self.place = Place::Quoted;
                }
                (Place::Quoted, byte) => self.field.push(byte),
                (_, b',') => self.end_field()?,
                (_, b'\n') => self.end_row(each)?,
                (_, b'\r') => {}
                (Place::QuoteInQuoted, _) => {
                    return Err(InfluxError::Answer(
                        "a quote stands within a field".to_owned(),
                    ));
                }
                (Place::FieldStart | Place::Plain, byte) => {
                    self.field.push(byte);
                    self.place = Place::Plain;
                }
            }
        }
        Ok(())
    }

    /// The end of the answer: a row without a line break still counts.
    pub(crate) fn finish(
        mut self,
        each: &mut impl FnMut(Record<'_>) -> Result<(), InfluxError>,
    ) -> Result<(), InfluxError> {
        match self.place {
            Place::Quoted => Err(InfluxError::Answer("it ends within a field".to_owned())),
            Place::FieldStart if self.fields.is_empty() => Ok(()),
            _ => self.end_row(each),
        }
    }

    fn end_field(&mut self) -> Result<(), InfluxError> {
        let text = String::from_utf8(std::mem::take(&mut self.field))
            .map_err(|_| InfluxError::Answer("it is not UTF-8".to_owned()))?;
        self.fields.push(text);
        self.place = Place::FieldStart;
        Ok(())
    }

    fn end_row(
        &mut self,
        each: &mut impl FnMut(Record<'_>) -> Result<(), InfluxError>,
    ) -> Result<(), InfluxError> {
        self.end_field()?;
        let fields = std::mem::take(&mut self.fields);
        if fields.len() == 1 && fields[0].is_empty() {
            // An empty line ends a table.
            self.expects_header = true;
        } else if fields[0].starts_with('#') {
            self.expects_header = true;
        } else if self.expects_header {
            self.columns = fields;
            self.expects_header = false;
        } else {
            let record = Record {
                columns: &self.columns,
                fields: &fields,
            };
            if let Ok(error) = record.get("error") {
                return Err(InfluxError::Answer(format!("the query failed: {error}")));
            }
            return each(record);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;

    const ANSWER: &str = "#datatype,string,long,double\r\n,result,table,_value\r\n,,0,1.5\r\n\
        ,,1,2\r\n\r\n#datatype,string,long,string\r\n,result,table,_value\r\n,,2,\"a,\"\"b\"\"\n楼\"\r\n";

    fn values(pieces: &[&[u8]]) -> Result<Vec<String>, InfluxError> {
        let mut values = Vec::new();
        let mut each = |record: Record<'_>| {
            values.push(record.get("_value")?.to_owned());
            Ok(())
        };
        let mut parser = Parser::new();
        for piece in pieces {
            parser.feed(piece, &mut each)?;
        }
        parser.finish(&mut each)?;
        Ok(values)
    }

    proptest! {
        #[test]
        fn pieces_may_end_anywhere(first in 0..ANSWER.len(), second in 0..ANSWER.len()) {
            let (a, b) = (first.min(second), first.max(second));
            let bytes = ANSWER.as_bytes();
            let read = values(&[&bytes[..a], &bytes[a..b], &bytes[b..]]).unwrap();
            prop_assert_eq!(read, ["1.5", "2", "a,\"b\"\n楼"]);
        }

        #[test]
        fn foreign_bytes_are_an_error_or_rows_and_never_a_panic(
            bytes in proptest::collection::vec(any::<u8>(), 0..300),
        ) {
            let _ = values(&[&bytes]);
        }
    }

    #[test]
    fn an_error_table_is_an_error() {
        let answer = b"#datatype,string,string\n,error,reference\n,out of memory,897\n";
        let error = values(&[answer]).unwrap_err().to_string();
        assert!(error.contains("out of memory"), "{error}");
    }

    #[test]
    fn an_answer_that_breaks_off_within_a_field_is_an_error() {
        assert!(values(&[b",_value\n,\"ab"]).is_err());
    }

    #[test]
    fn an_empty_answer_has_no_rows() {
        assert_eq!(values(&[b"\r\n"]).unwrap(), Vec::<String>::new());
        assert_eq!(values(&[]).unwrap(), Vec::<String>::new());
    }
}
