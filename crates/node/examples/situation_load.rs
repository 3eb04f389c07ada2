#![allow(clippy::cast_possible_wrap)] // Small counts of a made-up table.
//! Fills an index with made-up figures (200 countries and a second author, 500 days, three indicators) and
//! measures how long the situation desk takes from tables to HTML.
//!
//! `cargo run --release -p node --example situation_load -- <folder>`; with a folder, the pages are written
//! there. All figures are invented.

use askama::Template as _;
use formats::figures::{Figure, FigureKey, Text, Value as Stated};
use formats::places::PlaceNames;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use node::asof::{AsOf, Basis};
use node::desks::situation::names::{Names, authorities};
use node::desks::situation::query::{self, Scope};
use node::desks::situation::replay::{Release, Stated as Table, release_figures};
use node::desks::situation::schema::Shelf;
use node::desks::situation::{overview, place};
use node::face::Face;
use node::i18n::{Lang, Locale};
use node::index::Index;
use node::layout::{Asked, Desk, Page, RequestParts, Shell};
use node::map::Borders;
use std::path::Path;
use std::time::Instant;
use store::db::{Conflict, Db, DbOptions, Tx, Value};

const COUNTRIES: usize = 200;
const DAYS: i64 = 500;
const INDICATORS: [&str; 3] = ["cases-confirmed-cumulative", "deaths-cumulative", "recovered-cumulative"];
const ROUNDS: usize = 60;

type Failure = Box<dyn std::error::Error>;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let folder = std::env::args().nth(1);
    let temporary = std::env::temp_dir().join(format!("situation-load-{}", std::process::id()));
    std::fs::create_dir_all(&temporary)?;
    let url = format!("sqlite:{}/index.db", temporary.display());
    let db = Db::connect(&url, DbOptions::default()).await?;
    Index::open(db.clone()).await?;
    let began = Instant::now();
    fill(&db).await?;
    db.run("analyze", &[]).await?;
    println!("filled in {:.1} s", began.elapsed().as_secs_f64());
    measure(&db).await?;
    if let Some(folder) = folder {
        write_pages(&db, Path::new(&folder)).await?;
    }
    std::fs::remove_dir_all(&temporary)?;
    Ok(())
}

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

async fn fill(db: &Db) -> Result<(), Failure> {
    let codes = codes();
    let mut tx = db.begin().await?;
    let columns = [
        "authority",
        "fingerprint",
        "code",
        "shown_name",
        "role",
        "standing",
        "endpoint",
        "root_version",
        "root_until",
    ];
    let mut rows: Vec<Vec<Value>> = Vec::new();
    for code in codes.iter().map(String::as_str).chain(["WHO"]) {
        let name = if code == "WHO" {
            "World Health Organization".into()
        } else {
            format!("Ministry of Health ({code})")
        };
        rows.push(vec![
            author(code).into(),
            "x".into(),
            code.into(),
            name.into(),
            "peer".into(),
            "confirmed".into(),
            "".into(),
            1_i64.into(),
            0_i64.into(),
        ]);
    }
    tx.insert_many("authority", &columns, &rows, Conflict::Fail).await?;
    tx.commit().await?;
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
    let columns = [
        "origin",
        "pos",
        "leaf",
        "name",
        "author",
        "kind",
        "id",
        "edition",
        "status",
        "released",
        "sealed",
        "opened",
        "valid",
        "bytes",
        "conflicting",
        "content",
        "proven",
        "here",
    ];
    let id = format!("{number:026}");
    let entry = vec![
        origin.as_str().into(),
        number.into(),
        name.as_str().into(),
        name.as_str().into(),
        author.into(),
        "situation.figures".into(),
        id.as_str().into(),
        1_i64.into(),
        "exercise".into(),
        claimed.into(),
        0_i64.into(),
        0_i64.into(),
        1_i64.into(),
        900_i64.into(),
        0_i64.into(),
        1_i64.into(),
        if number % 97 == 0 { Value::Null } else { (claimed + 120).into() },
        (claimed + 5).into(),
    ];
    tx.insert_many("entry", &columns, &[entry], Conflict::Fail).await?;
    let release = Release {
        shelf: Shelf::Public,
        origin: &origin,
        pos: number,
        author,
        name: &name,
        kind: "situation.figures",
        id: &id,
        edition: 1,
        status: "exercise",
        claimed,
        here: Some(claimed + 5),
    };
    release_figures(tx, &release, Ok(Table { figures, refused: 0 })).await?;
    Ok(())
}

fn moment(day: &str) -> Option<i64> {
    format!("{day}T23:59:59Z").parse::<Timestamp>().ok().map(Timestamp::as_second)
}

async fn measure(db: &Db) -> Result<(), Failure> {
    let cases = [
        ("now", AsOf::default()),
        ("as claimed 2020-05-31", AsOf { basis: Basis::Claimed, at: moment("2020-05-31") }),
        ("as proven 2020-05-31", AsOf { basis: Basis::Proven, at: moment("2020-05-31") }),
        ("as verified here 2021-01-31", AsOf { basis: Basis::Here, at: moment("2021-01-31") }),
    ];
    println!("{:<34} {:>9} {:>9} {:>9}", "page", "p50 ms", "p99 ms", "kB");
    for (name, as_of) in cases {
        let scope = Scope { face: Face::Public, as_of, status: "exercise" };
        time(&format!("situation, {name}"), || overview_html(db, scope, Lang::En, "")).await?;
        time(&format!("place, {name}"), || place_html(db, scope, Lang::En, "CHN")).await?;
    }
    Ok(())
}

async fn time<F, R>(name: &str, mut page: F) -> Result<(), Failure>
where
    F: FnMut() -> R,
    R: Future<Output = Result<String, Failure>>,
{
    let mut taken = Vec::new();
    let mut size = 0;
    for round in 0..ROUNDS + 5 {
        let began = Instant::now();
        size = page().await?.len();
        if round >= 5 {
            taken.push(began.elapsed().as_secs_f64() * 1000.0);
        }
    }
    taken.sort_by(f64::total_cmp);
    println!("{name:<34} {:>9.1} {:>9.1} {:>9}", taken[ROUNDS / 2], taken[ROUNDS * 99 / 100], size / 1000);
    Ok(())
}

fn framed(scope: Scope<'_>, lang: Lang, path: &str, query: &str) -> Page {
    let parts = RequestParts { path, query, ..RequestParts::default() };
    let asked = Asked::new(parts, lang, TimeZone::UTC);
    let shell =
        Shell::new("Ministry of Health, Labour and Welfare", "moh.jpn.example", Face::Public).in_exercise();
    let title = asked.t.shell_situation();
    Page::new(&shell, &asked, title).on_desk(Desk::Situation).as_of(scope.as_of)
}

async fn overview_html(db: &Db, scope: Scope<'_>, lang: Lang, query: &str) -> Result<String, Failure> {
    let (places, known) = (PlaceNames::bundled(), authorities(db).await?);
    let t = Locale::new(lang, TimeZone::UTC);
    let names = Names { t: &t, places: &places, authorities: &known };
    let read = overview::read(db, scope, &names, None).await?;
    let page = framed(scope, lang, "/situation", query);
    let page = overview::page(db, scope, &names, page, &read, &Borders::default()).await?;
    Ok(page.map_err(|problem| problem.code().to_owned())?.render()?)
}

async fn place_html(db: &Db, scope: Scope<'_>, lang: Lang, code: &str) -> Result<String, Failure> {
    let (places, known) = (PlaceNames::bundled(), authorities(db).await?);
    let t = Locale::new(lang, TimeZone::UTC);
    let names = Names { t: &t, places: &places, authorities: &known };
    let read = place::read(db, scope, &names, code, (None, None)).await?.ok_or("the place has figures")?;
    let mut page =
        framed(scope, lang, &format!("/situation/{code}"), "").below("/situation", t.shell_situation());
    page.title = names.place(code);
    let page = place::page(db, &names, page, &read).await?;
    Ok(page.map_err(|problem| problem.code().to_owned())?.render()?)
}

async fn write_pages(db: &Db, folder: &Path) -> Result<(), Failure> {
    let now = Scope { face: Face::Public, as_of: AsOf::default(), status: "exercise" };
    let then = Scope { as_of: AsOf { basis: Basis::Claimed, at: moment("2020-05-31") }, ..now };
    let css = node::layout::asset::APP_CSS.path;
    std::fs::create_dir_all(folder.join("assets"))?;
    std::fs::write(folder.join(css.trim_start_matches('/')), node::layout::asset::APP_CSS.bytes)?;
    let statements = query::statements(db, now, "ABW", 18_400).await?;
    println!("{} statements about one day of one place", statements.len());
    for lang in [Lang::En, Lang::Zh, Lang::Ar, Lang::Ru] {
        let pages = [
            ("situation", overview_html(db, now, lang, "").await?),
            ("situation-then", overview_html(db, then, lang, "as_of=2020-05-31").await?),
            ("place", place_html(db, now, lang, "CHN").await?),
        ];
        for (name, html) in pages {
            let html = html.replace("href=\"/assets/", "href=\"assets/");
            std::fs::write(folder.join(format!("{name}-{}.html", lang.code())), html)?;
        }
    }
    Ok(())
}
