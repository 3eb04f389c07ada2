//! Dates and times of day as each language writes them (CLDR 47, Gregorian calendar), in the reader's zone.
//!
//! Zones are shown as their distance from UTC, which reads the same in every language and cannot be mistaken.
//! In HTML the ISO form stands beside the text, in `<time datetime>`.

use super::{Lang, Locale};
use crate::layout::Markup;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::Offset;
use std::borrow::Borrow;

struct Months {
    /// Within a date: "22 января".
    long: [&'static str; 12],
    /// Within a date, shortened.
    short: [&'static str; 12],
    /// Alone, shortened: below an axis.
    alone: [&'static str; 12],
}

const AR: [&str; 12] = [
    "يناير",
    "فبراير",
    "مارس",
    "أبريل",
    "مايو",
    "يونيو",
    "يوليو",
    "أغسطس",
    "سبتمبر",
    "أكتوبر",
    "نوفمبر",
    "ديسمبر",
];
const ZH: [&str; 12] =
    ["1月", "2月", "3月", "4月", "5月", "6月", "7月", "8月", "9月", "10月", "11月", "12月"];
const EN_SHORT: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sept", "Oct", "Nov", "Dec"];
const FR_SHORT: [&str; 12] =
    ["janv.", "févr.", "mars", "avr.", "mai", "juin", "juil.", "août", "sept.", "oct.", "nov.", "déc."];
const ES_SHORT: [&str; 12] =
    ["ene", "feb", "mar", "abr", "may", "jun", "jul", "ago", "sept", "oct", "nov", "dic"];
const EN: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const FR: [&str; 12] = [
    "janvier",
    "février",
    "mars",
    "avril",
    "mai",
    "juin",
    "juillet",
    "août",
    "septembre",
    "octobre",
    "novembre",
    "décembre",
];
const RU: [&str; 12] = [
    "января",
    "февраля",
    "марта",
    "апреля",
    "мая",
    "июня",
    "июля",
    "августа",
    "сентября",
    "октября",
    "ноября",
    "декабря",
];
const RU_SHORT: [&str; 12] =
    ["янв.", "февр.", "мар.", "апр.", "мая", "июн.", "июл.", "авг.", "сент.", "окт.", "нояб.", "дек."];
const RU_ALONE: [&str; 12] =
    ["янв.", "февр.", "март", "апр.", "май", "июнь", "июль", "авг.", "сент.", "окт.", "нояб.", "дек."];
const ES: [&str; 12] = [
    "enero",
    "febrero",
    "marzo",
    "abril",
    "mayo",
    "junio",
    "julio",
    "agosto",
    "septiembre",
    "octubre",
    "noviembre",
    "diciembre",
];

const fn months(lang: Lang) -> Months {
    match lang {
        Lang::Ar => Months { long: AR, short: AR, alone: AR },
        Lang::Zh => Months { long: ZH, short: ZH, alone: ZH },
        Lang::En => Months { long: EN, short: EN_SHORT, alone: EN_SHORT },
        Lang::Fr => Months { long: FR, short: FR_SHORT, alone: FR_SHORT },
        Lang::Ru => Months { long: RU, short: RU_SHORT, alone: RU_ALONE },
        Lang::Es => Months { long: ES, short: ES_SHORT, alone: ES_SHORT },
    }
}

fn month<'a>(names: &[&'a str; 12], date: Date) -> &'a str {
    // jiff's months are 1 to 12.
    names[usize::from(date.month().unsigned_abs()) - 1]
}

impl Locale {
    /// `31 May 2020`, for sentences and headings.
    pub fn date_text(&self, date: impl Borrow<Date>) -> String {
        let date = *date.borrow();
        let (day, name, year) = (date.day(), month(&months(self.lang()).long, date), date.year());
        match self.lang() {
            Lang::Zh => format!("{year}年{name}{day}日"),
            Lang::Ru => format!("{day} {name} {year} г."),
            Lang::Es => format!("{day} de {name} de {year}"),
            Lang::Ar | Lang::En | Lang::Fr => format!("{day} {name} {year}"),
        }
    }

    /// `22 Jan 2020`, for tables.
    pub fn date_short_text(&self, date: impl Borrow<Date>) -> String {
        let date = *date.borrow();
        let (day, name, year) = (date.day(), month(&months(self.lang()).short, date), date.year());
        match self.lang() {
            Lang::Zh => format!("{year}年{name}{day}日"),
            Lang::Ru => format!("{day} {name} {year} г."),
            Lang::Ar | Lang::En | Lang::Fr | Lang::Es => format!("{day} {name} {year}"),
        }
    }

    /// `Jan`, for axes.
    pub fn month_text(&self, date: impl Borrow<Date>) -> String {
        month(&months(self.lang()).alone, *date.borrow()).to_owned()
    }

    /// `Feb 2020`, for the first label of an axis and for each January.
    pub fn month_and_year_text(&self, date: impl Borrow<Date>) -> String {
        let date = *date.borrow();
        match self.lang() {
            Lang::Zh => format!("{}年{}", date.year(), self.month_text(date)),
            Lang::Ar | Lang::En | Lang::Fr | Lang::Ru | Lang::Es => {
                format!("{} {}", self.month_text(date), date.year())
            }
        }
    }

    /// `31 May 2020, 14:02 UTC`, in the reader's zone.
    pub fn moment_text(&self, moment: impl Borrow<Timestamp>) -> String {
        let here = moment.borrow().to_zoned(self.zone().clone());
        let comma = match self.lang() {
            Lang::Ar => "، ",
            Lang::Zh => " ",
            Lang::En | Lang::Fr | Lang::Ru | Lang::Es => ", ",
        };
        let (hour, minute, zone) = (here.hour(), here.minute(), zone_text(here.offset()));
        format!("{}{comma}{hour:02}:{minute:02} {zone}", self.date_short_text(here.date()))
    }

    /// A date as `<time>`.
    pub fn date(&self, date: impl Borrow<Date>) -> Markup {
        let date = *date.borrow();
        time_element(&date.to_string(), &self.date_text(date))
    }

    /// A date as `<time>`, short.
    pub fn date_short(&self, date: impl Borrow<Date>) -> Markup {
        let date = *date.borrow();
        time_element(&date.to_string(), &self.date_short_text(date))
    }

    /// A moment as `<time>`; its `datetime` is in UTC, as records have it.
    pub fn moment(&self, moment: impl Borrow<Timestamp>) -> Markup {
        let moment = *moment.borrow();
        time_element(&moment.to_string(), &self.moment_text(moment))
    }
}

fn time_element(iso: &str, text: &str) -> Markup {
    Markup::element("time", &[("datetime", iso)], text)
}

/// `UTC`, `UTC+9`, `UTC+5:30`.
fn zone_text(offset: Offset) -> String {
    let minutes = offset.seconds() / 60;
    if minutes == 0 {
        return "UTC".to_owned();
    }
    let sign = if minutes < 0 { '\u{2212}' } else { '+' };
    let (hours, rest) = (minutes.abs() / 60, minutes.abs() % 60);
    if rest == 0 { format!("UTC{sign}{hours}") } else { format!("UTC{sign}{hours}:{rest:02}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;
    use jiff::tz::TimeZone;

    fn in_each(zone: &TimeZone, write: impl Fn(&Locale) -> String) -> Vec<String> {
        Lang::ALL.into_iter().map(|lang| write(&Locale::new(lang, zone.clone()))).collect()
    }

    #[test]
    fn dates_follow_each_language() {
        let day = date(2020, 5, 31);
        let expected = [
            "31 مايو 2020",
            "2020年5月31日",
            "31 May 2020",
            "31 mai 2020",
            "31 мая 2020 г.",
            "31 de mayo de 2020",
        ];
        assert_eq!(in_each(&TimeZone::UTC, |locale| locale.date_text(day)), expected);
    }

    #[test]
    fn an_axis_names_months_in_the_languages_order() {
        let first = date(2020, 2, 1);
        let expected = ["فبراير 2020", "2020年2月", "Feb 2020", "févr. 2020", "февр. 2020", "feb 2020"];
        assert_eq!(in_each(&TimeZone::UTC, |locale| locale.month_and_year_text(first)), expected);
    }

    #[test]
    fn moments_stand_in_the_readers_zone_and_say_which() {
        let moment: Timestamp = "2020-05-31T20:02:00Z".parse().unwrap();
        let tokyo = TimeZone::fixed(Offset::from_seconds(9 * 3600).unwrap());
        let shown = in_each(&tokyo, |locale| locale.moment_text(moment));
        assert_eq!(shown[2], "1 Jun 2020, 05:02 UTC+9");
        assert_eq!(shown[1], "2020年6月1日 05:02 UTC+9");
        let kolkata = TimeZone::fixed(Offset::from_seconds(5 * 3600 + 1800).unwrap());
        assert_eq!(in_each(&kolkata, |locale| locale.moment_text(moment))[3], "1 juin 2020, 01:32 UTC+5:30");
    }

    #[test]
    fn html_carries_the_iso_form_in_utc() {
        let moment: Timestamp = "2020-05-31T14:02:00Z".parse().unwrap();
        let markup = Locale::new(Lang::En, TimeZone::UTC).moment(moment).to_string();
        assert_eq!(markup, "<time datetime=\"2020-05-31T14:02:00Z\">31 May 2020, 14:02 UTC</time>");
    }
}
