//! What 200 authorities stated of their countries on 500 days, and one more of every tenth country: as the rows that
//! their records would become. All figures are invented.
#![allow(clippy::cast_possible_wrap)] // Small counts of a made-up table.

use formats::figures::{Figure, FigureKey, Text, Value as Stated};
use formats::places::PlaceNames;
use jiff::civil::Date;
use jiff::{Timestamp, ToSpan as _};
use node::desks::situation::load::Memory;
use node::desks::situation::replay::{Giving, Release, Stated as Table, take_figures};
use node::desks::situation::schema::Shelf;
use store::db::{Conflict, Db, Tx, Value};

use crate::Failure;

const COUNTRIES: usize = 200;
const DAYS: i64 = 500;
const INDICATORS: [&str; 3] = ["cases-confirmed-cumulative", "deaths-cumulative", "recovered-cumulative"];
fn codes() -> Vec<String> {
    PlaceNames::bundled().countries().map(|code| code.to_string()).take(COUNTRIES).collect()
}

/// Two waves, of a size and time that differ from country to country.
#[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss)]
fn new_on(country: usize, day: i64) -> i64 {
    let size = 40.0 + (country * 7919 % 997) as f64 * 3.0;
    let wave = |peak: f64, width: f64| (-((day as f64 - peak) / width).powi(2)).exp();
    let start = 40.0 + (country * 31 % 90) as f64;
    let weekday = if day % 7 >= 5 { 0.6 } else { 1.15 };
    (size * (wave(start, 22.0) + 1.7 * wave(start + 260.0, 45.0)) * weekday) as i64
}

/// Fills the index.
pub async fn fill(db: &Db) -> Result<(), Failure> {
    let codes = codes();
    let mut totals = vec![0_i64; codes.len()];
    let mut number = 0;
    for day in 0..DAYS {
        let date = Date::constant(2020, 1, 22).checked_add(day.days())?;
        let mut tx = db.begin().await?;
        let mut observed = Vec::new();
        for (country, code) in codes.iter().enumerate() {
            let before = totals[country];
            totals[country] += new_on(country, day);
            let mut figures = stated(code, date, totals[country], None)?;
            // Every fiftieth day a country corrects the day before.
            if day > 0 && (day + country as i64) % 50 == 0 {
                figures.push((
                    9,
                    figure(code, date.yesterday()?, INDICATORS[0], before + 3, Some("late reports"))?,
                ));
            }
            number += 1;
            release(&mut tx, &author(code), number, date, figures).await?;
            if country % 10 == 0 {
                observed.push((
                    9,
                    figure(code, date, INDICATORS[0], totals[country] - totals[country] / 200, None)?,
                ));
            }
        }
        number += 1;
        release(&mut tx, &author("WHO"), number, date, observed).await?;
        tx.commit().await?;
    }
    Ok(())
}

fn author(code: &str) -> String {
    format!("moh.{}.example", code.to_lowercase())
}

fn stated(code: &str, date: Date, cases: i64, reason: Option<&str>) -> Result<Vec<(u64, Figure)>, Failure> {
    let values = [cases, cases / 40, cases * 9 / 10];
    INDICATORS
        .iter()
        .zip(values)
        .zip(3..)
        .map(|((indicator, value), line)| Ok((line, figure(code, date, indicator, value, reason)?)))
        .collect()
}

fn figure(
    code: &str,
    date: Date,
    indicator: &str,
    value: i64,
    reason: Option<&str>,
) -> Result<Figure, Failure> {
    let key: FigureKey = format!("{code}|{date}|as-reported||{indicator}").parse()?;
    let value = Stated::whole(value.max(0)).ok_or("a value of at most 18 digits")?;
    Ok(Figure { key, value, reason: reason.map(Text::new).transpose()?, source: None })
}

async fn release(
    tx: &mut Tx,
    author: &str,
    number: i64,
    date: Date,
    figures: Vec<(u64, Figure)>,
) -> Result<(), Failure> {
    let origin = format!("{author}/log/public/2020");
    let name =
        format!("{:064x}", u128::try_from(number)?.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835));
    let claimed = format!("{date}T14:00:00Z").parse::<Timestamp>()?.as_second();
    let id = format!("{number:026}");
    let proven = (number % 97 != 0).then_some(claimed + 120);
    let here = Some(claimed + 5);
    let row: [(&str, Value); 27] = [
        ("origin", origin.as_str().into()),
        ("pos", number.into()),
        ("leaf", name.as_str().into()),
        ("name", name.as_str().into()),
        ("author", author.into()),
        ("kind", "situation.figures".into()),
        ("id", id.as_str().into()),
        ("edition", 1_i64.into()),
        ("status", "exercise".into()),
        ("released", claimed.into()),
        ("first_released", claimed.into()),
        ("rank", claimed.into()),
        ("sealed", 0_i64.into()),
        ("opened", 0_i64.into()),
        ("valid", 1_i64.into()),
        ("proven", proven.into()),
        ("here", here.into()),
        ("bytes", 900_i64.into()),
        ("signer", author.into()),
        ("root_version", 1_i64.into()),
        ("content", 1_i64.into()),
        ("critical", 0_i64.into()),
        ("revoked", 0_i64.into()),
        ("disowned", 0_i64.into()),
        // Everybody may see it, it is listed, and nothing else has a say in what stands.
        ("faces", 3_i64.into()),
        ("listed", 3_i64.into()),
        ("marked", 0_i64.into()),
    ];
    let (columns, values): (Vec<&str>, Vec<Value>) = row.into_iter().unzip();
    tx.insert_many("entry", &columns, &[values], Conflict::Fail).await?;
    let release = Release {
        shelf: Shelf::Public,
        origin: &origin,
        pos: number,
        author,
        name: &name,
        id: &id,
        edition: 1,
        status: "exercise",
        claimed,
        proven,
        here,
        rank: claimed,
        marked: 0,
    };
    take_figures(
        tx,
        &mut Memory::default(),
        &release,
        claimed,
        Giving::Stated(Ok(Table { figures, refused: 0 })),
    )
    .await?;
    Ok(())
}
