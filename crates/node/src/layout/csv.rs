//! Files of comma-separated values, as every list can be taken away.

/// A file of comma-separated values (RFC 4180). Texts that a spreadsheet would run as a formula are given an apostrophe.
pub struct Csv(csv::Writer<Vec<u8>>);

impl Csv {
    /// Begins with the names of the columns.
    pub fn new(columns: &[&str]) -> Self {
        let mut writer = Self(csv::Writer::from_writer(Vec::new()));
        writer.row(columns.iter().map(ToString::to_string));
        writer
    }

    /// Adds a row.
    pub fn row(&mut self, fields: impl IntoIterator<Item = String>) {
        let fields = fields.into_iter().map(|field| {
            let formula = field.starts_with(['=', '+', '@', '\t', '\r'])
                || (field.starts_with('-') && field.parse::<f64>().is_err());
            if formula { format!("'{field}") } else { field }
        });
        // Writing to memory cannot fail, and a row of another width would be ours.
        let written = self.0.write_record(fields);
        debug_assert!(written.is_ok(), "every row has a field for every column");
    }

    /// The bytes.
    pub fn finish(self) -> Vec<u8> {
        self.0.into_inner().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_of_a_csv_file_is_a_formula() {
        let mut csv = Csv::new(&["a", "b"]);
        csv.row(["=1+1".to_owned(), "-5".to_owned()]);
        assert_eq!(String::from_utf8(csv.finish()).unwrap(), "a,b\n'=1+1,-5\n");
    }
}
