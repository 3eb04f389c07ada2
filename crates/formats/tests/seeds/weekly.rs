//! A table as a region's office would send it each week: 24 places and 12 weeks, with titles, two rows of headers and a
//! total, and cells as people leave them. The numbers are made up; no place is told twice of one week, so that all that can
//! be read can be written.

use std::fmt::Write as _;

/// As many spellings and languages as the office has correspondents. A comma is quoted.
const PLACES: [(&str, &str, &str); 24] = [
    ("Côte d’Ivoire", "", "African Region"),
    ("Cote d'Ivoire", "Abidjan", "African Region"),
    ("CÔTE D'IVOIRE ", "Bouaké", "African Region"),
    ("Nigeria", "", "African Region"),
    ("Nigeria", "Kano", "African Region"),
    ("Congo (Kinshasa)", "", "African Region"),
    ("Congo (Kinshasa)", "Équateur", "African Region"),
    ("المغرب", "", "Eastern Mediterranean Region"),
    ("المغرب", "الدار البيضاء", "Eastern Mediterranean Region"),
    ("中国", "", "Western Pacific Region"),
    ("China", "Hubei", "Western Pacific Region"),
    ("中国", "北京", "Western Pacific Region"),
    ("\"Korea, South\"", "", "Western Pacific Region"),
    ("\"Korea, South\"", "Daegu", "Western Pacific Region"),
    ("Россия", "", "European Region"),
    ("Российская Федерация", "Москва", "European Region"),
    ("Франция", "", "European Region"),
    ("Italie", "Lombardia", "European Region"),
    ("Türkiye", "", "European Region"),
    ("Perú", "", "Region of the Americas"),
    ("Perú", "\"Lima, Callao\"", "Region of the Americas"),
    ("US", "Puerto Rico", "Region of the Americas"),
    ("Diamond  Princess", "", ""),
    ("", "", "South-East Asia Region"),
];

const HEADERS: &str = "\
\u{feff}Weekly figures of the regions,,,,,,,,,\r\n\
\"Compiled from the ministries' letters; \"\"as received\"\"\",,,,,,,,,\r\n\
\r\n\
Week,Region,Country / pays / país,Province,Cases (f),Cases (m),Deaths,Tests,Positive share,Remarks\r\n\
#date,#region,#country+name,#adm1+name,#affected+infected+confirmed+total+f,#affected+infected+confirmed+total+m,\
#affected+killed+total,#indicator+code_tests_new,#indicator+code_positive_share,#meta+reason\r\n";

/// The seventh week of 2020 and those after it.
const WEEKS: [&str; 12] = [
    "2020-02-10..2020-02-16",
    "2020-02-17/2020-02-23",
    "2020-02-24..2020-03-01",
    "2020-03-02..2020-03-08",
    "2020/3/15",
    "2020.03.22",
    "2020-03-29T00:00:00Z",
    "2020-04-05 00:00:00",
    " 2020-04-12",
    "2020-04-19",
    "2020-04-20..2020-04-26",
    "2020-05-03",
];

/// Draws; the same ones each time.
struct Draw(u64);

impl Draw {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }

    fn of<'a>(&mut self, cells: &[&'a str]) -> &'a str {
        cells[usize::try_from(self.below(cells.len() as u64)).expect("few")]
    }

    /// A count as it is written; one in forty is none.
    fn count(&mut self, n: u64) -> String {
        let thousands = format!("{},{:03}", 1 + n / 1000, n % 1000);
        match self.below(160) {
            0 => self.of(&["n/a", "-", "<5", "NA", "…", "#REF!", "=1+1", "1e3"]).to_owned(),
            1 => format!("\"{thousands}\""),
            2 => thousands.replace(',', "\u{a0}"),
            3 => format!("-{}", n + 1),
            4..=9 => String::new(),
            10..=15 => format!(" {n} "),
            16..=20 => format!("{n}.0"),
            21..=23 => format!("+{n}"),
            24..=26 => format!("00{n}"),
            27..=29 => format!("\"{n}\""),
            _ => n.to_string(),
        }
    }
}

/// The whole table.
pub fn table() -> String {
    let mut table = HEADERS.to_owned();
    let mut draw = Draw(2020);
    let mut known = [0; PLACES.len()];
    for week in WEEKS {
        for (place, known) in PLACES.iter().zip(&mut known) {
            *known += draw.below(700) * draw.below(3);
            push_row(&mut table, &mut draw, week, place, *known);
        }
    }
    table + ",,,,,,,,,\r\nTotal,,,,123456,\"134,567\",9876,,,\"sums; see the \"\"notes\"\"\"\r\n"
}

fn push_row(table: &mut String, draw: &mut Draw, week: &str, place: &(&str, &str, &str), known: u64) {
    let (country, province, region) = place;
    let week = if draw.below(50) == 0 {
        draw.of(&["3/4/2020", "29.03.2020", "2020-02-30", "43894", "week 14", "1/22/20", "2020-04-05T13:05"])
    } else {
        week
    };
    let (f, m) = (draw.count(known * 9 / 20), draw.count(known * 11 / 20));
    let (deaths, tests) = (draw.count(known / 31), draw.count(known * 7));
    let share = match draw.below(40) {
        0 => draw.of(&[".5", "\"12,5\"", "27%", "0.0000000000000000001"]),
        1..=19 => draw.of(&["0.27", "0.050", "1", "00.5"]),
        _ => "",
    };
    let remark = match draw.below(20) {
        0 => "\"late reports, two districts\"",
        1 => "\"two\r\nlines\"",
        2 => "\"\"\"as received\"\"\"",
        3 => "中文",
        _ => "",
    };
    write!(table, "{week},{region},{country},{province},{f},{m},{deaths},{tests},{share},{remark}")
        .expect("a string");
    // Here and there somebody's spreadsheet left a cell too many, or one out.
    table.push_str(match draw.below(120) {
        0..=2 => ",?\r\n",
        3..=30 => "\n",
        _ => "\r\n",
    });
}
