//! A table for people: Markdown, aligned, numbers to the right.

/// Rows under headings.
pub struct Table {
    title: String,
    headings: Vec<String>,
    rows: Vec<Vec<String>>,
    notes: Vec<String>,
}

impl Table {
    /// An empty table. The first column is text, the others are numbers.
    pub fn new(title: &str, headings: &[&str]) -> Self {
        let headings = headings.iter().map(|heading| (*heading).to_owned()).collect();
        Self { title: title.to_owned(), headings, rows: Vec::new(), notes: Vec::new() }
    }

    /// Adds a row, as long as the headings.
    pub fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().collect());
    }

    /// Adds a sentence below the table.
    pub fn note(&mut self, text: impl Into<String>) {
        self.notes.push(text.into());
    }

    /// Prints it.
    pub fn print(&self) {
        let width = |column: usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(column));
            cells.chain(self.headings.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..self.headings.len()).map(width).collect();
        println!("## {}\n", self.title);
        print_row(&self.headings, &widths);
        let rules: Vec<String> =
            widths.iter().enumerate().map(|(column, width)| rule(column, *width)).collect();
        println!("|{}|", rules.join("|"));
        for row in &self.rows {
            print_row(row, &widths);
        }
        println!();
        for note in &self.notes {
            println!("{note}");
        }
        println!();
    }
}

fn rule(column: usize, width: usize) -> String {
    let dashes = "-".repeat(width + 1);
    if column == 0 { format!("{dashes}-") } else { format!("{dashes}:") }
}

fn print_row(cells: &[String], widths: &[usize]) {
    let padded = cells.iter().zip(widths).enumerate().map(|(column, (cell, width))| {
        if column == 0 { format!("{cell:<width$}") } else { format!("{cell:>width$}") }
    });
    println!("| {} |", padded.collect::<Vec<_>>().join(" | "));
}

/// A count, or a rate, with its thousands apart.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // Rates are far below 2^63 and above 0.
pub fn thousands(number: f64) -> String {
    let digits = (number.round().max(0.0) as u64).to_string();
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A share in percent.
pub fn percent(part: f64, whole: f64) -> String {
    if whole > 0.0 { format!("{:.0} %", 100.0 * part / whole) } else { "–".to_owned() }
}

/// How many times as much.
pub fn times(ours: f64, theirs: f64) -> String {
    if theirs > 0.0 { format!("{:.2} ×", ours / theirs) } else { "–".to_owned() }
}

/// Milliseconds.
pub fn milliseconds(time: std::time::Duration) -> String {
    format!("{:.1}", time.as_secs_f64() * 1000.0)
}

/// Megabytes, of 10^6 bytes.
#[allow(clippy::cast_precision_loss)] // Printed with one decimal.
pub fn megabytes(bytes: u64) -> String {
    format!("{:.1}", bytes as f64 / 1e6)
}

/// What `part` thousandths of sorted times do not exceed.
pub fn quantile(sorted: &[std::time::Duration], part: usize) -> std::time::Duration {
    let at = (sorted.len() * part / 1000).min(sorted.len().saturating_sub(1));
    sorted.get(at).copied().unwrap_or_default()
}

/// The middle one.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
